//! What a service knows of its callers by the gateway's signature alone, as docs/guides/gateway.md tells it to look.

use std::fs;

use auth_token::{KeySet, TokenError};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use service_kit::clock::Clock;

use super::{Gateway, ROUTES, Site, upstream::values};
use crate::{client::Client, support::Workplace};

const HEADER: &str = "x-gateway-assertion";

/// A gateway that signs, with a key that was made as the guide says.
async fn signing_gateway(site: &Site) -> Gateway {
    let routes = ROUTES.replace("UPSTREAM", &site.upstream.url());
    let place = Gateway::place(&[site.api_place.port], &format!("{routes}\n[assertion]\nkey = \"gateway-key.pem\"\n"));
    make_key(&place, "gateway-key");
    Gateway::start_in(place).await
}

fn make_key(place: &Workplace, name: &str) {
    let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
    let made = place.run(&["keys", "generate", "--algorithm", "EdDSA", "--private", &private, "--public", &public]);
    assert_eq!(made.code, Some(0), "{made:?}");
}

/// The published key.
async fn published(client: &Client) -> KeySet {
    let answer = client.get("/gateway/jwks.json").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    KeySet::from_jwks_json(&answer.body.to_string()).unwrap()
}

/// The claims of an assertion, once everything about it was looked at that the guide names.
fn verify(assertion: &str, keys: &KeySet, now: Timestamp) -> Result<Value, TokenError> {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    let claims: Value = serde_json::from_slice(&decode(claims)).unwrap();
    let [key] = keys.keys() else { panic!("one key is published") };
    assert_eq!((&header["typ"], &header["kid"]), (&Value::from("gateway+jwt"), &Value::from(key.kid())));
    key.verify(signed.as_bytes(), &decode(signature))?;
    assert_eq!((&claims["iss"], &claims["aud"]), (&Value::from("api-gateway"), &Value::from("service")));
    let [issued, expires] = ["iat", "exp"].map(|name| claims[name].as_i64().unwrap());
    assert!(issued <= now.as_second() && now.as_second() < expires && expires - issued <= 60, "{claims} {now}");
    Ok(claims)
}

#[tokio::test]
async fn a_service_verifies_by_the_published_key_who_calls() {
    let site = Site::with(ROUTES).await;
    let gateway = signing_gateway(&site).await;
    let keys = published(&gateway.client).await;
    let person = site.api().person("kim@example.com").await;
    let me = site.api().me(&person.access).await;
    assert_eq!(gateway.client.bearing(&person.access).get("/private/x").await.status, 200);
    let head = site.upstream.last();
    let [assertion] = values(&head, HEADER)[..] else { panic!("{head}") };
    let claims = verify(assertion, &keys, Clock::System.now()).unwrap();
    assert_eq!(claims["sub"], me.body["id"]);
    assert_eq!(claims["sid"], Value::from(values(&head, "x-session-id")[0]));
    assert_eq!((&claims["roles"], &claims["auth_method"]), (&json!(["user"]), &Value::from("token")));
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, body) = signed.split_once('.').unwrap();
    let text = String::from_utf8(BASE64URL_NOPAD.decode(body.as_bytes()).unwrap()).unwrap();
    let body = BASE64URL_NOPAD.encode(text.replace("\"user\"", "\"admin\"").as_bytes());
    assert_eq!(verify(&format!("{header}.{body}.{signature}"), &keys, Clock::System.now()), Err(TokenError::Signature));
}

#[tokio::test]
async fn a_client_cannot_assert_anything_and_an_assertion_is_no_credential() {
    let site = Site::with(ROUTES).await;
    let gateway = signing_gateway(&site).await;
    let keys = published(&gateway.client).await;
    let person = site.api().person("kim@example.com").await;
    assert_eq!(gateway.client.bearing(&person.access).get("/private/x").await.status, 200);
    let head = site.upstream.last();
    let stolen = values(&head, HEADER)[0];
    assert_eq!(gateway.client.with_header(HEADER, stolen).get("/open/x").await.status, 200);
    let head = site.upstream.last();
    let [assertion] = values(&head, HEADER)[..] else { panic!("{head}") };
    let claims = verify(assertion, &keys, Clock::System.now()).unwrap();
    assert_eq!((claims.get("sub"), &claims["auth_method"]), (None, &Value::from("none")), "nobody is known there");
    assert_eq!(gateway.client.bearing(stolen).get("/private/x").await.status, 401);
    assert_eq!(site.api().me(stolen).await.status, 401);
}

#[tokio::test]
async fn a_reload_replaces_the_key_and_publishes_the_new_one() {
    let site = Site::with(ROUTES).await;
    let gateway = signing_gateway(&site).await;
    let before = published(&gateway.client).await;
    make_key(&gateway.place, "next-key");
    let file = fs::read_to_string(gateway.file()).unwrap();
    fs::write(gateway.file(), file.replace("gateway-key.pem", "next-key.pem")).unwrap();
    gateway.program.signal("HUP");
    gateway.program.until_logged("the routes are read anew").await;
    let after = published(&gateway.client).await;
    assert_ne!(before.keys()[0].kid(), after.keys()[0].kid());
    assert_eq!(gateway.client.get("/open/x").await.status, 200);
    let head = site.upstream.last();
    assert!(verify(values(&head, HEADER)[0], &after, Clock::System.now()).is_ok());
}

#[tokio::test]
async fn without_a_key_nothing_is_asserted_or_published() {
    let site = Site::with(ROUTES).await;
    assert_eq!(site.front().get("/open/x").await.status, 200);
    assert_eq!(values(&site.upstream.last(), HEADER), [""; 0]);
    assert_eq!(site.front().get("/gateway/jwks.json").await.status, 404);
}
