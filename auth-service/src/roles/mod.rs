//! Roles and permissions: who may do what, and how a change takes effect everywhere within a second.
//!
//! A permission is `resource:action`; a role is a set of them. Access tokens list both, and a change is a revocation of
//! the tokens that list what is no longer so: by role where a role changed, by person where a person's roles did. Nobody
//! is logged out by it: their next refresh carries the new rights.

mod assign;
mod change;
pub mod http;
mod name;
mod permission;
pub mod permissions_http;
mod rights;
pub mod store;

pub use assign::{Grant, assign, read_grants};
pub use name::RoleName;
pub use permission::{Permission, PermissionName};
pub use rights::Rights;

/// The system role that every new account holds.
pub const DEFAULT_ROLE: &str = "user";
