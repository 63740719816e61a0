//! The identity providers, by a visitor that speaks HTTP by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod apple;
mod github;
mod kakao;
mod naver;
mod openid;
mod trouble;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use test_peers::{RegisteredClient, Reply, Visitor};

/// Nobody answers there: what a provider says to it is in the query.
const CALLBACK: &str = "https://auth.example/callback";
const CLIENT: &str = "client-1";
const SECRET: &str = "secret-1";
/// The verifier and the challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> RegisteredClient {
    RegisteredClient::new(CLIENT, SECRET, &[CALLBACK])
}

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"))
}

fn get(url: &str) -> Reply {
    Visitor::default().get(url).unwrap()
}

fn get_as(url: &str, scheme: &str, credentials: &str) -> Reply {
    let authorization = format!("{scheme} {credentials}");
    let headers = [("Authorization", authorization.as_str()), ("User-Agent", "test")];
    Visitor::default().send("GET", url, &headers, "").unwrap()
}

/// The parts of a token whose signature is that of the key it names in a set.
fn verified(token: &str, set: &Value) -> (Value, Value) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = claims_of(token);
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("the key is in the set");
    let [n, e] = ["n", "e"].map(|name| decode(key[name].as_str().unwrap()));
    let key = RsaPublicKeyComponents { n, e };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)).expect("the key's signature");
    (header, claims)
}

/// The parts of a token, whoever has signed it.
fn claims_of(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| serde_json::from_slice(&decode(part)).unwrap_or_default());
    (parts.next().unwrap(), parts.next().unwrap())
}

fn decode(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}
