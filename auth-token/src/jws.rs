//! The compact form of a token (RFC 7515 section 7.1), read strictly.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{Algorithm, TokenError};

/// The longest key id, bytes.
const KID_LONGEST: usize = 128;
/// The type of an access token (RFC 9068 section 2.1).
pub(crate) const TYPE: &str = "at+jwt";
/// Members that no foreign token may have: `crit` must be understood (RFC 7515 section 4.1.11), `b64` changes what is
/// signed (RFC 7797), and the others would have the token bring its own key.
const REFUSED: [&str; 6] = ["b64", "crit", "jku", "jwk", "x5c", "x5u"];

/// The three parts of a token; nothing of it is believed yet.
pub(crate) struct Compact<'a> {
    /// What the signature is over.
    pub(crate) signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

/// Exactly the members that we write. Others are refused, not skipped: `crit` must be understood (RFC 7515 section
/// 4.1.11), and `jku`, `jwk`, `x5u`, `x5c` would have the token bring its own key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// The algorithm: compared with the key's, never followed.
    pub(crate) alg: String,
    typ: Option<String>,
    /// The key.
    pub(crate) kid: String,
}

/// What counts of the header of a foreign token. Harmless members that its issuer adds, such as `x5t`, are skipped.
#[derive(Deserialize)]
pub(crate) struct ForeignHeader {
    /// The algorithm: compared with the key's, never followed.
    pub(crate) alg: String,
    pub(crate) typ: Option<String>,
    /// The key, if it is named.
    pub(crate) kid: Option<String>,
}

impl<'a> Compact<'a> {
    /// Splits a token.
    pub(crate) fn parse(token: &'a str) -> Result<Self, TokenError> {
        let parts =
            token.rsplit_once('.').and_then(|(signed, signature)| Some((signed, signed.split_once('.')?, signature)));
        match parts {
            Some((signed, (header, claims), signature)) if !claims.contains('.') => {
                Ok(Self { signed, header, claims, signature })
            }
            Some(_) | None => Err(TokenError::Malformed("not three parts")),
        }
    }

    /// The header.
    pub(crate) fn header(&self) -> Result<Header, TokenError> {
        let malformed = TokenError::Malformed("its header is not {alg, typ, kid}");
        let header: Header = parse_object(&decode(self.header)?).map_err(|_| malformed.clone())?;
        if is_plain(&header.kid) { Ok(header) } else { Err(malformed) }
    }

    /// The header of a foreign token.
    pub(crate) fn foreign_header(&self) -> Result<ForeignHeader, TokenError> {
        let malformed = |_| TokenError::Malformed("its header is not {alg, typ?, kid?}");
        let json = decode(self.header)?;
        let header: ForeignHeader = parse_object(&json).map_err(malformed)?;
        let members: BTreeMap<String, IgnoredAny> = parse_object(&json).map_err(malformed)?;
        if REFUSED.iter().any(|member| members.contains_key(*member)) {
            return Err(TokenError::Malformed("its header has crit or b64, or brings its own key"));
        }
        if !header.kid.as_deref().is_none_or(is_plain) {
            return Err(TokenError::Malformed("its kid is not plain text of 1 to 128 characters"));
        }
        Ok(header)
    }

    /// The claims, as JSON.
    pub(crate) fn claims(&self) -> Result<Vec<u8>, TokenError> {
        decode(self.claims)
    }

    /// The signature.
    pub(crate) fn signature(&self) -> Result<Vec<u8>, TokenError> {
        decode(self.signature)
    }
}

impl Header {
    /// Whether it is one of an access token.
    pub(crate) fn is_access_token(&self) -> bool {
        is_access_token_type(self.typ.as_deref().unwrap_or_default())
    }
}

/// Whether `typ` says access token (RFC 9068 section 4).
pub(crate) fn is_access_token_type(typ: &str) -> bool {
    is_type(typ, TYPE)
}

/// Whether `typ` says this type, in full or without `application/` (RFC 7515 section 4.1.9).
pub(crate) fn is_type(typ: &str, expected: &str) -> bool {
    let (prefix, short) = typ.split_at_checked("application/".len()).unwrap_or_default();
    typ.eq_ignore_ascii_case(expected)
        || (prefix.eq_ignore_ascii_case("application/") && short.eq_ignore_ascii_case(expected))
}

/// The encoded header of tokens of this type that are signed by this key.
pub(crate) fn write_header(algorithm: Algorithm, typ: &str, kid: &str) -> String {
    // A string always makes JSON.
    let [typ, kid] = [typ, kid].map(|text| serde_json::to_string(text).unwrap_or_default());
    BASE64URL_NOPAD.encode(format!(r#"{{"alg":"{algorithm}","typ":{typ},"kid":{kid}}}"#).as_bytes())
}

/// Reads an object; serde would take an array for one too, by position.
pub(crate) fn parse_object<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    if json.first() == Some(&b'{') {
        serde_json::from_slice(json)
    } else {
        Err(serde::de::Error::custom("not an object"))
    }
}

/// The id of an unknown key is logged: nothing in it may pass for something else there.
fn is_plain(kid: &str) -> bool {
    (1..=KID_LONGEST).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic())
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| TokenError::Malformed("not base64url without padding"))
}
