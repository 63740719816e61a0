//! The gateway, beside the proxies that others put in front of a service.

mod idle;
mod new_tokens;
mod soak;
mod warm;

pub use idle::{measure_memory, measure_start};
pub use new_tokens::measure as measure_new_tokens;
pub use soak::measure as measure_soak;
pub use warm::measure as measure_warm;

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use auth_token::Algorithm;
use bytes::Bytes;

use super::contestant::CLIENTS;
use crate::bare;
use crate::deployment::{Deployment, Engine, Instance};
use crate::process::Running;
use crate::site::Site;
use crate::wire::{self, Connection};

const HAPROXY: &str = "HAProxy, jwt_verify RS256";

/// What stands behind a gateway: the API that knows people and keys, and an upstream that costs next to nothing.
struct Backing {
    deployment: Deployment,
    api: Instance,
    upstream: Running,
    upstream_address: SocketAddr,
    /// By which each client logs in.
    logins: Vec<Bytes>,
}

impl Backing {
    fn start(site: &Site) -> Result<Self> {
        let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
        let api = deployment.start()?;
        let logins = api.register(CLIENTS)?;
        let (upstream, upstream_address) = bare::start()?;
        Ok(Self { deployment, api, upstream, upstream_address, logins })
    }

    fn start_gateway(&self) -> Result<Instance> {
        self.deployment.start_gateway(self.upstream_address, self.api.address)
    }
}

/// Refuses to measure what lets anybody in, or what keeps the holder of a good token out.
fn ensure_guarded(address: SocketAddr, token: &str) -> Result<()> {
    let (unsigned, signature) = token.rsplit_once('.').context("no token")?;
    let forged = format!("{unsigned}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
    for (due, token) in [(200, Some(token)), (401, None), (401, Some(forged.as_str()))] {
        let mut connection = Connection::open(address)?;
        let status = connection.ask(&wire::get(bare::PATH, token))?.status;
        ensure!(status == due, "{address} answers {status} where {due} is due");
    }
    Ok(())
}
