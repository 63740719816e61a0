//! The job that counts who was there in the hours that are over: by reading alone, then in one short transaction.

use std::time::Duration;

use super::{Open, count_open, store};
use crate::{
    app::App,
    db::{Conn, DbError, Ts},
    sessions::SessionKind,
    statistics::{
        hour_of, hour_start,
        roll::{self, SETTLES_AFTER},
        store as numbers, totals,
        window::Window,
    },
};

/// How long after the end of an hour its sessions are counted: no transaction takes longer.
const SESSIONS_SETTLE_AFTER: Duration = Duration::from_secs(60);
/// Hours whose people one transaction keeps.
const BATCH_HOURS: usize = 24;
/// Time between two counts.
const COUNT_EVERY: Duration = Duration::from_secs(5 * 60);
/// What is claimed.
const COUNTING: &str = "counting_presence";
/// The first hour whose people are not counted for good.
pub(super) const PEOPLE_UNTIL: &str = "people_until";
/// The hours that anybody can ask for.
const ASKED_HOURS: i64 = Window::Month.hours();

/// Counts the hours that are over, and the people of those that are not, if no instance has lately.
///
/// # Errors
/// When the database fails.
pub async fn count(app: &App) -> Result<(), DbError> {
    let now = app.now();
    if !numbers::claim(&mut app.db.write().await?, COUNTING, now.minus(COUNT_EVERY), now).await? {
        return Ok(());
    }
    count_people(app, now).await?;
    count_sessions(app, hour_of(now.minus(SESSIONS_SETTLE_AFTER))).await
}

/// Adds sessions of which no rows are left to the hours from `from` to now, and has everything in them that rows are left of
/// counted again.
///
/// # Errors
/// When the database fails.
pub async fn add_past(tx: &mut Conn, sessions: &Open, from: Ts, now: Ts) -> Result<(), DbError> {
    for (hour, open) in sessions.at_ends(hour_of(from)..hour_of(now)) {
        store::add_sessions(tx, hour, open).await?;
    }
    for name in [roll::ROLLED_UNTIL, PEOPLE_UNTIL, COUNTING] {
        numbers::delete_gauge(tx, name).await?;
    }
    Ok(())
}

async fn count_people(app: &App, now: Ts) -> Result<(), DbError> {
    let mut conn = app.db.read().await?;
    let (settled, current) = (hour_of(now.minus(SETTLES_AFTER)), hour_of(now));
    let earliest = settled - ASKED_HOURS;
    let from = match numbers::find_gauge(&mut conn, PEOPLE_UNTIL).await? {
        Some(until) => until.max(earliest),
        None => store::find_first_login(&mut conn, earliest).await?.unwrap_or(current),
    };
    let hours: Vec<i64> = (from..=current).collect();
    for batch in hours.chunks(BATCH_HOURS) {
        let mut counted = Vec::new();
        for hour in batch {
            counted.push((*hour, store::count_people(&mut conn, *hour).await?));
        }
        let mut tx = app.db.begin().await?;
        for (hour, people) in &counted {
            store::set_people(&mut tx, *hour, people).await?;
        }
        let next = batch.last().map_or(from, |last| last + 1);
        numbers::set_gauge(&mut tx, PEOPLE_UNTIL, next.min(settled.max(from)), now).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn count_sessions(app: &App, until: i64) -> Result<(), DbError> {
    let mut conn = app.db.read().await?;
    let earliest = until - ASKED_HOURS;
    let from = match store::find_last_of_sessions(&mut conn).await? {
        Some(last) => last + 1,
        None => {
            let oldest = totals::first_id(hour_start(earliest).minus(SessionKind::App.absolute()));
            store::find_first_session(&mut conn, oldest).await?.unwrap_or(until)
        }
    };
    let hours = from.max(earliest)..until;
    if hours.is_empty() {
        return Ok(());
    }
    let open = count_open(&mut conn, hours.start).await?;
    let mut tx = app.db.begin().await?;
    for (hour, sessions) in open.at_ends(hours) {
        store::set_sessions(&mut tx, hour, sessions).await?;
    }
    tx.commit().await
}
