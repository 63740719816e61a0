//! What lies beneath the stores: scripts, catalogs, statements and plans, on PostgreSQL and on SQLite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "what was measured is told, for --nocapture")]

mod audit_plans;
mod catalogs;
mod connections;
mod databases;
mod migrations;
mod plans;
mod statements;
