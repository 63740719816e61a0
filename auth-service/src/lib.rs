//! The Auth API: accounts, logins, tokens that are verified offline and yet revoked everywhere within a second.
//!
//! One folder per thing a person would name. Inside a slice `http.rs` is what the wire sees, `store.rs` what the
//! database sees, and the other files are rules, named for what they do. `router.rs` lists every path.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod api_keys;
pub mod app;
pub mod audit;
pub mod backup;
mod caller;
mod client;
pub mod config;
pub mod console;
pub mod db;
pub mod doctor;
mod document;
pub mod error;
mod fields;
mod idempotency;
pub mod ids;
pub mod import;
mod instances;
pub mod jobs;
pub mod keys;
mod limits;
mod lists;
mod login;
mod mail;
mod meta;
mod meters;
pub mod operator;
mod page;
pub mod passwords;
mod places;
mod recovery;
mod revocation;
mod roles;
mod router;
mod sessions;
mod social;
mod statistics;
mod sweep;
mod system;
mod users;

pub use app::{App, StartError};
pub use config::Config;
pub use router::{openapi, router};
pub use users::dormant;
