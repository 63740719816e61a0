//! From the answer to a logout on one instance to the refusal of its token on another.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use auth_token::Algorithm;
use serde_json::json;

use crate::bare;
use crate::deployment::{Deployment, Engine, Instance};
use crate::figure::{Figure, Goals};
use crate::samples::Samples;
use crate::site::Site;
use crate::wire::{self, Connection};

const ME: &str = "/api/v1/users/me";
const PEOPLE: usize = 10;
/// Ten times what a revocation may take.
const DEADLINE: Duration = Duration::from_secs(10);

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let (here, there) = (deployment.start()?, deployment.start()?);
    let trials = run_trials(site, &here, there.address, ME)?;
    Ok(figures("revocation, logout here to refusal there", &trials))
}

/// The same at a gateway whose feed hangs on the other instance.
pub fn measure_through_gateway(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let (here, there) = (deployment.start()?, deployment.start()?);
    let (_bare, bare_address) = bare::start()?;
    let gateway = deployment.start_gateway(bare_address, there.address)?;
    let trials = run_trials(site, &here, gateway.address, bare::PATH)?;
    Ok(figures("revocation, logout to refusal by the gateway", &trials))
}

/// Milliseconds from each logout here to the refusal at the other address.
fn run_trials(site: &Site, here: &Instance, there: SocketAddr, path: &str) -> Result<Samples> {
    let people = here.register(PEOPLE)?;
    let trials = (0..site.trials).map(|trial| {
        let tokens = here.log_in(&people[trial % PEOPLE..=trial % PEOPLE])?;
        milliseconds_until_refused(here, there, path, &tokens[0].access)
    });
    trials.collect()
}

/// Until the first refusal has arrived, so never less than the truth.
fn milliseconds_until_refused(here: &Instance, there: SocketAddr, path: &str, token: &str) -> Result<f64> {
    let (mut here, mut there) = (Connection::open(here.address)?, Connection::open(there)?);
    let request = wire::get(path, Some(token));
    let status = there.ask(&request)?.status;
    ensure!(status == 200, "a token is refused before its revocation: {status}");
    let logout = wire::post("/api/v1/auth/logout", Some(token), &json!({}));
    ensure!(here.ask(&logout)?.status == 204, "the logout failed");
    let answered = Instant::now();
    loop {
        match there.ask(&request)?.status {
            200 => ensure!(answered.elapsed() < DEADLINE, "a revoked token passes for {DEADLINE:?}"),
            401 => return Ok(answered.elapsed().as_secs_f64() * 1e3),
            other => bail!("a revoked token is answered {other}"),
        }
    }
}

fn figures(what: &str, trials: &Samples) -> Vec<Figure> {
    let percentile = |name: &str, percent| {
        let value = [trials.percentile(percent)].into_iter().collect();
        Figure::new(format!("{what}: {name}"), "ms", value)
    };
    vec![
        percentile("p50", 50.0),
        percentile("p99", 99.0).with(Goals::AtMost(1_000.0, 100.0, 30.0)),
        percentile("max", 100.0).with(Goals::AtMost(1_000.0, 1_000.0, 1_000.0)),
    ]
}
