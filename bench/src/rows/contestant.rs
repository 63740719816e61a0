//! What takes its turn in every round, and the clients that all contestants have.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;

use crate::load::{Load, Outcome, Script};
use crate::process::Meter;
use crate::samples::Samples;

pub const CLIENTS: usize = 32;
pub const WARM_UP: Duration = Duration::from_millis(300);

/// Rate, and processor time per thousand requests, of one contestant.
#[derive(Default)]
pub struct Contestant {
    pub rates: Samples,
    pub costs: Samples,
    pub p99: Samples,
}

impl Contestant {
    /// Takes one more round of this process under a load.
    pub fn round(&mut self, process: Meter, load: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        let before = process.cpu_seconds()?;
        let outcome = load()?.only(200)?;
        self.rates.push(outcome.rate());
        self.costs.push((process.cpu_seconds()? - before) * 1e6 / outcome.count() as f64);
        self.p99.push(outcome.latencies().percentile(99.0));
        Ok(())
    }
}

/// Sends the same request for ever.
pub fn again(request: Bytes) -> Script {
    Box::new(move |_| Some(request.clone()))
}

/// Sends each request once, whichever client has time.
pub fn each_once(address: SocketAddr, requests: &[Bytes]) -> Result<Outcome> {
    let (requests, next): (Arc<[Bytes]>, _) = (requests.into(), Arc::new(AtomicUsize::new(0)));
    let outcome = Load::closed(address, CLIENTS, Duration::from_secs(600)).run(|_| {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        Box::new(move |_| requests.get(next.fetch_add(1, Ordering::Relaxed)).cloned())
    })?;
    ensure!(outcome.count() == requests.len(), "a token was not sent");
    Ok(outcome)
}
