//! The public keys, beside bare axum.

use anyhow::Result;
use auth_token::Algorithm;

use super::contestant::{CLIENTS, Contestant, again};
use crate::bare;
use crate::deployment::{Deployment, Engine};
use crate::figure::Figure;
use crate::load::Load;
use crate::site::Site;
use crate::wire;

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let (instance, (bare, bare_address)) = (deployment.start()?, bare::start()?);
    let (mut ours, mut limit) = (Contestant::default(), Contestant::default());
    let load = |address, path| Load::closed(address, CLIENTS, site.slice).run(|_| again(wire::get(path, None)));
    for _ in 0..site.rounds {
        ours.round(instance.process.meter(), || load(instance.address, "/.well-known/jwks.json"))?;
        limit.round(bare.meter(), || load(bare_address, bare::PATH))?;
    }
    Ok(vec![
        Figure::new("JWKS", "1/s", ours.rates).beside("bare axum", &limit.rates),
        Figure::new("JWKS: processor time of 1,000", "ms", ours.costs).beside("bare axum", &limit.costs),
    ])
}
