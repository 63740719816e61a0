//! Puts the numbers of a window together: hours that were counted, those since, and what this instance alone knows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use auth_sdk::{Statistics, StatisticsBefore, StatisticsBucket, StatisticsTotals};

use super::{
    Kind, Tally, hour_of, hour_start,
    presence::{self, Presence},
    roll::{self, ROLLED_UNTIL},
    store,
    totals::{self, Totals},
    window::{Frame, Window},
};
use crate::{
    app::App,
    db::{Conn, DbError, Ts},
};

/// How long an answer is given again.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The last answer to each question: no more of them than windows times offsets.
#[derive(Default)]
pub struct Answers(Mutex<HashMap<Frame, (Ts, Statistics)>>);

impl Answers {
    fn find(&self, frame: Frame, now: Ts) -> Option<Statistics> {
        let answers = self.lock();
        let (at, answer) = answers.get(&frame)?;
        // A clock that was set back must not keep an answer for ever.
        (*at <= now && now.since(*at) < MAX_AGE).then(|| answer.clone())
    }

    fn keep(&self, frame: Frame, answer: &Statistics, now: Ts) {
        self.lock().insert(frame, (now, answer.clone()));
    }

    /// An answer is put in whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Frame, (Ts, Statistics)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers that are asked for, at most a few seconds old.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, frame: Frame) -> Result<Statistics, DbError> {
    let now = app.now();
    if let Some(answer) = app.statistics.find(frame, now) {
        return Ok(answer);
    }
    let answer = gather(app, frame, now).await?;
    app.statistics.keep(frame, &answer, now);
    Ok(answer)
}

async fn gather(app: &App, frame: Frame, now: Ts) -> Result<Statistics, DbError> {
    let mut conn = app.db.read_replica().await?;
    let rolled_until = store::find_gauge(&mut conn, ROLLED_UNTIL).await?.unwrap_or(0);
    let mut buckets: BTreeMap<i64, Tally> = frame.buckets(now).map(|bucket| (bucket, Tally::default())).collect();
    let first = hour_of(frame.from(now));
    let kept = store::list_hours(&mut conn, (first, hour_of(now) + 1), shape(frame), rolled_until).await?;
    for row in kept {
        if let (Some(tally), Some(kind)) = (buckets.get_mut(&row.bucket), Kind::parse(&row.kind)) {
            tally.add(kind, &row.reason, row.total);
        }
    }
    for (bucket, tally) in &mut buckets {
        let start = frame.bucket_start(*bucket);
        let span = (start.max(rolled_until), start + frame.window.bucket_hours());
        if span.0 < span.1 {
            tally.merge(&roll::count(&mut conn, (hour_start(span.0), hour_start(span.1))).await?);
        }
    }
    for ((hour, reason), total) in app.strangers.pending() {
        if let Some(tally) = buckets.get_mut(&frame.bucket_of(hour)) {
            tally.add(Kind::Stranger, reason.as_str(), total);
        }
    }
    let before = before(&mut conn, frame, rolled_until, now).await?;
    let totals = totals::find(&mut conn, now).await?;
    let presence = presence::find(&mut conn, frame, now, &totals).await?;
    Ok(to_wire(now, (buckets, before), &presence, &totals))
}

/// The same stretch of time one window earlier. Of the hour that is still going on, as large a part of that one.
async fn before(conn: &mut Conn, frame: Frame, rolled_until: i64, now: Ts) -> Result<Tally, DbError> {
    let earlier = frame.window.hours();
    let (first, last) = (hour_of(frame.from(now)) - earlier, hour_of(now) - earlier);
    let mut tally = between(conn, (first, last), rolled_until).await?;
    let partial = between(conn, (last, last + 1), rolled_until).await?;
    let elapsed = now.since(hour_start(hour_of(now))).as_secs_f64() / 3_600.0;
    tally.merge(&partial.part(elapsed));
    Ok(tally)
}

async fn between(conn: &mut Conn, (from, until): (i64, i64), rolled_until: i64) -> Result<Tally, DbError> {
    let mut tally = Tally::default();
    for row in store::list_hours(conn, (from, until), (0, 1), rolled_until).await? {
        if let Some(kind) = Kind::parse(&row.kind) {
            tally.add(kind, &row.reason, row.total);
        }
    }
    let since = from.max(rolled_until);
    if since < until {
        tally.merge(&roll::count(conn, (hour_start(since), hour_start(until))).await?);
    }
    Ok(tally)
}

/// By how many hours days are moved, and how long buckets are.
const fn shape(frame: Frame) -> (i64, i64) {
    (frame.offset, frame.window.bucket_hours())
}

impl Tally {
    fn part(&self, part: f64) -> Self {
        let of = |total: i64| (total as f64 * part).round() as i64;
        Self {
            logins: of(self.logins),
            refused: self.refused.iter().map(|(reason, total)| (reason.clone(), of(*total))).collect(),
            registrations: of(self.registrations),
        }
    }
}

fn to_wire(
    now: Ts,
    (buckets, before): (BTreeMap<i64, Tally>, Tally),
    presence: &Presence,
    counted: &Totals,
) -> Statistics {
    let frame = presence.frame();
    let mut sum = Tally::default();
    for tally in buckets.values() {
        sum.merge(tally);
    }
    let buckets = buckets.into_iter().map(|(bucket, tally)| StatisticsBucket {
        at: hour_start(frame.bucket_start(bucket)).into(),
        logins: number(tally.logins),
        refused: numbers(&tally.refused),
        registrations: number(tally.registrations),
        active_users: presence.active_users(bucket).map(number),
        sessions: presence.sessions(bucket).map(number),
    });
    Statistics {
        window: frame.window.as_str().to_owned(),
        offset: frame.offset_text(),
        from: frame.from(now).into(),
        until: now.into(),
        bucket: match frame.window {
            Window::Day => "hour",
            Window::Week | Window::Month => "day",
        }
        .to_owned(),
        buckets: buckets.collect(),
        totals: StatisticsTotals {
            logins: number(sum.logins),
            refused: numbers(&sum.refused),
            registrations: number(sum.registrations),
            active_users: number(counted.active(frame.window)),
            users: number(counted.users),
            live_sessions: number(counted.live_sessions),
            counted_at: counted.counted_at.into(),
        },
        previous: StatisticsBefore {
            logins: number(before.logins),
            refused: number(before.refusals()),
            registrations: number(before.registrations),
        },
    }
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn numbers(counts: &BTreeMap<String, i64>) -> BTreeMap<String, u64> {
    counts.iter().map(|(reason, total)| (reason.clone(), number(*total))).collect()
}
