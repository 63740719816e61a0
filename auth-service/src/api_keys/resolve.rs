//! From a key that is presented to what it may do now.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use quick_cache::sync::Cache;
use rate_limit::Quota;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{
    Presented,
    store::{self, KeyRow},
};
use crate::{
    app::App,
    db::Ts,
    error::{Error, Result},
    ids::{TokenHash, UserId},
    users::Profile,
};

/// The most keys that are remembered.
const CAPACITY: usize = 10_000;
/// The longest that one is believed: an old key that a rotation left must end when it was said to.
const MAX_AGE: Duration = Duration::from_millis(900);
/// How exactly the last use of a key is known.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// What a key may do now.
#[derive(Debug)]
pub struct KeyGrant {
    /// The key.
    pub key_id: Uuid,
    /// Its owner.
    pub user_id: UserId,
    /// Its own scopes.
    pub scopes: Vec<String>,
    /// The owner's roles.
    pub roles: Vec<String>,
    /// The scopes that the owner holds now.
    pub permissions: Vec<String>,
    /// When it ends.
    pub expires_at: Ts,
    /// How often it may be used, unless as often as its owner.
    pub rate_limit: Option<Quota>,
}

/// The remembered keys.
pub struct KeyCache(Cache<Uuid, (Instant, Arc<KeyRow>)>);

impl Default for KeyCache {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

/// What the key that was presented may do.
///
/// # Errors
/// [`Error::InvalidToken`] whatever is wrong with it, or when the database fails.
pub async fn resolve(app: &App, presented: &str) -> Result<Arc<KeyGrant>> {
    let Presented { id, secret_hash } = Presented::parse(presented).ok_or(Error::InvalidToken)?;
    resolve_hash(app, id, &secret_hash).await?.map(Arc::new).ok_or(Error::InvalidToken)
}

/// What the key with this id and this hash of its secret may do; nothing if there is no such live key.
pub(super) async fn resolve_hash(app: &App, id: Uuid, secret_hash: &TokenHash) -> Result<Option<KeyGrant>> {
    if app.revocations.view.is_api_key_revoked(&id.to_string()) {
        return Ok(None);
    }
    let Some((loaded, row)) = find(app, id).await? else { return Ok(None) };
    let is_right: bool = row.secret_hash.as_slice().ct_eq(secret_hash.as_bytes()).into();
    if !is_right || row.expires_at <= app.now() {
        return Ok(None);
    }
    let owner = app.profiles.find(&app.db, row.user_id, app.now()).await?.filter(|profile| profile.is_active());
    let Some(owner) = owner else { return Ok(None) };
    note_use(app, &row, loaded).await?;
    Ok(Some(grant(&row, &owner)))
}

async fn find(app: &App, id: Uuid) -> Result<Option<(Instant, Arc<KeyRow>)>> {
    if let Some((loaded, row)) = app.api_keys.0.get(&id)
        && loaded.elapsed() < MAX_AGE
    {
        return Ok(Some((loaded, row)));
    }
    let (began, now) = (Instant::now(), app.now());
    let row = store::find_live(&mut app.db.read().await?, id, now).await?.map(Arc::new);
    if let Some(row) = &row {
        app.api_keys.0.insert(id, (began, Arc::clone(row)));
    }
    Ok(row.map(|row| (began, row)))
}

/// Notes that a key is used, which is known to the minute.
async fn note_use(app: &App, row: &KeyRow, loaded: Instant) -> Result<()> {
    let now = app.now();
    let since = now.minus(USE_NOTED_EVERY);
    if row.last_used_at.is_none_or(|at| at < since) {
        store::note_use(&mut app.db.write().await?, row.id, now, since).await?;
        let noted = Arc::new(KeyRow { last_used_at: Some(now), ..row.clone() });
        app.api_keys.0.insert(row.id, (loaded, noted));
    }
    Ok(())
}

fn grant(row: &KeyRow, owner: &Profile) -> KeyGrant {
    let scopes = scopes_from_text(&row.scopes);
    let held: BTreeSet<_> = owner.user.permissions.iter().collect();
    KeyGrant {
        key_id: row.id,
        user_id: row.user_id,
        permissions: scopes.iter().filter(|scope| held.contains(scope)).cloned().collect(),
        scopes,
        roles: owner.user.roles.clone(),
        expires_at: row.expires_at,
        rate_limit: row.rate_limit.as_deref().and_then(|quota| quota.parse().ok()),
    }
}

/// Reads scopes as they are stored: a JSON array.
pub(super) fn scopes_from_text(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}
