//! Refresh: spends a refresh token for its successor, and ends the session when a spent one comes back.

use std::sync::Arc;

use auth_sdk::TokenSet;

use super::{
    GRACE, issue, revoke, seal,
    store::{self, LiveSession},
};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    db::{Conn, Ts},
    error::{Error, Result},
    ids::OpaqueToken,
    mail::{self, Mail},
    users::Profile,
};

/// Carries a session on with the refresh token that was presented.
///
/// A token is spent by one atomic statement. For ten seconds after it was, the same token yields the *same* successor,
/// as long as that one is unused: a lost answer or a second tab is no theft. Anything else is: the session ends.
///
/// # Errors
/// [`Error::InvalidGrant`] whatever is wrong with the token.
pub async fn rotate(app: &App, presented: &OpaqueToken, client: &Client) -> Result<TokenSet> {
    let now = app.now();
    let successor = app.entropy.token();
    let sealed = seal::seal(presented, &successor).map_err(|cause| Error::Internal(Box::new(cause)))?;
    let hash = presented.hash();

    let mut tx = app.db.begin().await?;
    let Some(id) = store::consume(&mut tx, &hash, &successor.hash(), &sealed, now).await? else {
        return repeat(app, tx, presented, client).await;
    };
    app.limits.refresh(id, now).await?;
    let idle_until = now.plus(app.config.sessions.idle);
    let session = store::touch(&mut tx, id, idle_until, now).await?.ok_or(Error::InvalidGrant)?;
    store::insert_refresh(&mut tx, &successor.hash(), id, session.expires_at, now).await?;
    let profile = load_profile(app, &mut tx, &session, now).await?;
    tx.commit().await?;
    answer(app, &profile, session, &successor, now)
}

/// Answers a token that was spent before: by its successor within the grace, and by the end of the session otherwise.
async fn repeat(app: &App, mut tx: Conn, presented: &OpaqueToken, client: &Client) -> Result<TokenSet> {
    let now = app.now();
    let spent = store::find_spent(&mut tx, &presented.hash()).await?.ok_or(Error::InvalidGrant)?;
    // Taken before the state is judged: whoever else uses this session waits, and sees what is decided here.
    let idle_until = now.plus(app.config.sessions.idle);
    let session = store::touch(&mut tx, spent.session_id, idle_until, now).await?.ok_or(Error::InvalidGrant)?;
    let spent = store::find_spent(&mut tx, &presented.hash()).await?.ok_or(Error::InvalidGrant)?;

    let in_grace = now.since(spent.consumed_at) <= GRACE && spent.successor_consumed_at.is_none();
    let successor = spent.sealed_successor.filter(|_| in_grace).and_then(|sealed| seal::open(presented, &sealed).ok());
    if let Some(successor) = successor {
        let profile = load_profile(app, &mut tx, &session, now).await?;
        tx.commit().await?;
        return answer(app, &profile, session, &successor, now);
    }
    let pending = revoke::one(app, &mut tx, session.id, session.user_id, "refresh_reuse").await?;
    let entry = audit::Entry::new(Event::RefreshReuse, Some(session.user_id), client).session(session.id);
    entry.record(&mut tx, now).await?;
    mail::notify(app, &mut tx, session.user_id, Mail::SessionReuse, now).await?;
    app.commit(tx, pending).await?;
    app.mail.wake();
    metrics::counter!("refresh_reuse_total").increment(1);
    Err(Error::InvalidGrant)
}

/// The owner's account with the rights it has now, so that a refresh always carries them. What is remembered of it serves
/// as long as its versions are those that the database has.
async fn load_profile(app: &App, tx: &mut Conn, session: &LiveSession, now: Ts) -> Result<Arc<Profile>> {
    let versions = (session.token_version.ok_or(Error::InvalidGrant)?, session.catalogue_version);
    let profile = app.profiles.find_as_of(tx, session.user_id, versions, now).await?;
    profile.filter(|profile| profile.is_active()).ok_or(Error::InvalidGrant)
}

fn answer(
    app: &App,
    profile: &Profile,
    session: LiveSession,
    refresh_token: &OpaqueToken,
    now: Ts,
) -> Result<TokenSet> {
    issue::mint(app, profile, &session.into_grant(), refresh_token, now)
}
