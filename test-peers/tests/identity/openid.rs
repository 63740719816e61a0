//! The OpenID provider, as its clients and its people use it.

use serde_json::{Value, json};
use test_peers::{ClientProof, IdTokenAlgorithm, OpenIdProvider, OpenIdSetup, Visitor};
use url::Url;

use super::{CALLBACK, CHALLENGE, CLIENT, SECRET, VERIFIER, claims_of, client, get, get_as, json, verified};

fn provider(setup: OpenIdSetup) -> OpenIdProvider {
    let ada = json!({"sub": "ada-1", "email": "ada@example.com", "email_verified": true, "name": "Ada", "picture": "https://example.com/ada.png"});
    let bob = json!({"sub": "bob-1", "email": "bob@example.com", "email_verified": false});
    OpenIdProvider::start(OpenIdSetup { clients: vec![client()], accounts: vec![ada, bob], ..setup }).unwrap()
}

fn discover(provider: &OpenIdProvider) -> Value {
    json(&get(&format!("{}/.well-known/openid-configuration", provider.issuer())))
}

fn keys(provider: &OpenIdProvider) -> Value {
    json(&get(discover(provider)["jwks_uri"].as_str().unwrap()))
}

fn request(provider: &OpenIdProvider, more: &str) -> String {
    let endpoint = discover(provider)["authorization_endpoint"].as_str().unwrap().to_owned();
    format!(
        "{endpoint}?client_id={CLIENT}&redirect_uri={CALLBACK}&response_type=code&scope=openid%20email%20profile&state=s{more}"
    )
}

fn proven() -> String {
    format!("&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256")
}

fn query(address: &str, name: &str) -> Option<String> {
    Url::parse(address).unwrap().query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

#[test]
fn person_signs_in_by_code_and_verifier() {
    let provider = provider(OpenIdSetup { client_proof: ClientProof::Post, ..OpenIdSetup::default() });
    let back = provider.sign_in(&request(&provider, &proven()), "ada@example.com").unwrap();
    assert!(back.starts_with(CALLBACK) && query(&back, "state").as_deref() == Some("s"), "{back}");
    let code = query(&back, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("code_verifier", VERIFIER),
    ];
    let endpoint = discover(&provider)["token_endpoint"].as_str().unwrap().to_owned();
    let tokens = json(&Visitor::default().post(&endpoint, &form).unwrap());
    let (header, claims) = verified(tokens["id_token"].as_str().unwrap(), &keys(&provider));
    assert_eq!((&header["alg"], &claims["iss"]), (&json!("RS256"), &json!(provider.issuer())));
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("ada-1"), &json!("n")));
    assert_eq!((&claims["email_verified"], &claims["name"]), (&json!(true), &json!("Ada")));
    let userinfo = discover(&provider)["userinfo_endpoint"].as_str().unwrap().to_owned();
    assert_eq!(
        json(&get_as(&userinfo, "Bearer", tokens["access_token"].as_str().unwrap()))["email"],
        "ada@example.com"
    );
    let again = Visitor::default().post(&endpoint, &form).unwrap();
    assert_eq!((again.status, &json(&again)["error"]), (400, &json!("invalid_grant")), "a code is good once");
}

#[test]
fn request_without_a_challenge_or_a_consent_comes_back_with_an_error() {
    let provider = provider(OpenIdSetup::default());
    let back = provider.sign_in(&request(&provider, "&nonce=n"), "ada-1").unwrap();
    assert_eq!(query(&back, "error").as_deref(), Some("invalid_request"));
    let back = provider.cancel(&request(&provider, &proven())).unwrap();
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    assert!(provider.sign_in(&request(&provider, &proven()), "nobody").is_err());
}

#[test]
fn id_tokens_are_for_the_client_the_nonce_and_the_time_asked_for() {
    let provider = provider(OpenIdSetup::default());
    provider.set_now(1_767_225_600).unwrap();
    let token = provider.id_token(CLIENT, "bob-1", Some("from the app")).unwrap();
    let (header, claims) = verified(&token, &keys(&provider));
    assert_eq!((&claims["aud"], &claims["nonce"]), (&json!(CLIENT), &json!("from the app")));
    assert_eq!((&claims["iat"], &claims["email_verified"]), (&json!(1_767_225_600), &json!(false)));
    provider.rotate_key().unwrap();
    let token = provider.id_token(CLIENT, "bob-1", None).unwrap();
    let (rotated, claims) = verified(&token, &keys(&provider));
    assert!(rotated["kid"] != header["kid"] && claims.get("nonce").is_none());
}

#[test]
fn id_tokens_are_signed_by_p_256_where_asked_for() {
    let provider = provider(OpenIdSetup { algorithm: IdTokenAlgorithm::Es256, ..OpenIdSetup::default() });
    let token = provider.id_token(CLIENT, "ada-1", None).unwrap();
    let (header, claims) = claims_of(&token);
    assert_eq!((&header["alg"], &claims["sub"]), (&json!("ES256"), &json!("ada-1")));
    assert_eq!(keys(&provider)["keys"][0]["crv"], "P-256");
}
