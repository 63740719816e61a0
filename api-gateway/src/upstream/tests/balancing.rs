use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::config;
use crate::upstream::balance::Balancer;
use crate::upstream::ejection::{Fault, Kind};
use crate::upstream::endpoint::Health;
use crate::upstream::group::Group;
use crate::upstream::{Balance, UpstreamConfig};

struct Servers {
    group: Group,
    balancer: Balancer,
}

impl Servers {
    fn new(count: u16, balance: Balance) -> Self {
        let addresses: Vec<_> = (1..=count).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        let config = UpstreamConfig { eject_after: 1, ..config(&addresses) };
        Self { group: Group::new(config, None, None).unwrap(), balancer: Balancer::new(balance) }
    }

    /// How many of so many requests each server gets.
    fn spread(&self, requests: usize, now: Instant) -> Vec<usize> {
        let all = self.group.endpoints.load();
        let mut counts = vec![0; all.len()];
        for _ in 0..requests {
            let (endpoint, _) = self.balancer.pick(&all, &[], now).unwrap();
            counts[usize::from(endpoint.address.port()) - 1] += 1;
        }
        counts
    }

    fn eject(&self, server: usize) {
        self.group.endpoints.load()[server].failed(Kind::Ordinary, Fault::Unconnected);
    }
}

#[tokio::test]
async fn round_robin_is_even() {
    assert_eq!(Servers::new(3, Balance::RoundRobin).spread(300, Instant::now()), [100, 100, 100]);
}

#[tokio::test]
async fn share_of_an_unusable_server_goes_to_all_others() {
    for balance in [Balance::RoundRobin, Balance::LeastLoaded] {
        let servers = Servers::new(3, balance);
        servers.group.endpoints.load()[0].set_health(Health::Bad, "");
        let spread = servers.spread(300, Instant::now());
        assert_eq!(spread[0], 0);
        if balance == Balance::RoundRobin {
            assert_eq!(spread, [0, 150, 150]);
        }
    }
}

#[tokio::test]
async fn least_loaded_server_is_chosen_and_equals_take_turns() {
    let servers = Servers::new(3, Balance::LeastLoaded);
    let now = Instant::now();
    assert_eq!(servers.spread(300, now), [100, 100, 100]);
    let all = servers.group.endpoints.load();
    all[0].begin_request();
    all[2].begin_request();
    assert_eq!(servers.spread(10, now), [0, 10, 0]);
    all[1].begin_request();
    all[1].begin_request();
    all[0].end_request();
    assert_eq!(servers.spread(10, now), [10, 0, 0]);
}

#[tokio::test]
async fn server_that_comes_back_begins_with_a_tenth_of_its_share() {
    for balance in [Balance::RoundRobin, Balance::LeastLoaded] {
        let servers = Servers::new(2, balance);
        let now = Instant::now();
        let all = servers.group.endpoints.load();
        all[0].set_health(Health::Bad, "");
        all[0].set_health(Health::Good, "");
        let begun = servers.spread(1100, now)[0];
        assert!((50..=150).contains(&begun), "{begun}");
        let later = servers.spread(1000, now + Duration::from_secs(11));
        assert_eq!(later, [500, 500]);
    }
}

#[tokio::test]
async fn only_servers_that_just_came_get_everything() {
    let servers = Servers::new(2, Balance::RoundRobin);
    for endpoint in servers.group.endpoints.load().iter() {
        endpoint.set_health(Health::Bad, "");
        endpoint.set_health(Health::Good, "");
    }
    let spread = servers.spread(100, Instant::now());
    assert!(spread.iter().all(|count| (40..=60).contains(count)), "{spread:?}");
}

#[tokio::test]
async fn none_is_chosen_when_none_is_usable_until_a_trial_is_due() {
    let servers = Servers::new(2, Balance::RoundRobin);
    servers.eject(0);
    servers.eject(1);
    let (all, now) = (servers.group.endpoints.load(), Instant::now());
    assert!(servers.balancer.pick(&all, &[], now).is_none());
    let later = now + Duration::from_secs(11);
    let trials: Vec<_> = (0..3).map_while(|_| servers.balancer.pick(&all, &[], later)).collect();
    assert_eq!(trials.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), [Kind::Trial(later), Kind::Trial(later)]);
}

#[tokio::test]
async fn when_none_is_usable_each_gets_a_trial_within_a_second() {
    let servers = Servers::new(2, Balance::RoundRobin);
    let all = servers.group.endpoints.load();
    servers.eject(0);
    let in_a_second = Instant::now() + Duration::from_secs(1);
    let (chosen, kind) = servers.balancer.pick(&all, &[], in_a_second).unwrap();
    assert!(Arc::ptr_eq(&chosen, &all[1]) && kind == Kind::Ordinary);
    assert!(servers.balancer.pick(&all, &[chosen], in_a_second).is_none());
    servers.eject(1);
    let in_a_second = Instant::now() + Duration::from_secs(1);
    let trials: Vec<_> = (0..3).map_while(|_| servers.balancer.pick(&all, &[], in_a_second)).collect();
    assert_eq!(trials.len(), 2);
}

#[tokio::test]
async fn unhealthy_server_gets_no_trial() {
    let servers = Servers::new(1, Balance::RoundRobin);
    servers.eject(0);
    let all = servers.group.endpoints.load();
    all[0].set_health(Health::Bad, "");
    assert!(servers.balancer.pick(&all, &[], Instant::now() + Duration::from_secs(11)).is_none());
}
