#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod algorithm;
mod claims;
mod error;
mod foreign;
mod jwk;
mod jws;
mod key_set;
mod key_type;
mod pem;
mod revocation;
mod revocation_view;
mod signing_key;
mod verification_key;
mod verifier;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use claims::{AccessClaims, VerifiedToken};
pub use error::{KeyError, TokenError};
pub use foreign::{ForeignToken, ForeignType, verify_foreign};
pub use jwk::{Jwk, JwkParameters};
pub use key_set::KeySet;
pub use revocation::{EVERYONE, Revocation, RevocationKind, UnknownRevocationKind};
pub use revocation_view::{RevocationView, Revoked};
pub use signing_key::{RsaBits, SigningKey};
pub use verification_key::VerificationKey;
pub use verifier::Verifier;
