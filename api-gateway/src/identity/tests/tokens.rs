//! What becomes of access tokens.

use super::fake_api::{event, heartbeat, revocation, snapshot};
use super::*;

#[tokio::test]
async fn a_good_token_identifies_its_user() {
    let world = World::ready().await;
    let Ok(Some(caller)) = world.identify(&bearer(&world.token())).await else { panic!() };
    assert_eq!((caller.user_id(), caller.session_id()), (USER, Some(SESSION)));
    assert_eq!(caller.permissions(), claims().permissions);
    assert!(world.identity.is_still_valid(&caller));
}

#[tokio::test]
async fn who_shows_nothing_is_nobody_whatever_is_known() {
    let world = World::starting(FakeApi::start().await);
    assert_eq!(outcome(&world.identify(&HeaderMap::new()).await), "nobody");
    assert_eq!(outcome(&world.identify(&header("authorization", "Basic YTpi")).await), "invalid");
}

#[tokio::test]
async fn a_bad_token_is_refused() {
    let world = World::ready().await;
    let good = world.token();
    let expired = world.key.sign(&AccessClaims { exp: NOW - 31, ..claims() }).unwrap();
    let foreign = world.key.sign(&AccessClaims { iss: "other".to_owned(), ..claims() }).unwrap();
    let misdirected = world.key.sign(&AccessClaims { aud: "other".to_owned(), ..claims() }).unwrap();
    for token in ["", "abc", "a.b.c", &good[..good.len() - 4], &expired, &foreign, &misdirected] {
        assert_eq!(world.judge(token).await, "invalid", "{token}");
    }
    assert_eq!(world.judge(&good).await, "session");
}

#[tokio::test]
async fn a_realm_takes_the_tokens_of_its_issuer_and_audience_alone() {
    let world = World::ready().await;
    let orders = world.identity.realm(None, Some("orders"));
    let for_orders = bearer(&world.key.sign(&AccessClaims { aud: "orders".to_owned(), ..claims() }).unwrap());
    let judge = async |headers: &HeaderMap, realm| outcome(&world.identity.identify(headers, realm, Stale::Deny).await);
    assert_eq!(judge(&for_orders, orders).await, "session");
    assert_eq!(judge(&for_orders, world.realm()).await, "invalid");
    assert_eq!(judge(&bearer(&world.token()), orders).await, "invalid");
}

#[tokio::test]
async fn each_kind_of_revocation_ends_a_token_and_what_was_opened_by_it() {
    for (kind, version) in [("session", 0), ("user", 5), ("role", 6), ("key", 0)] {
        let world = World::ready().await;
        let subject = match kind {
            "session" => SESSION.to_string(),
            "user" => USER.to_string(),
            "role" => "manager".to_owned(),
            _ => world.key.kid().to_owned(),
        };
        let Ok(Some(caller)) = world.identify(&bearer(&world.token())).await else { panic!() };
        world.api.send(&event("revocation", &revocation(kind, &subject, version)));
        until(|| !world.identity.is_still_valid(&caller)).await;
        assert_eq!(world.judge(&world.token()).await, "invalid", "{kind}");
    }
}

#[tokio::test]
async fn a_connection_outlives_the_token_that_opened_it() {
    let world = World::ready().await;
    let Ok(Some(caller)) = world.identify(&bearer(&world.token())).await else { panic!() };
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(world.judge(&world.token()).await, "invalid");
    assert!(world.identity.is_still_valid(&caller));
}

#[tokio::test]
async fn before_the_first_snapshot_nobody_is_identified_on_any_route() {
    let api = FakeApi::start().await;
    *api.first.lock().unwrap() = ": wait\n\n".to_owned();
    let world = World::starting(api);
    world.publish(&[&world.key]);
    until(|| world.identity.has_keys()).await;
    for stale in [Stale::Allow, Stale::Deny] {
        let identified = world.identity.identify(&bearer(&world.token()), world.realm(), stale).await;
        assert_eq!(outcome(&identified), "revocations unknown");
    }
    assert_eq!(world.identity.freshness(now()), Freshness::Unknown);
    world.api.send(&snapshot(0, &[]));
    until(|| world.is_current()).await;
    assert_eq!(world.judge(&world.token()).await, "session");
}

#[tokio::test]
async fn while_the_revocations_are_stale_the_route_decides() {
    let world = World::ready().await;
    until(|| world.api.connects.load(std::sync::atomic::Ordering::SeqCst) == 1).await;
    *world.api.feed_token.lock().unwrap() = None;
    world.api.cut();
    pass(MAX_STALENESS + Duration::from_secs(1)).await;
    let judge = async |stale| outcome(&world.identity.identify(&bearer(&world.token()), world.realm(), stale).await);
    assert!(matches!(world.identity.freshness(now()), Freshness::Stale(age) if age > MAX_STALENESS));
    assert_eq!(judge(Stale::Deny).await, "revocations unknown");
    assert_eq!(judge(Stale::Allow).await, "session");
}

#[tokio::test]
async fn staleness_counts_from_what_the_api_itself_knows() {
    let world = World::ready().await;
    pass(Duration::from_secs(5)).await;
    world.api.send(&heartbeat(4_000));
    let age = || match world.identity.freshness(now()) {
        Freshness::Current(age) => age,
        other @ (Freshness::Unknown | Freshness::Stale(_)) => panic!("{other:?}"),
    };
    until(|| age() < Duration::from_secs(5)).await;
    assert!(age() >= Duration::from_secs(4));
}

#[tokio::test]
async fn without_a_feed_token_nobody_can_be_identified() {
    let api = FakeApi::start().await;
    let key = new_key();
    *api.jwks.lock().unwrap() = Some(jwks(&[&key]));
    let config = IdentityConfig { feed_token: None, ..config() };
    let identity = Identity::start(config, FakeApi::upstream(&[&api]), clock());
    until(|| identity.has_keys()).await;
    let headers = bearer(&key.sign(&claims()).unwrap());
    let identified = identity.identify(&headers, identity.realm(None, None), Stale::Allow).await;
    assert_eq!(outcome(&identified), "revocations unknown");
    assert_eq!(FakeApi::count(&api.connects), 0);
}

#[tokio::test]
async fn the_tasks_end_with_the_last_reference() {
    let World { api, identity, .. } = World::ready().await;
    let view = Arc::downgrade(&identity.view);
    drop(identity);
    until(|| view.strong_count() == 0).await;
    let fetches = FakeApi::count(&api.jwks_fetches);
    pass(Duration::from_secs(120)).await;
    settle().await;
    assert_eq!(FakeApi::count(&api.jwks_fetches), fetches);
}
