//! What an operator does with accounts at the command line, on the database itself and without a server.
//!
//! Servers that run meanwhile hear of what is revoked as of any other instance's revocations: within half a second.

mod administrator;
mod demo;
mod disable;
mod export;
mod list;
mod store;

pub use administrator::{Administrator, Made, appoint, create_administrator};
pub use demo::{Beside, DEMO_ADMINISTRATOR, Demonstration, Filled, MOST_DEMO_USERS, fill_demo};
pub use disable::disable;
pub use export::{Layout, export};
pub use list::{Filter, list};
pub use store::Account;

use std::io;

use service_kit::clock::Clock;

use crate::{
    audit::{self, Event},
    config::Config,
    db::{Conn, Db, DbError, Ts},
    fields::Fault,
    ids::UserId,
    passwords::{Busy, LengthError, Weakness},
    revocation::Recorder,
};

/// What an operator's commands work on.
pub struct Operator<'a> {
    /// The database.
    pub db: &'a Db,
    /// What servers on it run by.
    pub config: &'a Config,
    /// What time it is.
    pub clock: &'a Clock,
}

impl Operator<'_> {
    fn now(&self) -> Ts {
        self.clock.now().into()
    }

    fn recorder(&self, now: Ts) -> Recorder {
        Recorder { now, token_life: self.config.sessions.access_token_life }
    }
}

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// What was given is not acceptable.
    #[error("{member}: {reason}")]
    Invalid {
        /// Which option.
        member: &'static str,
        /// Why.
        reason: String,
    },
    /// The password is too easy to guess.
    #[error("the password is refused: {}", .0.english())]
    Weak(Weakness),
    /// Somebody else has the username.
    #[error("the username is taken")]
    UsernameTaken,
    /// Somebody registered the address in this very moment.
    #[error("somebody has just registered this address: make sure who it is, and run the command again")]
    JustTaken,
    /// There is no such account.
    #[error("there is no account {0}")]
    NotFound(String),
    /// Nobody would be left who can administer.
    #[error("this is the last active administrator: make another one first, with `auth-system users create-admin`")]
    LastAdministrator,
    /// A demonstration has no place in production.
    #[error("this is production (ENV=production), where no demonstration has a place")]
    Production,
    /// A demonstration was not to be put beside others.
    #[error(
        "the database holds accounts that are not of a demonstration: use an empty one, or put it beside them with --append"
    )]
    OthersThere,
    /// The system refused threads.
    #[error("the hash threads cannot be started: {0}")]
    Threads(io::Error),
    /// The output cannot be written.
    #[error("the export cannot be written: {0}")]
    Output(#[from] io::Error),
    /// Hashing lacks memory.
    #[error("the password could not be hashed: {0}")]
    Hashing(#[from] Busy),
}

impl OperatorError {
    fn invalid(member: &'static str, fault: &Fault) -> Self {
        Self::Invalid { member, reason: fault.detail.en.to_string() }
    }

    fn length(fault: LengthError) -> Self {
        Self::Invalid { member: "password", reason: fault.to_string() }
    }
}

/// Notes what an operator did to an account.
async fn record(tx: &mut Conn, event: Event, id: UserId, now: Ts) -> Result<(), DbError> {
    audit::Entry::by_system(event, Some(audit::Target::User(id))).detail("by", "operator").record(tx, now).await
}
