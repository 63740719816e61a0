//! The history of somebody's logins, as they and their administrators see it.

use auth_sdk::{LoginRecord, Page};

use super::store::{self, HistoryRow};
use crate::{
    app::App,
    client::browser_and_os,
    db::{Conn, DbError},
    fields::Fields,
    ids::UserId,
    jobs::{self, BATCH, Days, Lock},
    lists::{self, Cursor, PageQuery, Sort},
    places::Places,
};

pub use store::{delete_history as delete, list_history as rows};

/// The only order of this list.
const NEWEST_FIRST: Sort = Sort::ByTime("-at");

/// Takes the parameters of a page of somebody's history.
pub fn page(params: &mut Fields) -> Option<PageQuery> {
    lists::page(params, NEWEST_FIRST)
}

/// A page of a person's history, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn,
    user: UserId,
    page: &PageQuery,
    places: &Places,
) -> Result<Page<LoginRecord>, DbError> {
    let rows = store::list_history(conn, user, Cursor::below(page.after.as_ref()), page.limit + 1).await?;
    let (rows, next_cursor) = lists::cut(rows, page, NEWEST_FIRST, |row| Cursor::at(row.at, row.id));
    let is_whole = page.after.is_none() && next_cursor.is_none();
    let total = u64::try_from(rows.len()).ok().filter(|_| is_whole);
    Ok(Page { items: rows.into_iter().map(|row| to_wire(row, places)).collect(), next_cursor, total })
}

/// A line as the wire shows it.
pub fn to_wire(row: HistoryRow, places: &Places) -> LoginRecord {
    let (browser, os) = browser_and_os(row.user_agent.as_deref());
    LoginRecord {
        id: row.id,
        at: row.at.into(),
        outcome: row.outcome,
        method: row.method,
        place: places.find(row.ip_address.as_deref()),
        ip_address: row.ip_address,
        user_agent: row.user_agent,
        browser,
        os,
        session_id: row.session_id,
    }
}

/// Deletes the lines that are older than `kept`; says how many.
///
/// # Errors
/// When the database fails.
pub async fn trim(app: &App, kept: Days) -> Result<u64, DbError> {
    let Some(limit) = kept.before(app.now()) else { return Ok(0) };
    let mut deleted = 0;
    loop {
        let Some(mut tx) = jobs::begin(app, Lock::Job).await? else { return Ok(deleted) };
        let count = store::delete_old_history(&mut tx, limit, BATCH).await?;
        tx.commit().await?;
        deleted += count;
        if count == 0 {
            return Ok(deleted);
        }
    }
}
