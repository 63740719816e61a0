//! The API gateway: one public door in front of the Auth API, the console and a team's own services.
//!
//! A request goes through the phases of `pipeline.rs`: what is ambiguous is refused, a route is found, limits are
//! counted, the caller is identified without a network hop and checked against the revocations of this second, and the
//! request is forwarded. Only the edge writes answers of the gateway's own.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod body;
pub mod identity;
pub mod path;
pub mod policy;
pub mod refusal;
pub mod routes;
pub mod upstream;
