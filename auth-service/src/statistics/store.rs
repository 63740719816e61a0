//! SQL of what is counted: logins, refusals and registrations by the hour, and totals of people and sessions.

use uuid::Uuid;

use crate::{
    db::{Conn, DbError, Ts, run},
    sweep::BATCH,
};

/// Something that was counted.
#[derive(sqlx::FromRow)]
pub struct CountRow {
    /// Where it belongs, by the divisor it was asked for with.
    pub bucket: i64,
    pub kind: String,
    pub reason: String,
    pub total: i64,
}

/// Logins of one kind.
#[derive(sqlx::FromRow)]
pub struct LoginsRow {
    pub outcome: String,
    pub reason: String,
    pub total: i64,
}

const COUNT_LOGINS: &str = "
    SELECT outcome, COALESCE(line.reason, 'unknown') AS reason, COUNT(*) AS total
    FROM login_histories AS line WHERE at >= $1 AND at < $2 GROUP BY outcome, COALESCE(line.reason, 'unknown')";

/// Logins from `from` to before `until`.
pub async fn count_logins(conn: &mut Conn, (from, until): (Ts, Ts)) -> Result<Vec<LoginsRow>, DbError> {
    run!(conn, fetch_all, COUNT_LOGINS, from, until)
}

const COUNT_REGISTRATIONS: &str = "SELECT COUNT(*) FROM users WHERE created_at >= $1 AND created_at < $2";

/// Accounts that were made from `from` to before `until`.
pub async fn count_registrations(conn: &mut Conn, (from, until): (Ts, Ts)) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_REGISTRATIONS, from, until)?;
    Ok(count)
}

const FIND_NEXT_LOGIN: &str = "SELECT at FROM login_histories WHERE at >= $1 AND at < $2 ORDER BY at LIMIT 1";
const FIND_NEXT_REGISTRATION: &str = "
    SELECT created_at FROM users WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at LIMIT 1";

/// When something happened first from `from` to before `until`.
pub async fn find_next(conn: &mut Conn, from: Ts, until: Ts) -> Result<Option<Ts>, DbError> {
    let login: Option<(Ts,)> = run!(conn, fetch_optional, FIND_NEXT_LOGIN, from, until)?;
    let registration: Option<(Ts,)> = run!(conn, fetch_optional, FIND_NEXT_REGISTRATION, from, until)?;
    Ok(login.into_iter().chain(registration).map(|(at,)| at).min())
}

const SET_HOUR: &str = "
    INSERT INTO activity_hours (hour, kind, reason, total) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hour, kind, reason) DO UPDATE SET total = excluded.total";

/// Keeps what was counted in an hour.
pub async fn set_hour(conn: &mut Conn, hour: i64, (kind, reason): (&str, &str), total: i64) -> Result<(), DbError> {
    run!(conn, execute, SET_HOUR, hour, kind, reason, total).map(drop)
}

const ADD_TO_HOUR: &str = "
    INSERT INTO activity_hours (hour, kind, reason, total) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hour, kind, reason) DO UPDATE SET total = activity_hours.total + excluded.total";

/// Adds to what was counted in an hour.
pub async fn add_to_hour(conn: &mut Conn, hour: i64, (kind, reason): (&str, &str), total: i64) -> Result<(), DbError> {
    run!(conn, execute, ADD_TO_HOUR, hour, kind, reason, total).map(drop)
}

const LIST_HOURS: &str = "
    SELECT (hour + $3) / $4 AS bucket, kind, reason, CAST(SUM(total) AS BIGINT) AS total FROM activity_hours
    WHERE hour >= $1 AND hour < $2 AND (hour < $5 OR kind = 'stranger')
    GROUP BY (hour + $3) / $4, kind, reason";

/// What is kept of the hours from `from` to before `until`, by buckets of `width` hours that `shift` hours move; of those
/// from `rolled_until` on only what has no rows of its own.
pub async fn list_hours(
    conn: &mut Conn,
    (from, until): (i64, i64),
    (shift, width): (i64, i64),
    rolled_until: i64,
) -> Result<Vec<CountRow>, DbError> {
    run!(conn, fetch_all, LIST_HOURS, from, until, shift, width, rolled_until)
}

const DELETE_OLD: &str = "
    DELETE FROM activity_hours WHERE (hour, kind, reason) IN (
        SELECT hour, kind, reason FROM activity_hours WHERE hour < $1 ORDER BY hour LIMIT $2)";

/// Forgets the hours before `hour`, a batch of them.
pub async fn delete_old(conn: &mut Conn, hour: i64) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, hour, BATCH)
}

const FIND_GAUGE: &str = "SELECT value FROM gauges WHERE name = $1";

/// A number as it was last kept.
pub async fn find_gauge(conn: &mut Conn, name: &str) -> Result<Option<i64>, DbError> {
    let row: Option<(i64,)> = run!(conn, fetch_optional, FIND_GAUGE, name)?;
    Ok(row.map(|(value,)| value))
}

/// A number that was kept.
#[derive(sqlx::FromRow)]
pub struct GaugeRow {
    pub name: String,
    pub value: i64,
    pub counted_at: Ts,
}

const LIST_GAUGES: &str = "SELECT name, value, counted_at FROM gauges";

/// Every number that is kept.
pub async fn list_gauges(conn: &mut Conn) -> Result<Vec<GaugeRow>, DbError> {
    run!(conn, fetch_all, LIST_GAUGES)
}

const DELETE_GAUGE: &str = "DELETE FROM gauges WHERE name = $1";

/// Forgets a number.
pub async fn delete_gauge(conn: &mut Conn, name: &str) -> Result<(), DbError> {
    run!(conn, execute, DELETE_GAUGE, name).map(drop)
}

const SET_GAUGE: &str = "
    INSERT INTO gauges (name, value, counted_at) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, counted_at = excluded.counted_at
    WHERE gauges.counted_at <= excluded.counted_at";

/// Keeps a number, unless somebody who began to count later has been quicker.
pub async fn set_gauge(conn: &mut Conn, name: &str, value: i64, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, SET_GAUGE, name, value, now).map(drop)
}

const CLAIM: &str = "
    INSERT INTO gauges (name, value, counted_at) VALUES ($1, 0, $2)
    ON CONFLICT (name) DO UPDATE SET counted_at = excluded.counted_at WHERE gauges.counted_at < $3";

/// Whether it is the caller's turn to count what this name stands for, nobody having begun since an instant.
pub async fn claim(conn: &mut Conn, name: &str, since: Ts, now: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, CLAIM, name, now, since)? > 0)
}

const USERS_END: &str = "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";
const SESSIONS_END: &str = "SELECT id FROM sessions WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";

/// The last account of a page of so many that begins after `from`; nothing when there are fewer.
pub async fn users_end(conn: &mut Conn, from: Uuid, size: i64) -> Result<Option<Uuid>, DbError> {
    let row: Option<(Uuid,)> = run!(conn, fetch_optional, USERS_END, from, size - 1)?;
    Ok(row.map(|(id,)| id))
}

/// The same of sessions.
pub async fn sessions_end(conn: &mut Conn, from: Uuid, size: i64) -> Result<Option<Uuid>, DbError> {
    let row: Option<(Uuid,)> = run!(conn, fetch_optional, SESSIONS_END, from, size - 1)?;
    Ok(row.map(|(id,)| id))
}

/// How many people there are, and how many of them logged in since each of three instants.
#[derive(sqlx::FromRow)]
pub struct UsersRow {
    pub users: i64,
    pub day: i64,
    pub week: i64,
    pub month: i64,
}

const COUNT_USERS: &str = "
    SELECT COUNT(*) AS users, COUNT(CASE WHEN last_login_at >= $3 THEN 1 END) AS day,
           COUNT(CASE WHEN last_login_at >= $4 THEN 1 END) AS week,
           COUNT(CASE WHEN last_login_at >= $5 THEN 1 END) AS month
    FROM users WHERE id > $1 AND id <= $2 AND deleted_at IS NULL";

/// The people of a page.
pub async fn count_users(conn: &mut Conn, (from, until): (Uuid, Uuid), since: [Ts; 3]) -> Result<UsersRow, DbError> {
    run!(conn, fetch_one, COUNT_USERS, from, until, since[0], since[1], since[2])
}

const COUNT_SESSIONS: &str = "
    SELECT COUNT(*) FROM sessions WHERE id > $1 AND id <= $2 AND ended_at IS NULL AND expires_at > $3";

/// The live sessions of a page.
pub async fn count_sessions(conn: &mut Conn, (from, until): (Uuid, Uuid), now: Ts) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_SESSIONS, from, until, now)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{
        Db, DbConfig,
        migrate::{self, SCRIPTS},
    };

    #[tokio::test]
    async fn a_count_that_took_long_does_not_put_back_what_a_later_one_has_found() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().to_owned();
        let config = DbConfig { primary_url: None, replica_url: None, pool_max_size: 1, data_dir, auto_migrate: false };
        let db = Db::open(&config, None).unwrap();
        migrate::apply(&db, SCRIPTS).await.unwrap();
        let mut conn = db.write().await.unwrap();
        for (value, began, kept) in [(6, 100, 6), (7, 200, 7), (6, 100, 7), (5, 200, 5)] {
            set_gauge(&mut conn, "until", value, Ts::from_micros(began)).await.unwrap();
            assert_eq!(find_gauge(&mut conn, "until").await.unwrap(), Some(kept), "{value} of {began}");
        }
    }
}
