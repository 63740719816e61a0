//! People of Firebase: the JSON of `firebase auth:export`, whose hashes need the project's own key.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL};
use serde_json::{Map, Value};

use super::row::{Raw, Refusal, closed_if, flag, text, time};

/// The hash parameters that the Firebase console shows for a project.
#[derive(Clone)]
pub struct SignerKey {
    key: Vec<u8>,
    salt_separator: Vec<u8>,
    rounds: u32,
    memory_cost: u32,
}

impl SignerKey {
    /// From `base64_signer_key`, `base64_salt_separator`, `rounds` and `mem_cost`.
    ///
    /// # Errors
    /// What is no base64.
    pub fn parse(key: &str, salt_separator: &str, rounds: u32, memory_cost: u32) -> Result<Self, &'static str> {
        let key = decode(key).filter(|key| !key.is_empty()).ok_or("the signer key is not base64")?;
        let salt_separator = decode(salt_separator).ok_or("the salt separator is not base64")?;
        Ok(Self { key, salt_separator, rounds, memory_cost })
    }
}

/// Reads a user; without the project's key a hash cannot be taken.
pub(super) fn read(members: &Map<String, Value>, key: Option<&SignerKey>) -> Result<Raw, Refusal> {
    Ok(Raw {
        email: text(members, "email")?,
        display_name: text(members, "displayName")?,
        password_hash: password(members, key)?,
        email_verified: flag(members, "emailVerified")?,
        status: closed_if(flag(members, "disabled")?),
        created_at: time(members, "createdAt")?,
        ..Raw::default()
    })
}

/// The hash in the form that `passwords` verifies: it carries the project's key, as every one of them must.
fn password(members: &Map<String, Value>, key: Option<&SignerKey>) -> Result<Option<String>, Refusal> {
    let Some(hash) = text(members, "passwordHash")? else { return Ok(None) };
    let unsupported = |detail: &str| Refusal::new("unsupported_hash", detail);
    let key = key.ok_or_else(|| unsupported("a Firebase hash needs --firebase-signer-key"))?;
    let salt =
        text(members, "salt")?.and_then(|salt| decode(&salt)).ok_or_else(|| unsupported("the salt is missing"))?;
    let hash = decode(&hash).ok_or_else(|| unsupported("the hash is not base64"))?;
    Ok(Some(format!(
        "$fbscrypt$v=1,n={},r={},p=1,ss={},sk={}${}${}",
        key.memory_cost,
        key.rounds,
        BASE64_NOPAD.encode(&key.salt_separator),
        BASE64_NOPAD.encode(&key.key),
        BASE64_NOPAD.encode(&salt),
        BASE64_NOPAD.encode(&hash)
    )))
}

/// Exports are in either alphabet.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).or_else(|_| BASE64URL.decode(text.as_bytes())).ok()
}
