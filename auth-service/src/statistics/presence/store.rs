//! SQL of who was there: what is kept of the hours, and what it is counted from.

use uuid::Uuid;

use super::{People, open::Open};
use crate::{
    db::{Conn, DbError, Ts, dialect, run},
    statistics::{HOUR_SECONDS, hour_of, hour_start},
};

/// What is kept of an hour; what is missing was not counted yet, or never will be.
#[derive(sqlx::FromRow)]
pub struct HourRow {
    pub hour: i64,
    pub people: Option<String>,
    pub sessions: Option<i64>,
}

const LIST: &str = "SELECT hour, people, sessions FROM presence_hours WHERE hour >= $1 AND hour < $2 ORDER BY hour";

/// What is kept of the hours from `from` to before `until`.
pub async fn list(conn: &mut Conn, from: i64, until: i64) -> Result<Vec<HourRow>, DbError> {
    run!(conn, fetch_all, LIST, from, until)
}

const FIND_LAST_OF_SESSIONS: &str = "
    SELECT hour FROM presence_hours WHERE sessions IS NOT NULL ORDER BY hour DESC LIMIT 1";

/// The last hour whose sessions were counted.
pub async fn find_last_of_sessions(conn: &mut Conn) -> Result<Option<i64>, DbError> {
    let row: Option<(i64,)> = run!(conn, fetch_optional, FIND_LAST_OF_SESSIONS)?;
    Ok(row.map(|(hour,)| hour))
}

const SET_PEOPLE: &str = "
    INSERT INTO presence_hours (hour, people) VALUES ($1, $2)
    ON CONFLICT (hour) DO UPDATE SET people = excluded.people";

/// Keeps the people of an hour.
pub async fn set_people(conn: &mut Conn, hour: i64, people: &People) -> Result<(), DbError> {
    run!(conn, execute, SET_PEOPLE, hour, people.to_text()).map(drop)
}

const SET_SESSIONS: &str = "
    INSERT INTO presence_hours (hour, sessions) VALUES ($1, $2)
    ON CONFLICT (hour) DO UPDATE SET sessions = excluded.sessions";

/// Keeps how many sessions were open when an hour ended.
pub async fn set_sessions(conn: &mut Conn, hour: i64, sessions: i64) -> Result<(), DbError> {
    run!(conn, execute, SET_SESSIONS, hour, sessions).map(drop)
}

const ADD_SESSIONS: &str = "
    INSERT INTO presence_hours (hour, sessions) VALUES ($1, $2)
    ON CONFLICT (hour) DO UPDATE SET sessions = COALESCE(presence_hours.sessions, 0) + excluded.sessions, people = NULL";

/// Adds sessions of which no rows are left, and has the people of the hour counted again.
pub async fn add_sessions(conn: &mut Conn, hour: i64, sessions: i64) -> Result<(), DbError> {
    run!(conn, execute, ADD_SESSIONS, hour, sessions).map(drop)
}

const DELETE_OLD: &str = "DELETE FROM presence_hours WHERE hour < $1";

/// Forgets the hours before `hour`: one an hour, or as many as there are.
pub async fn delete_old(conn: &mut Conn, hour: i64) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, hour)
}

const FIND_FIRST_LOGIN: &str = "SELECT at FROM login_histories WHERE at >= $1 ORDER BY at LIMIT 1";

/// The hour of the first login from `from` on that there is a line of.
pub async fn find_first_login(conn: &mut Conn, from: i64) -> Result<Option<i64>, DbError> {
    let row: Option<(Ts,)> = run!(conn, fetch_optional, FIND_FIRST_LOGIN, hour_start(from))?;
    Ok(row.map(|(at,)| hour_of(at)))
}

const FIND_FIRST_SESSION: &str = "SELECT created_at FROM sessions WHERE id > $1 ORDER BY id LIMIT 1";

/// The hour in which the first session after an id began.
pub async fn find_first_session(conn: &mut Conn, after: Uuid) -> Result<Option<i64>, DbError> {
    let row: Option<(Ts,)> = run!(conn, fetch_optional, FIND_FIRST_SESSION, after)?;
    Ok(row.map(|(at,)| hour_of(at)))
}

/// Counts the people of an hour, or of what has passed of it.
pub async fn count_people(conn: &mut Conn, hour: i64) -> Result<People, DbError> {
    let sql = dialect::COUNT_PEOPLE_OF_HOUR.on(conn.engine());
    let (from, until) = (hour_start(hour), hour_start(hour + 1));
    let day_before = Ts::from_micros(from.as_micros() - 23 * HOUR_SECONDS * 1_000_000);
    let rows: Vec<(Option<i64>, i64)> = run!(conn, fetch_all, sql, from, until, day_before)?;
    let mut people = People::default();
    for (last_hour, count) in rows {
        people.add(last_hour.map(|last| hour - last), count);
    }
    Ok(people)
}

/// Counts the sessions of a page, ids from after `from` up to `until`, that were open at `since` or later.
pub async fn count_open(
    conn: &mut Conn,
    (from, until): (Uuid, Uuid),
    since: Ts,
    open: &mut Open,
) -> Result<(), DbError> {
    let sql = dialect::COUNT_SESSIONS_BY_HOUR.on(conn.engine());
    let rows: Vec<(i64, i64, i64)> = run!(conn, fetch_all, sql, from, until, since)?;
    for (began, ended, sessions) in rows {
        open.add_hours(began, ended, sessions);
    }
    Ok(())
}
