//! Deletes what time has made useless, a little at a time, so that no statement ever takes long.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::{
    api_keys,
    app::App,
    db::{DbError, Ts},
    idempotency,
    ids::SessionId,
    instances, login, mail, revocation, sessions, social,
};

/// Time between two sweeps; each deletes at most [`BATCH`] rows of a kind.
const INTERVAL: Duration = Duration::from_secs(10);
/// Rows of one kind in one sweep: 100 a second, far more than expire.
pub const BATCH: i64 = 1_000;
/// How long an API key is kept after it has ended.
const KEYS_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Before every session.
const BEGINNING: SessionId = SessionId(Uuid::nil());
/// How long a session is kept after it can no longer live.
const SESSIONS_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Sweeps for as long as the instance lives.
pub async fn run(app: App) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut swept_to = BEGINNING;
    loop {
        ticks.tick().await;
        if !app.readiness.is_ready() {
            continue;
        }
        match sweep(&app, swept_to).await {
            Ok(next) => swept_to = next,
            Err(cause) => tracing::warn!(%cause, "expired rows could not be deleted"),
        }
    }
}

/// Returns the session up to which refresh tokens were looked at.
async fn sweep(app: &App, swept_to: SessionId) -> Result<SessionId, DbError> {
    let now: Ts = app.now();
    let forgotten = now.minus(revocation::KEPT);
    app.revocations.view.purge(forgotten.as_micros());
    let mut conn = app.db.write().await?;
    revocation::delete_expired(&mut conn, forgotten).await?;
    sessions::store::erase_old_seals(&mut conn, now.minus(sessions::GRACE)).await?;
    let next = sessions::store::delete_expired_refresh(&mut conn, swept_to, now).await?;
    sessions::store::delete_old(&mut conn, now.minus(SESSIONS_KEPT)).await?;
    login::delete_expired(&mut conn, now).await?;
    idempotency::delete_old(&mut conn, now.minus(idempotency::KEPT)).await?;
    api_keys::delete_old(&mut conn, now.minus(KEYS_KEPT)).await?;
    social::delete_expired(&mut conn, now).await?;
    mail::sweep(&mut conn, now).await?;
    instances::delete_old(&mut conn, now).await?;
    Ok(next.unwrap_or(BEGINNING))
}
