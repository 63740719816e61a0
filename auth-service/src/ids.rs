//! Identifiers and secrets: typed ids, and where their randomness comes from.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};
use zeroize::Zeroize;

use crate::db::Ts;

/// Id of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

/// Id of a session; the `sid` of its access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

/// The system's source of randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy;

impl Entropy {
    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(self) -> [u8; N] {
        let mut bytes = [0; N];
        #[expect(
            clippy::expect_used,
            reason = "without randomness nothing may be issued, and the system always has some"
        )]
        aws_lc_rs::rand::fill(&mut bytes).expect("the system's random generator answers");
        bytes
    }

    /// A new UUIDv7 (RFC 9562), which sorts by `now`.
    #[must_use]
    pub fn uuid(self, now: Ts) -> Uuid {
        let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// A new UUIDv7 that sorts after those of the same `now` with a lower `place` (RFC 9562 section 6.2, method 1): rows
    /// that are stored together then lie together in every index.
    #[must_use]
    pub fn uuid_in_place(self, now: Ts, place: u64) -> Uuid {
        let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
        let mut bytes: [u8; 10] = self.bytes();
        // 26 bits, around the version and the variant; 48 stay random.
        bytes[0] = (place >> 22) as u8 & 0x0f;
        bytes[1] = (place >> 14) as u8;
        bytes[2] = (place >> 8) as u8 & 0x3f;
        bytes[3] = place as u8;
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// A new opaque token.
    #[must_use]
    pub fn token(self) -> OpaqueToken {
        OpaqueToken(self.bytes())
    }
}

/// 256 random bits that mean nothing by themselves; only their SHA-256 is stored. On the wire 43 base64url characters.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct OpaqueToken([u8; 32]);

impl OpaqueToken {
    /// Reads the wire form; nothing if it is not one of ours by shape.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// From its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes: the secret itself.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The form that goes to its owner.
    #[must_use]
    pub fn to_wire(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

/// SHA-256 of a secret or of a name that should not be stored.
#[derive(Clone, Debug)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
        Self(hash)
    }

    /// From its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, for a bind.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// In hexadecimal, for a key.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_place_are_version_7_and_sort_by_their_place() {
        let now = Ts::from_micros(1_767_225_600_000_000);
        let places = [0, 1, 255, 256, 16_383, 16_384, 4_194_303, 4_194_304, (1 << 26) - 1];
        let ids = places.map(|place| Entropy.uuid_in_place(now, place));
        assert!(ids.is_sorted() && ids.iter().all(|id| id.get_version_num() == 7));
        assert!(Entropy.uuid(now.minus(std::time::Duration::from_millis(1))) < ids[0]);
        assert_ne!(Entropy.uuid_in_place(now, 1), Entropy.uuid_in_place(now, 1));
    }
}
