//! Seals a refresh token's successor under the token itself, so that only whoever presents that token again can have it.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
};

use crate::ids::OpaqueToken;

/// Separates this use of a token from any other (RFC 5869 `info`).
const INFO: &[u8] = b"auth-system refresh successor v1";

/// AES-256-GCM of `successor` under HKDF-SHA-256 of `presented`.
pub fn seal(presented: &OpaqueToken, successor: &OpaqueToken) -> Result<Vec<u8>, Unspecified> {
    let mut sealed = successor.expose().to_vec();
    key(presented)?.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed)?;
    Ok(sealed)
}

/// Opens what [`seal`] made.
pub fn open(presented: &OpaqueToken, sealed: &[u8]) -> Result<OpaqueToken, Unspecified> {
    let mut sealed = sealed.to_vec();
    let opened = key(presented)?.open_in_place(nonce(), Aad::empty(), &mut sealed)?;
    opened.try_into().map(OpaqueToken::from_bytes).map_err(|_| Unspecified)
}

fn key(token: &OpaqueToken) -> Result<LessSafeKey, Unspecified> {
    let derived = Salt::new(HKDF_SHA256, &[]).extract(token.expose());
    let key = UnboundKey::from(derived.expand(&[INFO], &AES_256_GCM)?);
    Ok(LessSafeKey::new(key))
}

/// A token is replaced once, so its key seals one thing: the nonce need not differ.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Entropy;

    #[test]
    fn only_the_presented_token_opens_its_successor() {
        let (presented, successor, other) = (Entropy.token(), Entropy.token(), Entropy.token());
        let sealed = seal(&presented, &successor).unwrap();
        assert_eq!(open(&presented, &sealed).unwrap().expose(), successor.expose());
        assert!(open(&other, &sealed).is_err());
        assert!(open(&presented, &sealed[1..]).is_err());
    }
}
