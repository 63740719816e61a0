//! The gateway without load: how soon it is ready, how much memory it holds, alone and with everything else.

use std::thread;

use anyhow::Result;
use auth_token::Algorithm;

use super::Backing;
use crate::deployment::{Deployment, Engine, Instance};
use crate::figure::{Figure, Goals};
use crate::rows::memory::SETTLED;
use crate::samples::Samples;
use crate::site::Site;

const STARTS_A_ROUND: usize = 4;

/// From exec to ready: with the keys and the first snapshot of revocations, from an API that runs already.
pub fn measure_start(site: &Site) -> Result<Vec<Figure>> {
    let backing = Backing::start(site)?;
    let start = |_| Ok(backing.start_gateway()?.ready_after.as_secs_f64() * 1e3);
    let starts: Result<Samples> = (0..site.rounds * STARTS_A_ROUND).map(start).collect();
    Ok(vec![Figure::new("gateway: exec to ready", "ms", starts?)])
}

pub fn measure_memory(site: &Site) -> Result<Vec<Figure>> {
    let backing = Backing::start(site)?;
    let whole = Deployment::new(site, Engine::Sqlite, Algorithm::Rs256)?;
    let (gateway, whole) = (backing.start_gateway()?, whole.start_all_in_one()?);
    thread::park_timeout(SETTLED);
    let idle = |what, instance: &Instance| {
        let pss = instance.process.meter().memory_mib()?;
        Ok::<_, anyhow::Error>(Figure::new(what, "MiB", [pss].into_iter().collect()))
    };
    Ok(vec![
        idle("memory, idle, gateway alone", &gateway)?.with(Goals::AtMost(25.0, 12.0, 6.0)),
        idle("memory, idle, all servers in one, SQLite", &whole)?.with(Goals::AtMost(80.0, 40.0, 25.0)),
    ])
}
