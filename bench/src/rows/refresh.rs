//! Refreshes a second, each with a durable commit.

use anyhow::Result;
use auth_token::Algorithm;
use bytes::Bytes;
use serde_json::json;

use crate::deployment::{Deployment, Engine, Instance};
use crate::figure::{Figure, Goals};
use crate::limits::{Rotations, signatures_per_second};
use crate::load::Load;
use crate::samples::Samples;
use crate::site::Site;
use crate::wire;

const CLIENTS: usize = crate::limits::CLIENTS;

/// Beside the bare signatures of both processors; on SQLite, whose one writer is the limit, only reported.
pub fn measure_rs256(site: &Site) -> Result<Vec<Figure>> {
    let postgres = Subject::start(site, Engine::Postgres, Algorithm::Rs256)?;
    let sqlite = Subject::start(site, Engine::Sqlite, Algorithm::Rs256)?;
    let [mut signatures, mut on_postgres, mut on_sqlite] = [(); 3].map(|()| Samples::default());
    for _ in 0..site.rounds {
        signatures.push(signatures_per_second(site.cores, site.slice)?);
        on_postgres.push(postgres.refreshes_per_second(site)?);
        on_sqlite.push(sqlite.refreshes_per_second(site)?);
    }
    let limit = "RS256 signatures alone, every processor";
    Ok(vec![
        Figure::new("refresh RS256, PostgreSQL + Redis", "1/s", on_postgres)
            .beside(limit, &signatures)
            .with(Goals::AtLeast(0.25, 0.40, 0.50)),
        Figure::new("refresh RS256, SQLite", "1/s", on_sqlite).beside(limit, &signatures),
    ])
}

/// Beside bare rotations in PostgreSQL.
pub fn measure_other(site: &Site) -> Result<Vec<Figure>> {
    let rotations = Rotations::prepare(site)?;
    let eddsa = Subject::start(site, Engine::Postgres, Algorithm::EdDsa)?;
    let es256 = Subject::start(site, Engine::Postgres, Algorithm::Es256)?;
    let sqlite = Subject::start(site, Engine::Sqlite, Algorithm::EdDsa)?;
    let [mut limit, mut by_eddsa, mut by_es256, mut on_sqlite] = [(); 4].map(|()| Samples::default());
    for _ in 0..site.rounds {
        limit.push(rotations.per_second(site.slice)?);
        by_eddsa.push(eddsa.refreshes_per_second(site)?);
        by_es256.push(es256.refreshes_per_second(site)?);
        on_sqlite.push(sqlite.refreshes_per_second(site)?);
    }
    let goals = Goals::AtLeast(0.30, 0.50, 0.65);
    let figure =
        |what, samples| Figure::new(what, "1/s", samples).beside("UPDATE + INSERT, commit, by pgbench", &limit);
    Ok(vec![
        figure("refresh EdDSA, PostgreSQL + Redis", by_eddsa).with(goals),
        figure("refresh ES256, PostgreSQL + Redis", by_es256).with(goals),
        figure("refresh EdDSA, SQLite", on_sqlite),
    ])
}

/// An instance with people who can log in.
struct Subject {
    instance: Instance,
    people: Vec<Bytes>,
    /// Its files live as long as this.
    _deployment: Deployment,
}

impl Subject {
    fn start(site: &Site, engine: Engine, algorithm: Algorithm) -> Result<Self> {
        let deployment = Deployment::new(site, engine, algorithm)?;
        let instance = deployment.start()?;
        Ok(Self { people: instance.register(CLIENTS)?, instance, _deployment: deployment })
    }

    /// Each client carries a session of its own on, from new token to new token.
    fn refreshes_per_second(&self, site: &Site) -> Result<f64> {
        let sessions = self.instance.log_in(&self.people)?;
        let outcome = Load::closed(self.instance.address, CLIENTS, site.slice).run(|client| {
            let mut token = Some(sessions[client].refresh.clone());
            Box::new(move |last| {
                if let Some(answer) = last {
                    token = answer.text("refresh_token").ok();
                }
                Some(wire::post("/api/v1/auth/refresh", None, &json!({"refresh_token": token.as_deref()?})))
            })
        })?;
        Ok(outcome.only(200)?.rate())
    }
}
