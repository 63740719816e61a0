//! The file of routes changes under load.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use test_peers::free_port;
use tokio::task::JoinSet;

use super::{Gateway, ROUTES, Site, upstream::Upstream};

const CLIENTS: usize = 8;
/// The file is looked at once a second.
const POLLING: Duration = Duration::from_secs(1);
/// For a busy machine.
const SLACK: Duration = Duration::from_secs(2);
const NO_FEED: &str = "GATEWAY_FEED_TOKEN is not set, and routes identify callers: set it to that of the Auth API";

#[tokio::test]
async fn a_new_file_is_taken_without_a_failed_request() {
    let site = Site::with(ROUTES).await;
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, stop, answered) = (site.front().clone(), Arc::clone(&stop), Arc::clone(&answered));
        callers.spawn(async move {
            let mut wrong = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = client.get("/open/x").await;
                answered.fetch_add(1, Ordering::Relaxed);
                if answer.status != 200 {
                    wrong.push(answer.status);
                }
            }
            wrong
        });
    }
    let routes = fs::read_to_string(site.gateway.file()).unwrap();
    for round in 0..4 {
        let more = format!(
            "{routes}\n[[route]]\nmatch = {{ path = \"/new{round}\" }}\nupstream = \"service\"\nauth = \"none\"\n"
        );
        fs::write(site.gateway.file(), more).unwrap();
        if round % 2 == 0 {
            site.gateway.program.signal("HUP");
        }
        let path = format!("/new{round}/x");
        site.gateway
            .program
            .until("the new route is there", async || site.front().get(&path).await.status == 200)
            .await;
    }
    stop.store(true, Ordering::Relaxed);
    assert_eq!(callers.join_all().await.concat(), Vec::<u16>::new());
    assert!(answered.load(Ordering::Relaxed) > CLIENTS);
}

#[tokio::test]
async fn a_file_that_is_only_saved_is_taken_within_its_polling_time() {
    let site = Site::with(ROUTES).await;
    let routes = fs::read_to_string(site.gateway.file()).unwrap();
    let saved = routes.replace("/open", "/renamed");
    assert_eq!(saved.len() - routes.len(), "renamed".len() - "open".len());
    fs::write(site.gateway.file(), saved).unwrap();
    let began = Instant::now();
    let program = &site.gateway.program;
    program.until("it is taken", async || site.front().get("/renamed/x").await.status == 200).await;
    assert!(began.elapsed() < POLLING + SLACK, "{:?}", began.elapsed());
    // As editors and mounted secrets do it: another file in its place, of the same length.
    let (next, began) = (site.gateway.place.path("next.toml"), Instant::now());
    fs::write(&next, routes.replace("/open", "/another")).unwrap();
    fs::rename(next, site.gateway.file()).unwrap();
    program.until("it is taken", async || site.front().get("/another/x").await.status == 200).await;
    assert!(began.elapsed() < POLLING + SLACK, "{:?}", began.elapsed());
    assert_eq!(site.front().get("/renamed/x").await.status, 404);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_says_why() {
    let site = Site::with(ROUTES).await;
    let good = fs::read_to_string(site.gateway.file()).unwrap();
    fs::write(site.gateway.file(), good.replace("upstream = \"service\"", "upstream = \"servce\"")).unwrap();
    site.gateway.program.signal("HUP");
    site.gateway.program.until_logged("servce").await;
    assert_eq!(site.front().get("/open/x").await.status, 200);
    let health = site.front().get("/gateway/health").await;
    assert_eq!(health.text("status"), "degraded", "{health:?}");
    assert_eq!(health.body["checks"]["routes"], "refused", "{health:?}");
    assert!(!health.body.to_string().contains("servce"), "why is for operators alone: {health:?}");
    assert!(site.gateway.details().await.text("routes_refused").contains("servce"));
    fs::write(site.gateway.file(), good).unwrap();
    site.gateway
        .program
        .until("it is whole again", async || site.front().get("/gateway/health").await.text("status") == "healthy")
        .await;
}

#[tokio::test]
async fn a_broken_file_stops_the_start_with_every_fault() {
    let site = Site::with(ROUTES).await;
    let place = Gateway::place(
        &[site.api_place.port],
        "[[route]]\nmatch = { path = \"x\" }\nupstream = \"a\"\nauth = \"maybe\"\n",
    );
    let mut gateway = Gateway::spawn(place);
    assert_eq!(gateway.program.ended().await, Some(1));
    assert!(gateway.program.err().contains("gateway.toml"), "{}", gateway.program.err());
}

#[tokio::test]
async fn routes_that_identify_need_a_feed() {
    let site = Site::with(ROUTES).await;
    let place = Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", "http://127.0.0.1:9"));
    let mut gateway = Gateway::spawn(place.set("GATEWAY_FEED_TOKEN", ""));
    assert_eq!(gateway.program.ended().await, Some(1));
    assert!(gateway.program.err().contains(NO_FEED), "{}", gateway.program.err());
}

#[tokio::test]
async fn a_file_whose_routes_identify_is_not_taken_without_a_feed() {
    let upstream = Upstream::start().await;
    let routes = ROUTES.replace("UPSTREAM", &upstream.url());
    let (open, rest) = routes.split_at(routes.find("[[route]]\nname = \"optional\"").unwrap());
    let service = &rest[rest.find("[upstream.service]").unwrap()..];
    let place = Gateway::place(&[free_port().unwrap()], &format!("{open}{service}"));
    let gateway = Gateway::start_in(place.set("GATEWAY_FEED_TOKEN", "")).await;
    fs::write(gateway.file(), &routes).unwrap();
    gateway.program.signal("HUP");
    gateway.program.until_logged(NO_FEED).await;
    assert_eq!(gateway.client.get("/open/x").await.status, 200);
    assert_eq!(gateway.client.get("/private/x").await.status, 404, "the new routes are not there");
    assert_eq!(gateway.health("/ready").await, Some(200));
    let health = gateway.details().await;
    assert_eq!(health.text("status"), "degraded", "{health:?}");
    assert!(health.text("routes_refused").contains(NO_FEED), "{health:?}");
}
