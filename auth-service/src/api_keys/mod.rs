//! API keys: what programs act for a person by.
//!
//! `ask_<id>_<secret>`: the id finds the key, SHA-256 of the secret proves it. A key is never worth more than its owner:
//! at every use its scopes are cut to what the owner holds. It is read at most once a second, and refused within a second
//! of its revocation.

pub mod all_http;
pub mod http;
mod issue;
mod resolve;
mod store;

use std::time::Duration;

use crate::{
    fields::Fault,
    ids::{OpaqueToken, TokenHash},
};

use uuid::Uuid;

pub use issue::{end, revoke_all};
pub use resolve::{KeyCache, KeyGrant, resolve};
pub use store::{delete_old, list_live};

/// What every key begins with: secret scanners know it by that.
pub const PREFIX: &str = "ask_";
/// The most live keys of one person.
const MAX_PER_USER: i64 = 100;
/// Life of a key when nothing is said.
const DEFAULT_LIFE: Duration = Duration::from_secs(90 * 86_400);
/// The longest life of a key.
const MAX_LIFE: Duration = Duration::from_secs(730 * 86_400);
/// How long a replaced key stays good when nothing is said, and at most.
const DEFAULT_OVERLAP: Duration = Duration::from_secs(86_400);
const MAX_OVERLAP: Duration = Duration::from_secs(30 * 86_400);

/// A key as its owner sends it.
struct Presented {
    id: Uuid,
    secret_hash: TokenHash,
}

impl Presented {
    /// Reads `ask_<id>_<secret>`; nothing if it is not one of ours by shape.
    fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id = Uuid::try_parse(id).ok().filter(|uuid| uuid.simple().to_string() == id)?;
        Some(Self { id, secret_hash: OpaqueToken::parse(secret)?.hash() })
    }
}

/// The form that goes to the owner.
fn to_wire(id: Uuid, secret: &OpaqueToken) -> String {
    format!("{PREFIX}{}_{}", id.simple(), secret.to_wire())
}

/// What a key is for.
struct KeyName(String);

impl KeyName {
    fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(Fault::new("empty", "This must not be empty.", "비어 있을 수 없습니다.")),
            1..=100 if !text.chars().any(char::is_control) => Ok(Self(text.to_owned())),
            1..=100 => Err(Fault::new("invalid_name", "No control characters.", "제어 문자는 쓸 수 없습니다.")),
            _ => Err(Fault::new("too_long", "At most 100 characters.", "100자를 넘을 수 없습니다.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Entropy;

    #[test]
    fn a_key_comes_back_as_it_went() {
        let (id, secret) = (Uuid::from_u128(7), Entropy.token());
        let wire = to_wire(id, &secret);
        let presented = Presented::parse(&wire).unwrap();
        assert_eq!((presented.id, presented.secret_hash.to_hex()), (id, secret.hash().to_hex()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = to_wire(Uuid::from_u128(7), &Entropy.token());
        let hyphenated = good.replace(&Uuid::from_u128(7).simple().to_string(), &Uuid::from_u128(7).to_string());
        for text in ["", "ask_", "ask_x_y", &good[1..], &good[..good.len() - 1], &format!("{good}A"), &hyphenated] {
            assert!(Presented::parse(text).is_none(), "{text}");
        }
    }
}
