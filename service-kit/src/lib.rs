//! What the servers share and nothing else: configuration, telemetry, serving, headers, hosts, proxies, problems, the clock.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod body;
pub mod clock;
pub mod config;
pub mod cors;
pub mod edge;
pub mod hosts;
pub mod language;
pub mod metrics;
pub mod problem;
pub mod proxies;
pub mod redis;
pub mod request_id;
pub mod serve;
pub mod shed;
pub mod shutdown;
pub mod telemetry;
