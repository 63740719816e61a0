//! Logins a second, beside bare Argon2id on the same processors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use auth_token::Algorithm;
use bytes::Bytes;

use crate::deployment::{Deployment, Engine, Instance};
use crate::figure::{Figure, Goals};
use crate::limits::hashes_per_second;
use crate::load::{Load, Outcome, Script};
use crate::samples::Samples;
use crate::site::Site;

/// So many that no account is guessed at by more clients than its free guesses.
pub const PEOPLE: usize = 100;
/// Enough to keep the hash threads busy, and far from filling their queue.
pub const CLIENTS: usize = 8;

const GOALS: Goals = Goals::AtLeast(0.60, 0.78, 0.88);

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let deployments = [Engine::Postgres, Engine::Sqlite].map(|engine| Deployment::new(site, engine, Algorithm::Rs256));
    let [postgres, sqlite] = deployments;
    let (postgres, sqlite) = (postgres?, sqlite?);
    let (on_postgres, on_sqlite) = (postgres.start()?, sqlite.start()?);
    let people = [on_postgres.register(PEOPLE)?, on_sqlite.register(PEOPLE)?];
    let (mut hashes, mut ours) = (Samples::default(), [Samples::default(), Samples::default()]);
    for _ in 0..site.rounds {
        hashes.push(hashes_per_second(site.cores, site.slice));
        for ((instance, people), samples) in [&on_postgres, &on_sqlite].into_iter().zip(&people).zip(&mut ours) {
            samples.push(log_in_for(instance, people, site.slice)?.rate());
        }
    }
    let [on_postgres, on_sqlite] = ours;
    let figure = |what, samples| {
        Figure::new(what, "1/s", samples).beside("Argon2id alone, every processor, kept memory", &hashes).with(GOALS)
    };
    Ok(vec![figure("login, PostgreSQL + Redis", on_postgres), figure("login, SQLite", on_sqlite)])
}

/// Logs in, person after person, for as long as it is told.
pub fn log_in_for(instance: &Instance, people: &[Bytes], duration: Duration) -> Result<Outcome> {
    Load::closed(instance.address, CLIENTS, duration).run(in_turn(people))?.only(200)
}

/// Scripts that together send these requests in turn, over and over.
pub fn in_turn(requests: &[Bytes]) -> impl Fn(usize) -> Script + Sync {
    let (requests, next): (Arc<[Bytes]>, _) = (requests.into(), Arc::new(AtomicUsize::new(0)));
    move |_| {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        Box::new(move |_| requests.get(next.fetch_add(1, Ordering::Relaxed) % requests.len()).cloned())
    }
}
