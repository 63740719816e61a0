//! Ends sessions: the one rule in which every way out ends. Their tokens are refused everywhere within a second.

use crate::{
    app::App,
    db::Conn,
    error::Result,
    ids::{SessionId, UserId},
    revocation::Pending,
};

use super::store;

/// Ends one session of this person, if it lives.
///
/// # Errors
/// When the database fails.
pub async fn one(app: &App, tx: &mut Conn, id: SessionId, user: UserId, reason: &str) -> Result<Pending> {
    let now = app.now();
    let ended = store::end(tx, id, user, now, reason).await?;
    Ok(app.recorder(now).sessions(tx, &ended).await?)
}

/// Ends every session of this person but `spared`.
///
/// # Errors
/// When the database fails.
pub async fn all(app: &App, tx: &mut Conn, user: UserId, spared: Option<SessionId>, reason: &str) -> Result<Pending> {
    let now = app.now();
    let ended = store::end_all(tx, user, spared, now, reason).await?;
    Ok(app.recorder(now).sessions(tx, &ended).await?)
}

/// Ends every session of this person that began by this provider.
///
/// # Errors
/// When the database fails.
pub async fn federated(app: &App, tx: &mut Conn, user: UserId, provider: &str, reason: &str) -> Result<Pending> {
    let now = app.now();
    let ended = store::end_federated(tx, user, provider, now, reason).await?;
    Ok(app.recorder(now).sessions(tx, &ended).await?)
}
