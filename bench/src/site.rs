//! What every row is measured on: this machine, one PostgreSQL that syncs, one Redis; and for how long.

use std::time::Duration;

use anyhow::Result;
use test_peers::{Postgres, Redis};

const SOAK_MINUTES: u32 = 30;

/// The place and the patience of a run.
pub struct Site {
    /// With `fsync` on, as in production.
    pub postgres: Postgres,
    pub redis: Redis,
    /// Processors that everything shares: our program, its peers and the generator of load.
    pub cores: usize,
    /// Rounds of each row, of which the median counts.
    pub rounds: usize,
    /// How long each contestant runs in a round.
    pub slice: Duration,
    /// Trials of what is timed one by one.
    pub trials: usize,
    /// How many people make a crowd.
    pub crowd: usize,
    /// How long the gateway's memory is watched.
    pub soak: Duration,
}

impl Site {
    /// Starts the peers.
    pub fn open(quick: bool, soak_minutes: Option<u32>) -> Result<Self> {
        let (rounds, slice, trials, crowd) = if quick {
            (2, Duration::from_millis(700), 40, 50_000)
        } else {
            (5, Duration::from_secs(3), 500, 1_000_000)
        };
        Ok(Self {
            postgres: Postgres::start_durable()?,
            redis: Redis::start()?,
            cores: std::thread::available_parallelism()?.get(),
            rounds,
            slice,
            trials,
            crowd,
            soak: Duration::from_secs(60) * soak_minutes.unwrap_or(if quick { 1 } else { SOAK_MINUTES }),
        })
    }
}
