//! The gateway from outside: in front of the real Auth API and of a service that records what reaches it.

mod acme;
mod assertion;
mod cors;
mod health;
mod hostile;
mod identity;
mod limits;
mod listed;
mod outages;
mod realms;
mod reload;
mod revocation;
mod routing;
mod signals;
mod tls;
mod together;
mod tracing;
mod uploads;
mod upstream;
mod upstream_protocols;
mod websockets;

use std::{fs, path::PathBuf};

use test_peers::free_port;

use crate::{
    client::{Answer, Client},
    program::Program,
    support::{Engine, Workplace},
};
use upstream::Upstream;

/// What gateways and the API of these tests know each other by.
pub const FEED_TOKEN: &str = "a-feed-token-of-the-tests-0123456789";

/// An API, a service of a team's own, and a gateway in front of both.
pub struct Site {
    pub api: Program,
    pub api_place: Workplace,
    pub upstream: Upstream,
    pub gateway: Gateway,
}

/// A gateway that runs alone.
pub struct Gateway {
    pub program: Program,
    pub place: Workplace,
    pub client: Client,
    pub port: u16,
}

impl Site {
    /// With these routes, in which `UPSTREAM` is the address of the team's service.
    pub async fn with(routes: &str) -> Self {
        Self::on(Engine::Sqlite, routes).await
    }

    pub async fn on(engine: Engine, routes: &str) -> Self {
        let api_place = Workplace::on(engine).set("GATEWAY_FEED_TOKEN", FEED_TOKEN);
        let api = api_place.spawn(&["service"]);
        let upstream = Upstream::start().await;
        let gateway = Gateway::start(&[api_place.port], &routes.replace("UPSTREAM", &upstream.url())).await;
        api.until_ready().await;
        Self { api, api_place, upstream, gateway }
    }

    /// One more instance of the API, on the same database and with the same key, but with these variables; and its port.
    pub async fn another_api(&self, variables: &[(&str, &str)]) -> (Program, u16) {
        let (port, metrics) = (free_port().unwrap(), free_port().unwrap());
        let place = self.api_place.clone().set("SERVICE_ADDR", &format!(":{port}"));
        let place = place.set("METRICS_ADDR", &format!("127.0.0.1:{metrics}"));
        let place = variables.iter().fold(place, |place, (name, value)| place.set(name, value));
        let api = place.spawn_at(&["service"], port);
        api.until_ready().await;
        (api, port)
    }

    /// Requests to the API itself.
    pub fn api(&self) -> &Client {
        &self.api.client
    }

    /// Requests through the gateway.
    pub fn front(&self) -> &Client {
        &self.gateway.client
    }
}

impl Gateway {
    /// Starts one in front of APIs on these ports, and waits until it knows keys and revocations.
    pub async fn start(api_ports: &[u16], routes: &str) -> Self {
        let place = Self::place(api_ports, routes);
        Self::start_in(place).await
    }

    /// Where one can be started: with its file, `gateway.toml`, and nothing more in its environment than it needs.
    pub fn place(api_ports: &[u16], routes: &str) -> Workplace {
        let urls: Vec<_> = api_ports.iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
        let place = Workplace::bare();
        let metrics = format!("127.0.0.1:{}", free_port().unwrap());
        fs::write(place.path("gateway.toml"), routes).unwrap();
        place
            .set("AUTH_API_URLS", &urls.join(","))
            .set("GATEWAY_FEED_TOKEN", FEED_TOKEN)
            .set("GATEWAY_CONFIG", "gateway.toml")
            .set("GATEWAY_METRICS_ADDR", &metrics)
    }

    pub async fn start_in(place: Workplace) -> Self {
        let gateway = Self::spawn(place);
        gateway.until_ready().await;
        gateway
    }

    /// Starts one and waits for nothing.
    pub fn spawn(place: Workplace) -> Self {
        let (program, port) = (place.spawn(&["gateway"]), place.gateway_port);
        Self { program, place, client: Client::new(port), port }
    }

    pub async fn until_ready(&self) {
        self.program.until("the gateway is ready", async || self.health("/ready").await == Some(200)).await;
    }

    /// Its state by its own word; nothing when it does not answer.
    pub async fn health(&self, below: &str) -> Option<u16> {
        let request = self.client.request(reqwest::Method::GET, &format!("/gateway/health{below}"));
        Answer::of(request).await.ok().map(|answer| answer.status)
    }

    /// What it tells operators of its state.
    pub async fn details(&self) -> Answer {
        Client::new(self.place.port_of("GATEWAY_METRICS_ADDR")).get("/gateway/health").await
    }

    /// Its file of routes.
    pub fn file(&self) -> PathBuf {
        self.place.path("gateway.toml")
    }
}

/// Routes to the team's service: `/open` for anybody, `/optional`, `/private` for whoever is known, `/orders` with a
/// permission that nobody new holds.
pub const ROUTES: &str = r#"
[[route]]
name = "open"
match = { path = "/open" }
upstream = "service"
auth = "none"
body_limit = "off"

[[route]]
name = "optional"
match = { path = "/optional" }
upstream = "service"
auth = "optional"

[[route]]
name = "private"
match = { path = "/private" }
upstream = "service"
timeout = "2s"

[[route]]
name = "orders"
match = { path = "/orders", methods = ["GET"] }
upstream = "service"
permissions = ["orders:read"]
strip_prefix = true

[[route]]
name = "careful"
match = { path = "/careful" }
upstream = "service"
stale = "deny"

[upstream.service]
servers = ["UPSTREAM"]
"#;
