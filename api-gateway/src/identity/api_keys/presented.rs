//! A key as its owner sends it: `ask_<id>_<secret>`.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::json;
use uuid::Uuid;

/// What every key begins with.
pub(in crate::identity) const PREFIX: &str = "ask_";
/// Bytes of the secret.
const SECRET: usize = 32;

/// The key, and SHA-256 of the secret in place of the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::identity) struct Presented {
    /// The key.
    pub(in crate::identity) id: Uuid,
    secret_sha256: [u8; 32],
}

impl Presented {
    /// Nothing if it is not one of ours by shape: then the API need not be asked.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_ours = |uuid: &Uuid| uuid.simple().encode_lower(&mut Uuid::encode_buffer()) == id;
        let id = Uuid::try_parse(id).ok().filter(is_ours)?;
        let secret = BASE64URL_NOPAD.decode(secret.as_bytes()).ok().filter(|secret| secret.len() == SECRET)?;
        let secret_sha256 = digest(&SHA256, &secret).as_ref().try_into().ok()?;
        Some(Self { id, secret_sha256 })
    }

    /// The question to the API.
    pub(super) fn to_json(self) -> Vec<u8> {
        json!({"id": self.id, "secret_sha256": HEXLOWER.encode(&self.secret_sha256)}).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ask_00000000000000000000000000000007_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

    #[test]
    fn a_key_is_asked_for_by_its_id_and_the_hash_of_its_secret() {
        let question: serde_json::Value = serde_json::from_slice(&Presented::parse(KEY).unwrap().to_json()).unwrap();
        // SHA-256 of 32 bytes of 1.
        let hash = "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793";
        assert_eq!(question, json!({"id": "00000000-0000-0000-0000-000000000007", "secret_sha256": hash}));
    }

    #[test]
    fn what_is_no_key_by_shape_is_none() {
        assert!(Presented::parse(KEY).is_some());
        let hyphenated = KEY.replace("00000000000000000000000000000007", "00000000-0000-0000-0000-000000000007");
        let upper = KEY.replace("0007_", "000A_");
        // The last character carries bits that belong to no byte.
        let twin = format!("{}F", &KEY[..KEY.len() - 1]);
        for text in
            ["", "ask_", "ask_x_y", &KEY[1..], &KEY[..KEY.len() - 1], &format!("{KEY}A"), &hyphenated, &upper, &twin]
        {
            assert!(Presented::parse(text).is_none(), "{text}");
        }
    }
}
