//! The claims of an ID token, read leniently where issuers differ in form and nothing hangs on it.

use serde::{Deserialize, Deserializer, de};
use serde_json::{Error, Value};

/// The claims that count.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: Audience,
    pub(super) azp: Option<String>,
    #[serde(deserialize_with = "seconds")]
    pub(super) exp: i64,
    #[serde(deserialize_with = "seconds")]
    pub(super) iat: i64,
    #[serde(default, deserialize_with = "optional_seconds")]
    pub(super) nbf: Option<i64>,
    pub(super) nonce: Option<String>,
    pub(super) at_hash: Option<String>,
    pub(super) events: Option<Value>,
    #[serde(default, deserialize_with = "text")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub(super) email_verified: bool,
    #[serde(default, deserialize_with = "text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) given_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) family_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) nickname: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) picture: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) locale: Option<String>,
}

/// `aud` in either form of RFC 7519 section 4.1.3.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    /// Of one.
    One(String),
    /// Of any number.
    Several(Vec<String>),
}

impl Claims {
    /// Reads an object; serde would take an array for one too, by position.
    pub(super) fn read(json: &[u8]) -> Result<Self, Error> {
        if json.first() == Some(&b'{') { serde_json::from_slice(json) } else { Err(de::Error::custom("not an object")) }
    }
}

/// Reads seconds since 1970, which may be no whole number (RFC 7519 section 2), rounded down.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = number.as_i64();
    #[allow(clippy::cast_possible_truncation, reason = "a fraction goes, and what no i64 holds becomes the nearest")]
    let rounded = || number.as_f64().map(|number| number.floor() as i64);
    whole.or_else(rounded).ok_or_else(|| de::Error::custom("not a time"))
}

/// As [`seconds`], of a claim that may be missing.
pub(crate) fn optional_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    seconds(deserializer).map(Some)
}

/// Reads a claim about a person: anything but text that can be kept is as good as none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let is_kept = |text: &&str| !text.is_empty() && !text.chars().any(char::is_control);
    Ok(value.as_str().filter(is_kept).map(str::to_owned))
}

/// Reads a truth, which Apple writes as text; anything else is none.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_bool().unwrap_or(value.as_str() == Some("true")))
}
