//! Seals the log: gives every entry its number and a hash that hangs on all before it, within a second.
//!
//! An entry is written unsealed, in its cause's transaction: a chain there would be one lock for every login. One sealer
//! at a time does it afterwards, whichever instance it runs in. A transaction that commits late is sealed late.

use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::chain::store;
use crate::{
    app::App,
    db::DbError,
    jobs::{self, Lock},
};

/// Time between two looks for what is to be sealed: half of it on average, and the sealing itself, is how late a seal comes.
const INTERVAL: Duration = Duration::from_millis(250);
/// Entries in one transaction: on SQLite it keeps everybody else from writing.
const BATCH: i64 = 1_000;
/// Time between two reports of the head, for a copy that is kept elsewhere.
const REPORTED_EVERY: Duration = Duration::from_secs(60);

/// Seals for as long as the instance lives.
pub async fn run(app: App) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut reported, mut failed) = (None::<Instant>, false);
    loop {
        ticks.tick().await;
        // While it leaves, too: what its last requests wrote need not wait for another instance.
        if !app.readiness.is_schema_current() || !app.readiness.is_database_up() {
            continue;
        }
        let outcome = seal_all(&app).await;
        if let Err(cause) = &outcome
            && !failed
        {
            tracing::warn!(%cause, "audit entries could not be sealed");
        }
        failed = outcome.is_err();
        if reported.is_none_or(|at| at.elapsed() >= REPORTED_EVERY) {
            reported = Some(Instant::now());
            report_head(&app).await;
        }
    }
}

/// Seals what there is; says how much that was.
///
/// # Errors
/// When the database fails; what was sealed until then stays sealed.
pub async fn seal_all(app: &App) -> Result<u64, DbError> {
    let mut sealed = 0;
    while store::has_unsealed(&mut app.db.read().await?).await? {
        match seal_batch(app).await? {
            0 => break,
            count => {
                sealed += count;
                metrics::counter!("audit_entries_sealed_total").increment(count);
            }
        }
    }
    Ok(sealed)
}

/// Seals the oldest entries, all of a batch or none; none also when another sealer is at it.
async fn seal_batch(app: &App) -> Result<u64, DbError> {
    let Some(mut tx) = jobs::begin(app, Lock::Sealing).await? else { return Ok(0) };
    let mut last = store::find_head(&mut tx).await?;
    let rows = store::list_unsealed(&mut tx, BATCH).await?;
    let mut places = Vec::with_capacity(rows.len());
    for row in &rows {
        last = last.follow(row);
        places.push((row.id, last.clone()));
    }
    let sealed = store::seal(&mut tx, &places).await?;
    if usize::try_from(sealed) != Ok(places.len()) {
        // Somebody took an entry away in between, past the service: a place without an entry would be a gap.
        return Ok(0);
    }
    tx.commit().await?;
    Ok(sealed)
}

/// Tells the head to the log and to the metrics: whoever keeps it elsewhere can prove later that nothing before it was
/// rewritten.
async fn report_head(app: &App) {
    let state = async {
        let mut conn = app.db.read().await?;
        Ok::<_, DbError>((store::find_head(&mut conn).await?, store::count_unsealed(&mut conn).await?))
    };
    // When the database is away, the tail of the revocations says so.
    let Ok((head, unsealed)) = state.await else { return };
    metrics::gauge!("audit_head_seq").set(head.seq as f64);
    metrics::gauge!("audit_unsealed_entries").set(unsealed as f64);
    if head.seq > 0 {
        tracing::info!(head = %head, "the audit log is sealed up to here");
    }
}
