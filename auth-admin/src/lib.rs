//! The admin console: server-rendered pages for people who operate the system.
//!
//! It keeps nothing: who somebody is, what they may do and everything they see comes from the Auth API at each request, so
//! any number of consoles serve. Its cookie holds a credential that the API takes from nobody but a console.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod app;
mod assets;
mod audit;
pub mod config;
mod confirm;
mod cookies;
mod direction;
mod failure;
mod forms;
mod frame;
mod guard;
mod likes;
mod overview;
mod roles;
mod router;
mod session;
mod setup;
mod system;
mod texts;
mod users;
mod visit;

pub use app::{App, Neighbour};
pub use config::Config;
pub use router::router;
