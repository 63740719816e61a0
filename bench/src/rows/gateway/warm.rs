//! Every client with a token of its own, again and again, through the gateway and through what it is measured beside.

use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;

use super::{Backing, HAPROXY, ensure_guarded};
use crate::bare;
use crate::figure::{Figure, Goals};
use crate::load::Load;
use crate::peers::{Peer, haproxy, nginx};
use crate::process::Meter;
use crate::rows::contestant::{CLIENTS, Contestant, WARM_UP, again};
use crate::rows::tokens::requests;
use crate::site::Site;

/// What the gateway is measured beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rival {
    HaProxy,
    Nginx,
    /// nginx that asks the API about every token.
    NginxAsking,
    /// No gateway at all.
    Upstream,
}

/// One that is loaded, and what comes of it.
struct Turn {
    address: SocketAddr,
    meter: Meter,
    taken: Contestant,
}

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let backing = Backing::start(site)?;
    let gateway = backing.start_gateway()?;
    let peers = start_peers(site, &backing)?;
    let tokens = backing.api.log_in(&backing.logins)?;
    ensure_guarded(gateway.address, &tokens[0].access)?;
    for (_, peer) in peers.iter().filter(|(rival, _)| rival.verifies()) {
        ensure_guarded(peer.address, &tokens[0].access)?;
    }
    let mut ours = Turn::new(gateway.address, gateway.process.meter());
    let mut rivals = vec![(Rival::Upstream, Turn::new(backing.upstream_address, backing.upstream.meter()))];
    for (rival, peer) in &peers {
        rivals.push((*rival, Turn::new(peer.address, peer.meter()?)));
    }
    let requests = requests(bare::PATH, &tokens);
    take_turns(site, &mut ours, &mut rivals, &requests)?;
    Ok(figures(&ours.taken, &rivals))
}

/// Those that are installed.
fn start_peers(site: &Site, backing: &Backing) -> Result<Vec<(Rival, Peer)>> {
    let (upstream, api) = (backing.upstream_address, backing.api.address);
    let peers = [
        (Rival::HaProxy, haproxy::start(site, upstream, &backing.deployment.public_pem()?)?),
        (Rival::Nginx, nginx::start(site, upstream)?),
        (Rival::NginxAsking, nginx::start_auth_request(site, upstream, api)?),
    ];
    Ok(peers.into_iter().filter_map(|(rival, peer)| Some((rival, peer?))).collect())
}

fn take_turns(site: &Site, ours: &mut Turn, rivals: &mut [(Rival, Turn)], requests: &[Bytes]) -> Result<()> {
    let mut turns: Vec<_> = [ours].into_iter().chain(rivals.iter_mut().map(|(_, turn)| turn)).collect();
    for turn in &turns {
        Load::closed(turn.address, CLIENTS, WARM_UP).run(|client| again(requests[client].clone()))?.only(200)?;
    }
    for _ in 0..site.rounds {
        for turn in &mut turns {
            let load = Load::closed(turn.address, CLIENTS, site.slice);
            turn.taken.round(turn.meter, || load.run(|client| again(requests[client].clone())))?;
        }
    }
    Ok(())
}

/// Beside nginx, which does the least, also what it costs and how long the slowest wait.
fn figures(ours: &Contestant, rivals: &[(Rival, Turn)]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (rival, Turn { taken, .. }) in rivals {
        let rate = |what| Figure::new(what, "1/s", ours.rates.clone()).beside(rival.name(), &taken.rates);
        match rival {
            Rival::HaProxy => {
                figures.push(rate("gateway, warm, beside HAProxy").with(Goals::AtLeast(1.0, 1.5, 1.8)));
            }
            Rival::Nginx => {
                figures.push(rate("gateway, warm, beside nginx").with(Goals::AtLeast(0.60, 0.80, 0.95)));
                let cost = Figure::new("gateway, warm: processor time of 1,000", "ms", ours.costs.clone());
                figures.push(cost.beside(rival.name(), &taken.costs).with(Goals::AtMost(2.0, 1.5, 1.2)));
                let p99 = Figure::new("gateway, warm: p99", "ms", ours.p99.clone());
                figures.push(p99.beside(rival.name(), &taken.p99).with(Goals::AtMost(2.0, 1.4, 1.1)));
            }
            Rival::NginxAsking => figures.push(rate("gateway, warm, beside nginx auth_request")),
            Rival::Upstream => figures.push(rate("gateway, warm, beside none")),
        }
    }
    figures
}

impl Rival {
    fn name(self) -> &'static str {
        match self {
            Self::HaProxy => HAPROXY,
            Self::Nginx => "nginx proxy_pass, no verification",
            Self::NginxAsking => "nginx auth_request to users/me",
            Self::Upstream => "the upstream itself, bare axum",
        }
    }

    fn verifies(self) -> bool {
        matches!(self, Self::HaProxy | Self::NginxAsking)
    }
}

impl Turn {
    fn new(address: SocketAddr, meter: Meter) -> Self {
        Self { address, meter, taken: Contestant::default() }
    }
}
