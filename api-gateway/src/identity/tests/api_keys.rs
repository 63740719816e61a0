//! What becomes of API keys.

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;

use super::fake_api::{event, revocation, snapshot};
use super::*;

const KEY: &str = "ask_00000000000000000000000000000007_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const KEY_ID: Uuid = Uuid::from_u128(7);
/// SHA-256 of the secret's 32 bytes.
const HASH: &str = "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793";

/// A world whose API knows the key, and in which nothing happened for a while.
async fn world() -> World {
    let world = World::ready().await;
    allow(&world, &["orders:read"]);
    world.live(Duration::from_secs(3)).await;
    world
}

fn allow(world: &World, permissions: &[&str]) {
    let answer = json!({
        "user_id": USER, "scopes": ["orders:read", "orders:write"], "roles": ["manager"], "permissions": permissions,
        "expires_at": "2026-01-01T01:00:00.5Z", "rate_limit": "100/1m",
    });
    world.api.api_keys.lock().unwrap().insert((KEY_ID.to_string(), HASH.to_owned()), answer);
}

fn withdraw(world: &World) {
    world.api.api_keys.lock().unwrap().clear();
}

fn questions(world: &World) -> usize {
    FakeApi::count(&world.api.resolutions)
}

/// Another key that nobody made.
fn stranger(number: u128) -> String {
    KEY.replace("00000000000000000000000000000007", &format!("{number:032x}"))
}

async fn judge(world: &World, key: &str) -> &'static str {
    outcome(&world.identify(&header("x-api-key", key)).await)
}

async fn grant(world: &World) -> Caller {
    match world.identify(&bearer(KEY)).await {
        Ok(Some(caller)) => caller,
        other => panic!("{}", outcome(&other)),
    }
}

/// Sends a revocation, and returns once it was taken in.
async fn revoke(world: &World, kind: &str, subject: &str, version: i64) {
    let before = world.identity.view.len();
    world.api.send(&event("revocation", &revocation(kind, subject, version)));
    until(|| world.identity.view.len() == before + 1).await;
}

#[tokio::test]
async fn a_key_is_asked_for_once_and_known_from_then_on() {
    let world = world().await;
    let Caller::ApiKey(grant) = grant(&world).await else { panic!() };
    assert_eq!((grant.key_id, grant.user_id), (KEY_ID, USER));
    assert_eq!(
        (grant.roles.as_slice(), grant.permissions.as_slice()),
        (&["manager".to_owned()][..], &["orders:read".to_owned()][..])
    );
    assert_eq!(grant.rate_limit, Some("100/1m".parse().unwrap()));
    assert_eq!(grant.expires_at, NOW + 3_600);
    for _ in 0..10 {
        assert_eq!(judge(&world, KEY).await, "api key");
    }
    assert_eq!(questions(&world), 1);
}

#[tokio::test]
async fn fifty_at_once_cost_one_question() {
    let world = world().await;
    let judged = join_all((0..50).map(|_| judge(&world, KEY))).await;
    assert!(judged.iter().all(|outcome| *outcome == "api key"));
    assert_eq!(questions(&world), 1);
}

/// Asks for the key, and leaves before there is an answer.
async fn ask_and_leave(world: &World) {
    let (headers, before) = (bearer(KEY), questions(world));
    let asking = world.identify(&headers);
    tokio::pin!(asking);
    tokio::select! {
        biased;
        _ = &mut asking => panic!("nothing was answered yet"),
        () = until(|| questions(world) > before) => {}
    }
}

#[tokio::test]
async fn whoever_asked_first_may_leave() {
    let world = world().await;
    world.api.gate.forget_permits(usize::MAX);
    ask_and_leave(&world).await;
    let (second, ()) = tokio::join!(judge(&world, KEY), async { world.api.gate.add_permits(1) });
    assert_eq!((second, questions(&world)), ("api key", 1));
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_any_more_ends_nevertheless() {
    let world = world().await;
    world.api.gate.forget_permits(usize::MAX);
    ask_and_leave(&world).await;
    world.live(Duration::from_secs(3)).await;
    settle().await;
    world.api.gate.add_permits(2);
    assert_eq!((judge(&world, KEY).await, questions(&world)), ("api key", 2));
}

#[tokio::test]
async fn a_key_is_asked_for_again_after_a_minute() {
    let world = world().await;
    assert_eq!(judge(&world, KEY).await, "api key");
    withdraw(&world);
    world.live(Duration::from_secs(58)).await;
    assert_eq!((judge(&world, KEY).await, questions(&world)), ("api key", 1));
    world.live(Duration::from_secs(2)).await;
    assert_eq!((judge(&world, KEY).await, questions(&world)), ("invalid", 2));
}

#[tokio::test]
async fn a_key_that_the_api_does_not_know_is_asked_for_again_after_five_seconds() {
    let world = world().await;
    withdraw(&world);
    for _ in 0..3 {
        assert_eq!(judge(&world, KEY).await, "invalid");
    }
    assert_eq!(questions(&world), 1);
    allow(&world, &["orders:read"]);
    world.live(Duration::from_secs(5)).await;
    assert_eq!(judge(&world, KEY).await, "api key");
}

#[tokio::test]
async fn what_is_no_key_by_shape_is_not_asked_for() {
    let world = world().await;
    for key in ["ask_", "ask_1_2", &KEY[..KEY.len() - 1], &format!("{KEY}x")] {
        assert_eq!(judge(&world, key).await, "invalid", "{key}");
    }
    assert_eq!(questions(&world), 0);
}

#[tokio::test]
async fn a_remembered_key_ends_at_its_time() {
    let world = world().await;
    assert_eq!(judge(&world, KEY).await, "api key");
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(judge(&world, KEY).await, "invalid");
}

#[tokio::test]
async fn while_the_api_is_away_known_keys_go_on_and_others_are_unknown() {
    let world = world().await;
    assert_eq!(judge(&world, KEY).await, "api key");
    *world.api.feed_token.lock().unwrap() = Some("another token");
    assert_eq!(judge(&world, &stranger(8)).await, "key unknown");
    assert_eq!(judge(&world, KEY).await, "api key");
}

#[tokio::test]
async fn a_key_whose_answer_does_not_come_is_unknown() {
    let world = world().await;
    world.api.gate.forget_permits(usize::MAX);
    let (answer, ()) = tokio::join!(judge(&world, KEY), async {
        until(|| questions(&world) == 1).await;
        pass(Duration::from_secs(2)).await;
    });
    assert_eq!(answer, "key unknown");
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_with_all_that_it_opened() {
    let world = world().await;
    let caller = grant(&world).await;
    revoke(&world, "api_key", &KEY_ID.to_string(), 0).await;
    assert_eq!(judge(&world, KEY).await, "invalid");
    assert!(!world.identity.is_still_valid(&caller));
    assert_eq!(questions(&world), 1);
}

#[tokio::test]
async fn what_is_revoked_of_the_owner_or_a_role_has_the_key_asked_for_anew() {
    for (kind, subject) in [("user", USER.to_string()), ("role", "manager".to_owned())] {
        let world = world().await;
        let caller = grant(&world).await;
        assert!(world.identity.is_still_valid(&caller));
        allow(&world, &[]);
        revoke(&world, kind, &subject, 5).await;
        assert!(!world.identity.is_still_valid(&caller), "{kind}");
        assert_eq!(grant(&world).await.permissions(), [""; 0], "{kind}");
        // Another server of the API may not have heard of it yet: its answer is not relied on.
        allow(&world, &["orders:read"]);
        assert_eq!(grant(&world).await.permissions(), ["orders:read"], "{kind}");
        world.live(Duration::from_secs(3)).await;
        let settled = grant(&world).await;
        assert!(world.identity.is_still_valid(&settled), "{kind}");
        let before = questions(&world);
        assert_eq!((judge(&world, KEY).await, questions(&world)), ("api key", before), "{kind}");
    }
}

#[tokio::test]
async fn what_is_revoked_of_others_changes_nothing() {
    let world = world().await;
    let caller = grant(&world).await;
    for (kind, subject) in [("user", SESSION.to_string()), ("role", "user".to_owned()), ("api_key", USER.to_string())] {
        revoke(&world, kind, &subject, 5).await;
    }
    assert!(world.identity.is_still_valid(&caller));
    assert_eq!((judge(&world, KEY).await, questions(&world)), ("api key", 1));
}

#[tokio::test]
async fn an_answer_that_was_overtaken_by_a_revocation_is_not_remembered_nor_shared() {
    let world = world().await;
    world.api.gate.forget_permits(usize::MAX);
    let (first, second) = tokio::join!(grant(&world), async {
        until(|| questions(&world) == 1).await;
        allow(&world, &[]);
        revoke(&world, "user", &USER.to_string(), 5).await;
        // The answer to the first is on its way; this one came after the revocation.
        let (second, ()) = tokio::join!(grant(&world), async {
            until(|| questions(&world) == 2).await;
            world.api.gate.add_permits(2);
        });
        second
    });
    assert_eq!((first.permissions(), second.permissions()), (&["orders:read".to_owned()][..], &[][..]));
    assert!(!world.identity.is_still_valid(&first));
    world.api.gate.add_permits(1);
    assert_eq!(grant(&world).await.permissions(), [""; 0]);
}

#[tokio::test]
async fn a_key_that_is_revoked_while_it_is_asked_for_is_refused() {
    let world = world().await;
    world.api.gate.forget_permits(usize::MAX);
    let (judged, ()) = tokio::join!(judge(&world, KEY), async {
        until(|| questions(&world) == 1).await;
        revoke(&world, "api_key", &KEY_ID.to_string(), 0).await;
        world.api.gate.add_permits(1);
    });
    assert_eq!(judged, "invalid");
}

#[tokio::test]
async fn a_snapshot_has_every_key_asked_for_anew() {
    let world = world().await;
    assert_eq!(judge(&world, KEY).await, "api key");
    withdraw(&world);
    world.api.send(&snapshot(0, &[revocation("session", &SESSION.to_string(), 0)]));
    until(|| world.identity.view.len() == 1).await;
    assert_eq!(judge(&world, KEY).await, "invalid");
}

#[tokio::test]
async fn an_answer_that_was_overtaken_by_a_snapshot_is_not_remembered() {
    let world = world().await;
    world.api.gate.forget_permits(usize::MAX);
    let (judged, ()) = tokio::join!(judge(&world, KEY), async {
        until(|| questions(&world) == 1).await;
        withdraw(&world);
        world.api.send(&snapshot(0, &[revocation("session", &SESSION.to_string(), 0)]));
        until(|| world.identity.view.len() == 1).await;
        world.api.gate.add_permits(2);
    });
    assert_eq!((judged, judge(&world, KEY).await), ("api key", "invalid"));
}

#[tokio::test]
async fn just_after_a_snapshot_a_key_is_remembered_for_half_a_second_only() {
    let world = World::ready().await;
    allow(&world, &["orders:read"]);
    assert_eq!(judge(&world, KEY).await, "api key");
    assert_eq!((judge(&world, KEY).await, questions(&world)), ("api key", 1));
    pass(Duration::from_millis(500)).await;
    assert_eq!((judge(&world, KEY).await, questions(&world)), ("api key", 2));
}

#[tokio::test]
async fn strangers_keys_neither_wait_without_end_nor_take_all_of_the_apis_places() {
    let world = world().await;
    assert_eq!(judge(&world, KEY).await, "api key");
    world.api.gate.forget_permits(usize::MAX);
    for number in 0..1_024 {
        assert_eq!(judge(&world, &stranger(1_000 + number)).now_or_never(), None);
    }
    assert_eq!(judge(&world, &stranger(1)).now_or_never(), Some("key unknown"));
    // Whoever is known is not kept waiting.
    assert_eq!(judge(&world, KEY).now_or_never(), Some("api key"));
    until(|| questions(&world) == 1 + 64).await;
    settle().await;
    assert_eq!(questions(&world), 1 + 64);
}
