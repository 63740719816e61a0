//! How many people and sessions there are. No index could say: a login or a refresh would have to move it, and with it every
//! other index of the row. So they are counted a page at a time, where there are many by the job, and remembered.

use uuid::{Builder, Uuid};

use super::{store, window::Window};
use crate::{
    db::{Conn, DbError, Ts},
    sessions::SessionKind,
};

/// Rows that one statement counts, and the most that are counted anew for an answer.
const PAGE: i64 = 20_000;
/// The most pages that are counted for an answer.
const MOST_PAGES: usize = 2;
const USERS: &str = "users";
const LIVE_SESSIONS: &str = "live_sessions";

/// How many there are of what takes long to count.
#[derive(Clone, Debug)]
pub struct Totals {
    /// Accounts that are not deleted.
    pub users: i64,
    /// Sessions that have neither ended nor expired.
    pub live_sessions: i64,
    /// People who logged in within a window.
    active: [i64; 3],
    /// When they were counted.
    pub counted_at: Ts,
    /// How many pages they were counted in; none where they were kept.
    pages: usize,
}

impl Totals {
    /// People who logged in within a window.
    pub fn active(&self, window: Window) -> i64 {
        match window {
            Window::Day => self.active[0],
            Window::Week => self.active[1],
            Window::Month => self.active[2],
        }
    }

    /// Whether they were just counted, and are not too many to count for an answer.
    pub const fn are_few(&self) -> bool {
        matches!(self.pages, 1..=MOST_PAGES)
    }

    /// Keeps them for every instance, unless there are so few that each counts for itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(&self, tx: &mut Conn) -> Result<(), DbError> {
        if self.are_few() {
            store::delete_gauge(tx, USERS).await?;
            return store::delete_gauge(tx, LIVE_SESSIONS).await;
        }
        for (name, value) in [(USERS, self.users), (LIVE_SESSIONS, self.live_sessions)] {
            store::set_gauge(tx, name, value, self.counted_at).await?;
        }
        for window in Window::ALL {
            store::set_gauge(tx, active_name(window), self.active(window), self.counted_at).await?;
        }
        Ok(())
    }
}

/// As they were last counted where there are many, and otherwise as they are.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn, now: Ts) -> Result<Totals, DbError> {
    match find_kept(conn).await? {
        Some(totals) => Ok(totals),
        None => count(conn, now).await,
    }
}

/// Counts them.
///
/// # Errors
/// When the database fails.
pub async fn count(conn: &mut Conn, now: Ts) -> Result<Totals, DbError> {
    let mut totals = Totals { users: 0, live_sessions: 0, active: [0; 3], counted_at: now, pages: 0 };
    let since = Window::ALL.map(|window| now.minus(window.length()));
    let mut from = Some(Uuid::nil());
    while let Some(after) = from {
        from = store::users_end(conn, after, PAGE).await?;
        let row = store::count_users(conn, (after, from.unwrap_or(Uuid::max())), since).await?;
        totals.users += row.users;
        for (active, more) in totals.active.iter_mut().zip([row.day, row.week, row.month]) {
            *active += more;
        }
        totals.pages += 1;
    }
    for page in list_session_pages(conn, now).await? {
        totals.live_sessions += store::count_sessions(conn, page, now).await?;
        totals.pages += 1;
    }
    Ok(totals)
}

/// The pages of sessions that may have been open at an instant, by the ids after which each begins and up to which it goes.
///
/// # Errors
/// When the database fails.
pub async fn list_session_pages(conn: &mut Conn, since: Ts) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    let mut pages = Vec::new();
    // Whatever began earlier was over.
    let mut from = Some(first_id(since.minus(SessionKind::App.absolute())));
    while let Some(after) = from {
        from = store::sessions_end(conn, after, PAGE).await?;
        pages.push((after, from.unwrap_or(Uuid::max())));
    }
    Ok(pages)
}

async fn find_kept(conn: &mut Conn) -> Result<Option<Totals>, DbError> {
    let rows = store::list_gauges(conn).await?;
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let (Some(users), Some(sessions)) = (find(USERS), find(LIVE_SESSIONS)) else { return Ok(None) };
    let active = Window::ALL.map(|window| find(active_name(window)).map_or(0, |row| row.value));
    let (users, live_sessions, counted_at) = (users.value, sessions.value, users.counted_at);
    Ok(Some(Totals { users, live_sessions, active, counted_at, pages: 0 }))
}

const fn active_name(window: Window) -> &'static str {
    match window {
        Window::Day => "active_24h",
        Window::Week => "active_7d",
        Window::Month => "active_30d",
    }
}

/// Before every UUIDv7 of this time.
pub fn first_id(time: Ts) -> Uuid {
    let millis = u64::try_from(time.as_micros() / 1_000).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
