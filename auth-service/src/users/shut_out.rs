//! Shuts everybody out of an account: the one rule for whatever could let somebody in again.

use crate::{
    api_keys,
    app::App,
    db::{Conn, Ts},
    error::Result,
    ids::UserId,
    login,
    mail::link,
    revocation::Pending,
    sessions::revoke,
};

/// Ends every session and API key of a person, forgets every device, and takes every link back that was sent.
///
/// # Errors
/// When the database fails.
pub async fn shut_out(app: &App, tx: &mut Conn, user: UserId, reason: &str, now: Ts) -> Result<Pending> {
    login::forget_devices(tx, user, None).await?;
    link::end_all(tx, user, now).await?;
    let keys = api_keys::revoke_all(app.recorder(now), tx, user, now).await?;
    Ok(revoke::all(app, tx, user, None, reason).await?.and(keys))
}
