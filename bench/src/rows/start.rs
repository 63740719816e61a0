//! From exec to the first answer that it is ready, on SQLite with a current schema and keys in place.

use anyhow::Result;
use auth_token::Algorithm;

use crate::deployment::{Deployment, Engine};
use crate::figure::{Figure, Goals};
use crate::samples::Samples;
use crate::site::Site;

const STARTS_A_ROUND: usize = 4;

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Sqlite, Algorithm::Rs256)?;
    let first: Samples = [deployment.start()?.ready_after.as_secs_f64() * 1e3].into_iter().collect();
    let starts = (0..site.rounds * STARTS_A_ROUND).map(|_| Ok(deployment.start()?.ready_after.as_secs_f64() * 1e3));
    Ok(vec![
        Figure::new("exec to ready, SQLite, migrated", "ms", starts.collect::<Result<Samples>>()?)
            .with(Goals::AtMost(300.0, 100.0, 50.0)),
        Figure::new("exec to ready, SQLite, the very first", "ms", first),
    ])
}
