//! Keys that sign the tokens of stand-ins, or tokens that a test forges.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

use super::grants::random_text;
use crate::PeerError;

/// A coordinate of P-256.
const COORDINATE: usize = 32;
const PEM_LINE: usize = 64;

/// A private key with an id.
pub struct TokenSigner {
    kid: String,
    public: Value,
    key: Key,
}

enum Key {
    Rs256(rsa::KeyPair),
    Es256(EcdsaKeyPair),
}

impl TokenSigner {
    /// Makes an RSA key of 2048 bits, for RS256.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`] when there is no randomness.
    pub fn rs256() -> Result<Self, PeerError> {
        let key = rsa::KeyPair::generate(KeySize::Rsa2048)?;
        let numbers = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
        let [n, e] = [numbers.n, numbers.e].map(|number| BASE64URL_NOPAD.encode(&number));
        Self::new(json!({"kty": "RSA", "alg": "RS256", "n": n, "e": e}), Key::Rs256(key))
    }

    /// Makes a key on P-256, for ES256.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`] when there is no randomness.
    pub fn es256() -> Result<Self, PeerError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        // After the octet that says that both coordinates follow (SEC 1 section 2.3.3).
        let (x, y) = key.public_key().as_ref()[1..].split_at(COORDINATE);
        let [x, y] = [x, y].map(|coordinate| BASE64URL_NOPAD.encode(coordinate));
        Self::new(json!({"kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y}), Key::Es256(key))
    }

    fn new(mut public: Value, key: Key) -> Result<Self, PeerError> {
        let kid = random_text()?;
        public["kid"] = kid.clone().into();
        public["use"] = "sig".into();
        Ok(Self { kid, public, key })
    }

    /// Its id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a member of a JWK set (RFC 7517).
    #[must_use]
    pub fn jwk(&self) -> Value {
        self.public.clone()
    }

    /// The private key as PKCS#8 in PEM, the form in which Apple hands it out.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn private_pem(&self) -> Result<String, PeerError> {
        let der = match &self.key {
            Key::Rs256(key) => AsDer::<Pkcs8V1Der<'_>>::as_der(key)?.as_ref().to_vec(),
            Key::Es256(key) => key.to_pkcs8v1()?.as_ref().to_vec(),
        };
        let text = BASE64.encode(&der);
        let lines: Vec<_> = text.as_bytes().chunks(PEM_LINE).map(String::from_utf8_lossy).collect();
        Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
    }

    /// A JWT of these claims with the header `typ`, `alg` and `kid`.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn sign(&self, typ: &str, claims: &Value) -> Result<String, PeerError> {
        let header = json!({"typ": typ, "alg": self.alg(), "kid": self.kid});
        self.sign_with_header(&header, claims)
    }

    /// A JWT of these claims with just this header, for tokens that lie about their key.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> Result<String, PeerError> {
        let part = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let random = SystemRandom::new();
        let signature = match &self.key {
            Key::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)?;
                signature
            }
            Key::Es256(key) => key.sign(&random, signed.as_bytes())?.as_ref().to_vec(),
        };
        Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    /// The header and the claims of a JWT that this key on P-256 has signed.
    pub(crate) fn verify_es256(&self, token: &str) -> Option<(Value, Value)> {
        let Key::Es256(key) = &self.key else {
            return None;
        };
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        public.verify(signed.as_bytes(), &signature).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let part = |part: &str| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok();
        Some((part(header)?, part(claims)?))
    }

    fn alg(&self) -> &'static str {
        match self.key {
            Key::Rs256(_) => "RS256",
            Key::Es256(_) => "ES256",
        }
    }
}

impl From<Unspecified> for PeerError {
    fn from(_: Unspecified) -> Self {
        Self::Cryptography
    }
}
