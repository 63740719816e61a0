//! `GET /users/me`, beside bare axum that is sent the same bearer header.

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use auth_token::Algorithm;

use super::contestant::{CLIENTS, Contestant, WARM_UP, again, each_once};
use super::login::{self, log_in_for};
use super::tokens::{mint, requests};
use crate::bare;
use crate::deployment::{Deployment, Engine};
use crate::figure::{Figure, Goals};
use crate::load::Load;
use crate::samples::Samples;
use crate::site::Site;

const PATH: &str = "/api/v1/users/me";
const BARE: &str = "bare axum";
/// Requests a second of all clients while logins take what is left of the processors.
const CALM_RATE: u32 = 1_000;

/// Every client with a token of its own, again and again.
pub fn measure_warm(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let (instance, (bare, bare_address)) = (deployment.start()?, bare::start()?);
    let tokens = instance.log_in(&instance.register(CLIENTS)?)?;
    let (mut ours, mut limit) = (Contestant::default(), Contestant::default());
    let load = |address, path, duration| {
        let requests = requests(path, &tokens);
        Load::closed(address, CLIENTS, duration).run(|client| again(requests[client].clone()))
    };
    load(instance.address, PATH, WARM_UP)?.only(200)?;
    load(bare_address, bare::PATH, WARM_UP)?.only(200)?;
    for _ in 0..site.rounds {
        ours.round(instance.process.meter(), || load(instance.address, PATH, site.slice))?;
        limit.round(bare.meter(), || load(bare_address, bare::PATH, site.slice))?;
    }
    Ok(vec![
        Figure::new("me, warm", "1/s", ours.rates).beside(BARE, &limit.rates).with(Goals::AtLeast(0.50, 0.70, 0.80)),
        Figure::new("me, warm: processor time of 1,000", "ms", ours.costs).beside(BARE, &limit.costs),
        Figure::new("me, warm: p99", "ms", ours.p99).beside(BARE, &limit.p99),
    ])
}

/// Every token once, on an instance that has not seen it.
pub fn measure_new_tokens(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let (bare, bare_address) = bare::start()?;
    let logins = deployment.start()?.register(CLIENTS)?;
    let known = deployment.start()?.log_in(&logins)?;
    let tokens = mint(&deployment.key, &known, site.trials * 80)?;
    let (ours_once, bare_once) = (requests(PATH, &tokens), requests(bare::PATH, &tokens));
    let (mut ours, mut limit) = (Contestant::default(), Contestant::default());
    for _ in 0..site.rounds {
        let instance = deployment.start()?;
        let (people, address) = (requests(PATH, &known), instance.address);
        Load::closed(address, CLIENTS, WARM_UP).run(|client| again(people[client].clone()))?.only(200)?;
        ours.round(instance.process.meter(), || each_once(address, &ours_once))?;
        limit.round(bare.meter(), || each_once(bare_address, &bare_once))?;
    }
    let goals = Goals::AtLeast(0.30, 0.38, 0.42);
    Ok(vec![
        Figure::new("me, every token new", "1/s", ours.rates).beside(BARE, &limit.rates).with(goals),
        Figure::new("me, every token new: processor time of 1,000", "ms", ours.costs).beside(BARE, &limit.costs),
    ])
}

/// A calm rate of requests while as many logins as possible keep the hash threads busy.
pub fn measure_during_logins(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let instance = deployment.start()?;
    let people = instance.register(login::PEOPLE)?;
    let requests = requests(PATH, &instance.log_in(&people[..CLIENTS])?);
    let pace = Some(Duration::from_secs(1) * CLIENTS as u32 / CALM_RATE);
    let calm = Load { target: instance.address, clients: CLIENTS, duration: site.slice, pace };
    let (mut p99, mut logins) = (Samples::default(), Samples::default());
    for _ in 0..site.rounds {
        let (calm, busy) = thread::scope(|scope| {
            let busy = scope.spawn(|| log_in_for(&instance, &people, site.slice));
            let calm = calm.run(|client| again(requests[client].clone()));
            (calm, busy.join())
        });
        p99.push(calm?.only(200)?.latencies().percentile(99.0));
        logins.push(busy.map_err(|_| anyhow!("the generator panicked"))??.rate());
    }
    Ok(vec![
        Figure::new("me at 1,000/s during logins: p99", "ms", p99).with(Goals::AtMost(25.0, 8.0, 5.0)),
        Figure::new("logins meanwhile", "1/s", logins),
    ])
}
