//! The half of a key that verifies.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer,
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm},
};
use data_encoding::BASE64URL_NOPAD;

use crate::{
    Algorithm, KeyError, TokenError,
    jwk::{Jwk, JwkParameters, secret_thumbprint},
    pem,
};

/// Least length of an HS256 secret in bytes (RFC 7518 section 3.2).
const SECRET_LEAST: usize = 32;
/// Least length of an RSA modulus in characters of base64url: 2048 bits.
const MODULUS_LEAST: usize = 342;

/// A key that verifies signatures by one algorithm. It stays parsed.
#[derive(Clone)]
pub struct VerificationKey {
    kid: Arc<str>,
    thumbprint: [u8; 32],
    material: Material,
}

#[derive(Clone)]
enum Material {
    Public(Arc<Public>),
    Secret(Arc<hmac::Key>),
}

struct Public {
    algorithm: Algorithm,
    parameters: JwkParameters,
    spki: Vec<u8>,
    parsed: ParsedPublicKey,
}

impl VerificationKey {
    /// Reads a public key (`PUBLIC KEY`); its id is its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with it.
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, KeyError> {
        let der = pem::read_public(pem)?;
        Self::from_der(algorithm, &der).map_err(|cause| algorithm.explain(cause, &der))
    }

    /// Reads a public key; its id is the one that it states, else its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with it.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let key = Self::from_der(jwk.algorithm()?, &jwk.parameters.to_spki()?)?;
        Ok(match &jwk.kid {
            Some(kid) => Self { kid: kid.as_str().into(), ..key },
            None => key,
        })
    }

    /// The key as JSON; none under HS256, where it is secret.
    #[must_use]
    pub fn to_jwk(&self) -> Option<Jwk> {
        match &self.material {
            Material::Public(public) => Some(Jwk {
                parameters: public.parameters.clone(),
                kid: Some(self.kid.to_string()),
                alg: Some(public.algorithm.to_string()),
                usage: Some("sig".to_owned()),
            }),
            Material::Secret(_) => None,
        }
    }

    /// The key in PEM (`PUBLIC KEY`); none under HS256, where it is secret.
    #[must_use]
    pub fn to_pem(&self) -> Option<String> {
        match &self.material {
            Material::Public(public) => Some(pem::write("PUBLIC KEY", &public.spki)),
            Material::Secret(_) => None,
        }
    }

    /// The id by which tokens name it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that it verifies by.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.material {
            Material::Public(public) => public.algorithm,
            Material::Secret(_) => Algorithm::Hs256,
        }
    }

    /// Verifies the signature of a message.
    ///
    /// # Errors
    /// [`TokenError::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
        match &self.material {
            Material::Public(public) => public.parsed.verify_sig(message, signature),
            Material::Secret(secret) => hmac::verify(secret, message, signature),
        }
        .map_err(|_| TokenError::Signature)
    }

    /// Reads a public key in SubjectPublicKeyInfo, or in the bare form of its type.
    pub(crate) fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let verification: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::EdDsa => &ED25519,
            Algorithm::Hs256 => return Err(KeyError::SharedSecret),
        };
        let parsed = ParsedPublicKey::new(verification, der).map_err(|_| KeyError::Invalid(algorithm))?;
        let spki = parsed.as_der().map_err(|_| KeyError::Crypto)?.as_ref().to_vec();
        let parameters = JwkParameters::of(algorithm, &spki)?;
        if matches!(&parameters, JwkParameters::Rsa { n, .. } if n.len() < MODULUS_LEAST) {
            return Err(KeyError::RsaTooShort);
        }
        let thumbprint = parameters.thumbprint();
        let public = Public { algorithm, parameters, spki, parsed };
        Ok(Self::new(thumbprint, Material::Public(Arc::new(public))))
    }

    /// Takes the secret of HS256.
    pub(crate) fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < SECRET_LEAST {
            return Err(KeyError::SecretTooShort { bytes: secret.len() });
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Ok(Self::new(secret_thumbprint(secret), Material::Secret(Arc::new(key))))
    }

    /// A shared pointer to [`Self::kid`].
    pub(crate) fn shared_kid(&self) -> Arc<str> {
        Arc::clone(&self.kid)
    }

    /// What tells keys apart, whatever their ids.
    pub(crate) const fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    fn new(thumbprint: [u8; 32], material: Material) -> Self {
        Self { kid: BASE64URL_NOPAD.encode(&thumbprint).into(), thumbprint, material }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
