//! How long known and unknown addresses take: told, and judged by nobody here, for the machine is shared.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::{
    mailbox::with_relay,
    support::{Answer, Engine, Instance, PASSWORD},
};

/// Of each kind; few, so that the suite stays quick. `TIMING_PAIRS` says otherwise.
const PAIRS: usize = 5;

/// Times of interleaved calls about addresses with and without an account.
#[derive(Default)]
struct Times([Vec<Duration>; 2]);

impl Times {
    async fn take(&mut self, kind: usize, call: impl Future<Output = Answer>) -> Answer {
        let began = Instant::now();
        let answer = call.await;
        self.0[kind].push(began.elapsed());
        answer
    }

    /// Median and 95th percentile in microseconds, of known and of unknown ones.
    fn tell(mut self, what: &str) {
        let [known, unknown] = self.0.each_mut().map(|times| {
            times.sort_unstable();
            [50, 95].map(|percent| times[(times.len() - 1) * percent / 100].as_micros())
        });
        println!(
            "{what}: median {} / {} us, p95 {} / {} us (known / unknown)",
            known[0], unknown[0], known[1], unknown[1]
        );
    }
}

/// An instance without limits and with accounts for so many pairs.
async fn prepare(engine: Engine, verified: bool) -> (test_peers::Smtp, crate::support::Deployment, Instance) {
    let (relay, deployment) = with_relay(engine);
    let rules = ["FORGOT_PER_ADDRESS", "FORGOT_PER_ACCOUNT", "REGISTER_PER_ADDRESS", "LOGIN_PER_ADDRESS"];
    let deployment = rules.iter().fold(deployment, |all, rule| all.set(&format!("RATE_LIMIT_{rule}"), "off"));
    let deployment = deployment.set("RATE_LIMIT_LOGIN_ACCOUNTS_PER_ADDRESS", "off");
    let deployment = deployment.set("REQUIRE_EMAIL_VERIFICATION", if verified { "true" } else { "false" });
    let api = deployment.start().await;
    (relay, deployment, api)
}

fn pairs() -> usize {
    option_env!("TIMING_PAIRS").and_then(|text| text.parse().ok()).unwrap_or(PAIRS)
}

#[rstest]
#[tokio::test]
async fn times_of_known_and_unknown_addresses_are_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (_relay, deployment, api) = prepare(engine, false).await;
    for number in 0..pairs() {
        assert_eq!(api.register(&format!("p{number}@example.com")).await.status, 201);
    }
    deployment.outbox_is_empty().await;
    for path in ["/api/v1/auth/password/forgot", "/api/v1/auth/email/resend"] {
        let mut times = Times::default();
        for number in 0..pairs() {
            for (kind, name) in order(number) {
                let answer = times.take(kind, api.post_email(path, &format!("{name}{number}@example.com"))).await;
                assert_eq!(answer.status, 202);
            }
        }
        times.tell(&format!("{engine:?} {path}"));
        deployment.outbox_is_empty().await;
    }
    let mut times = Times::default();
    for number in 0..pairs() {
        for (kind, name) in order(number) {
            let answer = times.take(kind, api.login(&format!("{name}{number}@example.com"), "wrong")).await;
            assert_eq!(answer.status, 401);
        }
    }
    times.tell(&format!("{engine:?} login"));
}

#[rstest]
#[tokio::test]
async fn times_of_registering_free_and_taken_addresses_are_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (_relay, deployment, api) = prepare(engine, true).await;
    for number in 0..pairs() {
        assert_eq!(api.register(&format!("p{number}@example.com")).await.status, 202);
    }
    deployment.outbox_is_empty().await;
    let mut times = Times::default();
    for number in 0..pairs() {
        for (kind, name) in order(number) {
            let body = json!({"email": format!("{name}{number}@example.com"), "password": PASSWORD});
            assert_eq!(times.take(kind, api.post("/api/v1/auth/register", body)).await.status, 202);
        }
    }
    times.tell(&format!("{engine:?} register"));
}

/// Which comes first changes from pair to pair: what follows a mail may wait for its sender.
const fn order(number: usize) -> [(usize, &'static str); 2] {
    if number.is_multiple_of(2) { [(0, "p"), (1, "q")] } else { [(1, "q"), (0, "p")] }
}
