//! `GET /users/me`, beside bare axum that is sent the same bearer header.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use auth_token::{AccessClaims, Algorithm, SigningKey};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::login::{self, log_in_for};
use crate::bare;
use crate::deployment::{Deployment, Engine, Tokens};
use crate::figure::{Figure, Goals};
use crate::load::{Load, Outcome, Script};
use crate::process::Running;
use crate::samples::Samples;
use crate::site::Site;
use crate::wire;

const PATH: &str = "/api/v1/users/me";
const CLIENTS: usize = 32;
const WARM_UP: Duration = Duration::from_millis(300);
const BARE: &str = "bare axum";
/// Requests a second of all clients while logins take what is left of the processors.
const CALM_RATE: u32 = 1_000;

/// Rate, and processor time per thousand requests, of one contestant.
#[derive(Default)]
pub struct Contestant {
    pub rates: Samples,
    pub costs: Samples,
    pub p99: Samples,
}

impl Contestant {
    /// Takes one more round of this process under a load.
    pub fn round(&mut self, process: &Running, load: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        let before = process.cpu_seconds()?;
        let outcome = load()?.only(200)?;
        self.rates.push(outcome.rate());
        self.costs.push((process.cpu_seconds()? - before) * 1e6 / outcome.count() as f64);
        self.p99.push(outcome.latencies().percentile(99.0));
        Ok(())
    }
}

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
        ours.round(&instance.process, || load(instance.address, PATH, site.slice))?;
        limit.round(&bare, || load(bare_address, bare::PATH, site.slice))?;
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
        ours.round(&instance.process, || each_once(address, &ours_once))?;
        limit.round(&bare, || each_once(bare_address, &bare_once))?;
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

fn requests(path: &str, tokens: &[Tokens]) -> Vec<Bytes> {
    tokens.iter().map(|tokens| wire::get(path, Some(&tokens.access))).collect()
}

/// Sends the same request for ever.
pub fn again(request: Bytes) -> Script {
    Box::new(move |_| Some(request.clone()))
}

/// Sends each request once, whichever client has time.
fn each_once(address: SocketAddr, requests: &[Bytes]) -> Result<Outcome> {
    let (requests, next): (Arc<[Bytes]>, _) = (requests.into(), Arc::new(AtomicUsize::new(0)));
    let outcome = Load::closed(address, CLIENTS, Duration::from_secs(600)).run(|_| {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        Box::new(move |_| requests.get(next.fetch_add(1, Ordering::Relaxed)).cloned())
    })?;
    ensure!(outcome.count() == requests.len(), "a token was not sent");
    Ok(outcome)
}

/// New tokens of sessions that exist, each with an id of its own.
fn mint(key: &SigningKey, known: &[Tokens], count: usize) -> Result<Vec<Tokens>> {
    let claims = known.iter().map(|tokens| {
        let payload = tokens.access.split('.').nth(1).context("no token")?;
        Ok(serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes())?)?)
    });
    let claims = claims.collect::<Result<Vec<Value>>>()?;
    let sign = |number: usize| {
        let mut claims = claims[number % claims.len()].clone();
        claims["jti"] = json!(format!("00000000-0000-7000-8000-{number:012x}"));
        let claims: AccessClaims = serde_json::from_value(claims)?;
        Ok(Tokens { access: key.sign(&claims)?, refresh: String::new() })
    };
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| (0..count / 2).map(sign).collect::<Result<Vec<_>>>());
        let second = (count / 2..count).map(sign).collect::<Result<Vec<_>>>();
        (first.join(), second)
    });
    Ok([first.map_err(|_| anyhow!("signing panicked"))??, second?].concat())
}
