//! What providers tell us of accounts there: kept with the answer to them, and processed within a second.
//!
//! A provider gives up on whoever does not answer at once, and tells it no more. So its word is only kept while it waits,
//! and processed by whichever instance comes first: one that dies in between loses nothing.

mod store;

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::{
    events::{Kind, OLDEST},
    provider::Provider,
    store as identities,
};
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    db::{Conn, DbError, Ts},
    error::Result,
    revocation::Pending,
    sessions::revoke,
};
use store::NoticeRow;

/// Between two looks for what other instances were told, or left behind.
const INTERVAL: Duration = Duration::from_secs(1);
/// Why sessions end that a notice ends.
const REASON: &str = "identity_revoked";

/// Something that a provider told.
pub struct Notice<'a> {
    /// Who told it.
    pub provider: &'a Provider,
    /// Whom it is about, if it says so.
    pub subject: Option<&'a str>,
    /// Its id, the same each time that it is sent; some have none.
    pub jti: Option<&'a str>,
    /// What happened.
    pub kinds: &'a [Kind],
}

/// Which sessions of a person end.
#[derive(Clone, Copy, Debug, Eq, PartialEq, PartialOrd, Ord)]
enum Reach {
    /// Those that began by the provider.
    Provider,
    /// All: whoever got hold of the account there may have been here too, by whatever way.
    Everything,
}

/// Keeps what a provider told, once; it is processed soon.
///
/// # Errors
/// When the database fails: then the provider should tell it again.
pub async fn keep(app: &App, notice: &Notice<'_>) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    store::insert(&mut tx, app.entropy.uuid(now), notice, now).await?;
    tx.commit().await?;
    app.providers.notices.notify_one();
    Ok(())
}

/// Processes notices for as long as the instance lives.
pub async fn run(app: App) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.providers.notices.notified() => {}
            _ = ticks.tick() => {}
        }
        // While it leaves, too: nobody should be kept waiting for another instance.
        if !app.readiness.is_schema_current() || !app.readiness.is_database_up() {
            continue;
        }
        if let Err(cause) = process_all(&app).await {
            tracing::warn!(%cause, "what providers told could not be processed yet");
        }
    }
}

/// Forgets what was processed and cannot come again: older events are refused.
///
/// # Errors
/// When the database fails.
pub async fn delete_old(conn: &mut Conn, now: Ts) -> Result<(), DbError> {
    store::delete_old(conn, now.minus(OLDEST * 2)).await.map(drop)
}

async fn process_all(app: &App) -> Result<()> {
    while store::has_waiting(&mut app.db.read().await?).await? {
        if !process_one(app).await? {
            break;
        }
    }
    Ok(())
}

/// Processes the oldest that waits; false when there is none, or another instance is at it.
async fn process_one(app: &App) -> Result<bool> {
    let mut tx = app.db.begin().await?;
    let notice = store::take(&mut tx, app.now()).await?;
    let is_there = notice.is_some();
    let pending = match notice {
        Some(notice) => apply(app, &mut tx, &notice).await?,
        None => Pending::default(),
    };
    app.commit(tx, pending).await?;
    Ok(is_there)
}

/// Of a subject that nobody here has, nothing follows; nor of what was done already.
async fn apply(app: &App, tx: &mut Conn, notice: &NoticeRow) -> Result<Pending> {
    let NoticeRow { id, provider, issuer, subject, kinds } = notice;
    // What another release wrote, and this one cannot read, is for the operator to look at.
    let kinds: Vec<Kind> = serde_json::from_str(kinds).unwrap_or_else(|cause| {
        tracing::warn!(%id, provider, %cause, "a notice that this release does not know was passed over");
        Vec::new()
    });
    metrics::counter!("oauth_notices_total", "provider" => provider.clone()).increment(1);
    let (Some(subject), Some(reach)) = (subject, kinds.iter().filter_map(reach_of).max()) else {
        return Ok(Pending::default());
    };
    let Some(identity) = identities::find(tx, issuer, subject).await? else { return Ok(Pending::default()) };
    let (user, now) = (identity.user_id, app.now());
    let is_new = identities::end(tx, identity.id, now).await?;
    let ended = match reach {
        Reach::Provider => revoke::federated(app, tx, user, provider, REASON).await?,
        Reach::Everything => revoke::all(app, tx, user, None, REASON).await?,
    };
    if is_new || !ended.is_empty() {
        let entry = Entry::by_system(Event::IdentityRevoked, Some(Target::User(user)));
        entry.detail("way", provider.as_str()).count(ended.len()).record(tx, now).await?;
    }
    Ok(ended)
}

/// Which sessions end by what happened; nothing when it is no reason to end any.
const fn reach_of(kind: &Kind) -> Option<Reach> {
    match kind {
        Kind::UserUnlinked => Some(Reach::Provider),
        Kind::AccountDisabled
        | Kind::AccountPurged
        | Kind::CredentialChangeRequired
        | Kind::CredentialCompromised
        | Kind::SessionsRevoked
        | Kind::TokensRevoked => Some(Reach::Everything),
        // One token or session among several is a logout on some device there; the rest changes or lifts a state.
        Kind::TokenIssued
        | Kind::TokenRevoked
        | Kind::UserLinked
        | Kind::ScopeConsented
        | Kind::ScopeWithdrawn
        | Kind::AccountEnabled
        | Kind::CredentialChanged
        | Kind::IdentifierChanged
        | Kind::IdentifierRecycled
        | Kind::SessionRevoked
        | Kind::AssuranceLevelChanged
        | Kind::ProfileChanged
        | Kind::EmailEnabled
        | Kind::EmailDisabled
        | Kind::Verification
        | Kind::Other(_) => None,
    }
}
