//! Names the type of a key that was refused, so that the message says what was given instead.

use crate::{Algorithm, KeyError};

/// Object identifiers as they stand in PKCS#8, SEC1 and SubjectPublicKeyInfo, and what they identify.
const OBJECT_IDENTIFIERS: [(&[u8], &str); 6] = [
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", "RSA"),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS"),
    (b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", "EC P-256"),
    (b"\x06\x05\x2b\x81\x04\x00\x22", "EC P-384"),
    (b"\x06\x05\x2b\x81\x04\x00\x23", "EC P-521"),
    (b"\x06\x03\x2b\x65\x70", "Ed25519"),
];

impl Algorithm {
    /// The type of key that the algorithm needs.
    pub(crate) const fn key_type(self) -> &'static str {
        match self {
            Self::Rs256 => "RSA",
            Self::Es256 => "EC P-256",
            Self::EdDsa => "Ed25519",
            Self::Hs256 => "secret",
        }
    }

    /// Why `der` was refused, when it was for being of another type.
    pub(crate) fn explain(self, cause: KeyError, der: &[u8]) -> KeyError {
        let found = OBJECT_IDENTIFIERS.into_iter().find(|(id, _)| der.windows(id.len()).any(|window| window == *id));
        match found {
            Some((_, found)) if cause == KeyError::Invalid(self) && found != self.key_type() => {
                KeyError::Mismatch { algorithm: self, found }
            }
            Some(_) | None => cause,
        }
    }
}
