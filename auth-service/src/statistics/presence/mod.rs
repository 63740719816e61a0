//! Who was there, hour by hour: people who logged in, and sessions that were open when it ended.
//!
//! The people of a day are not the sum of its hours', and it begins at another hour for every offset. So it is kept of each
//! hour how much earlier its people had last been there: those of a day are, hour by hour, the ones who had not been there
//! since it began. Rows of sessions tell of any instant of the last month how many were open, so that nothing is missing
//! where no instance ran for a while. Of the hours before the first of which anything is known, nothing is told. Where there
//! are very many, the hours that are not over are those of the job's last count, some minutes old.

mod job;
mod open;
mod people;
mod store;

pub use job::{add_past, count};
pub use open::Open;
pub(super) use store::delete_old;

use std::{collections::BTreeMap, ops::Range};

use self::people::People;
use super::{
    hour_of, hour_start, store as numbers,
    totals::{self, Totals},
    window::Frame,
};
use crate::db::{Conn, DbError, Ts};

/// The hours of which an answer counts what the job has not counted for good: more would take long.
const BEHIND: i64 = 24;

/// What is known of the hours of a window.
pub struct Presence {
    frame: Frame,
    /// The hour that is still going on.
    current: i64,
    people: BTreeMap<i64, People>,
    sessions: BTreeMap<i64, i64>,
}

impl Presence {
    /// The window, and where its days begin.
    pub const fn frame(&self) -> Frame {
        self.frame
    }

    /// People who logged in within a bucket; nothing unless all of its hours are known, but for those before there was
    /// anybody, and those that are so new that nobody has counted them.
    pub fn active_users(&self, bucket: i64) -> Option<i64> {
        let hours = self.hours(bucket);
        let (first, last) = (self.people.keys().next()?, self.people.keys().last()?);
        let end = if hours.contains(&self.current) { last + 1 } else { hours.end };
        let known = hours.start.max(*first)..end;
        if known.is_empty() {
            return None;
        }
        known.map(|hour| Some(self.people.get(&hour)?.absent_for(hour - hours.start))).sum()
    }

    /// Sessions that were open when a bucket ended, or are now.
    pub fn sessions(&self, bucket: i64) -> Option<i64> {
        self.sessions.get(&(self.hours(bucket).end - 1)).copied()
    }

    fn hours(&self, bucket: i64) -> Range<i64> {
        let start = self.frame.bucket_start(bucket);
        start..(start + self.frame.window.bucket_hours()).min(self.current + 1)
    }
}

/// What was kept of a window's hours, and what can be told of those since.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn, frame: Frame, now: Ts, totals: &Totals) -> Result<Presence, DbError> {
    let (first, current) = (hour_of(frame.from(now)), hour_of(now));
    let (mut people, mut sessions) = (BTreeMap::new(), BTreeMap::new());
    for row in store::list(conn, first, current + 1).await? {
        people.extend(row.people.and_then(|text| Some((row.hour, People::parse(&text)?))));
        sessions.extend(row.sessions.map(|open| (row.hour, open)));
    }
    if totals.are_few() {
        let earliest = first.max(current - BEHIND);
        let from = match numbers::find_gauge(conn, job::PEOPLE_UNTIL).await? {
            Some(until) => earliest.max(until),
            None => store::find_first_login(conn, earliest).await?.unwrap_or(current),
        };
        for hour in from..=current {
            people.insert(hour, store::count_people(conn, hour).await?);
        }
        let from = sessions.keys().last().map_or(earliest, |last| earliest.max(last + 1));
        if from < current {
            let open = count_open(conn, from).await?;
            sessions.extend(open.at_ends(from.max(open.begins())..current));
        }
    }
    sessions.insert(current, totals.live_sessions);
    Ok(Presence { frame, current, people, sessions })
}

/// Counts when sessions began and ended, of those that were open at an hour's end or later.
async fn count_open(conn: &mut Conn, hour: i64) -> Result<Open, DbError> {
    let since = hour_start(hour);
    let mut open = Open::default();
    for page in totals::list_session_pages(conn, since).await? {
        store::count_open(conn, page, since, &mut open).await?;
    }
    Ok(open)
}
