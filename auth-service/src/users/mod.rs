//! Accounts: who there is, what they may do, and what they may change about themselves.
//!
//! An account is a row in `users` with its roles in `user_roles`. What other slices need of one is its [`Profile`]: the
//! account as the wire shows it, with the versions that its access tokens carry. Profiles are remembered for a second
//! and dropped at once, everywhere, when the account changes.

pub mod admin;
mod cache;
mod delete;
pub mod dormant;
mod email;
pub mod erase;
pub mod export;
pub mod http;
mod password;
mod profile;
mod register;
pub mod search;
mod shut_out;
pub mod store;

pub use cache::{Profile, ProfileCache};
pub use email::Email;
pub use profile::{AvatarUrl, DisplayName, Locale, Phone, Username};
pub use shut_out::shut_out;
