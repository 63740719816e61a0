//! How the keys are kept current.

use futures_util::future::join_all;

use super::fake_api::{event, revocation};
use super::*;

/// Fetches that ended.
fn fetches(world: &World) -> u64 {
    world.identity.keys.progress().1
}

#[tokio::test]
async fn without_keys_a_token_may_be_good_so_it_is_not_called_bad() {
    let world = World::starting(FakeApi::start().await);
    until(|| world.is_current() && fetches(&world) == 1).await;
    assert_eq!(world.judge(&world.token()).await, "revocations unknown");
    world.publish(&[&world.key]);
    pass(Duration::from_millis(250)).await;
    until(|| world.identity.has_keys()).await;
    assert_eq!(world.judge(&world.token()).await, "session");
}

#[tokio::test]
async fn failed_fetches_are_repeated_ever_more_slowly() {
    let world = World::starting(FakeApi::start().await);
    for (count, wait) in (1..).zip([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
        until(|| fetches(&world) == count).await;
        pass(Duration::from_millis(wait / 2)).await;
        settle().await;
        assert_eq!(world.identity.keys.progress(), (count, count));
        pass(Duration::from_millis(wait / 2)).await;
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_once_when_tokens_name_it() {
    let world = World::ready().await;
    let new = new_key();
    world.publish(&[&world.key, &new]);
    let token = new.sign(&claims()).unwrap();
    let judged = join_all((0..10).map(|_| world.judge(&token))).await;
    assert_eq!((judged, fetches(&world)), (vec!["session"; 10], 2));
}

#[tokio::test]
async fn a_thousand_unknown_keys_cost_one_fetch_in_half_a_minute() {
    let world = World::ready().await;
    let token = new_key().sign(&claims()).unwrap();
    for round in 1..=3 {
        let judged = join_all((0..1_000).map(|_| world.judge(&token))).await;
        assert!(judged.iter().all(|outcome| *outcome == "invalid"));
        assert_eq!(FakeApi::count(&world.api.jwks_fetches), 1 + round);
        // Known keys go on meanwhile.
        assert_eq!(world.judge(&world.token()).await, "session");
        world.live(Duration::from_secs(30)).await;
    }
}

#[tokio::test]
async fn a_key_that_vanished_verifies_no_longer_than_a_minute() {
    let world = World::ready().await;
    let new = new_key();
    assert_eq!(world.judge(&world.token()).await, "session");
    world.publish(&[&new]);
    world.live(Duration::from_secs(60)).await;
    until(|| fetches(&world) == 2).await;
    assert_eq!(world.judge(&world.token()).await, "invalid");
    assert_eq!(world.judge(&new.sign(&claims()).unwrap()).await, "session");
}

#[tokio::test]
async fn a_revoked_key_has_the_set_fetched_at_once() {
    let world = World::ready().await;
    world.api.send(&event("revocation", &revocation("key", "another", 0)));
    until(|| fetches(&world) == 2).await;
}

#[tokio::test]
async fn a_set_that_is_empty_or_unreadable_replaces_no_good_one() {
    let world = World::ready().await;
    for (round, bad) in (0..).zip([r#"{"keys":[]}"#, "<html>", "", r#"{"keys":[{"kty":"oct"}]}"#]) {
        *world.api.jwks.lock().unwrap() = Some(bad.to_owned());
        world.api.send(&event("revocation", &revocation("key", "another", 0)));
        until(|| fetches(&world) > 1 + round).await;
        assert_eq!(world.judge(&world.token()).await, "session", "{bad}");
    }
}

#[tokio::test]
async fn a_key_set_of_more_than_a_mebibyte_is_refused() {
    let world = World::starting(FakeApi::start().await);
    let padding = " ".repeat(1024 * 1024);
    *world.api.jwks.lock().unwrap() = Some(format!("{padding}{}", jwks(&[&world.key])));
    until(|| fetches(&world) == 2).await;
    assert!(!world.identity.has_keys());
}

#[tokio::test]
async fn the_shared_secret_needs_no_published_key() {
    let api = FakeApi::start().await;
    *api.jwks.lock().unwrap() = Some(r#"{"keys":[]}"#.to_owned());
    let secret = SigningKey::from_secret(b"a shared secret of more than thirty-two bytes").unwrap();
    let fixed_keys = Some(KeySet::new(vec![secret.verification_key()]));
    let identity = Identity::start(IdentityConfig { fixed_keys, ..config() }, FakeApi::upstream(&[&api]), clock());
    assert!(identity.has_keys());
    until(|| matches!(identity.freshness(now()), Freshness::Current(_)) && identity.keys.progress().1 == 1).await;
    let headers = bearer(&secret.sign(&claims()).unwrap());
    assert_eq!(outcome(&identity.identify(&headers, identity.realm(None, None), Stale::Deny).await), "session");
}
