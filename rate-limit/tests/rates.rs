//! What a rate limiter promises, in this process and in Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod peer;

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use rate_limit::{Decision, Limit, RateLimiter, TimeSource};
use tokio::task::JoinSet;

const SECOND: i64 = 1_000_000;
/// Some Unix time in microseconds; a number this large shows whether Lua keeps all its digits.
const NOW: i64 = 1_800_000_000_123_457;

fn limit(quota: &str) -> Limit {
    Limit { name: "test", quota: quota.parse().unwrap() }
}

async fn in_redis() -> RateLimiter {
    RateLimiter::redis(peer::link().await, TimeSource::Caller)
}

async fn both() -> [RateLimiter; 2] {
    [RateLimiter::memory(), in_redis().await]
}

#[tokio::test]
async fn a_quota_is_spent_refused_and_restored() {
    for limiter in both().await {
        for left in (0..3).rev() {
            let decision = limiter.check(limit("3/1m"), "spent", NOW).await;
            assert_eq!((decision.remaining, decision.retry_after), (left, None));
        }
        let refused = limiter.check(limit("3/1m"), "spent", NOW).await;
        assert_eq!(refused.retry_after, Some(Duration::from_secs(20)));
        assert_eq!(refused.rate_limit_header(), "\"test\";r=0;t=60");
        assert!(!limiter.check(limit("3/1m"), "spent", NOW + 20 * SECOND - 1).await.is_admitted());
        assert!(limiter.check(limit("3/1m"), "spent", NOW + 20 * SECOND).await.is_admitted());
    }
}

#[tokio::test]
async fn subjects_and_names_are_counted_apart() {
    for limiter in both().await {
        let once = limit("1/1m");
        assert!(limiter.check(once, "apart", NOW).await.is_admitted());
        assert!(!limiter.check(once, "apart", NOW).await.is_admitted());
        assert!(limiter.check(once, "apart/2", NOW).await.is_admitted());
        assert!(limiter.check(Limit { name: "other", ..once }, "apart", NOW).await.is_admitted());
    }
}

#[tokio::test]
async fn repeats_of_an_account_are_free_and_one_too_many_is_refused() {
    for limiter in both().await {
        for account in 0..20 {
            let decision = limiter.check_distinct(limit("20/10m"), "office", &account.to_string(), NOW + account).await;
            assert_eq!((decision.remaining, decision.retry_after), (19 - account as u32, None));
        }
        let refused = limiter.check_distinct(limit("20/10m"), "office", "20", NOW + SECOND).await;
        assert_eq!(refused.retry_after, Some(Duration::from_secs(599)));
        assert!(limiter.check_distinct(limit("20/10m"), "office", "0", NOW + SECOND).await.is_admitted());
        let later = limiter.check_distinct(limit("20/10m"), "office", "20", NOW + 600 * SECOND + 1).await;
        assert!(later.is_admitted(), "account 1 has left the window");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_of_two_instances_together_never_exceed_the_quota() {
    let instances = [in_redis().await, in_redis().await].map(std::sync::Arc::new);
    let mut requests = JoinSet::new();
    for number in 0..2_000 {
        let limiter = instances[number % 2].clone();
        requests.spawn(async move { limiter.check_often(limit("600/1m"), "leased", NOW).await.is_admitted() });
    }
    let admitted = requests.join_all().await.into_iter().filter(|admitted| *admitted).count();
    // What two instances have leased and not spent is the most that can be missing.
    assert!((540..=600).contains(&admitted), "{admitted} admitted");
}

#[tokio::test]
async fn who_asks_one_instance_often_is_admitted_as_often_as_allowed() {
    for limiter in both().await {
        let mut left = 61;
        for _ in 0..60 {
            let decision = limiter.check_often(limit("60/1m"), "often", NOW).await;
            assert!(decision.is_admitted());
            assert!(decision.remaining < left, "{decision:?}");
            left = decision.remaining;
        }
        let refused = limiter.check_often(limit("60/1m"), "often", NOW).await;
        assert_eq!((refused.remaining, refused.retry_after), (0, Some(Duration::from_secs(1))));
        assert!(limiter.check_often(limit("60/1m"), "often", NOW + SECOND).await.is_admitted());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_requests_over_two_instances_pass_exactly_as_often_as_allowed() {
    let instances = [in_redis().await, in_redis().await].map(std::sync::Arc::new);
    let mut requests = JoinSet::new();
    for number in 0..100 {
        let limiter = instances[number % 2].clone();
        requests.spawn(async move {
            let rate = limiter.check(limit("30/1m"), "parallel", NOW).await;
            let distinct = limiter.check_distinct(limit("7/1m"), "parallel", &number.to_string(), NOW).await;
            (rate.is_admitted(), distinct.is_admitted())
        });
    }
    let answers = requests.join_all().await;
    assert_eq!(answers.iter().filter(|(rate, _)| *rate).count(), 30);
    assert_eq!(answers.iter().filter(|(_, distinct)| *distinct).count(), 7);
}

#[tokio::test]
async fn the_servers_clock_counts_when_instances_disagree_about_the_time() {
    let limiter = RateLimiter::redis(peer::link().await, TimeSource::Server);
    assert!(limiter.check(limit("1/30d"), "skewed", 0).await.is_admitted());
    assert!(!limiter.check(limit("1/30d"), "skewed", i64::MAX / 2).await.is_admitted());
    assert!(limiter.check_distinct(limit("1/30d"), "skewed", "a", 0).await.is_admitted());
    assert!(!limiter.check_distinct(limit("1/30d"), "skewed", "b", i64::MAX / 2).await.is_admitted());
}

#[tokio::test]
async fn counters_in_redis_end_by_themselves() {
    let link = peer::link().await;
    let limiter = RateLimiter::redis(link.clone(), TimeSource::Server);
    limiter.check(limit("2/1m"), "ends", NOW).await;
    limiter.check_distinct(limit("2/1m"), "ends", "a", NOW).await;
    for (key, longest) in [("auth-system:rate:test:ends", 30_000), ("auth-system:distinct:test:ends", 60_000)] {
        let life: i64 = link.command(redis::cmd("PTTL").arg(key)).await.unwrap();
        assert!((1..=longest).contains(&life), "{key} lives {life} ms");
    }
}

#[tokio::test]
async fn with_redis_stopped_hanging_or_flushed_each_process_counts_until_it_is_back() {
    let server = test_peers::Redis::start().unwrap();
    let link = peer::link_to(&server).await;
    let limiter = RateLimiter::redis(link.clone(), TimeSource::Caller);
    let once = limit("1/1h");
    assert!(limiter.check(once, "away", NOW).await.is_admitted());

    server.pause().unwrap();
    assert!(limiter.check(once, "away", NOW).await.is_admitted(), "this process has counted none yet");
    assert!(!limiter.check(once, "away", NOW).await.is_admitted());
    assert!(!link.is_available());
    server.resume().unwrap();
    link.available().await;
    assert!(!limiter.check(once, "away", NOW).await.is_admitted(), "Redis still knows");

    server.stop().unwrap();
    assert!(!limiter.check(once, "away", NOW).await.is_admitted(), "so does this process");
    server.start_again().unwrap();
    link.available().await;
    assert!(limiter.check(once, "away", NOW).await.is_admitted(), "the new server knows nothing, not even the script");

    server.flush_all().unwrap();
    assert!(limiter.check(once, "away", NOW).await.is_admitted());
}

/// One request in a random history: how long after the one before, by whom, at which account.
#[derive(Clone, Debug)]
struct Request {
    after: i64,
    subject: u8,
    member: u8,
}

fn request() -> impl Strategy<Value = Request> {
    let after = prop_oneof![Just(0), 1..SECOND, SECOND..120 * SECOND, Just(-3 * SECOND)];
    (after, 0..3_u8, 0..6_u8).prop_map(|(after, subject, member)| Request { after, subject, member })
}

async fn answers(
    limiter: &RateLimiter,
    history: &[Request],
    [rate, distinct]: [&str; 2],
    run: &str,
) -> Vec<[Decision; 2]> {
    let mut now = NOW;
    let mut answers = Vec::new();
    for Request { after, subject, member } in history {
        now += after;
        let subject = format!("{run}/{subject}");
        let checked = limiter.check(limit(rate), &subject, now).await;
        let noted = limiter.check_distinct(limit(distinct), &subject, &member.to_string(), now).await;
        answers.push([checked, noted]);
    }
    answers
}

#[test]
fn memory_and_redis_decide_alike_whatever_happens() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    let shared = runtime.block_on(in_redis());
    let histories = prop::collection::vec(request(), 1..60);
    let rates = prop_oneof![Just("1/1s"), Just("3/1m"), Just("7/1m"), Just("5/10m"), Just("1000000/1s")];
    // Memory keeps places for as many members as the quota allows, and forgets subjects when these run out.
    let distincts = prop_oneof![Just("1/1s"), Just("3/1m"), Just("7/1m"), Just("5/10m"), Just("100/1s")];
    let runs = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(48));
    let agreement = runner.run(&(histories, rates, distincts), |(history, rate, distinct)| {
        runs.set(runs.get() + 1);
        let run = runs.get().to_string();
        let quotas = [rate, distinct];
        let memory = runtime.block_on(answers(&RateLimiter::memory(), &history, quotas, &run));
        prop_assert_eq!(memory, runtime.block_on(answers(&shared, &history, quotas, &run)));
        Ok(())
    });
    agreement.unwrap();
}
