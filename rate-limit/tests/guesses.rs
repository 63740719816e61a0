//! What a guess limiter promises, in this process and in Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod peer;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rate_limit::{GuessLimiter, Reservation, Ticket, TimeSource};
use tokio::task::JoinSet;

const SECOND: i64 = 1_000_000;
/// Some Unix time in microseconds; a number this large shows whether Lua keeps all its digits.
const NOW: i64 = 1_800_000_000_123_457;

async fn in_redis() -> GuessLimiter {
    GuessLimiter::redis(peer::link().await, TimeSource::Caller)
}

async fn both() -> [GuessLimiter; 2] {
    [GuessLimiter::memory(), in_redis().await]
}

/// One process, and two that share Redis.
async fn deployments() -> [[Arc<GuessLimiter>; 2]; 2] {
    let alone = Arc::new(GuessLimiter::memory());
    [[alone.clone(), alone], [in_redis().await, in_redis().await].map(Arc::new)]
}

async fn admitted(limiter: &GuessLimiter, subject: &str, now: i64) -> Ticket {
    match limiter.reserve(subject, now).await {
        Reservation::Admitted(ticket) => ticket,
        Reservation::Refused { retry_after } => panic!("refused for {retry_after:?}"),
    }
}

async fn refused(limiter: &GuessLimiter, subject: &str, now: i64) -> Duration {
    match limiter.reserve(subject, now).await {
        Reservation::Admitted(ticket) => panic!("admitted as {ticket:?}"),
        Reservation::Refused { retry_after } => retry_after,
    }
}

async fn fail(limiter: &GuessLimiter, subject: &str, times: usize, now: i64) {
    for _ in 0..times {
        limiter.failed(admitted(limiter, subject, now).await, now).await;
    }
}

#[tokio::test]
async fn five_wrong_guesses_are_free_and_the_next_ones_wait_ever_longer() {
    for limiter in both().await {
        fail(&limiter, "slow", 5, NOW).await;
        let mut now = NOW;
        for seconds in [1, 3, 5, 10, 20, 30, 45, 60, 60, 60] {
            assert_eq!(refused(&limiter, "slow", now).await, Duration::from_secs(seconds));
            now += seconds.cast_signed() * SECOND;
            fail(&limiter, "slow", 1, now).await;
        }
    }
}

#[tokio::test]
async fn guesses_inside_the_wait_do_not_prolong_it() {
    for limiter in both().await {
        fail(&limiter, "hammered", 5, NOW).await;
        for elapsed in (0..SECOND).step_by(50_000) {
            let wait = refused(&limiter, "hammered", NOW + elapsed).await;
            assert_eq!(wait, Duration::from_micros((SECOND - elapsed).unsigned_abs()));
        }
        fail(&limiter, "hammered", 1, NOW + SECOND).await;
    }
}

#[tokio::test]
async fn another_subject_is_not_concerned() {
    for limiter in both().await {
        fail(&limiter, "account", 5, NOW).await;
        fail(&limiter, "account on a known device", 5, NOW).await;
    }
}

#[tokio::test]
async fn right_guesses_never_use_up_the_free_ones() {
    for limiter in both().await {
        fail(&limiter, "owner", 4, NOW).await;
        for _ in 0..20 {
            limiter.give_back(admitted(&limiter, "owner", NOW).await, NOW).await;
        }
        fail(&limiter, "owner", 1, NOW).await;
        assert_eq!(refused(&limiter, "owner", NOW).await, Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_reset_clears_the_count() {
    for limiter in both().await {
        fail(&limiter, "reset", 5, NOW).await;
        limiter.clear("reset").await;
        fail(&limiter, "reset", 5, NOW).await;
    }
}

#[tokio::test]
async fn a_lost_attempt_holds_its_place_for_ten_seconds_and_then_has_failed() {
    for limiter in both().await {
        fail(&limiter, "lost", 4, NOW).await;
        drop(admitted(&limiter, "lost", NOW).await);
        assert_eq!(refused(&limiter, "lost", NOW + 10 * SECOND).await, Duration::from_secs(1));
        fail(&limiter, "lost", 1, NOW + 11 * SECOND).await;
    }
}

#[tokio::test]
async fn whoever_waits_in_vain_is_refused_in_the_end() {
    for limiter in both().await {
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(admitted(&limiter, "vain", NOW).await);
        }
        refused(&limiter, "vain", NOW).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_parallel_wrong_guesses_exactly_five_are_verified() {
    for instances in deployments().await {
        let mut guesses = JoinSet::new();
        for number in 0..100 {
            let limiter = instances[number % 2].clone();
            guesses.spawn(async move {
                let Reservation::Admitted(ticket) = limiter.reserve("attacked", NOW).await else { return 0 };
                tokio::task::yield_now().await;
                limiter.failed(ticket, NOW).await;
                1
            });
        }
        assert_eq!(guesses.join_all().await.iter().sum::<u32>(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_right_guesses_at_once_all_pass() {
    for instances in deployments().await {
        let mut guesses = JoinSet::new();
        for number in 0..20 {
            let limiter = instances[number % 2].clone();
            guesses.spawn(async move {
                let ticket = admitted(&limiter, "popular", NOW).await;
                tokio::task::yield_now().await;
                limiter.give_back(ticket, NOW).await;
            });
        }
        guesses.join_all().await;
    }
}

#[tokio::test]
async fn with_redis_hanging_or_stopped_guesses_go_on_and_stay_limited() {
    let server = test_peers::Redis::start().unwrap();
    let link = peer::link_to(&server).await;
    let limiter = GuessLimiter::redis(link.clone(), TimeSource::Caller);
    fail(&limiter, "away", 3, NOW).await;
    let caught_by_the_outage = admitted(&limiter, "away", NOW).await;

    server.pause().unwrap();
    limiter.failed(caught_by_the_outage, NOW).await;
    fail(&limiter, "away", 5, NOW).await;
    assert_eq!(refused(&limiter, "away", NOW).await, Duration::from_secs(1));
    server.resume().unwrap();
    link.available().await;
    fail(&limiter, "away", 1, NOW).await;
    let wait = refused(&limiter, "away", NOW).await;
    assert_eq!(wait, Duration::from_secs(1), "reported late or not at all, the attempt keeps its place");

    server.stop().unwrap();
    assert_eq!(refused(&limiter, "away", NOW).await, Duration::from_secs(1));
    limiter.clear("away").await;
    fail(&limiter, "away", 5, NOW).await;
}

#[tokio::test]
async fn an_attempt_admitted_here_is_settled_here_when_redis_is_back() {
    let server = test_peers::Redis::start().unwrap();
    let link = peer::link_to(&server).await;
    let limiter = GuessLimiter::redis(link.clone(), TimeSource::Caller);
    server.stop().unwrap();
    let ticket = admitted(&limiter, "back", NOW).await;
    server.start_again().unwrap();
    link.available().await;
    limiter.failed(ticket, NOW).await;
    fail(&limiter, "back", 5, NOW).await;
}

/// One step of a random history; tickets are named by their age.
#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(i64),
    Reserve,
    Fail(usize),
    GiveBack(usize),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..5 * SECOND).prop_map(Step::Wait),
        1 => (5 * SECOND..600 * SECOND).prop_map(Step::Wait),
        8 => Just(Step::Reserve),
        6 => (0..5_usize).prop_map(Step::Fail),
        2 => (0..5_usize).prop_map(Step::GiveBack),
        1 => Just(Step::Clear),
    ]
}

/// What was answered, step by step. Reserves only while some place is surely not held: waiting for an outcome that does
/// not come would take its two seconds.
async fn answers(limiter: &GuessLimiter, history: &[Step], subject: &str) -> Vec<Option<Duration>> {
    let (mut now, mut reserved, mut open, mut answers) = (NOW, 0, Vec::new(), Vec::new());
    for step in history {
        match *step {
            Step::Wait(time) => now += time,
            Step::Reserve if open.is_empty() || reserved < 5 => match limiter.reserve(subject, now).await {
                Reservation::Admitted(ticket) => {
                    reserved += 1;
                    open.push(ticket);
                    answers.push(None);
                }
                Reservation::Refused { retry_after } => answers.push(Some(retry_after)),
            },
            Step::Fail(at) if at < open.len() => limiter.failed(open.remove(at), now).await,
            Step::GiveBack(at) if at < open.len() => limiter.give_back(open.remove(at), now).await,
            Step::Clear => {
                limiter.clear(subject).await;
                reserved = 0;
            }
            Step::Reserve | Step::Fail(_) | Step::GiveBack(_) => {}
        }
    }
    answers
}

#[test]
fn memory_and_redis_decide_alike_whatever_happens() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    let shared = runtime.block_on(in_redis());
    let runs = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(48));
    let agreement = runner.run(&prop::collection::vec(step(), 1..120), |history| {
        runs.set(runs.get() + 1);
        let subject = format!("history {}", runs.get());
        let memory = runtime.block_on(answers(&GuessLimiter::memory(), &history, &subject));
        prop_assert_eq!(memory, runtime.block_on(answers(&shared, &history, &subject)));
        Ok(())
    });
    agreement.unwrap();
}
