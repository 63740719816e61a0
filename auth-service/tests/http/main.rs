//! The Auth API as its callers see it: over real sockets, on SQLite with memory and on PostgreSQL with Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "what was measured is told, for --nocapture")]

mod address_limits;
mod bad_input;
mod clocks;
mod conventions;
mod database;
mod delete_me;
mod email_change;
mod feed;
mod guesses;
mod keys;
mod late_commits;
mod log;
mod login;
mod mail;
mod mailbox;
mod me;
mod notices;
mod odd_text;
mod outdated_schema;
mod pages;
mod password;
mod refresh;
mod register;
mod reset;
mod revocation;
mod rotation;
mod sessions;
mod staleness;
mod support;
mod sweep;
mod timing;
mod token_confusion;
mod tokens;
mod verification;
mod waiting;
