//! The live revocations in memory: what stands between a verified token and its bearer.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use uuid::Uuid;

use crate::{EVERYONE, Revocation, RevocationKind, VerifiedToken};

/// Every revocation that still matters. It holds the same whatever order revocations come in, and however often.
pub struct RevocationView {
    live: RwLock<Live>,
    /// Which state this is: no other of any view in the process has its number.
    state: AtomicU64,
    /// When the source was last read.
    current: ArcSwapOption<Instant>,
}

/// The token is good, but no more valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("revoked by {0}")]
pub struct Revoked(pub RevocationKind);

/// Revocations by subject.
#[derive(Clone, Default)]
struct Live {
    sessions: HashMap<Uuid, Entry>,
    users: HashMap<Uuid, Entry>,
    roles: HashMap<String, Entry>,
    api_keys: HashMap<String, Entry>,
    keys: HashMap<String, Entry>,
    everyone: Option<Entry>,
}

/// The revocation of a subject with the highest version; the order of the fields decides between equal ones.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Entry {
    version: i64,
    revoked_at: i64,
    id: Uuid,
    /// The latest of all that were seen.
    expires_at: i64,
}

impl RevocationView {
    /// A view that nothing was loaded into yet: [`Self::staleness`] says so.
    #[must_use]
    pub fn new() -> Self {
        let (live, current) = (RwLock::default(), ArcSwapOption::default());
        Self { live, state: AtomicU64::new(next_state()), current }
    }

    /// Takes in a revocation; the highest version of a subject wins. Whether anything changed by it.
    pub fn apply(&self, revocation: &Revocation) -> bool {
        let mut live = self.write();
        let changed = live.apply(revocation);
        if changed {
            self.state.store(next_state(), Ordering::Release);
        }
        changed
    }

    /// Forgets everything for what a source just sent in full. One task applies and replaces, or a revocation that is
    /// applied while an older snapshot is on its way would be lost.
    pub fn replace(&self, snapshot: &[Revocation]) {
        let mut live = Live::default();
        for revocation in snapshot {
            live.apply(revocation);
        }
        let mut old = self.write();
        *old = live;
        self.state.store(next_state(), Ordering::Release);
    }

    /// Whether a verified token is still valid. One that was looked up in the view as it is now is not looked up again.
    ///
    /// # Errors
    /// [`Revoked`]: by what.
    pub fn check(&self, token: &VerifiedToken) -> Result<(), Revoked> {
        // Read before the look-up: what is revoked meanwhile makes another state.
        let state = self.state.load(Ordering::Acquire);
        if token.cleared.load(Ordering::Relaxed) != state {
            self.look_up(token)?;
            token.cleared.store(state, Ordering::Relaxed);
        }
        Ok(())
    }

    fn look_up(&self, token: &VerifiedToken) -> Result<(), Revoked> {
        let claims = &token.claims;
        let live = self.read();
        if live.sessions.contains_key(&claims.sid) {
            return Err(Revoked(RevocationKind::Session));
        }
        if live.users.get(&claims.sub).is_some_and(|entry| claims.ver < entry.version) {
            return Err(Revoked(RevocationKind::User));
        }
        // Most of the time there is none: then no name is hashed.
        if !live.roles.is_empty()
            && claims.roles.iter().any(|role| live.roles.get(role).is_some_and(|entry| claims.rv < entry.version))
        {
            return Err(Revoked(RevocationKind::Role));
        }
        if live.keys.contains_key(&*token.kid) {
            return Err(Revoked(RevocationKind::Key));
        }
        if live.everyone.is_some_and(|entry| claims.rv < entry.version) {
            return Err(Revoked(RevocationKind::Everyone));
        }
        Ok(())
    }

    /// Whether an API key is revoked.
    #[must_use]
    pub fn is_api_key_revoked(&self, id: &str) -> bool {
        self.read().api_keys.contains_key(id)
    }

    /// The version below which this user's tokens are refused, if any are: what is derived from the user, and remembered
    /// under the version of that moment, is out of date once this is higher.
    #[must_use]
    pub fn user_version(&self, id: Uuid) -> Option<i64> {
        self.read().users.get(&id).map(|entry| entry.version)
    }

    /// The same of a role.
    #[must_use]
    pub fn role_version(&self, name: &str) -> Option<i64> {
        self.read().roles.get(name).map(|entry| entry.version)
    }

    /// Drops what no living token can be touched by at `now`, Unix microseconds.
    pub fn purge(&self, now: i64) {
        let mut live = self.write();
        let Live { sessions, users, roles, api_keys, keys, everyone } = &mut *live;
        for entries in [sessions, users] {
            entries.retain(|_, entry| entry.expires_at > now);
        }
        for entries in [roles, api_keys, keys] {
            entries.retain(|_, entry| entry.expires_at > now);
        }
        *everyone = everyone.filter(|entry| entry.expires_at > now);
    }

    /// How many subjects are revoked.
    #[must_use]
    pub fn len(&self) -> usize {
        let live = self.read();
        let named = live.sessions.len() + live.users.len() + live.roles.len() + live.api_keys.len() + live.keys.len();
        named + usize::from(live.everyone.is_some())
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything, one per subject, in no order: what [`Self::replace`] takes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Revocation> {
        // A copy is quick; to spell out many ids is not, and would hold up every request meanwhile.
        let live = self.read().clone();
        let mut snapshot = Vec::new();
        for (kind, entries) in [(RevocationKind::Session, &live.sessions), (RevocationKind::User, &live.users)] {
            snapshot.extend(entries.iter().map(|(id, entry)| entry.revocation(kind, id.to_string())));
        }
        for (kind, entries) in [
            (RevocationKind::Role, &live.roles),
            (RevocationKind::ApiKey, &live.api_keys),
            (RevocationKind::Key, &live.keys),
        ] {
            snapshot.extend(entries.iter().map(|(name, entry)| entry.revocation(kind, name.clone())));
        }
        snapshot.extend(live.everyone.map(|entry| entry.revocation(RevocationKind::Everyone, EVERYONE.to_owned())));
        snapshot
    }

    /// Records that the source itself was read at `at`.
    pub fn mark_current(&self, at: Instant) {
        self.current.store(Some(Arc::new(at)));
    }

    /// Time since the source was read; nothing before it ever was.
    #[must_use]
    pub fn staleness(&self, now: Instant) -> Option<Duration> {
        self.current.load().as_deref().map(|at| now.saturating_duration_since(*at))
    }

    /// A writer that panicked left every entry whole.
    fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RevocationView {
    fn default() -> Self {
        Self::new()
    }
}

fn next_state() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Live {
    fn apply(&mut self, revocation: &Revocation) -> bool {
        let Revocation { id, version, revoked_at, expires_at, .. } = *revocation;
        let entry = Entry { version, revoked_at, id, expires_at };
        let subject = &revocation.subject;
        match revocation.kind {
            RevocationKind::Session => apply_by_id(&mut self.sessions, subject, entry),
            RevocationKind::User => apply_by_id(&mut self.users, subject, entry),
            RevocationKind::Role => merge(&mut self.roles, subject.clone(), entry),
            RevocationKind::ApiKey => merge(&mut self.api_keys, subject.clone(), entry),
            RevocationKind::Key => merge(&mut self.keys, subject.clone(), entry),
            RevocationKind::Everyone => {
                let winner = outdo(self.everyone, entry);
                self.everyone.replace(winner) != Some(winner)
            }
        }
    }
}

impl Entry {
    fn revocation(self, kind: RevocationKind, subject: String) -> Revocation {
        let Self { version, revoked_at, id, expires_at } = self;
        Revocation { id, kind, subject, version, revoked_at, expires_at }
    }
}

/// No token names a subject that is not an id.
fn apply_by_id(entries: &mut HashMap<Uuid, Entry>, subject: &str, entry: Entry) -> bool {
    subject.parse().is_ok_and(|id| merge(entries, id, entry))
}

fn merge<S: Eq + Hash>(entries: &mut HashMap<S, Entry>, subject: S, new: Entry) -> bool {
    let known = entries.get(&subject).copied();
    let winner = outdo(known, new);
    entries.insert(subject, winner);
    known != Some(winner)
}

/// What counts of two revocations of a subject.
fn outdo(known: Option<Entry>, new: Entry) -> Entry {
    known.map_or(new, |old| Entry { expires_at: old.expires_at.max(new.expires_at), ..old.max(new) })
}
