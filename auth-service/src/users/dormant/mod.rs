//! Accounts that nobody uses: told so by mail, and closed some time later, where the operator wants that.
//!
//! An account is used by a login, by a refresh, and by an API key that acts for it. Both rules look at one page of
//! accounts at a time, so that no statement takes long, and give the id to go on after.

mod store;

use std::time::Duration;

use auth_sdk::UserStatus;
use service_kit::config::Env;

use crate::{
    app::App,
    audit::{self, Event, Target},
    db::{Conn, DbError, Ts},
    error::Result,
    ids::UserId,
    mail::{self, Mail, Recipient, link},
    revocation::Pending,
    roles, sessions,
    users::{self, Locale},
};

const DAY: Duration = Duration::from_secs(86_400);
/// A session may live for 30 days after its login: whoever is told must have none from before.
const LEAST_BEFORE_NOTICE: u32 = 31;

/// When unused accounts are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dormancy {
    /// This long after the last use.
    after: Duration,
    /// And not before this long after the notice; nobody is told if it is zero.
    notice: Duration,
}

/// A person to be told.
#[derive(Debug, sqlx::FromRow)]
pub struct Notice {
    /// Who.
    pub id: UserId,
    /// Where.
    pub email: String,
    /// In which language.
    pub locale: String,
    /// What they are called.
    pub display_name: Option<String>,
}

/// What one page of accounts came to.
pub struct Page<T> {
    /// The outcome.
    pub done: T,
    /// The account to go on after; nothing when this was the last page.
    pub next: Option<UserId>,
}

impl Dormancy {
    /// Reads the configuration; nothing means that accounts never grow dormant.
    pub fn read(env: &mut Env) -> Option<Self> {
        let after: Option<u32> = env.optional(
            "DORMANT_AFTER_DAYS",
            "Days without use after which an account is closed, 61 to 3650; never without it. The last administrator stays.",
        );
        let notice: u32 = env.parse(
            "DORMANT_NOTICE_DAYS",
            "30",
            "Days between the mail that says so and the closing; 0 for no mail. Whoever has no address is closed only with 0. At least 31 days of disuse come before it.",
        );
        let after = after?;
        if !(2 * LEAST_BEFORE_NOTICE - 1..=3650).contains(&after) || notice > after - LEAST_BEFORE_NOTICE {
            env.refuse("DORMANT_AFTER_DAYS must be 61 to 3650, and DORMANT_NOTICE_DAYS at least 31 less than it");
            return None;
        }
        Some(Self { after: DAY * after, notice: DAY * notice })
    }

    /// When an account that is told now will be closed.
    #[must_use]
    pub fn locks_at(&self, now: Ts) -> Ts {
        now.plus(self.notice)
    }
}

/// Tells and closes whoever is due on the page of accounts after `from`, in this transaction; says how many notices and
/// revocations came of it, and the account to go on after, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn see_to_page(app: &App, mut tx: Conn, dormancy: &Dormancy, from: UserId) -> Result<(u64, Option<UserId>)> {
    let now = app.now();
    // Before any account, as everywhere: two locks taken in either order would wait for each other.
    roles::store::lock(&mut tx).await?;
    let told =
        if app.config.mail.is_configured() { notice_due(&mut tx, dormancy, from, now).await?.done } else { Vec::new() };
    for Notice { id, email, locale, .. } in &told {
        let to = Recipient { user: *id, email: email.clone(), locale: Locale::from_stored(locale) };
        mail::queue(&mut tx, &to, Mail::DormancyNotice { locks_at: dormancy.locks_at(now) }, now).await?;
    }
    let Page { done: closed, next } = lock_due(app, &mut tx, dormancy, from).await?;
    let count = told.len() as u64 + closed.len() as u64;
    app.commit(tx, closed).await?;
    Ok((count, next))
}

/// Marks those as told, of the accounts after `from`, who are due to be; the caller queues a mail to each in the same
/// transaction. Whoever has no address cannot be told, and is not closed where that has to come first.
///
/// # Errors
/// When the database fails.
pub async fn notice_due(
    tx: &mut Conn,
    dormancy: &Dormancy,
    from: UserId,
    now: Ts,
) -> Result<Page<Vec<Notice>>, DbError> {
    let (until, next) = store::page_end(tx, from).await?;
    if dormancy.notice.is_zero() {
        return Ok(Page { done: Vec::new(), next });
    }
    let unused_since = now.minus(dormancy.after.saturating_sub(dormancy.notice));
    let done = store::mark_noticed(tx, (from, until), unused_since, now).await?;
    Ok(Page { done, next })
}

/// Closes those, of the accounts after `from`, who were told long enough ago and have not come back: their sessions end,
/// their tokens are refused. The caller holds the lock of the roles, and commits with [`App::commit`].
///
/// # Errors
/// When the database fails.
pub async fn lock_due(app: &App, tx: &mut Conn, dormancy: &Dormancy, from: UserId) -> Result<Page<Pending>> {
    let now = app.now();
    let (until, next) = store::page_end(tx, from).await?;
    let unused_since = now.minus(dormancy.after);
    let due = if dormancy.notice.is_zero() {
        store::find_unused(tx, (from, until), unused_since).await?
    } else {
        store::find_noticed(tx, (from, until), unused_since, now.minus(dormancy.notice)).await?
    };
    let mut done = Pending::default();
    for id in due {
        // A system that nobody can administer is worse than an account that nobody uses.
        if !roles::store::is_last_administrator(tx, id).await? {
            done = done.and(lock(app, tx, id, now).await?);
        }
    }
    Ok(Page { done, next })
}

async fn lock(app: &App, tx: &mut Conn, id: UserId, now: Ts) -> Result<Pending> {
    let closed = users::store::set_status(tx, id, UserStatus::Disabled, now).await?;
    let Some(version) = closed else { return Ok(Pending::default()) };
    link::end_all(tx, id, now).await?;
    let ended = sessions::revoke::all(app, tx, id, None, "account_dormant").await?;
    let account = app.recorder(now).user(tx, id, version).await?;
    audit::Entry::by_system(Event::UserDormant, Some(Target::User(id))).record(tx, now).await?;
    Ok(ended.and(account))
}
