//! Profiles in memory: at most a second old, and dropped at once when they change.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use auth_sdk::{User, UserStatus};
use axum::body::Bytes;
use quick_cache::sync::Cache;

use super::store::{self, GrantRow};
use crate::{
    db::{Conn, Db, DbError, Ts},
    ids::UserId,
};

/// The most profiles that are remembered: about 20 MiB.
const CAPACITY: usize = 10_000;
/// The longest that one is believed: with the time that a reading takes, less than a second.
const MAX_AGE: Duration = Duration::from_millis(900);

/// An account with what its access tokens carry.
pub struct Profile {
    /// The account as the wire shows it.
    pub user: User,
    /// `user` as JSON, made once.
    pub json: Bytes,
    /// The `ver` of its tokens.
    pub token_version: i64,
    /// The `rv` of its tokens.
    pub catalogue_version: i64,
    /// When the first of its roles ends by itself: no token may outlive that.
    pub rights_until: Option<Ts>,
}

impl Profile {
    /// Whether the account may be used.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.user.status == UserStatus::Active
    }

    /// The account with this id, with the rights that it has now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(conn: &mut Conn, id: UserId, now: Ts) -> Result<Option<Self>, DbError> {
        let (mut roles, mut permissions, mut rights_until) = (BTreeSet::new(), BTreeSet::new(), None);
        let mut account = None;
        for GrantRow { user, role, permission, expires_at } in store::find_with_grants(conn, id, now).await? {
            account = Some(user);
            roles.extend(role);
            permissions.extend(permission);
            rights_until = rights_until.into_iter().chain(expires_at).min();
        }
        Ok(account.map(|account| {
            let (token_version, catalogue_version) = (account.token_version, account.catalogue_version);
            let user = account.into_wire(roles.into_iter().collect(), permissions.into_iter().collect());
            let json = serde_json::to_vec(&user).unwrap_or_default().into();
            Self { user, json, token_version, catalogue_version, rights_until }
        }))
    }
}

/// The remembered profiles.
pub struct ProfileCache {
    entries: Cache<UserId, (Instant, Arc<Profile>)>,
    /// Raised by every drop: what was read before it is not kept after it.
    drops: AtomicU64,
}

impl Default for ProfileCache {
    fn default() -> Self {
        Self { entries: Cache::new(CAPACITY), drops: AtomicU64::new(0) }
    }
}

impl ProfileCache {
    /// The profile of an account, from memory or from the database; nothing when there is no such account.
    ///
    /// # Errors
    /// When it is not in memory and the database fails.
    pub async fn find(&self, db: &Db, id: UserId, now: Ts) -> Result<Option<Arc<Profile>>, DbError> {
        if let Some((loaded, profile)) = self.entries.get(&id)
            && loaded.elapsed() < MAX_AGE
        {
            metrics::counter!("profile_cache_total", "outcome" => "hit").increment(1);
            return Ok(Some(profile));
        }
        metrics::counter!("profile_cache_total", "outcome" => "miss").increment(1);
        self.load(&mut db.read().await?, id, now).await
    }

    /// The profile of an account whose token version and role catalogue version, just read, are these: from memory,
    /// however old, if it was made of the same, and otherwise from the database.
    ///
    /// # Errors
    /// When it is not in memory and the database fails.
    pub async fn find_as_of(
        &self,
        conn: &mut Conn,
        id: UserId,
        versions: (i64, i64),
        now: Ts,
    ) -> Result<Option<Arc<Profile>>, DbError> {
        if let Some((_, profile)) = self.entries.get(&id)
            && (profile.token_version, profile.catalogue_version) == versions
            && profile.rights_until.is_none_or(|end| end > now)
        {
            return Ok(Some(profile));
        }
        self.load(conn, id, now).await
    }

    async fn load(&self, conn: &mut Conn, id: UserId, now: Ts) -> Result<Option<Arc<Profile>>, DbError> {
        let (began, drops) = (Instant::now(), self.drops.load(Ordering::SeqCst));
        let Some(profile) = Profile::find(conn, id, now).await?.map(Arc::new) else { return Ok(None) };
        if self.drops.load(Ordering::SeqCst) == drops {
            self.entries.insert(id, (began, Arc::clone(&profile)));
        }
        Ok(Some(profile))
    }

    /// Forgets an account that has changed.
    pub fn drop_user(&self, id: UserId) {
        self.drops.fetch_add(1, Ordering::SeqCst);
        self.entries.remove(&id);
    }

    /// Forgets everything, as when a role has changed.
    pub fn clear(&self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
        self.entries.clear();
    }
}
