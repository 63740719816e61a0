//! What becomes of the gateway's memory under load for minutes on end.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::{Backing, ensure_guarded};
use crate::bare;
use crate::deployment::Instance;
use crate::figure::Figure;
use crate::load::Load;
use crate::rows::contestant::{CLIENTS, again};
use crate::rows::tokens::requests;
use crate::samples::Samples;
use crate::site::Site;

const LOOK_EVERY: Duration = Duration::from_secs(10);
/// After each, new logins: no token ends meanwhile, and those of before have to be forgotten.
const PIECE: Duration = Duration::from_secs(60);

/// When, in hours since the start, and how many MiB (RSS).
type Look = (f64, f64);

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let backing = Backing::start(site)?;
    let gateway = backing.start_gateway()?;
    ensure_guarded(gateway.address, &backing.api.log_in(&backing.logins[..1])?[0].access)?;
    let (looks, rates) = watch_under_load(site, &backing, &gateway)?;
    let most = looks.iter().map(|(_, mib)| *mib).fold(0.0, f64::max);
    let minutes = site.soak.as_secs() / 60;
    let one = |value| [value].into_iter().collect();
    Ok(vec![
        Figure::new(format!("gateway, {minutes} min under load: rate"), "1/s", rates),
        Figure::new(format!("gateway, {minutes} min under load: most memory (RSS)"), "MiB", one(most)),
        // The first half fills what is meant to be filled: pools, and the memory of tokens.
        Figure::new("memory added an hour, by the second half", "MiB", one(slope(&looks[looks.len() / 2..]))),
    ])
}

/// Looks from time to time while another thread keeps the clients busy.
fn watch_under_load(site: &Site, backing: &Backing, gateway: &Instance) -> Result<(Vec<Look>, Samples)> {
    let began = Instant::now();
    thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let load = scope.spawn(move || {
            let _done = done;
            let mut rates = Samples::default();
            while began.elapsed() < site.soak {
                rates.push(load_once(backing, gateway, PIECE.min(site.soak - began.elapsed()))?);
            }
            Ok::<_, anyhow::Error>(rates)
        });
        let mut looks = Vec::new();
        while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            let look = (began.elapsed().as_secs_f64() / 3600.0, gateway.process.meter().resident_mib()?);
            eprintln!("{:>6.0} s {:>7.1} MiB", look.0 * 3600.0, look.1);
            looks.push(look);
        }
        Ok((looks, load.join().map_err(|_| anyhow!("the generator panicked"))??))
    })
}

/// Requests a second of as many clients as ever, with tokens of new logins.
fn load_once(backing: &Backing, gateway: &Instance, duration: Duration) -> Result<f64> {
    let requests = requests(bare::PATH, &backing.api.log_in(&backing.logins)?);
    let outcome = Load::closed(gateway.address, CLIENTS, duration).run(|client| again(requests[client].clone()))?;
    Ok(outcome.only(200)?.rate())
}

/// Of the straight line that lies closest to these points (least squares).
fn slope(points: &[Look]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&Look) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (middle, level) = (mean(|point| point.0), mean(|point| point.1));
    let rise: f64 = points.iter().map(|(x, y)| (x - middle) * (y - level)).sum();
    let run: f64 = points.iter().map(|(x, _)| (x - middle).powi(2)).sum();
    rise / run
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn slope_is_that_of_the_line_through_the_points() {
        assert_eq!(slope(&[(0.0, 10.0), (1.0, 13.0), (2.0, 16.0)]), 3.0);
        assert_eq!(slope(&[(0.0, 11.0), (1.0, 10.0), (2.0, 11.0)]), 0.0);
    }
}
