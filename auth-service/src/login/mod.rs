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
mod reason;
mod store;

pub use attempt::{Outcome, run};
pub use expired::{hand_over, is_due};
pub use guesses::{Guess, Guessed, Guesses};
pub use reason::Reason;
pub use store::{forget_devices, is_known_device};

use self::reason::Ending;
use crate::{
    app::App,
    audit::{Entry, Event},
    client::Client,
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

/// Records that somebody was kept from this account, and why, who came by this way.
///
/// # Errors
/// When the database fails.
pub async fn record_refusal(
    tx: &mut Conn,
    (user, reason): (UserId, Reason),
    way: &str,
    client: &Client,
    now: Ts,
) -> Result<(), DbError> {
    store::insert_history(tx, (user, Ending::Refused(reason)), way, client, now).await?;
    Entry::about(Event::LoginFailed, Some(user), client).detail("way", way).record(tx, now).await?;
    metrics::counter!("logins_total", "outcome" => "refused").increment(1);
    Ok(())
}

/// Forgets devices that were known for too long, and the failures of past days.
///
/// # Errors
/// When the database fails.
pub async fn delete_expired(conn: &mut Conn, now: Ts) -> Result<(), DbError> {
    store::delete_expired_devices(conn, now).await?;
    store::delete_old_failures(conn, now.as_days()).await.map(drop)
}
