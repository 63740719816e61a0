//! Removes the beginning of the chain when its time is over, and leaves a checkpoint that the rest hangs on.

use std::time::Duration;

use serde_json::json;

use super::{Entry, Event, chain::Link, chain::store};
use crate::{
    app::App,
    db::{DbError, Ts},
    jobs::{self, BATCH, Days, Lock},
};

/// How much longer than asked an entry may stay: each removal is an entry itself, so there should not be one a minute.
const SLACK: Duration = Duration::from_secs(86_400);

/// Removes the sealed entries that are older than `kept`, once the oldest is a day older still; says how many.
///
/// # Errors
/// When the database fails; every batch that was removed until then has left its checkpoint.
pub async fn trim(app: &App, kept: Days) -> Result<u64, DbError> {
    let Some(limit) = kept.before(app.now()) else { return Ok(0) };
    let oldest = store::list_oldest(&mut app.db.read().await?, 1).await?;
    if oldest.iter().all(|row| row.at >= limit.minus(SLACK)) {
        return Ok(0);
    }
    let mut removed = 0;
    loop {
        match trim_batch(app, limit).await? {
            0 => return Ok(removed),
            count => removed += count,
        }
    }
}

/// Removes the longest run of old entries at the beginning, as far as a batch goes.
async fn trim_batch(app: &App, limit: Ts) -> Result<u64, DbError> {
    let Some(mut tx) = jobs::begin(app, Lock::Job).await? else { return Ok(0) };
    let now = app.now();
    let oldest = store::list_oldest(&mut tx, BATCH).await?;
    let last = oldest.into_iter().take_while(|row| row.at < limit).last();
    let Some(last) = last else { return tx.commit().await.map(|()| 0) };
    let last = Link { seq: last.seq, hash: last.hash.unwrap_or_default() };
    let removed = store::cut(&mut tx, &last, now).await?;
    let entry = Entry::by_system(Event::AuditTrimmed, None).detail("hash", last.hash_in_hex()).detail("seq", last.seq);
    entry.record(&mut tx, now).await?;
    tx.commit().await?;
    Ok(removed)
}

/// The details of the entry that tells of this checkpoint, as they are stored.
pub fn details(checkpoint: &Link) -> String {
    json!({"hash": checkpoint.hash_in_hex(), "seq": checkpoint.seq}).to_string()
}
