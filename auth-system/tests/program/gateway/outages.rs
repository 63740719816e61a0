//! When what stands behind the gateway fails.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use reqwest::Method;
use test_peers::{Fault, FaultProxy};
use tokio::{net::TcpListener, task::JoinSet};

use super::{FEED_TOKEN, Gateway, ROUTES, Site, upstream::Upstream};
use crate::{
    client::Answer,
    support::{Engine, Workplace, postgres, timed},
    wire::Wire,
};

#[tokio::test]
async fn a_service_that_fails_is_told_apart_from_one_that_is_slow() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let client = site.front().bearing(&person.access);
    let (hung, took) = timed(client.get("/private/hang")).await;
    assert_eq!((hung.status, hung.text("code").as_str()), (504, "upstream_timed_out"));
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(5), "{took:?}");
    let garbage = client.get("/private/garbage").await;
    assert_eq!((garbage.status, garbage.text("code").as_str()), (502, "bad_gateway"));
    let reset = client.get("/private/reset").await;
    assert_eq!(reset.status, 502);
    let lie = Answer::of(client.request(Method::GET, "/private/lie")).await;
    assert!(lie.is_err(), "an answer that is not whole must not look whole: {lie:?}");
    assert_eq!(client.get("/private/x").await.status, 200);
}

#[tokio::test]
async fn one_hung_service_holds_up_nobody_elses() {
    let routes = format!(
        "{ROUTES}\n[[route]]\nname = \"other\"\nmatch = {{ path = \"/other\" }}\nupstream = \"other\"\nauth = \"none\"\n[upstream.other]\nservers = [\"OTHER\"]\n"
    );
    let other = Upstream::start().await;
    let site = Site::with(&routes.replace("OTHER", &other.url())).await;
    let mut hung = JoinSet::new();
    for _ in 0..100 {
        let client = site.front().clone();
        hung.spawn(async move {
            client.request(Method::GET, "/open/hang").timeout(Duration::from_secs(5)).send().await.map(|_| ())
        });
    }
    for _ in 0..50 {
        let (answer, took) = timed(site.front().get("/other/x")).await;
        assert_eq!(answer.status, 200);
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
    hung.abort_all();
}

#[tokio::test]
async fn a_post_is_never_sent_twice_and_a_get_may_be() {
    let site = Site::with(ROUTES).await;
    let sent = |method: &str| {
        site.upstream.seen().iter().filter(|head| head.contains("/reset") && head.starts_with(method)).count()
    };
    for (method, most) in [(Method::POST, 1), (Method::GET, 2)] {
        // On a connection that was used before: only there is anything ever repeated.
        assert_eq!(site.front().get("/open/x").await.status, 200);
        let answer = Answer::of(site.front().request(method.clone(), "/open/reset")).await.unwrap();
        assert_eq!((answer.status, sent(method.as_str())), (502, most), "{method}");
    }
}

#[tokio::test]
async fn another_server_takes_over_and_the_dead_one_is_left_alone() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead_url = format!("http://{}", dead.local_addr().unwrap());
    drop(dead);
    let routes = ROUTES
        .replace("servers = [\"UPSTREAM\"]", &format!("servers = [\"{dead_url}\", \"UPSTREAM\"]\neject_after = 3"));
    let site = Site::with(&routes).await;
    for _ in 0..20 {
        assert_eq!(site.front().get("/open/x").await.status, 200);
    }
    let posted = Answer::of(site.front().request(Method::POST, "/open/sink").body("abc")).await.unwrap();
    assert_eq!(posted.status, 200, "nothing was sent to the dead one, so this may go to the other");
    let health = site.gateway.details().await;
    assert_eq!(health.body["upstreams"]["service"]["usable"], 1, "{health:?}");
    assert_eq!(health.body["upstreams"]["service"]["servers"], 2);
}

#[tokio::test]
async fn the_circuit_opens_on_a_dead_service_and_closes_when_it_is_back() {
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let routes = ROUTES
        .replace("UPSTREAM", &format!("http://{address}"))
        .replace("[upstream.service]", "[upstream.service]\neject_after = 2\neject_time = \"1s\"");
    let site = Site::with(&routes).await;
    for _ in 0..2 {
        assert_eq!(site.front().get("/open/x").await.status, 502);
    }
    let open = site.front().get("/open/x").await;
    open.assert_unavailable();
    assert_eq!(open.text("code"), "upstream_unavailable");
    let _back = Upstream::on(TcpListener::bind(address).await.unwrap());
    site.gateway.program.until("it is tried again", async || site.front().get("/open/x").await.status == 200).await;
}

#[tokio::test]
async fn requests_beyond_a_services_limit_wait_in_a_short_queue_or_are_shed() {
    let routes = ROUTES
        .replace("[upstream.service]", "[upstream.service]\nmax_requests = 2\nqueue = 1\nqueue_timeout = \"500ms\"");
    let site = Site::with(&routes).await;
    let mut holders = Vec::new();
    for _ in 0..2 {
        let mut wire = Wire::connect(site.gateway.port).await;
        wire.send("GET /open/hang HTTP/1.1\r\nHost: x\r\n\r\n").await;
        holders.push(wire);
    }
    site.gateway.program.until("both are there", async || site.upstream.seen().len() == 2).await;
    let shed = site.front().get("/open/x").await;
    shed.assert_unavailable();
    assert_eq!(shed.text("code"), "upstream_busy");
    drop(holders);
    site.gateway.program.until("places are free", async || site.front().get("/open/x").await.status == 200).await;
}

/// R3: the database is away; what was issued is verified all the same.
#[tokio::test]
async fn verification_goes_on_without_the_database() {
    let proxy = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, postgres().port()))).unwrap();
    let database = postgres().create_database().unwrap();
    let (_, name) = database.rsplit_once('/').unwrap();
    let proxied = format!("postgresql://postgres@{}/{name}", proxy.address());
    let api_place =
        Workplace::on(Engine::Sqlite).set("DB_PRIMARY_DB_URL", &proxied).set("GATEWAY_FEED_TOKEN", FEED_TOKEN);
    let api = api_place.spawn(&["service"]);
    api.until_ready().await;
    let upstream = Upstream::start().await;
    let place = Gateway::place(&[api_place.port], &ROUTES.replace("UPSTREAM", &upstream.url()));
    let gateway = Gateway::start_in(place.set("REVOCATION_MAX_STALENESS", "2s")).await;
    let person = api.client.person("kim@example.com").await;
    proxy.set(Fault::Refuse);
    let client = gateway.client.bearing(&person.access);
    gateway.program.until("the API is blind", async || client.get("/careful/x").await.status == 503).await;
    for _ in 0..20 {
        assert_eq!(
            client.get("/private/x").await.status,
            200,
            "a blind API does not look fresh, and this route goes on"
        );
    }
    proxy.set(Fault::Pass);
    gateway.program.until("it sees again", async || client.get("/careful/x").await.status == 200).await;
}

#[tokio::test]
async fn one_of_two_instances_may_die_behind_two_gateways() {
    let site = Site::on(Engine::Postgres, ROUTES).await;
    let (other, other_port) = site.another_api(&[]).await;
    let mut first = site.api;
    let (urls, routes) = ([site.api_place.port, other_port], ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateways = [Gateway::start(&urls, &routes).await, Gateway::start(&urls, &routes).await];
    let person = other.client.person("kim@example.com").await;
    first.kill();
    for gateway in gateways.iter().cycle().take(40) {
        let answer = gateway.client.bearing(&person.access).get("/private/x").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let me = gateway.client.me(&person.access).await;
        assert_eq!(me.status, 200, "{me:?}");
    }
    assert_eq!(other.client.logout(&person.access).await.status, 204);
    for Gateway { program, client, .. } in &gateways {
        let private = client.bearing(&person.access);
        program.until("the other is heard", async || private.get("/private/x").await.status == 401).await;
    }
}

/// Under traffic the API's connections fail by the hundred: what was learnt of that must not outlast the outage.
#[tokio::test]
async fn after_an_outage_under_traffic_revocations_are_heard_at_once() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let (front, place) = (site.front().clone(), &site.api_place);
    site.api.stop().await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        assert!([502, 503].contains(&front.get("/api/v1/health").await.status));
    }
    let api = place.spawn(&["service"]);
    api.until_ready().await;
    let back = Instant::now();
    site.gateway
        .program
        .until("the API is served again", async || front.get("/api/v1/health").await.status == 200)
        .await;
    let served_again = back.elapsed();
    assert_eq!(api.client.logout(&person.access).await.status, 204);
    let revoked = Instant::now();
    let private = front.bearing(&person.access);
    site.gateway.program.until("it is refused", async || private.get("/private/x").await.status == 401).await;
    let refused = revoked.elapsed();
    println!("served {served_again:?} after the API was back, a revocation known after {refused:?}");
    assert!(served_again < Duration::from_secs(4) && refused < Duration::from_secs(3), "{served_again:?} {refused:?}");
}
