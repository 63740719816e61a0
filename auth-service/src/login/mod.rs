//! Logging in by password: who may guess how often, what a right guess begins, and how a known device is remembered.
//!
//! Whatever the reason, a refused login looks the same: one status, one body, and the time of one hash.

pub mod admit;
mod attempt;
pub mod confirm;
pub mod device;
mod expired;
mod guesses;
pub mod history;
pub mod http;
mod store;

pub use guesses::{Guess, Guessed, Guesses};
pub use store::{forget_devices, is_known_device};

use crate::{
    app::App,
    db::{Conn, DbError, Ts},
    ids::UserId,
};

/// Forgets the failed guesses at an account; those from known devices go with the devices.
///
/// # Errors
/// When the database fails.
pub async fn forget_guesses(app: &App, tx: &mut Conn, user: UserId) -> Result<(), DbError> {
    guesses::Guess::at_account(user, None).forget(app, tx).await
}

/// Forgets devices that were known for too long, and the failures of past days.
///
/// # Errors
/// When the database fails.
pub async fn delete_expired(conn: &mut Conn, now: Ts) -> Result<(), DbError> {
    store::delete_expired_devices(conn, now).await?;
    store::delete_old_failures(conn, now.as_days()).await.map(drop)
}
