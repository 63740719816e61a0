//! Memory when idle and while logging in.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use auth_token::Algorithm;
use bytes::Bytes;

use super::login::{PEOPLE, log_in_for};
use crate::deployment::{Deployment, Engine, Instance};
use crate::figure::{Figure, Goals};
use crate::samples::Samples;
use crate::site::Site;

/// Several re-readings of the database and one sweep, which is all that an idle instance does.
pub const SETTLED: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What one hash thread holds.
const ARENA_MIB: f64 = 20.0;

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (engine, name) in [(Engine::Postgres, "PostgreSQL + Redis"), (Engine::Sqlite, "SQLite")] {
        let deployment = Deployment::new(site, engine, Algorithm::Rs256)?;
        let people = deployment.start()?.register(PEOPLE)?;
        let instance = deployment.start()?;
        thread::park_timeout(SETTLED);
        let idle = instance.process.meter().memory_mib()?;
        let busy = peak_of_logins(&instance, &people, site)?;
        let bound = (idle + site.cores as f64 * ARENA_MIB) * 1.2;
        let one = |value| [value].into_iter().collect::<Samples>();
        figures
            .push(Figure::new(format!("memory, idle, {name}"), "MiB", one(idle)).with(Goals::AtMost(50.0, 25.0, 15.0)));
        figures.push(
            Figure::new(format!("memory, logins, {name}"), "MiB", one(busy)).with(Goals::AtMost(bound, bound, bound)),
        );
    }
    Ok(figures)
}

fn peak_of_logins(instance: &Instance, people: &[Bytes], site: &Site) -> Result<f64> {
    thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let logins = scope.spawn(move || {
            let _done = done;
            log_in_for(instance, people, site.slice * 2)
        });
        let mut peak = 0.0_f64;
        while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            peak = peak.max(instance.process.meter().memory_mib()?);
        }
        logins.join().map_err(|_| anyhow!("the generator panicked"))??;
        Ok(peak)
    })
}
