//! Verifies tokens of foreign issuers by their published keys: ID tokens and security events.

use crate::{
    Algorithm, KeySet, TokenError, VerificationKey,
    jws::{Compact, ForeignHeader, is_type},
};

/// The longest token that is looked at, bytes.
const LONGEST: usize = 16 * 1024;

/// Which kind of token is expected, told by its `typ` (RFC 8725 section 3.11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForeignType {
    /// `JWT` or none at all: ID tokens.
    Jwt,
    /// `secevent+jwt`: security events (RFC 8417 section 2.3).
    SecurityEvent,
}

/// A foreign token whose signature was found good; its claims are yet to be judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForeignToken {
    /// By what it was signed: `at_hash` and its like are over the same hash.
    pub algorithm: Algorithm,
    /// What it says, as JSON.
    pub claims: Vec<u8>,
}

/// Verifies the signature of a token by its issuer's keys. The key decides the algorithm; one of a shared secret never
/// counts, and neither does a key that the token brings along.
///
/// # Errors
/// [`TokenError`]: why it is refused; [`TokenError::UnknownKey`] if a newer set may have its key.
pub fn verify_foreign(token: &str, keys: &KeySet, expected: ForeignType) -> Result<ForeignToken, TokenError> {
    if token.len() > LONGEST {
        return Err(TokenError::Malformed("longer than 16 KiB"));
    }
    let token = Compact::parse(token)?;
    let header = token.foreign_header()?;
    let key = choose_key(keys, &header)?;
    key.verify(token.signed.as_bytes(), &token.signature()?)?;
    // A good signature is not enough: the same key may sign other kinds of token.
    if !expected.is_told_by(header.typ.as_deref()) {
        return Err(TokenError::ForeignType(expected.as_str()));
    }
    Ok(ForeignToken { algorithm: key.algorithm(), claims: token.claims()? })
}

impl ForeignType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::SecurityEvent => "secevent+jwt",
        }
    }

    fn is_told_by(self, typ: Option<&str>) -> bool {
        match typ {
            Some(typ) => is_type(typ, self.as_str()),
            None => self == Self::Jwt,
        }
    }
}

/// The key that the token names, or the only one of its algorithm where it names none (OpenID Connect Core section
/// 10.1). Keys of different algorithms may share an id (RFC 7517 section 4.5).
fn choose_key<'a>(keys: &'a KeySet, header: &ForeignHeader) -> Result<&'a VerificationKey, TokenError> {
    let is_named = |key: &&VerificationKey| header.kid.as_deref().is_none_or(|kid| key.kid() == kid);
    let named = || keys.keys().iter().filter(is_named).filter(|key| key.algorithm() != Algorithm::Hs256);
    let mut fitting = named().filter(|key| is_name_of(&header.alg, key.algorithm()));
    match (fitting.next(), &header.kid) {
        (Some(key), Some(_)) => Ok(key),
        (Some(key), None) if fitting.next().is_none() => Ok(key),
        (_, None) => Err(TokenError::UnknownKey("(it names none)".to_owned())),
        // The key decides; a header that says otherwise is an attack (RFC 8725 section 3.1).
        (None, Some(kid)) => Err(match named().next() {
            Some(key) => TokenError::Algorithm(key.algorithm()),
            None => TokenError::UnknownKey(kid.clone()),
        }),
    }
}

/// RFC 9864 calls EdDSA on Ed25519 by the name of the curve.
fn is_name_of(alg: &str, algorithm: Algorithm) -> bool {
    alg == algorithm.as_str() || (algorithm == Algorithm::EdDsa && alg == "Ed25519")
}
