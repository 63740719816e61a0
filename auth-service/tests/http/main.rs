//! The Auth API as its callers see it: over real sockets, on SQLite with memory and on PostgreSQL with Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod refresh;
mod support;
