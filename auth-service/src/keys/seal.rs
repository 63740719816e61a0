//! Seals what the database holds secret under `SECRETS_KEY`.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{self, SHA256},
    error::Unspecified,
};
use data_encoding::BASE64;
use zeroize::Zeroizing;

/// Bytes of a key's id.
pub const KEY_ID_LEN: usize = 8;
/// Before the key when its id is made, so that this hash serves nothing else.
const KEY_ID_LABEL: &[u8] = b"id of SECRETS_KEY";

/// The 32 bytes that seal secrets at rest (AES-256-GCM).
pub struct SecretsKey {
    key: RandomizedNonceKey,
    id: [u8; KEY_ID_LEN],
}

impl SecretsKey {
    /// Reads 32 bytes in base64.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "must be 32 random bytes in base64: `openssl rand -base64 32`";
        let bytes = Zeroizing::new(BASE64.decode(text.trim().as_bytes()).map_err(|_| wrong)?);
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| wrong)?;
        let mut hash = digest::Context::new(&SHA256);
        hash.update(KEY_ID_LABEL);
        hash.update(&bytes);
        let mut id = [0; KEY_ID_LEN];
        id.copy_from_slice(&hash.finish().as_ref()[..KEY_ID_LEN]);
        Ok(Self { key, id })
    }

    /// Tells this key from others, and tells nothing of it.
    #[must_use]
    pub const fn id(&self) -> &[u8; KEY_ID_LEN] {
        &self.id
    }

    /// Seals `secret` so that it opens for the same `context` alone.
    ///
    /// # Errors
    /// Never in practice: the inputs are short.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut sealed = secret.to_vec();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(context), &mut sealed)?;
        sealed.extend_from_slice(nonce.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// When it was sealed by another key, for another context, or was changed.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let (body, nonce) = sealed.split_last_chunk::<NONCE_LEN>().ok_or(Unspecified)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self.key.open_in_place(Nonce::from(nonce), Aad::from(context), &mut body)?.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_for_its_context_alone() {
        let key = SecretsKey::parse(&BASE64.encode(&[7; 32])).unwrap();
        let sealed = key.seal("kid-1", b"secret").unwrap();
        assert_eq!(key.open("kid-1", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open("kid-2", &sealed).is_err());
        assert!(SecretsKey::parse(&BASE64.encode(&[8; 32])).unwrap().open("kid-1", &sealed).is_err());
        assert!(SecretsKey::parse("short").is_err());
    }

    #[test]
    fn a_key_is_known_by_its_id() {
        let id = |byte: u8| *SecretsKey::parse(&BASE64.encode(&[byte; 32])).unwrap().id();
        assert_eq!(id(7), id(7));
        assert_ne!(id(7), id(8));
        assert_ne!(id(7), [7; KEY_ID_LEN]);
    }
}
