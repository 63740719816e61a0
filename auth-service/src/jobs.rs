//! Jobs that one instance does at a time, a bounded batch per transaction: erasing people, what is kept for so long only, and what is counted.

use std::{fmt, str::FromStr, time::Duration};

use service_kit::config::Env;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    db::{Conn, DbError, Ts, dialect, run},
    error,
    ids::UserId,
    login, statistics,
    users::{self, dormant},
};

/// Time between two rounds of the jobs.
const INTERVAL: Duration = Duration::from_secs(60);
/// Rows that one transaction of a job touches: on SQLite it keeps everybody else from writing.
pub const BATCH: i64 = 1_000;
/// Pages of accounts that a round looks at for dormant ones: a million accounts in less than an hour.
const PAGES: usize = 20;
/// Before every account.
const FIRST: UserId = UserId(Uuid::nil());
const DAY: Duration = Duration::from_secs(86_400);
/// The most days that make sense: a hundred years.
const MOST_DAYS: u32 = 36_500;

/// How long what is held on people is kept.
#[derive(Clone, Copy, Debug)]
pub struct RetentionConfig {
    /// From the deletion of an account to its erasure.
    pub deleted_users: Days,
    /// A line of somebody's login history.
    pub login_history: Days,
    /// An entry of the audit log.
    pub audit: Days,
}

impl RetentionConfig {
    /// Reads the configuration.
    pub fn read(env: &mut Env) -> Self {
        env.section("Retention");
        Self {
            deleted_users: env.parse(
                "USER_PURGE_DAYS",
                "30",
                "Days after its deletion until an account is erased for good, or `off`.",
            ),
            login_history: env.parse(
                "LOGIN_HISTORY_RETENTION_DAYS",
                "365",
                "Days that a line of a person's login history is kept, or `off`: for ever.",
            ),
            audit: env.parse(
                "AUDIT_RETENTION_DAYS",
                "1095",
                "Days that an entry of the audit log is kept, or `off`: for ever. Korean rules ask for one or two years, and claims lapse after three.",
            ),
        }
    }
}

/// A number of days, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(Option<Duration>);

impl Days {
    /// The instant that lies so many days before `now`; nothing when it is off.
    #[must_use]
    pub fn before(self, now: Ts) -> Option<Ts> {
        self.0.map(|span| now.minus(span))
    }
}

impl FromStr for Days {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<u32>() {
            _ if text == "off" => Ok(Self(None)),
            Ok(days @ 1..=MOST_DAYS) => Ok(Self(Some(DAY * days))),
            Ok(_) | Err(_) => Err("write a number of days from 1 to 36500, or `off`"),
        }
    }
}

/// What only one instance may do at a time. The numbers belong to PostgreSQL's advisory locks of this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Sealing the audit log. It touches nothing but unsealed entries, and the jobs nothing but sealed ones: so neither
    /// ever waits for the other.
    Sealing,
    /// A batch of any of the jobs here: two of them may touch the same rows in another order.
    Job,
}

impl Lock {
    const fn number(self) -> i64 {
        match self {
            Self::Sealing => 7_209_101,
            Self::Job => 7_209_102,
        }
    }
}

/// A transaction that alone may do a job until it ends; nothing when another instance is at it. Commit it also when there
/// was nothing to do: one that is dropped ends in the background, and the next job would find it still there.
///
/// # Errors
/// When the database fails.
pub async fn begin(app: &App, lock: Lock) -> Result<Option<Conn>, DbError> {
    let mut tx = app.db.begin().await?;
    let sql = dialect::TRY_JOB_LOCK.on(tx.engine());
    let (is_ours,): (bool,) = run!(&mut tx, fetch_one, sql, lock.number())?;
    Ok(is_ours.then_some(tx))
}

/// Does the jobs for as long as the instance lives.
pub async fn run(app: App) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looked_up_to = FIRST;
    loop {
        ticks.tick().await;
        // One that is away is not asked: everything here can wait.
        if app.readiness.is_ready() {
            let retention = app.config.retention;
            report("people erased", erase_people(&app).await);
            report("lines of login histories removed", login::history::trim(&app, retention.login_history).await);
            report("audit entries removed", audit::trim(&app, retention.audit).await);
            report("hours of activity counted", count_activity(&app).await);
            report("notices to and revocations of dormant accounts", see_to_dormant(&app, &mut looked_up_to).await);
        }
    }
}

/// Erases everybody whose account was deleted long enough ago; says how many.
///
/// # Errors
/// When the database fails.
pub async fn erase_people(app: &App) -> Result<u64, DbError> {
    users::erase::run(app, app.config.retention.deleted_users).await
}

/// Counts the hours that are over, and what takes long to count; says how many hours.
///
/// # Errors
/// When the database fails.
pub async fn count_activity(app: &App) -> Result<u64, DbError> {
    let hours = statistics::roll(app).await?;
    statistics::count_presence(app).await?;
    statistics::recount(app).await?;
    Ok(hours)
}

/// Looks at the next pages of accounts for those that nobody uses.
///
/// # Errors
/// When the database fails.
async fn see_to_dormant(app: &App, looked_up_to: &mut UserId) -> error::Result<u64> {
    let Some(dormancy) = &app.config.dormancy else { return Ok(0) };
    let mut done = 0;
    for _ in 0..PAGES {
        let Some(tx) = begin(app, Lock::Job).await? else { break };
        let (count, next) = dormant::see_to_page(app, tx, dormancy, *looked_up_to).await?;
        done += count;
        *looked_up_to = next.unwrap_or(FIRST);
        if next.is_none() {
            break;
        }
    }
    Ok(done)
}

fn report<E: fmt::Display>(job: &'static str, outcome: Result<u64, E>) {
    match outcome {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "job done: {job}"),
        Err(cause) => tracing::warn!(%cause, "a job failed and will be tried again: {job}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_number_or_off() {
        let now = Ts::from_micros(0);
        assert_eq!("off".parse::<Days>().unwrap().before(now), None);
        assert_eq!("30".parse::<Days>().unwrap().before(now), Some(now.minus(DAY * 30)));
        for text in ["", "0", "-1", "36501", "30d", "Off", "1.5"] {
            assert!(text.parse::<Days>().is_err(), "{text}");
        }
    }
}
