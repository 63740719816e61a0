//! The API gateway: one public door in front of the Auth API, the console and a team's own services.
//!
//! A request goes through the phases of `pipeline.rs`: what is ambiguous is refused, a route is found, limits are
//! counted, the caller is identified without a network hop and checked against the revocations of this second, and the
//! request is forwarded. Only the edge writes answers of the gateway's own.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod acme;
mod alarm;
mod arrival;
pub mod body;
mod concurrency;
mod config;
mod expiry;
mod forward;
mod gateway;
mod gather;
mod head;
mod health;
pub mod identity;
mod limits;
mod listen;
mod meters;
mod operators;
pub mod path;
mod pipeline;
pub mod policy;
pub mod refusal;
mod reload;
mod reply;
mod report;
pub mod routes;
mod routing;
mod upload;
pub mod upstream;
mod websocket;
mod welcome;

pub use config::Config;
pub use gateway::{App, Neighbours, StartError};
pub use listen::Listeners;
pub use operators::HealthDetails;
pub use refusal::catalogue;
