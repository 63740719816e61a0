//! Every token once, on a gateway that has not seen it. `HAProxy` remembers none, so it is the same one every round.

use anyhow::Result;

use super::{Backing, HAPROXY, ensure_guarded};
use crate::bare;
use crate::figure::{Figure, Goals};
use crate::load::Load;
use crate::peers::haproxy;
use crate::rows::contestant::{CLIENTS, Contestant, WARM_UP, again, each_once};
use crate::rows::tokens::{mint, requests};
use crate::site::Site;

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let backing = Backing::start(site)?;
    let known = backing.api.log_in(&backing.logins)?;
    let Some(peer) = haproxy::start(site, backing.upstream_address, &backing.deployment.public_pem()?)? else {
        return Ok(Vec::new());
    };
    ensure_guarded(peer.address, &known[0].access)?;
    let new = requests(bare::PATH, &mint(&backing.deployment.key, &known, site.trials * 80)?);
    let known = requests(bare::PATH, &known);
    let (mut ours, mut limit) = (Contestant::default(), Contestant::default());
    for _ in 0..site.rounds {
        let gateway = backing.start_gateway()?;
        for address in [gateway.address, peer.address] {
            Load::closed(address, CLIENTS, WARM_UP).run(|client| again(known[client].clone()))?.only(200)?;
        }
        ours.round(gateway.process.meter(), || each_once(gateway.address, &new))?;
        limit.round(peer.meter()?, || each_once(peer.address, &new))?;
    }
    Ok(vec![
        Figure::new("gateway, every token new", "1/s", ours.rates)
            .beside(HAPROXY, &limit.rates)
            .with(Goals::AtLeast(0.8, 0.95, 1.15)),
        Figure::new("gateway, every token new: processor time of 1,000", "ms", ours.costs)
            .beside(HAPROXY, &limit.costs),
    ])
}
