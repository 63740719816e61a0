//! Lists of people and searches among them, among ten thousand and among a million; and the import that brings them.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use auth_token::Algorithm;
use bytes::Bytes;
use serde_json::json;

use super::login::in_turn;
use crate::deployment::{Deployment, Engine, Instance, PASSWORD};
use crate::figure::{Figure, Goals};
use crate::load::Load;
use crate::samples::Samples;
use crate::site::Site;
use crate::wire::{self, Connection};

const CLIENTS: usize = 4;
const FEW: usize = 10_000;
const ADMIN: &str = "admin@bench.example";
/// Of no password that anybody knows; rows are taken with the hashes they have.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$uqIo6gf34ZiGNl6hUqcnNVDYJhXHEAFBiDk2BHOx7Lk";
const PERIOD: Duration = Duration::from_secs(60);
/// Listing: pages, filters, orders. Searching: rare, common, and beginnings.
const LISTS: [&str; 5] =
    ["", "?sort=email&limit=50", "?status=active&limit=100", "?role=admin", "?created_after=2020-06-01T00:00:00Z"];
const SEARCHES: [&str; 6] = [
    "?search=person7777",
    "?search=example",
    "?search=%EA%B9%80",
    "?search=zz",
    "?search=nobody%20at%20all",
    "?search=%EB%AF%BC%EC%88%98",
];

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (engine, name) in [(Engine::Postgres, "PostgreSQL"), (Engine::Sqlite, "SQLite")] {
        figures.extend(measure_on(site, engine, name)?);
    }
    Ok(figures)
}

fn measure_on(site: &Site, engine: Engine, name: &str) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, engine, Algorithm::Rs256)?;
    let instance = deployment.start()?;
    deployment.run(&["users", "create-admin", "--email", ADMIN, "--password-stdin"], &format!("{PASSWORD}\n"))?;
    let many = site.crowd;
    import(&deployment, 0, FEW)?;
    let (list_before, search_before) = latencies(site, &instance)?;
    let rate: Samples = [import(&deployment, FEW, many)?].into_iter().collect();
    let (list, search) = latencies(site, &instance)?;
    let goals = Goals::AtMost(50.0, 20.0, 10.0);
    let growth = Goals::AtMost(2.0, 1.2, 1.0);
    let people = if many == 1_000_000 { "1 M".to_owned() } else { format!("{many}") };
    Ok(vec![
        Figure::new(format!("import of pre-hashed rows, {name}"), "1/s", rate).with(Goals::AtLeast(5e3, 2e4, 5e4)),
        Figure::new(format!("list of {people} people, {name}: p99"), "ms", list.clone()).with(goals),
        Figure::new(format!("the same in parts of that of 10 k, {name}"), "", list.per(&list_before)).with(growth),
        Figure::new(format!("search among {people} people, {name}: p99"), "ms", search.clone()).with(goals),
        Figure::new(format!("the same in parts of that among 10 k, {name}"), "", search.per(&search_before))
            .with(growth),
    ])
}

/// Brings the people from this number to that one; says how many a second.
fn import(deployment: &Deployment, from: usize, to: usize) -> Result<f64> {
    let file = write_people(deployment.folder(), from, to)?;
    let path = file.to_str().context("the temporary folder's name is not UTF-8")?;
    let began = Instant::now();
    deployment.run(&["users", "import", path, "--format", "csv"], "")?;
    Ok((to - from) as f64 / began.elapsed().as_secs_f64())
}

fn write_people(folder: &Path, from: usize, to: usize) -> Result<PathBuf> {
    const FAMILIES: [&str; 5] = ["김", "이", "박", "최", "Miller"];
    const GIVEN: [&str; 7] = ["민수", "달래", "서연", "지훈", "Jane", "하은", "도윤"];
    let path = folder.join(format!("people-{from}.csv"));
    let mut file = BufWriter::new(File::create(&path)?);
    writeln!(file, "email,username,display_name,password_hash,email_verified,locale")?;
    for number in from..to {
        let (family, given) = (FAMILIES[number % 5], GIVEN[number % 7]);
        writeln!(file, "person{number}@example.com,person{number},{family}{given},\"{HASH}\",true,ko")?;
    }
    file.flush()?;
    Ok(path)
}

/// The 99th percentile, round by round, of lists and of searches, in milliseconds.
fn latencies(site: &Site, instance: &Instance) -> Result<(Samples, Samples)> {
    let mut connection = Connection::open(instance.address)?;
    let login = wire::post("/api/v1/auth/login", None, &json!({"email": ADMIN, "password": PASSWORD}));
    let answer = connection.ask(&login)?;
    ensure!(answer.status == 200, "the administrator cannot log in: {}", String::from_utf8_lossy(answer.body));
    let token = answer.text("access_token")?;
    let p99 = |queries: &[&str]| -> Result<Samples> {
        let requests: Vec<Bytes> =
            queries.iter().map(|query| wire::get(&format!("/api/v1/users{query}"), Some(&token))).collect();
        let one = || Load::closed(instance.address, CLIENTS, site.slice.min(PERIOD)).run(in_turn(&requests))?.only(200);
        one()?;
        (0..site.rounds).map(|_| Ok(one()?.latencies().percentile(99.0))).collect()
    };
    Ok((p99(&LISTS)?, p99(&SEARCHES)?))
}
