//! Five times as many logins as can be hashed: how long the admitted wait, how soon the others are told.

use std::time::Duration;

use anyhow::Result;
use auth_token::Algorithm;

use super::login::{PEOPLE, in_turn, log_in_for};
use crate::deployment::{Deployment, Engine};
use crate::figure::{Figure, Goals};
use crate::load::Load;
use crate::samples::Samples;
use crate::site::Site;

const FACTOR: f64 = 5.0;
/// So many that those who wait for an answer leave enough others to keep the rate up.
const CLIENTS: usize = 800;
/// Several times what a queue holds, or its filling would be all that is seen.
const DURATION: Duration = Duration::from_secs(8);

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let deployment = Deployment::new(site, Engine::Postgres, Algorithm::Rs256)?;
    let instance = deployment.start()?;
    let people = instance.register(PEOPLE)?;
    let [mut capacity, mut goodput, mut accepted, mut refused, mut offered] = [(); 5].map(|()| Samples::default());
    for _ in 0..site.rounds {
        let possible = log_in_for(&instance, &people, site.slice)?.rate();
        let pace = Some(Duration::from_secs_f64(CLIENTS as f64 / (possible * FACTOR)));
        let load = Load { target: instance.address, clients: CLIENTS, duration: DURATION, pace };
        let outcome = load.run(in_turn(&people))?;
        let (served, shed) = (outcome.of(200), outcome.of(503));
        capacity.push(possible);
        offered.push(outcome.count() as f64 / DURATION.as_secs_f64());
        goodput.push(served.rate());
        accepted.push(served.latencies().percentile(99.0));
        refused.push(shed.latencies().percentile(99.0));
        anyhow::ensure!(served.count() + shed.count() == outcome.count(), "an answer was neither 200 nor 503");
    }
    Ok(vec![
        Figure::new("login at 5x overload: goodput", "1/s", goodput)
            .beside("logins without overload", &capacity)
            .with(Goals::AtLeast(0.60, 0.80, 0.90)),
        Figure::new("login at 5x overload: accepted p99", "ms", accepted).with(Goals::AtMost(2_000.0, 1_000.0, 700.0)),
        Figure::new("login at 5x overload: refusals p99", "ms", refused).with(Goals::AtMost(200.0, 100.0, 50.0)),
        Figure::new("login at 5x overload: offered", "1/s", offered).beside("logins without overload", &capacity),
    ])
}
