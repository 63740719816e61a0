//! Refusals that leave no row: of names that nobody has, and of attempts that were not even looked at. They are counted in
//! memory, without a word on who it was, and added to the hour by the job.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Kind, hour_of, store};
use crate::{
    app::App,
    db::{Conn, DbError, Ts},
    login::Reason,
};

/// The refusals of this instance that are not in the database yet, by hour: few numbers, however many refusals.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<BTreeMap<(i64, Reason), i64>>);

impl Strangers {
    /// Counts one refusal.
    pub fn count(&self, reason: Reason, now: Ts) {
        *self.lock().entry((hour_of(now), reason)).or_default() += 1;
    }

    /// What was counted and is not in the database yet.
    pub(super) fn pending(&self) -> BTreeMap<(i64, Reason), i64> {
        self.lock().clone()
    }

    fn put_back(&self, counted: BTreeMap<(i64, Reason), i64>) {
        let mut pending = self.lock();
        for (key, total) in counted {
            *pending.entry(key).or_default() += total;
        }
    }

    /// A number is whole whatever happened beside it.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(i64, Reason), i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds what this instance counted to the hours.
pub(super) async fn flush(app: &App) -> Result<(), DbError> {
    let counted = mem::take(&mut *app.strangers.lock());
    if counted.is_empty() {
        return Ok(());
    }
    let flushed = match app.db.begin().await {
        Ok(tx) => write(tx, &counted).await,
        Err(cause) => Err(cause),
    };
    if flushed.is_err() {
        app.strangers.put_back(counted);
    }
    flushed
}

async fn write(mut tx: Conn, counted: &BTreeMap<(i64, Reason), i64>) -> Result<(), DbError> {
    for ((hour, reason), total) in counted {
        store::add_to_hour(&mut tx, *hour, (Kind::Stranger.as_str(), reason.as_str()), *total).await?;
    }
    tx.commit().await
}
