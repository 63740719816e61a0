//! Re-reads the log every half second, and at once when another instance says that it has grown.

use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::{KEPT, store};
use crate::{
    app::App,
    db::{
        DbError,
        migrate::{self, MigrateError, Schema},
    },
    keys,
};

/// Time between two readings.
const INTERVAL: Duration = Duration::from_millis(500);

/// Where the reading has come to.
pub struct Tail {
    app: App,
    /// The first row that may not have been read.
    cursor: i64,
    rounds: u64,
}

impl Tail {
    /// Begins at the very beginning: the first round is the snapshot.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app, cursor: 0, rounds: 0 }
    }

    /// Tails the log for as long as the instance lives.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.round().await,
                // A failure shows in the next round as well, half a second on, and is dealt with there.
                () = self.app.announcer.log_grew() => drop(self.read().await),
            }
        }
    }

    /// Reads the log and the signing keys once, and now and then deletes what has expired.
    pub async fn round(&mut self) {
        let readiness = &self.app.readiness;
        let prepared = if readiness.is_schema_current() { Ok(()) } else { prepare(&self.app).await };
        let is_current = readiness.is_schema_current();
        let outcome = match prepared {
            // Also where the schema is behind: what can be served is served. One without a log is no outage.
            Ok(()) => match self.read().await {
                Err(DbError::Statement(_)) if !is_current => Ok(()),
                outcome @ (Ok(()) | Err(_)) => outcome,
            },
            away => away,
        };
        self.app.readiness.database_answered(&outcome);
        self.measure();
        if outcome.is_err() || !is_current {
            return;
        }
        // As often as the log: whoever withdraws a key leaves people with tokens that only its successor can renew.
        if let Err(cause) = keys::reload(&self.app).await {
            tracing::warn!(%cause, "the jwt signing keys could not be read");
        }
        self.rounds += 1;
    }

    /// Reads what is new, and what a restore of the database made new again.
    async fn read(&mut self) -> Result<(), DbError> {
        let began = Instant::now();
        let mut conn = self.app.db.read().await?;
        let (next, revocations) = store::tail(&mut conn, self.cursor, self.app.now().minus(KEPT)).await?;
        for revocation in &revocations {
            self.app.announcer.hear(revocation);
        }
        // A restored database may count from an earlier point: then everything is read again.
        self.cursor = if next < self.cursor { 0 } else { next };
        self.app.revocations.view.mark_current(began);
        Ok(())
    }

    /// Shows how old the view is, which is how late a revocation may be noticed, and how the servers
    /// behind this one are.
    fn measure(&self) {
        let now = Instant::now();
        if let Some(lag) = self.app.revocations.view.staleness(now) {
            metrics::gauge!("revocation_lag_seconds").set(lag);
        }
        let as_gauge = |is_up: bool| f64::from(u8::from(is_up));
        metrics::gauge!("database_up").set(as_gauge(self.app.readiness.is_database_up()));
        if let Some(redis) = &self.app.redis {
            metrics::gauge!("redis_up").set(as_gauge(redis.is_available()));
        }
        let (open, idle) = self.app.db.usage();
        metrics::gauge!("db_connections_open").set(open as f64);
        metrics::gauge!("db_connections_idle").set(idle as f64);
    }
}

/// Brings the schema up to date where that is wanted, and otherwise says what is missing.
async fn prepare(app: &App) -> Result<(), DbError> {
    let outcome = match app.config.db.auto_migrate {
        true => migrate::apply(&app.db, migrate::SCRIPTS).await.map(|_| Schema::Current),
        false => migrate::check(&app.db, migrate::SCRIPTS).await,
    };
    match outcome {
        Ok(Schema::Current) => app.readiness.schema_is_current(),
        Ok(behind @ Schema::Behind(_)) => app.readiness.schema_is_wrong(&behind),
        Err(MigrateError::Db(cause @ DbError::Unavailable(_))) => return Err(cause),
        Err(cause) => app.readiness.schema_is_wrong(&cause),
    }
    Ok(())
}
