//! Public keys as JSON (RFC 7517) and their thumbprints (RFC 7638).

use aws_lc_rs::{
    digest,
    encoding::{AsDer, PublicKeyX509Der},
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RsaPublicKeyComponents},
};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::{Algorithm, KeyError};

/// Length of a coordinate on P-256, and of an Ed25519 key.
const COORDINATE: usize = 32;
/// The first byte of an uncompressed point (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// A public key as JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Jwk {
    /// Type and numbers.
    #[serde(flatten)]
    pub parameters: JwkParameters,
    /// Its id, by which tokens name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// JOSE name of its one algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`: it verifies.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
}

/// The members that make the key (RFC 7518 section 6, RFC 8037 section 2), in base64url.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kty")]
pub enum JwkParameters {
    /// RSA.
    #[serde(rename = "RSA")]
    Rsa {
        /// Modulus.
        n: String,
        /// Exponent.
        e: String,
    },
    /// An elliptic curve.
    #[serde(rename = "EC")]
    Ec {
        /// Name of the curve.
        crv: String,
        /// First coordinate.
        x: String,
        /// Second coordinate.
        y: String,
    },
    /// An Edwards curve.
    #[serde(rename = "OKP")]
    Okp {
        /// Name of the curve.
        crv: String,
        /// The key.
        x: String,
    },
}

impl Jwk {
    /// The one algorithm that the key is for: what it states has to agree with its type.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, KeyError> {
        let (algorithm, names): (Algorithm, &[&str]) = match &self.parameters {
            JwkParameters::Rsa { .. } => (Algorithm::Rs256, &["RS256"]),
            JwkParameters::Ec { crv, .. } if crv == "P-256" => (Algorithm::Es256, &["ES256"]),
            // RFC 9864 calls it Ed25519.
            JwkParameters::Okp { crv, .. } if crv == "Ed25519" => (Algorithm::EdDsa, &["EdDSA", "Ed25519"]),
            JwkParameters::Ec { .. } | JwkParameters::Okp { .. } => {
                return Err(KeyError::Jwk("its curve is neither P-256 nor Ed25519"));
            }
        };
        if self.alg.as_deref().is_some_and(|alg| !names.contains(&alg)) {
            return Err(KeyError::Jwk("its alg is none of RS256, ES256, EdDSA, or not for its kty"));
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(KeyError::Jwk("its use is not sig"));
        }
        Ok(algorithm)
    }
}

impl JwkParameters {
    /// The parameters of a key in SubjectPublicKeyInfo.
    pub(crate) fn of(algorithm: Algorithm, spki: &[u8]) -> Result<Self, KeyError> {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let invalid = KeyError::Invalid(algorithm);
        match algorithm {
            Algorithm::Rs256 => {
                let key = rsa::PublicKey::from_der(spki).map_err(|_| invalid)?;
                let numbers = RsaPublicKeyComponents::<Vec<u8>>::from(&key);
                Ok(Self::Rsa { n: encode(&numbers.n), e: encode(&numbers.e) })
            }
            Algorithm::Es256 => {
                let (_, point) = spki.split_last_chunk::<{ 1 + 2 * COORDINATE }>().ok_or(invalid.clone())?;
                let [UNCOMPRESSED, coordinates @ ..] = point else {
                    return Err(invalid);
                };
                let (x, y) = coordinates.split_at(COORDINATE);
                Ok(Self::Ec { crv: "P-256".to_owned(), x: encode(x), y: encode(y) })
            }
            Algorithm::EdDsa => {
                let (_, key) = spki.split_last_chunk::<COORDINATE>().ok_or(invalid)?;
                Ok(Self::Okp { crv: "Ed25519".to_owned(), x: encode(key) })
            }
            Algorithm::Hs256 => Err(KeyError::SharedSecret),
        }
    }

    /// The key in SubjectPublicKeyInfo.
    pub(crate) fn to_spki(&self) -> Result<Vec<u8>, KeyError> {
        let der: Option<PublicKeyX509Der<'static>> = match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n: decode(n)?, e: decode(e)? }.as_der().ok(),
            Self::Ec { x, y, .. } => {
                let point = [vec![UNCOMPRESSED], decode(x)?, decode(y)?].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok().and_then(|key| key.as_der().ok())
            }
            Self::Okp { x, .. } => ParsedPublicKey::new(&ED25519, decode(x)?).ok().and_then(|key| key.as_der().ok()),
        };
        der.map(|der| der.as_ref().to_vec()).ok_or(KeyError::Jwk("its numbers do not make a key"))
    }

    /// SHA-256 thumbprint (RFC 7638 section 3): over the members that make the key, in the order of their names.
    pub(crate) fn thumbprint(&self) -> [u8; 32] {
        sha256(&match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        })
    }
}

/// SHA-256 thumbprint of a shared secret. It betrays no more of it than a signature does, which can be tried against
/// guesses just the same: hence the least length.
pub(crate) fn secret_thumbprint(secret: &[u8]) -> [u8; 32] {
    sha256(&zeroize::Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, BASE64URL_NOPAD.encode(secret))))
}

/// SHA-256 of `text`.
pub(crate) fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}

fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| KeyError::Jwk("a number is not base64url without padding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638 section 3.1.
    #[test]
    fn a_thumbprint_is_the_one_of_rfc_7638() {
        let jwk: Jwk = serde_json::from_str(
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
        )
        .unwrap();
        assert_eq!(BASE64URL_NOPAD.encode(&jwk.parameters.thumbprint()), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(jwk.algorithm(), Ok(Algorithm::Rs256));
    }

    /// The example of RFC 8037 appendix A.3.
    #[test]
    fn an_ed25519_thumbprint_is_the_one_of_rfc_8037() {
        let key = JwkParameters::Okp {
            crv: "Ed25519".to_owned(),
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
        };
        assert_eq!(BASE64URL_NOPAD.encode(&key.thumbprint()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
