//! Limits per client address: on registering and on logging in.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use test_peers::Redis;

use crate::support::{Deployment, Engine, Instance, PASSWORD};

/// A deployment behind a proxy that it trusts, with counts of its own.
struct Counted {
    deployment: Deployment,
    _redis: Option<Redis>,
}

impl Counted {
    fn new(engine: Engine) -> Self {
        let deployment = Deployment::new(engine);
        match engine {
            Engine::Sqlite => Self { deployment, _redis: None },
            Engine::Postgres => {
                let redis = Redis::start().unwrap();
                Self { deployment: deployment.set("REDIS_URL", redis.url()), _redis: Some(redis) }
            }
        }
    }

    fn set(self, name: &str, value: &str) -> Self {
        Self { deployment: self.deployment.set(name, value), ..self }
    }
}

fn from(api: &Instance, address: &str) -> Instance {
    api.with_header("x-forwarded-for", address)
}

#[rstest]
#[tokio::test]
async fn one_address_registers_twenty_accounts_an_hour(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let counted = Counted::new(engine).set("TRUSTED_PROXIES", "127.0.0.1");
    let api = counted.deployment.start().await;
    let one = from(&api, "198.51.100.1");
    for number in 0..20 {
        assert_eq!(one.register(&format!("person{number}@example.com")).await.status, 201);
    }
    let refused = one.register("person20@example.com").await;
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    assert_eq!(refused.header("retry-after"), "180");
    assert_eq!(refused.header("ratelimit-policy"), r#""register";q=20;w=3600"#);
    assert_eq!(refused.header("ratelimit"), r#""register";r=0;t=3600"#);
    assert_eq!(from(&api, "198.51.100.2").register("person20@example.com").await.status, 201);
    counted.deployment.clock.advance(Duration::from_secs(180));
    assert_eq!(one.register("person21@example.com").await.status, 201, "as Retry-After said");
}

#[rstest]
#[tokio::test]
async fn one_address_logs_in_thirty_times_a_minute(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let counted = Counted::new(engine).set("TRUSTED_PROXIES", "127.0.0.1");
    let api = counted.deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let one = from(&api, "198.51.100.1");
    for _ in 0..30 {
        assert_eq!(one.login("kim@example.com", PASSWORD).await.status, 200);
    }
    let refused = one.login("kim@example.com", PASSWORD).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "2"), "{refused:?}");
    assert_eq!(refused.header("ratelimit-policy"), r#""login";q=30;w=60"#);
    assert_eq!(from(&api, "198.51.100.2").login("kim@example.com", PASSWORD).await.status, 200);
    counted.deployment.clock.advance(Duration::from_secs(2));
    assert_eq!(one.login("kim@example.com", PASSWORD).await.status, 200, "as Retry-After said");
}

#[rstest]
#[tokio::test]
async fn a_password_confirmed_in_a_session_counts_like_a_login(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let counted = Counted::new(engine).set("TRUSTED_PROXIES", "127.0.0.1").set("RATE_LIMIT_LOGIN_PER_ADDRESS", "2/1m");
    let api = counted.deployment.start().await;
    let person = api.person("kim@example.com").await;
    let one = from(&api, "198.51.100.1").bearing(&person.access);
    let confirm = async || one.post("/api/v1/auth/reauthenticate", json!({"password": PASSWORD})).await.status;
    assert_eq!((confirm().await, confirm().await, confirm().await), (204, 204, 429));
    let change = json!({"current_password": PASSWORD, "new_password": "purple tram over the hill"});
    assert_eq!(one.call(Method::PUT, "/api/v1/users/me/password", change).await.status, 429);
    assert_eq!(one.login("kim@example.com", PASSWORD).await.status, 429);
}

#[rstest]
#[tokio::test]
async fn one_address_tries_twenty_accounts_in_ten_minutes(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let counted = Counted::new(engine).set("TRUSTED_PROXIES", "127.0.0.1");
    let api = counted.deployment.start().await;
    let one = from(&api, "198.51.100.1");
    for number in 0..20 {
        assert_eq!(one.login(&format!("spray{number}@example.com"), PASSWORD).await.status, 401);
    }
    let refused = one.login("spray20@example.com", PASSWORD).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "600"), "{refused:?}");
    assert_eq!(refused.header("ratelimit-policy"), r#""login_accounts";q=20;w=600"#);
    assert_eq!(one.login("SPRAY0@example.com", PASSWORD).await.status, 401, "a known account is no new one");
}

#[rstest]
#[tokio::test]
async fn a_network_of_64_bits_is_one_address(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let counted = Counted::new(engine).set("TRUSTED_PROXIES", "127.0.0.1").set("RATE_LIMIT_LOGIN_PER_ADDRESS", "1/1m");
    let api = counted.deployment.start().await;
    assert_eq!(from(&api, "2001:db8:1:2::1").login("network64@example.com", PASSWORD).await.status, 401);
    assert_eq!(from(&api, "2001:db8:1:2:3::4").login("network64@example.com", PASSWORD).await.status, 429);
    assert_eq!(from(&api, "2001:db8:1:3::1").login("network64@example.com", PASSWORD).await.status, 401);
}

#[rstest]
#[tokio::test]
async fn an_undeclared_proxy_is_held_to_twenty_times_the_limit(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let counted = Counted::new(engine).set("RATE_LIMIT_LOGIN_PER_ADDRESS", "1/1m");
    let api = counted.deployment.start().await;
    let login = async |address: &str| from(&api, address).login("behind-a-proxy@example.com", PASSWORD).await.status;
    assert_eq!((login("198.51.100.1").await, login("198.51.100.1").await), (401, 429), "the forwarded address counts");
    for number in 2..20 {
        assert_eq!(login(&format!("198.51.100.{number}")).await, 401);
    }
    assert_eq!(login("198.51.100.20").await, 429, "what a proxy claims may be made up");
}

#[rstest]
#[tokio::test]
async fn an_undeclared_proxy_tries_no_more_than_twenty_times_the_accounts(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let counted = Counted::new(engine).set("RATE_LIMIT_LOGIN_ACCOUNTS_PER_ADDRESS", "1/10m");
    let api = counted.deployment.start().await;
    for number in 0..20 {
        let one = from(&api, &format!("198.51.100.{number}"));
        assert_eq!(one.login(&format!("proxied{number}@example.com"), PASSWORD).await.status, 401);
    }
    let refused = from(&api, "198.51.100.20").login("proxied20@example.com", PASSWORD).await;
    assert_eq!(refused.header("ratelimit-policy"), r#""login_accounts";q=20;w=600"#, "{refused:?}");
}

#[rstest]
#[case("development", 401)]
#[case("test", 429)]
#[tokio::test]
async fn only_development_spares_loopback(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] environment: &str,
    #[case] second: u16,
) {
    let counted = Counted::new(engine).set("RATE_LIMIT_LOGIN_PER_ADDRESS", "1/1m").set("ENV", environment);
    let api = counted.deployment.start().await;
    let login = async || api.login("at-home@example.com", PASSWORD).await.status;
    assert_eq!((login().await, login().await), (401, second));
}
