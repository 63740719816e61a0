//! What an access token says (RFC 9068 section 2.2).

use std::{
    any::Any,
    sync::{Arc, OnceLock, atomic::AtomicU64},
};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// The claims of an access token; no address and no name among them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// The user.
    pub sub: Uuid,
    /// Whom the token is for. Of several, a verifier keeps the one that it stands for.
    #[serde(deserialize_with = "first_audience")]
    pub aud: String,
    /// When it ends, Unix seconds.
    pub exp: i64,
    /// When it was issued, Unix seconds.
    pub iat: i64,
    /// The token.
    pub jti: Uuid,
    /// The session.
    pub sid: Uuid,
    /// The user's token version at issue: a `user` revocation of a higher one refuses the token.
    pub ver: i64,
    /// The role catalogue's version at issue: a `role` revocation of a higher one refuses the token.
    pub rv: i64,
    /// Names of the user's roles.
    pub roles: Vec<String>,
    /// What the user may do, each `resource:action`.
    pub permissions: Vec<String>,
    /// When the user last proved who they are, Unix seconds.
    pub auth_time: i64,
    /// How they proved it (RFC 8176).
    pub amr: Vec<String>,
}

/// A token whose signature and claims were found good.
#[derive(Debug)]
pub struct VerifiedToken {
    /// What it says.
    pub claims: AccessClaims,
    /// The id of the key that signed it.
    pub kid: Arc<str>,
    /// Which key that was, whatever its id: a remembered token ends with it.
    pub(crate) thumbprint: [u8; 32],
    pub(crate) derived: OnceLock<Box<dyn Any + Send + Sync>>,
    /// Which state of a view did not revoke it when it was last looked up.
    pub(crate) cleared: AtomicU64,
}

impl VerifiedToken {
    /// What its reader makes of the token over and over: made at the first call, and kept for as long as the token is
    /// remembered. There is room for one type; of another, there is none.
    pub fn derived<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.derived.get_or_init(|| Box::new(make())).downcast_ref()
    }
}

/// `aud` in either form of RFC 7519 section 4.1.3.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Whether a token with these claims, as JSON, is also for `audience`.
pub(crate) fn is_for(claims: &[u8], audience: &str) -> bool {
    #[derive(Deserialize)]
    struct Addressed {
        aud: Audience,
    }
    serde_json::from_slice::<Addressed>(claims).is_ok_and(|addressed| match addressed.aud {
        Audience::One(one) => one == audience,
        Audience::Several(several) => several.iter().any(|one| one == audience),
    })
}

fn first_audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Audience::deserialize(deserializer)? {
        Audience::One(one) => Ok(one),
        Audience::Several(several) => {
            several.into_iter().next().ok_or_else(|| serde::de::Error::custom("`aud` is empty"))
        }
    }
}
