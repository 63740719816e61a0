//! The audit log: what happened to accounts, sessions and rights, written in the same transaction as its cause.
//!
//! Within a second one instance seals each entry into a chain of hashes, so that whoever changes, removes or moves it later
//! can be found out. Erasing a person takes the personal parts, of which the chain knows only a salted hash; retention
//! takes the beginning, and leaves a checkpoint for the rest to hang on.

mod chain;
mod event;
mod export;
mod fault;
mod filter;
mod find;
pub(crate) mod http;
mod names;
pub mod seal;
mod store;
mod trim;
mod verify;
pub(crate) mod verify_http;

pub use chain::Link;
pub(crate) use chain::hash_personal;
pub use event::Event;
pub use export::{Export, Format};
pub use fault::Fault;
pub use filter::{Filter, Outcome};
pub(crate) use find::list;
pub(crate) use store::{BEGINNING, EntryRow, erase_about, erase_by, has_unsealed_of};
pub use trim::trim;
pub use verify::{PART, Report, verify, verify_part};

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    caller::Caller,
    client::Client,
    db::{Conn, Db, DbError, Ts},
    ids::{SessionId, UserId},
};

/// What an event happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An account.
    User(UserId),
    /// A role.
    Role(Uuid),
    /// A permission.
    Permission(Uuid),
    /// An API key.
    ApiKey(Uuid),
}

impl Target {
    const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Role(_) => "role",
            Self::Permission(_) => "permission",
            Self::ApiKey(_) => "api_key",
        }
    }

    const fn id(self) -> Uuid {
        match self {
            Self::User(UserId(id)) | Self::Role(id) | Self::Permission(id) | Self::ApiKey(id) => id,
        }
    }
}

/// One entry: what happened, by whom, to what, and through which client. Its details never hold personal data: they stay
/// when a person is erased.
#[derive(Debug)]
pub struct Entry<'a> {
    event: Event,
    actor: Option<UserId>,
    target: Option<Target>,
    client: Option<&'a Client>,
    details: Map<String, Value>,
}

impl<'a> Entry<'a> {
    /// An entry about `user`'s own account, by that user.
    #[must_use]
    pub fn new(event: Event, user: Option<UserId>, client: &'a Client) -> Self {
        let target = user.map(Target::User);
        Self { event, actor: user, target, client: Some(client), details: Map::new() }
    }

    /// An entry about what somebody did to `user`'s account who has not proven to be that user.
    #[must_use]
    pub fn about(event: Event, user: Option<UserId>, client: &'a Client) -> Self {
        let target = user.map(Target::User);
        Self { event, actor: None, target, client: Some(client), details: Map::new() }
    }

    /// An entry about what `caller` did, to `target` unless it was to no single thing.
    #[must_use]
    pub fn by(event: Event, caller: &Caller, target: Option<Target>, client: &'a Client) -> Self {
        let entry = Self { event, actor: Some(caller.user_id()), target, client: Some(client), details: Map::new() };
        match caller.api_key_id() {
            Some(id) => entry.detail("api_key_id", id.to_string()),
            None => entry,
        }
    }

    /// An entry about what the system itself did, or an operator at the command line.
    #[must_use]
    pub fn by_system(event: Event, target: Option<Target>) -> Self {
        Self { event, actor: None, target, client: None, details: Map::new() }
    }

    /// Adds the session that it is about.
    #[must_use]
    pub fn session(self, id: SessionId) -> Self {
        self.detail("session_id", id.0.to_string())
    }

    /// Adds how many things it touched.
    #[must_use]
    pub fn count(self, count: usize) -> Self {
        self.detail("count", count)
    }

    /// Adds a detail that is no personal datum.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Writes the entry in the transaction of its cause.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(self, tx: &mut Conn, now: Ts) -> Result<(), DbError> {
        store::insert(tx, &self, now).await
    }

    /// The statement that writes the entry on PostgreSQL, for the script of a transaction that is not ours to bind to.
    #[must_use]
    pub(crate) fn to_postgres(&self, now: Ts) -> String {
        store::to_postgres(self, now)
    }
}

/// Writes that an operator took a copy of the log at the command line.
///
/// # Errors
/// When the database fails.
pub async fn record_export(db: &Db, now: Ts) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    Entry::by_system(Event::AuditExported, None).record(&mut tx, now).await?;
    tx.commit().await
}

/// The end of the chain of sealed entries.
///
/// # Errors
/// When the database fails.
pub(crate) async fn head(conn: &mut Conn) -> Result<Link, DbError> {
    chain::store::find_head(conn).await
}
