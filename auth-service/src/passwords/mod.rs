//! Passwords: the rule for choosing one, the hash kept of it, and the bulkhead behind which hashing runs.
//!
//! A password reaches the database only as a [`PasswordHash`] made by the [`Hasher`]. A chosen password goes through
//! [`NewPassword::parse`] (length) and [`Hasher::hash_new`] (the [`Policy`], then hash); a password offered at login goes
//! through [`Password::parse`] and [`Hasher::verify`], which answers the same way, at the same cost, for people who do
//! not exist.

mod argon2;
mod breached;
mod composition;
mod estimate;
mod firebase;
mod foreign;
mod hash;
mod hasher;
pub mod http;
mod password;
mod phc;
mod policy;
mod queue;
mod rate;
mod weakness;
mod worker;

pub use estimate::OwnWords;
pub use hash::{PasswordHash, UnsupportedHash};
pub use hasher::{Config, Hasher, Rejected};
pub use password::{LengthError, NewPassword, Password};
pub use policy::{Policy, Preset};
pub use queue::{Busy, Load};
pub use weakness::Weakness;
pub use worker::Verdict;
