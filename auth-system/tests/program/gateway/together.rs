//! All servers in one process, which is what `cargo run` starts.

use rstest::rstest;

use super::upstream::Upstream;
use crate::{
    client::Client,
    support::{Engine, Workplace},
};

#[rstest]
#[tokio::test]
async fn one_process_serves_api_and_gateway_that_know_each_other(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let upstream = Upstream::start().await;
    let place = Workplace::on(engine).set("GATEWAY_CONFIG", "gateway.toml");
    let routes = super::ROUTES.replace("UPSTREAM", &upstream.url());
    std::fs::write(place.path("gateway.toml"), routes).unwrap();
    let program = place.start().await;
    let front = Client::new(place.gateway_port);
    program.until("the gateway is ready", async || front.get("/gateway/health/ready").await.status == 200).await;
    let person = front.person("kim@example.com").await;
    assert_eq!(front.bearing(&person.access).get("/private/x").await.status, 200);
    assert_eq!(front.logout(&person.access).await.status, 204);
    let began = std::time::Instant::now();
    program.until("it is refused", async || front.bearing(&person.access).get("/private/x").await.status == 401).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
    let feed = program.client.with_header("authorization", "Bearer guessed").get("/internal/v1/revocations").await;
    assert_eq!(feed.status, 401, "the secret that they share is nobody else's");
    assert!(program.out().contains("Gateway") && program.out().contains(&place.gateway_port.to_string()));
    program.stop().await;
}

/// The API believes its own gateway about clients, and nobody else on this machine.
#[tokio::test]
async fn the_api_counts_the_clients_of_its_own_gateway() {
    let place = Workplace::on(Engine::Sqlite).set("RATE_LIMIT_API_PER_ADDRESS", "5/1m").set("TRUSTED_PROXIES", "");
    let place = place.set("ENV", "test");
    let program = place.start().await;
    let front = Client::new(place.gateway_port);
    for _ in 0..5 {
        assert_eq!(front.get("/api/v1/auth/password-policy").await.status, 200);
    }
    assert_eq!(front.get("/api/v1/auth/password-policy").await.status, 429);
    assert!(!program.out().contains("TRUSTED_PROXIES does not name"), "{}", program.out());
    let claimed = program.client.with_header("x-forwarded-for", "198.51.100.9");
    assert_eq!(claimed.get("/api/v1/auth/password-policy").await.status, 200);
    program.until_logged("TRUSTED_PROXIES does not name").await;
}
