//! From the answer to a logout on one instance to the refusal of its token on another.

use std::time::Instant;

use anyhow::{Result, ensure};
use auth_token::Algorithm;
use serde_json::json;

use crate::deployment::{Deployment, Engine, Instance};
use crate::figure::{Figure, Goals};
use crate::samples::Samples;
use crate::site::Site;
use crate::wire::{self, Connection};

const ME: &str = "/api/v1/users/me";
const PEOPLE: usize = 10;

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let (here, there) = (deployment.start()?, deployment.start()?);
    let people = here.register(PEOPLE)?;
    let trials = (0..site.trials).map(|trial| {
        let tokens = here.log_in(&people[trial % PEOPLE..=trial % PEOPLE])?;
        milliseconds_until_refused(&here, &there, &tokens[0].access)
    });
    let trials = trials.collect::<Result<Samples>>()?;
    let percentile = |what: &str, percent| {
        let value = [trials.percentile(percent)].into_iter().collect();
        Figure::new(format!("revocation, logout here to refusal there: {what}"), "ms", value)
    };
    Ok(vec![
        percentile("p50", 50.0),
        percentile("p99", 99.0).with(Goals::AtMost(1_000.0, 100.0, 30.0)),
        percentile("max", 100.0).with(Goals::AtMost(1_000.0, 1_000.0, 1_000.0)),
    ])
}

/// Until the first refusal has arrived, so never less than the truth.
fn milliseconds_until_refused(here: &Instance, there: &Instance, token: &str) -> Result<f64> {
    let (mut here, mut there) = (Connection::open(here.address)?, Connection::open(there.address)?);
    let me = wire::get(ME, Some(token));
    ensure!(there.ask(&me)?.status == 200, "a token is refused before its revocation");
    let logout = wire::post("/api/v1/auth/logout", Some(token), &json!({}));
    ensure!(here.ask(&logout)?.status == 204, "the logout failed");
    let answered = Instant::now();
    while there.ask(&me)?.status == 200 {}
    Ok(answered.elapsed().as_secs_f64() * 1e3)
}
