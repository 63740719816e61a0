//! Roles and permissions: who may do what, and how a change takes effect everywhere within a second.
//!
//! A permission is `resource:action`; a role is a set of them. Access tokens list both, and a change is a revocation of
//! the tokens that list what is no longer so: by role where a role changed, by person where a person's roles did.

mod permission;

pub use permission::{Permission, PermissionName};
