//! Makes, replaces and ends keys.

use std::time::Duration;

use rate_limit::Quota;
use uuid::Uuid;

use super::{
    KeyName, MAX_PER_USER,
    store::{self, KeyRow},
};
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::SessionCaller,
    client::Client,
    db::{Conn, DbError, Ts},
    error::{Error, Result},
    ids::{OpaqueToken, UserId},
    revocation::{Pending, Recorder},
};

/// A key to be.
pub struct Wish {
    pub name: KeyName,
    pub scopes: Vec<String>,
    pub expires_at: Ts,
    pub rate_limit: Option<Quota>,
}

/// A key that was made, with its secret.
pub struct Made {
    pub row: KeyRow,
    pub secret: OpaqueToken,
}

/// Makes a key that may do no more than its owner. It outlives sessions, so a session must be fresh for it.
///
/// # Errors
/// [`Error::ReauthenticationRequired`], [`Error::BeyondOwnRights`], [`Error::TooMany`].
pub async fn create(app: &App, caller: &SessionCaller, wish: Wish, client: &Client) -> Result<Made> {
    caller.require_fresh(app).await?;
    let held = &caller.claims().permissions;
    if wish.scopes.iter().any(|scope| !held.contains(scope)) {
        return Err(Error::BeyondOwnRights);
    }
    let now = app.now();
    let made = Made {
        secret: app.entropy.token(),
        row: KeyRow {
            id: app.entropy.uuid(now),
            user_id: caller.user_id(),
            name: wish.name.0,
            secret_hash: Vec::new(),
            scopes: serde_json::to_string(&wish.scopes).unwrap_or_default(),
            rate_limit: wish.rate_limit.map(|quota| quota.to_string()),
            created_at: now,
            expires_at: wish.expires_at,
            last_used_at: None,
        },
    };
    let mut tx = app.db.begin().await?;
    let made = insert(&mut tx, made, now).await?;
    record(&mut tx, (caller, client), Event::ApiKeyCreated, made.row.id, now).await?;
    tx.commit().await?;
    Ok(made)
}

/// Makes a key in place of another, which stays good for `overlap`.
///
/// # Errors
/// [`Error::ReauthenticationRequired`], [`Error::NotFound`], [`Error::TooMany`].
pub async fn rotate(app: &App, caller: &SessionCaller, id: Uuid, overlap: Duration, client: &Client) -> Result<Made> {
    caller.require_fresh(app).await?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let old = store::find_live(&mut tx, id, now).await?.filter(|old| old.user_id == caller.user_id());
    let old = old.ok_or(Error::NotFound)?;
    let life = old.expires_at.since(old.created_at);
    let row =
        KeyRow { id: app.entropy.uuid(now), created_at: now, expires_at: now.plus(life), last_used_at: None, ..old };
    let made = insert(&mut tx, Made { row, secret: app.entropy.token() }, now).await?;
    let pending = if overlap.is_zero() {
        store::revoke(&mut tx, id, caller.user_id(), now).await?;
        app.recorder(now).api_key(&mut tx, id).await?
    } else {
        store::shorten(&mut tx, id, caller.user_id(), now.plus(overlap), now).await?;
        Pending::default()
    };
    record(&mut tx, (caller, client), Event::ApiKeyRotated, id, now).await?;
    app.commit(tx, pending).await?;
    Ok(made)
}

/// Ends a key; it is refused everywhere within a second.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn revoke(app: &App, caller: &SessionCaller, id: Uuid, client: &Client) -> Result<()> {
    let mut tx = app.db.begin().await?;
    let pending = end(app, &mut tx, caller.user_id(), id).await?;
    record(&mut tx, (caller, client), Event::ApiKeyRevoked, id, app.now()).await?;
    app.commit(tx, pending).await
}

/// Ends a key of this person. Whoever calls this records it.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs, or has ended.
pub async fn end(app: &App, tx: &mut Conn, owner: UserId, id: Uuid) -> Result<Pending> {
    let now = app.now();
    if store::revoke(tx, id, owner, now).await? == 0 {
        return Err(Error::NotFound);
    }
    Ok(app.recorder(now).api_key(tx, id).await?)
}

/// Ends every key of a person.
///
/// # Errors
/// When the database fails.
pub async fn revoke_all(recorder: Recorder, tx: &mut Conn, user: UserId, now: Ts) -> Result<Pending, DbError> {
    let mut pending = Pending::default();
    for id in store::revoke_all(tx, user, now).await? {
        pending = pending.and(recorder.api_key(tx, id).await?);
    }
    Ok(pending)
}

async fn insert(tx: &mut Conn, mut made: Made, now: Ts) -> Result<Made> {
    if store::count_live_for_update(tx, made.row.user_id, now).await? >= MAX_PER_USER {
        return Err(Error::TooMany);
    }
    made.row.secret_hash = made.secret.hash().as_bytes().to_vec();
    store::insert(tx, &made.row).await?;
    Ok(made)
}

async fn record(
    tx: &mut Conn,
    (caller, client): (&SessionCaller, &Client),
    event: Event,
    id: Uuid,
    now: Ts,
) -> Result<()> {
    Ok(Entry::by(event, &caller.any(), Some(Target::ApiKey(id)), client).record(tx, now).await?)
}
