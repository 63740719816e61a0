//! People: finding one, seeing what happened to them, and acting on them.

pub mod acts;
pub mod bulk;
pub mod export;
pub mod list;
pub mod new;
pub mod person;
pub mod profile;
pub mod roles;

use auth_sdk::{User, UserStatus};

/// The columns of the list that can be hidden; the first, who somebody is, cannot.
pub const COLUMNS: [&str; 4] = ["status", "roles", "last_login_at", "created_at"];

/// How a state looks: its class and its text's key.
pub fn state_of(user: &User) -> (&'static str, &'static str) {
    if user.deleted_at.is_some() {
        return ("bad", "status-deleted");
    }
    match user.status {
        UserStatus::Disabled => ("bad", "status-disabled"),
        UserStatus::Pending => ("warn", "status-pending"),
        UserStatus::Active if user.email.is_some() && !user.email_verified => ("warn", "status-unverified"),
        UserStatus::Active => ("ok", "status-active"),
    }
}
