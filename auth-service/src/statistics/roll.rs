//! The job behind the numbers: counts each hour once it is over, and from time to time how many there are of what takes long.

use std::time::Duration;

use super::{Kind, Tally, hour_of, hour_start, presence, store, strangers, totals, window::KEPT_HOURS};
use crate::{
    app::App,
    db::{Conn, DbError, Ts},
    jobs::{self, Lock},
};

/// How long after its end an hour is counted: clocks differ, and transactions take time.
pub(super) const SETTLES_AFTER: Duration = Duration::from_secs(10 * 60);
/// Hours that one transaction counts.
const BATCH_HOURS: usize = 24;
/// The first hour that is not counted yet.
pub(super) const ROLLED_UNTIL: &str = "rolled_until";
/// What is claimed before a count of what takes long.
const COUNTING: &str = "counting";
/// Time between two counts of what takes long.
const RECOUNT_EVERY: Duration = Duration::from_secs(5 * 60);

/// Adds what this instance alone knows to the hours, counts those that are over, and forgets those that nobody asks for any
/// more; says how many were counted.
///
/// # Errors
/// When the database fails.
pub async fn roll(app: &App) -> Result<u64, DbError> {
    strangers::flush(app).await?;
    let mut rolled = 0;
    loop {
        let Some(mut tx) = jobs::begin(app, Lock::Job).await? else { return Ok(rolled) };
        let now = app.now();
        let hours = roll_batch(&mut tx, now).await?;
        if hours < BATCH_HOURS {
            store::delete_old(&mut tx, hour_of(now) - KEPT_HOURS).await?;
            presence::delete_old(&mut tx, hour_of(now) - KEPT_HOURS).await?;
        }
        tx.commit().await?;
        rolled += u64::try_from(hours).unwrap_or(0);
        if hours < BATCH_HOURS {
            return Ok(rolled);
        }
    }
}

/// Counts people and sessions again, if no instance has lately: where they are many, that is what is told until the next time.
///
/// # Errors
/// When the database fails.
pub async fn recount(app: &App) -> Result<(), DbError> {
    let now = app.now();
    if !store::claim(&mut app.db.write().await?, COUNTING, now.minus(RECOUNT_EVERY), now).await? {
        return Ok(());
    }
    let counted = totals::count(&mut app.db.read().await?, now).await?;
    let mut tx = app.db.begin().await?;
    counted.keep(&mut tx).await?;
    tx.commit().await
}

/// Counts the next hours in which anything happened.
async fn roll_batch(tx: &mut Conn, now: Ts) -> Result<usize, DbError> {
    let settled = hour_of(now.minus(SETTLES_AFTER));
    let known = store::find_gauge(tx, ROLLED_UNTIL).await?.unwrap_or(0);
    let mut from = known.max(settled - KEPT_HOURS);
    let mut hours = 0;
    while from < settled && hours < BATCH_HOURS {
        let next = store::find_next(tx, hour_start(from), hour_start(settled)).await?;
        let Some(hour) = next.map(hour_of) else {
            from = settled;
            break;
        };
        roll_hour(tx, hour).await?;
        from = hour + 1;
        hours += 1;
    }
    if from > known {
        store::set_gauge(tx, ROLLED_UNTIL, from, now).await?;
    }
    Ok(hours)
}

async fn roll_hour(tx: &mut Conn, hour: i64) -> Result<(), DbError> {
    let tally = count(tx, (hour_start(hour), hour_start(hour + 1))).await?;
    for (reason, total) in &tally.refused {
        store::set_hour(tx, hour, (Kind::Refusal.as_str(), reason), *total).await?;
    }
    for (kind, total) in [(Kind::Login, tally.logins), (Kind::Registration, tally.registrations)] {
        if total > 0 {
            store::set_hour(tx, hour, (kind.as_str(), ""), total).await?;
        }
    }
    Ok(())
}

/// Counts the rows of a stretch of time.
pub(super) async fn count(conn: &mut Conn, span: (Ts, Ts)) -> Result<Tally, DbError> {
    let mut tally = Tally { registrations: store::count_registrations(conn, span).await?, ..Tally::default() };
    for row in store::count_logins(conn, span).await? {
        let kind = if row.outcome == "logged_in" { Kind::Login } else { Kind::Refusal };
        tally.add(kind, &row.reason, row.total);
    }
    Ok(tally)
}
