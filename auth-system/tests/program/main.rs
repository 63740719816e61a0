//! The built program from outside, as its operators and users meet it: on good days, bad days, and at its command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests, which print what they measured"
)]

mod audit_cli;
mod client;
mod configuration;
mod console;
mod crash;
mod demo_cli;
mod deploy;
#[cfg(target_os = "linux")]
mod disk;
mod drain;
mod edge;
mod gateway;
mod guides;
mod keys_cli;
mod log;
mod mail;
mod metrics;
mod outages;
mod overload;
mod production;
mod program;
mod redis;
mod social;
mod start;
mod support;
mod telemetry;
mod users_cli;
mod wire;
