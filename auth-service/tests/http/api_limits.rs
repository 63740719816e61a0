//! How often a person, a key or an address may call, and what clients are told of it.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use crate::{
    support::{Deployment, Engine},
    team::Team,
};

const ME: &str = "/api/v1/users/me";

#[rstest]
#[tokio::test]
async fn a_person_is_told_what_is_left_and_refused_past_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine).set("RATE_LIMIT_API_PER_USER", "5/1m");
    let (api, other) = (deployment.start().await, deployment.start().await);
    let person = api.person("kim@example.com").await;
    for left in (0..5).rev() {
        let answer = api.me(&person.access).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit").split(";t=").next(), Some(format!("\"api_user\";r={left}").as_str()));
        assert_eq!(answer.header("ratelimit-policy"), "\"api_user\";q=5;w=60");
    }
    let refused = api.me(&person.access).await;
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "rate_limited", "12"));
    let elsewhere = if engine == Engine::Postgres { 429 } else { 200 };
    assert_eq!(other.me(&person.access).await.status, elsewhere, "instances that share Redis share the count");
    let second = api.person("lee@example.com").await;
    assert_eq!(api.me(&second.access).await.status, 200, "others have a count of their own");
    deployment.clock.advance(Duration::from_secs(12));
    assert_eq!(api.me(&person.access).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_key_has_a_limit_of_its_own(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let wish = json!({"name": "x", "scopes": ["users:read"], "rate_limit": "3/1m"});
    let made = team.admin.post("/api/v1/api-keys", wish).await;
    let key = team.api.with_header("x-api-key", &made.text("key"));
    for _ in 0..3 {
        assert_eq!(key.get(ME).await.status, 200);
    }
    let refused = key.get(ME).await;
    assert_eq!((refused.status, refused.header("ratelimit-policy")), (429, "\"api_key\";q=3;w=60"));
    assert_eq!(team.admin.get(ME).await.status, 200, "its owner goes on");
}

#[rstest]
#[tokio::test]
async fn an_address_is_counted_whoever_calls_and_whatever(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let address = std::net::Ipv6Addr::new(0xfd00, 0, rand_segment(), rand_segment(), 0, 0, 0, 1);
    let deployment =
        Deployment::new(engine).set("RATE_LIMIT_API_PER_ADDRESS", "4/1m").set("TRUSTED_PROXIES", "127.0.0.0/8");
    let api = deployment.start().await;
    let there = api.with_header("x-forwarded-for", &address.to_string());
    let neighbour = api.with_header("x-forwarded-for", &address.to_string().replace("::1", "::2"));
    for path in [ME, "/api/v1/auth/refresh", "/nowhere"] {
        assert_ne!(there.get(path).await.status, 429, "{path}");
    }
    let answer = neighbour.get(ME).await;
    assert_eq!(
        (answer.status, answer.header("ratelimit-policy")),
        (401, "\"api_address\";q=4;w=60"),
        "one network of 64 bits"
    );
    for path in [ME, "/nowhere", "/openapi.json"] {
        assert_eq!(there.get(path).await.status, 429, "{path}");
    }
    for path in ["/api/v1/health", "/api/v1/health/ready", "/.well-known/jwks.json", "/docs/"] {
        let answer = there.get(path).await;
        assert_eq!((answer.status, answer.header("ratelimit")), (200, ""), "{path}");
    }
}

/// Redis is shared by all tests, so each has an address of its own.
fn rand_segment() -> u16 {
    let bytes: [u8; 2] = auth_service::ids::Entropy.bytes();
    u16::from_be_bytes(bytes) | 1
}
