//! How the revocations are kept current.

use super::fake_api::{event, heartbeat, revocation, snapshot};
use super::*;

fn connects(world: &World) -> usize {
    FakeApi::count(&world.api.connects)
}

fn ended_session(session: Uuid) -> serde_json::Value {
    revocation("session", &session.to_string(), 0)
}

#[tokio::test]
async fn a_snapshot_refuses_what_was_revoked_before() {
    let api = FakeApi::start().await;
    *api.first.lock().unwrap() = snapshot(0, &[ended_session(SESSION)]);
    let world = World::starting(api);
    world.publish(&[&world.key]);
    until(|| world.is_current() && world.identity.has_keys()).await;
    assert_eq!(world.judge(&world.token()).await, "invalid");
}

#[tokio::test]
async fn a_feed_is_understood_however_it_is_cut() {
    let world = World::ready().await;
    let Ok(Some(caller)) = world.identify(&bearer(&world.token())).await else { panic!() };
    let text = format!(": hi\r\n\r\nevent: news\r\ndata: 1\r\n\r\n{}", event("revocation", &ended_session(SESSION)));
    for at in 0..text.len() {
        world.api.send(&text[at..=at]);
    }
    until(|| !world.identity.is_still_valid(&caller)).await;
    assert_eq!(connects(&world), 1);
}

#[tokio::test]
async fn a_revocation_of_an_unknown_kind_is_passed_over() {
    let world = World::ready().await;
    let news = [revocation("planet", "earth", 0), ended_session(SESSION)];
    world.api.send(&event("revocation", &news[0]));
    world.api.send(&snapshot(0, &news));
    until(|| world.identity.view.len() == 1).await;
    assert_eq!((world.judge(&world.token()).await, connects(&world)), ("invalid", 1));
}

#[tokio::test]
async fn a_broken_connection_is_replaced_at_once_and_what_was_missed_made_good() {
    let world = World::ready().await;
    let Ok(Some(caller)) = world.identify(&bearer(&world.token())).await else { panic!() };
    *world.api.first.lock().unwrap() = snapshot(0, &[ended_session(SESSION)]);
    world.api.cut();
    until(|| !world.identity.is_still_valid(&caller)).await;
    world.api.close_feeds();
    until(|| connects(&world) == 3).await;
}

#[tokio::test]
async fn an_older_snapshot_does_not_bring_back_what_was_just_revoked() {
    let world = World::ready().await;
    world.api.send(&event("revocation", &ended_session(SESSION)));
    until(|| world.identity.view.len() == 1).await;
    *world.api.first.lock().unwrap() = snapshot(900, &[]);
    world.api.close_feeds();
    until(|| connects(&world) == 2).await;
    world.api.send(&snapshot(900, &[ended_session(Uuid::from_u128(8))]));
    until(|| world.identity.view.len() == 2).await;
    assert_eq!(world.judge(&world.token()).await, "invalid");
    // Once the API must have it, the API decides: it may have been restored to an earlier day.
    world.clock.advance(Duration::from_secs(120));
    world.api.send(&snapshot(0, &[]));
    until(|| world.identity.view.is_empty()).await;
}

#[tokio::test]
async fn an_api_that_never_read_its_log_does_not_count() {
    for as_of in [u64::MAX, u64::MAX / 2, 86_400_000] {
        let api = FakeApi::start().await;
        *api.first.lock().unwrap() = snapshot(as_of, &[ended_session(SESSION)]);
        let world = World::starting(api);
        // It is left, and tried again.
        until(|| connects(&world) >= 2).await;
        assert_eq!((world.identity.freshness(now()), world.identity.view.len()), (Freshness::Unknown, 0));
    }
}

#[tokio::test]
async fn a_heartbeat_before_a_snapshot_says_nothing() {
    let api = FakeApi::start().await;
    *api.first.lock().unwrap() = heartbeat(0);
    let world = World::starting(api);
    until(|| connects(&world) >= 2).await;
    assert_eq!(world.identity.freshness(now()), Freshness::Unknown);
}

#[tokio::test]
async fn a_silent_connection_is_left_after_three_heartbeats() {
    let world = World::ready().await;
    pass(Duration::from_secs(5)).await;
    world.api.send(": still here\n\n");
    settle().await;
    pass(Duration::from_secs(5)).await;
    settle().await;
    assert_eq!(connects(&world), 1);
    pass(Duration::from_secs(1)).await;
    until(|| connects(&world) == 2 && world.is_current()).await;
}

#[tokio::test]
async fn a_blind_server_is_left_for_one_that_sees() {
    let (blind, seeing) = (FakeApi::start().await, FakeApi::start().await);
    *blind.first.lock().unwrap() = snapshot(60_000, &[]);
    let identity = Identity::start(config(), FakeApi::upstream(&[&blind, &seeing]), clock());
    until(|| matches!(identity.freshness(now()), Freshness::Current(_))).await;
    seeing.send(&heartbeat(11_000));
    let before = FakeApi::count(&blind.connects) + FakeApi::count(&seeing.connects);
    until(|| FakeApi::count(&blind.connects) + FakeApi::count(&seeing.connects) > before).await;
}

#[tokio::test]
async fn what_was_known_as_of_later_stays_known_when_an_older_source_speaks() {
    let world = World::ready().await;
    world.api.send(&heartbeat(9_000));
    world.api.send(&event("revocation", &ended_session(SESSION)));
    until(|| world.identity.view.len() == 1).await;
    assert!(matches!(world.identity.freshness(now()), Freshness::Current(age) if age < Duration::from_secs(5)));
}

#[tokio::test]
async fn a_single_blind_server_is_better_than_none() {
    let api = FakeApi::start().await;
    *api.first.lock().unwrap() = snapshot(60_000, &[ended_session(SESSION)]);
    let world = World::starting(api);
    until(|| matches!(world.identity.freshness(now()), Freshness::Stale(_))).await;
    world.api.send(&heartbeat(0));
    until(|| world.is_current()).await;
    assert_eq!(connects(&world), 1);
}

#[tokio::test]
async fn a_refused_gateway_tries_on_slowly_until_it_is_let_in() {
    for token in [Some("another token"), None] {
        let api = FakeApi::start().await;
        *api.feed_token.lock().unwrap() = token;
        let world = World::starting(api);
        until(|| connects(&world) == 1).await;
        settle().await;
        pass(Duration::from_secs(9)).await;
        settle().await;
        assert_eq!(connects(&world), 1);
        *world.api.feed_token.lock().unwrap() = Some(FEED_TOKEN);
        pass(Duration::from_secs(1)).await;
        until(|| world.is_current()).await;
    }
}

#[tokio::test]
async fn an_unreadable_snapshot_is_no_snapshot() {
    let api = FakeApi::start().await;
    *api.first.lock().unwrap() = "event: snapshot\ndata: {\"as_of\":0}\n\n".to_owned();
    let world = World::starting(api);
    until(|| connects(&world) >= 2).await;
    assert_eq!(world.identity.freshness(now()), Freshness::Unknown);
}

#[tokio::test]
async fn expired_revocations_are_let_go() {
    let world = World::ready().await;
    world.api.send(&event("revocation", &ended_session(SESSION)));
    until(|| world.identity.view.len() == 1).await;
    world.clock.advance(Duration::from_secs(2_001));
    // Time passes two seconds at a time here, and a round is one.
    world.live(Duration::from_secs(122)).await;
    assert_eq!((world.identity.view.len(), connects(&world)), (0, 1));
}
