//! The Auth API as its callers see it: over real sockets, on SQLite with memory and on PostgreSQL with Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "what was measured is told, for --nocapture")]

mod access;
mod address_limits;
mod administration;
mod api_keys;
mod api_limits;
mod audit_chain;
mod audit_log;
mod audit_tampering;
mod bad_input;
mod clocks;
mod conventions;
mod database;
mod delete_me;
mod feed;
mod guesses;
mod idempotency;
mod keys;
mod late_commits;
mod log;
mod login;
mod mail;
mod mailbox;
mod me;
mod odd_text;
mod outdated_schema;
mod password;
mod personal_data;
mod refresh;
mod register;
mod retention;
mod revocation;
mod roles;
mod rotation;
mod sessions;
mod staleness;
mod support;
mod sweep;
mod team;
mod token_confusion;
mod tokens;
mod user_lists;
mod waiting;
