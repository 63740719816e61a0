//! Finds a page of the log: newest first, about one person by two indexes, or behind an entry for who follows the log.

use std::cmp::Reverse;

use uuid::Uuid;

use super::{
    Filter,
    store::{self, EntryRow},
};
use crate::{
    db::{Conn, DbError},
    lists::Cursor,
};

/// Entries that one look at the end of the log reads at most, whatever passes the filter.
const STRETCH: i64 = 20_000;

/// What has come since.
pub struct Newer {
    /// Those that pass the filter, oldest first.
    pub rows: Vec<EntryRow>,
    /// The last entry that was looked at: where to go on.
    pub last: Uuid,
}

/// Entries that pass the filter, newest first, from behind `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<EntryRow>, DbError> {
    let Some(about) = filter.about else { return store::list(conn, filter, after, limit).await };
    let mut rows = Vec::new();
    for side in filter.sides(about) {
        rows.extend(store::list(conn, &side, after, limit).await?);
    }
    // What people did to themselves is found on both sides.
    rows.sort_unstable_by_key(|row| Reverse((row.at, row.id)));
    rows.dedup_by_key(|row| row.id);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

/// Entries that pass the filter, in the order of the chain, from behind the entry `after`; nothing if there is no such
/// entry. Not in the order of their time: what commits late would be passed over.
///
/// # Errors
/// When the database fails.
pub async fn list_newer(conn: &mut Conn, filter: &Filter, after: Uuid, limit: i64) -> Result<Option<Newer>, DbError> {
    let seq = match store::find_seq(conn, after).await? {
        None => return Ok(None),
        // It has no place yet; within a second it has.
        Some(None) => return Ok(Some(Newer { rows: Vec::new(), last: after })),
        Some(Some(seq)) => seq,
    };
    // Before the rows: what is sealed meanwhile is for the next look.
    let Some((end, to)) = store::find_last_in(conn, seq, seq.saturating_add(STRETCH)).await? else {
        return Ok(Some(Newer { rows: Vec::new(), last: after }));
    };
    let rows = store::list_sealed(conn, filter, (seq, to), limit).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let last = rows.last().filter(|_| is_full).map_or(end, |row| row.id);
    Ok(Some(Newer { rows, last }))
}
