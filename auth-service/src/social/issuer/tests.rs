//! Issuers that are well, ill, dead, or not who they should be.

use std::{sync::Arc, time::Duration};

use auth_token::{Algorithm, ForeignType, SigningKey, TokenError};
use futures_util::{FutureExt, future::join_all};
use serde_json::{Value, json};

use super::{Failure, Issuer, IssuerError, Metadata};
use crate::social::{
    outbound::{Outbound, Reach},
    stand_in::{StandIn, new_key, pass},
};

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

fn token(key: &SigningKey) -> String {
    key.sign_other("JWT", &json!({"sub": "1"})).unwrap()
}

async fn verify(issuer: &Issuer, key: &SigningKey) -> Result<(), IssuerError> {
    issuer.verify(&token(key), ForeignType::Jwt).await.map(drop)
}

/// What comes of the usual document with this member changed.
async fn discover_with(member: &str, value: Value) -> Result<Arc<Metadata>, Failure> {
    let stand_in = StandIn::start(&[]).await;
    stand_in.publish(|document| document[member] = value);
    stand_in.issuer().discover().await.map_err(|error| match error {
        IssuerError::Unavailable { cause, .. } => cause,
        IssuerError::Token(cause) => panic!("{cause}"),
    })
}

fn is_unknown(outcome: &Result<(), IssuerError>) -> bool {
    matches!(outcome, Err(IssuerError::Token(TokenError::UnknownKey(_))))
}

fn is_unavailable(outcome: &Result<(), IssuerError>) -> bool {
    matches!(outcome, Err(IssuerError::Unavailable { .. }))
}

#[test]
fn an_issuer_is_named_by_a_plain_https_url() {
    let outbound = Outbound::open(Reach::Public, None).unwrap();
    let is_name = |name: &str| Issuer::new(name, outbound.clone()).is_ok();
    for name in ["https://accounts.example.com", "https://example.com/realms/one", "https://example.com/"] {
        assert!(is_name(name), "{name}");
    }
    for name in [
        "accounts.example.com",
        "http://accounts.example.com",
        "http://localhost:8080",
        "https://127.0.0.1",
        "https://10.0.0.1",
        "https://user@accounts.example.com",
        "https://accounts.example.com?realm=one",
        "https://accounts.example.com#one",
        "",
    ] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn the_document_is_found_below_the_name() {
    let outbound = Outbound::open(Reach::Public, None).unwrap();
    for (name, document) in [
        ("https://example.com", "https://example.com/.well-known/openid-configuration"),
        ("https://example.com/", "https://example.com/.well-known/openid-configuration"),
        ("https://example.com/one", "https://example.com/one/.well-known/openid-configuration"),
        ("https://example.com/one/", "https://example.com/one/.well-known/openid-configuration"),
    ] {
        let issuer = Issuer::new(name, outbound.clone()).unwrap();
        assert_eq!((issuer.name(), issuer.0.document.as_str()), (name, document));
    }
}

#[tokio::test]
async fn an_issuer_publishes_where_it_is_to_be_called() {
    let stand_in = StandIn::start(&[]).await;
    let metadata = stand_in.issuer().discover().await.unwrap();
    assert_eq!(metadata.authorization_endpoint.path(), "/authorize");
    assert_eq!(metadata.token_endpoint.path(), "/token");
    assert_eq!(metadata.userinfo_endpoint.as_ref().unwrap().path(), "/userinfo");
    assert_eq!(metadata.jwks_uri.path(), "/keys");
    assert!(!metadata.returns_iss);
    assert_eq!(metadata.token_endpoint_auth_methods, ["client_secret_basic"]);
    assert!(discover_with("authorization_response_iss_parameter_supported", json!(true)).await.unwrap().returns_iss);
    let metadata = discover_with("token_endpoint_auth_methods_supported", json!(["client_secret_post"])).await.unwrap();
    assert_eq!(metadata.token_endpoint_auth_methods, ["client_secret_post"]);
    assert_eq!(discover_with("userinfo_endpoint", Value::Null).await.unwrap().userinfo_endpoint, None);
}

#[tokio::test]
async fn the_document_of_another_issuer_is_refused() {
    let stand_in = StandIn::start(&[]).await;
    let near = stand_in.name.replace("127.0.0.1", "localhost");
    for name in [format!("{}/", stand_in.name), stand_in.name.to_uppercase(), near, "https://evil.example".to_owned()] {
        stand_in.publish(|document| document["issuer"] = json!(name));
        let refused = IssuerError::Unavailable { issuer: stand_in.name.clone(), cause: Failure::OtherIssuer(name) };
        assert_eq!(stand_in.issuer().discover().await, Err(refused));
    }
    assert!(matches!(discover_with("issuer", Value::Null).await, Err(Failure::Call(_))));
}

#[tokio::test]
async fn endpoints_that_may_not_be_called_are_refused() {
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        for url in ["http://example.com/x", "https://10.0.0.1/x", "https://169.254.169.254/x", "javascript:x", "/x", ""]
        {
            assert_eq!(discover_with(endpoint, json!(url)).await, Err(Failure::Endpoint(endpoint)), "{endpoint} {url}");
        }
    }
    for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert_eq!(discover_with(endpoint, Value::Null).await, Err(Failure::Endpoint(endpoint)));
    }
}

#[tokio::test]
async fn what_is_published_is_remembered_for_an_hour() {
    let key = new_key(Algorithm::EdDsa);
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    for _ in 0..3 {
        assert_eq!(verify(&issuer, &key).await, Ok(()));
        issuer.discover().await.unwrap();
    }
    pass(HOUR - 10 * SECOND).await;
    assert_eq!(verify(&issuer, &key).await, Ok(()));
    assert_eq!(stand_in.asked(), (1, 1));
    pass(11 * SECOND).await;
    assert_eq!(verify(&issuer, &key).await, Ok(()));
    assert_eq!(stand_in.asked(), (2, 2));
}

#[tokio::test]
async fn fifty_at_once_ask_once() {
    let key = new_key(Algorithm::Es256);
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    let outcomes = join_all((0..50).map(|_| verify(&issuer, &key))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(stand_in.asked(), (1, 1));
}

#[tokio::test]
async fn a_dead_issuer_costs_one_call_in_five_seconds() {
    let key = new_key(Algorithm::EdDsa);
    let stand_in = StandIn::start(&[&key]).await;
    stand_in.fail();
    let issuer = stand_in.issuer();
    let outcomes = join_all((0..50).map(|_| verify(&issuer, &key))).await;
    assert!(outcomes.iter().all(is_unavailable));
    assert_eq!(stand_in.asked(), (1, 0));
    pass(6 * SECOND).await;
    stand_in.publish(|_| {});
    stand_in.publish_keys(&[&key]);
    assert_eq!(verify(&issuer, &key).await, Ok(()));
    assert_eq!(stand_in.asked(), (2, 1));
}

#[tokio::test]
async fn what_is_remembered_serves_for_a_day_while_nothing_newer_is_to_be_had() {
    let key = new_key(Algorithm::EdDsa);
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    assert_eq!(verify(&issuer, &key).await, Ok(()));
    stand_in.fail();
    pass(HOUR + SECOND).await;
    for _ in 0..3 {
        assert_eq!(verify(&issuer, &key).await, Ok(()));
    }
    // The document is stale too, and tried first: what it said of the keys' place still holds.
    assert_eq!(stand_in.asked(), (2, 2));
    pass(22 * HOUR).await;
    assert_eq!(verify(&issuer, &key).await, Ok(()));
    pass(HOUR).await;
    assert!(is_unavailable(&verify(&issuer, &key).await));
}

#[tokio::test]
async fn nonsense_never_takes_the_place_of_good_keys() {
    let key = new_key(Algorithm::EdDsa);
    for nonsense in [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#, "<html>", "", r#"{"keys":1}"#, "\u{0}"]
    {
        let stand_in = StandIn::start(&[&key]).await;
        let issuer = stand_in.issuer();
        assert_eq!(verify(&issuer, &key).await, Ok(()));
        stand_in.publish_key_text(nonsense);
        pass(HOUR + SECOND).await;
        assert_eq!(verify(&issuer, &key).await, Ok(()), "{nonsense}");
        assert_eq!(stand_in.asked(), (2, 2), "{nonsense}");
        assert!(is_unavailable(&verify(&stand_in.issuer(), &key).await), "{nonsense}");
    }
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_ends() {
    let (old, new) = (new_key(Algorithm::EdDsa), new_key(Algorithm::Es256));
    let stand_in = StandIn::start(&[&old]).await;
    let issuer = stand_in.issuer();
    assert_eq!(verify(&issuer, &old).await, Ok(()));
    stand_in.publish_keys(&[&new]);
    pass(31 * SECOND).await;
    assert_eq!(verify(&issuer, &old).await, Ok(()));
    let outcomes = join_all((0..50).map(|_| verify(&issuer, &new))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert!(is_unknown(&verify(&issuer, &old).await));
    assert_eq!(stand_in.asked(), (1, 2));
}

#[tokio::test]
async fn a_storm_of_unknown_keys_costs_one_call_in_thirty_seconds() {
    let (key, unknown) = (new_key(Algorithm::EdDsa), new_key(Algorithm::EdDsa));
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    assert!(is_unknown(&verify(&issuer, &unknown).await));
    assert_eq!(stand_in.asked(), (1, 1));
    for calls in [2, 3] {
        pass(31 * SECOND).await;
        let outcomes = join_all((0..50).map(|_| verify(&issuer, &unknown))).await;
        assert!(outcomes.iter().all(is_unknown));
        pass(20 * SECOND).await;
        assert!(is_unknown(&verify(&issuer, &unknown).await));
        assert_eq!(verify(&issuer, &key).await, Ok(()));
        assert_eq!(stand_in.asked(), (1, calls));
    }
}

#[tokio::test]
async fn an_unknown_key_stays_one_while_the_issuer_is_dead() {
    let (key, unknown) = (new_key(Algorithm::EdDsa), new_key(Algorithm::EdDsa));
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    assert_eq!(verify(&issuer, &key).await, Ok(()));
    stand_in.fail();
    pass(31 * SECOND).await;
    let outcomes = join_all((0..50).map(|_| verify(&issuer, &unknown))).await;
    assert!(outcomes.iter().all(is_unknown));
    assert_eq!(verify(&issuer, &key).await, Ok(()));
    assert_eq!(stand_in.asked(), (1, 2));
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_keep_a_new_key_from_being_found() {
    let (old, new) = (new_key(Algorithm::EdDsa), new_key(Algorithm::EdDsa));
    let stand_in = StandIn::start(&[&old]).await;
    let issuer = stand_in.issuer();
    assert_eq!(verify(&issuer, &old).await, Ok(()));
    stand_in.is_asked().await;
    stand_in.publish_keys(&[&new]);
    pass(31 * SECOND).await;
    let held = stand_in.hold().await;
    tokio::select! {
        biased;
        () = stand_in.is_asked() => {}
        outcome = verify(&issuer, &new) => panic!("{outcome:?}"),
    }
    drop(held);
    assert_eq!(verify(&issuer, &new).await, Ok(()));
    assert_eq!(stand_in.asked(), (1, 2));
}

#[tokio::test]
async fn nobody_waits_while_a_stale_value_is_renewed() {
    let key = new_key(Algorithm::EdDsa);
    let stand_in = StandIn::start(&[&key]).await;
    let issuer = stand_in.issuer();
    issuer.discover().await.unwrap();
    stand_in.is_asked().await;
    pass(HOUR + SECOND).await;
    let held = stand_in.hold().await;
    let first = issuer.discover();
    tokio::pin!(first);
    tokio::select! {
        biased;
        () = stand_in.is_asked() => {}
        outcome = &mut first => panic!("{outcome:?}"),
    }
    issuer.discover().now_or_never().expect("nobody waits").unwrap();
    assert_eq!(stand_in.asked(), (2, 0));
    drop(held);
    first.await.unwrap();
}

#[tokio::test]
async fn a_key_in_anothers_place_is_found() {
    let (old, new) = (new_key(Algorithm::EdDsa), new_key(Algorithm::EdDsa));
    let publish = |stand_in: &StandIn, key: &SigningKey| {
        let mut jwk = serde_json::to_value(key.verification_key().to_jwk()).unwrap();
        jwk["kid"] = json!("main");
        stand_in.publish_key_text(&json!({"keys": [jwk]}).to_string());
    };
    let stand_in = StandIn::start(&[]).await;
    publish(&stand_in, &old);
    let issuer = stand_in.issuer();
    let signed = |key: &SigningKey| key.sign_as("main", "JWT", &json!({"sub": "1"})).unwrap();
    issuer.verify(&signed(&old), ForeignType::Jwt).await.unwrap();
    publish(&stand_in, &new);
    pass(31 * SECOND).await;
    issuer.verify(&signed(&new), ForeignType::Jwt).await.unwrap();
    assert_eq!(issuer.verify(&signed(&old), ForeignType::Jwt).await, Err(IssuerError::Token(TokenError::Signature)));
}

#[tokio::test]
async fn trouble_is_told_in_one_sentence() {
    let stand_in = StandIn::start(&[]).await;
    stand_in.fail();
    let told = stand_in.issuer().discover().await.unwrap_err().to_string();
    assert_eq!(told, format!("{} is unavailable: its document was answered with 503", stand_in.name));
}
