//! Tokens, and the requests of those who hold them.

use std::thread;

use anyhow::{Context, Result, anyhow};
use auth_token::{AccessClaims, SigningKey};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::deployment::Tokens;
use crate::wire;

/// A GET of this path by the holder of each token.
pub fn requests(path: &str, tokens: &[Tokens]) -> Vec<Bytes> {
    tokens.iter().map(|tokens| wire::get(path, Some(&tokens.access))).collect()
}

/// New tokens of sessions that exist, each with an id of its own.
pub fn mint(key: &SigningKey, known: &[Tokens], count: usize) -> Result<Vec<Tokens>> {
    let claims = known.iter().map(|tokens| {
        let payload = tokens.access.split('.').nth(1).context("no token")?;
        Ok(serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes())?)?)
    });
    let claims = claims.collect::<Result<Vec<Value>>>()?;
    let sign = |number: usize| {
        let mut claims = claims[number % claims.len()].clone();
        claims["jti"] = json!(format!("00000000-0000-7000-8000-{number:012x}"));
        let claims: AccessClaims = serde_json::from_value(claims)?;
        Ok(Tokens { access: key.sign(&claims)?, refresh: String::new() })
    };
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| (0..count / 2).map(sign).collect::<Result<Vec<_>>>());
        let second = (count / 2..count).map(sign).collect::<Result<Vec<_>>>();
        (first.join(), second)
    });
    Ok([first.map_err(|_| anyhow!("signing panicked"))??, second?].concat())
}
