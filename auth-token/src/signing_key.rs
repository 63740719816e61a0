//! The half of a key that signs.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    encoding::AsDer,
    error::{KeyRejected, Unspecified},
    hmac,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use data_encoding::BASE64URL_NOPAD;
use rustls_pki_types::pem::SectionKind;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{AccessClaims, Algorithm, KeyError, VerificationKey, jws, pem};

/// A key that signs access tokens by one algorithm. It stays parsed: to parse RSA again costs as much as to sign.
pub struct SigningKey {
    /// The encoded header of every token it signs.
    header: String,
    material: Material,
    verification: VerificationKey,
}

enum Material {
    Rsa(rsa::KeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Secret(Box<hmac::Key>),
}

/// Size of an RSA key that is made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RsaBits {
    /// 2048 bits.
    #[default]
    Bits2048,
    /// 3072 bits, as strong as 128 symmetric ones.
    Bits3072,
    /// 4096 bits.
    Bits4096,
}

impl FromStr for RsaBits {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text {
            "2048" => Ok(Self::Bits2048),
            "3072" => Ok(Self::Bits3072),
            "4096" => Ok(Self::Bits4096),
            _ => Err(KeyError::RsaBits),
        }
    }
}

impl SigningKey {
    /// Reads a private key: `PRIVATE KEY` (PKCS#8), `RSA PRIVATE KEY` (PKCS#1) or `EC PRIVATE KEY` (SEC1).
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with it.
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, KeyError> {
        let private = pem::read_private(pem)?;
        let rejected = |cause: KeyRejected| match cause.description_() {
            "TooSmall" => KeyError::RsaTooShort,
            _ => algorithm.explain(KeyError::Invalid(algorithm), &private.der),
        };
        let material = match (algorithm, private.kind) {
            (Algorithm::Hs256, _) => return Err(KeyError::SharedSecret),
            (Algorithm::Rs256, SectionKind::RsaPrivateKey) => rsa::KeyPair::from_der(&private.der).map(Material::Rsa),
            (_, SectionKind::RsaPrivateKey) => {
                return Err(KeyError::Mismatch { algorithm, found: "RSA" });
            }
            (Algorithm::Rs256, _) => rsa::KeyPair::from_pkcs8(&private.der).map(Material::Rsa),
            (Algorithm::Es256, _) => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &private.der).map(Material::Ec)
            }
            (Algorithm::EdDsa, _) => Ed25519KeyPair::from_pkcs8(&private.der).map(Material::Ed),
        };
        Self::from_material(material.map_err(rejected)?)
    }

    /// Takes the secret of HS256, at least 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::SecretTooShort`].
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        let verification = VerificationKey::from_secret(secret)?;
        Ok(Self::new(Material::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))), verification))
    }

    /// Makes a key pair; `bits` is for RSA alone.
    ///
    /// # Errors
    /// [`KeyError::SharedSecret`] for HS256; [`KeyError::Crypto`] when there is no randomness.
    pub fn generate(algorithm: Algorithm, bits: RsaBits) -> Result<Self, KeyError> {
        let size = match bits {
            RsaBits::Bits2048 => KeySize::Rsa2048,
            RsaBits::Bits3072 => KeySize::Rsa3072,
            RsaBits::Bits4096 => KeySize::Rsa4096,
        };
        let material = match algorithm {
            Algorithm::Rs256 => rsa::KeyPair::generate(size).map(Material::Rsa),
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Material::Ec),
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Material::Ed),
            Algorithm::Hs256 => return Err(KeyError::SharedSecret),
        };
        Self::from_material(material.map_err(|_| KeyError::Crypto)?)
    }

    /// The private key in PEM (PKCS#8).
    ///
    /// # Errors
    /// [`KeyError::SharedSecret`] under HS256.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let write = |der: &[u8]| Zeroizing::new(pem::write("PRIVATE KEY", der));
        match &self.material {
            Material::Rsa(pair) => pair.as_der().map(|der| write(der.as_ref())),
            Material::Ec(pair) => pair.to_pkcs8v1().map(|der| write(der.as_ref())),
            // OpenSSL does not read version 2.
            Material::Ed(pair) => pair.to_pkcs8v1().map(|der| write(der.as_ref())),
            Material::Secret(_) => return Err(KeyError::SharedSecret),
        }
        .map_err(|_| KeyError::Crypto)
    }

    /// The public half in PEM (`PUBLIC KEY`); none under HS256.
    #[must_use]
    pub fn public_pem(&self) -> Option<String> {
        self.verification.to_pem()
    }

    /// RFC 7638 thumbprint, in base64url: the id by which tokens name the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.verification.kid()
    }

    /// The one algorithm that it signs by.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.verification.algorithm()
    }

    /// The half that verifies.
    #[must_use]
    pub fn verification_key(&self) -> VerificationKey {
        self.verification.clone()
    }

    /// An access token with these claims (RFC 9068).
    ///
    /// # Errors
    /// [`KeyError::Crypto`].
    pub fn sign(&self, claims: &AccessClaims) -> Result<String, KeyError> {
        self.sign_claims(&self.header, claims)
    }

    /// A token of another kind than ours, with any claims: `typ` tells it apart, so that it never passes for an access
    /// token (RFC 8725 section 3.11).
    ///
    /// # Errors
    /// [`KeyError::Type`] for the type of access tokens; [`KeyError::Crypto`].
    pub fn sign_other(&self, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        self.sign_as(self.kid(), typ, claims)
    }

    /// As [`Self::sign_other`], under the id by which someone else knows the key.
    ///
    /// # Errors
    /// [`KeyError::Type`] for the type of access tokens; [`KeyError::Crypto`].
    pub fn sign_as(&self, kid: &str, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        if jws::is_access_token_type(typ) {
            return Err(KeyError::Type);
        }
        self.sign_claims(&jws::write_header(self.algorithm(), typ, kid), claims)
    }

    fn sign_claims(&self, header: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Crypto)?;
        let mut token = header.to_owned();
        token.push('.');
        BASE64URL_NOPAD.encode_append(&claims, &mut token);
        let signature = self.sign_message(token.as_bytes()).map_err(|_| KeyError::Crypto)?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(&signature, &mut token);
        Ok(token)
    }

    fn from_material(material: Material) -> Result<Self, KeyError> {
        let verification = match &material {
            Material::Rsa(pair) => VerificationKey::from_der(Algorithm::Rs256, pair.public_key().as_ref()),
            Material::Ec(pair) => VerificationKey::from_der(Algorithm::Es256, pair.public_key().as_ref()),
            Material::Ed(pair) => VerificationKey::from_der(Algorithm::EdDsa, pair.public_key().as_ref()),
            Material::Secret(_) => Err(KeyError::SharedSecret),
        }?;
        Ok(Self::new(material, verification))
    }

    fn new(material: Material, verification: VerificationKey) -> Self {
        Self {
            header: jws::write_header(verification.algorithm(), jws::TYPE, verification.kid()),
            material,
            verification,
        }
    }

    fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match &self.material {
            Material::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Material::Ec(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Material::Ed(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
            Material::Secret(secret) => Ok(hmac::sign(secret, message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("verification", &self.verification).finish_non_exhaustive()
    }
}
