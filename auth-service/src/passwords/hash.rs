//! Stored password hashes: the one form we write, and every form we can read.

use super::argon2::{Arena, Argon2Hash, Cost, SALT_BYTES};
use super::foreign::{BcryptHash, Pbkdf2Hash, ScryptHash};
use super::password::Password;
use super::phc::Phc;

// A hash may come from an import, and its parameters decide what verifying it costs us: these bounds are the answer to
// a hostile one. They admit RFC 9106's second choice, OWASP's lists and the defaults of common libraries.

/// Most memory of one hash: 128 MiB.
pub(super) const MAX_MEMORY_KIB: u32 = 128 * 1024;
/// Most memory of one hash, times the passes over it: 1 GiB.
pub(super) const MAX_WORK_KIB: u64 = 1024 * 1024;
const MAX_TEXT_BYTES: usize = 512;
const MAX_SALT_BYTES: usize = 64;
/// A shorter tag would let wrong passwords in.
const MIN_TAG_BYTES: usize = 16;
const MAX_TAG_BYTES: usize = 64;

/// A password hash of a kind and cost that we verify.
pub struct PasswordHash {
    text: String,
    scheme: Scheme,
}

/// Why a text is not a password hash to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedHash {
    /// No form we know, or damaged.
    #[error("not a password hash of a supported form (Argon2, bcrypt, PBKDF2, scrypt)")]
    Malformed,
    /// Verifying it would take too much time or memory.
    #[error("the cost parameters of this password hash are beyond the limits")]
    TooCostly,
}

/// The system refused memory or entropy.
pub(super) struct Starved;

enum Scheme {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    Scrypt(ScryptHash),
}

impl PasswordHash {
    /// Reads a stored or imported hash.
    pub fn parse(text: &str) -> Result<Self, UnsupportedHash> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(UnsupportedHash::Malformed);
        }
        // Django writes the name of its hasher before what other systems write alone.
        let bare = text.strip_prefix("bcrypt$").or(text.strip_prefix("argon2")).unwrap_or(text);
        let scheme = if bare.starts_with("$2") {
            Scheme::Bcrypt(BcryptHash::parse(bare)?)
        } else if bare.starts_with("pbkdf2_") {
            Scheme::Pbkdf2(Pbkdf2Hash::parse_django(bare)?)
        } else {
            let phc = Phc::parse(bare).ok_or(UnsupportedHash::Malformed)?;
            match phc.id {
                id if id.starts_with("argon2") => Scheme::Argon2(Argon2Hash::parse(phc)?),
                id if id.starts_with("pbkdf2") => Scheme::Pbkdf2(Pbkdf2Hash::parse(phc)?),
                "scrypt" => Scheme::Scrypt(ScryptHash::parse(phc)?),
                _ => return Err(UnsupportedHash::Malformed),
            }
        };
        Ok(Self { text: text.to_owned(), scheme })
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A hash of our own kind that no password is known for.
    pub(super) fn dummy(cost: Cost) -> Self {
        let hash = Argon2Hash::dummy(cost);
        Self { text: hash.encode(), scheme: Scheme::Argon2(hash) }
    }

    pub(super) fn compute(
        cost: Cost,
        password: &Password,
        salt: [u8; SALT_BYTES],
        arena: &mut Arena<'_>,
    ) -> Result<Self, Starved> {
        let hash = Argon2Hash::compute(cost, password.expose().as_bytes(), salt, arena)?;
        Ok(Self { text: hash.encode(), scheme: Scheme::Argon2(hash) })
    }

    pub(super) fn matches(&self, password: &Password, arena: &mut Arena<'_>) -> Result<bool, Starved> {
        let password = password.expose().as_bytes();
        match &self.scheme {
            Scheme::Argon2(hash) => hash.matches(password, arena),
            Scheme::Bcrypt(hash) => Ok(hash.matches(password)),
            Scheme::Pbkdf2(hash) => Ok(hash.matches(password)),
            Scheme::Scrypt(hash) => Ok(hash.matches(password, arena)),
        }
    }

    /// Whether a login should replace it: anything but our own kind and cost, weaker or not.
    pub(super) fn needs_upgrade(&self, cost: Cost) -> bool {
        match &self.scheme {
            Scheme::Argon2(hash) => !hash.is_current(cost),
            Scheme::Bcrypt(_) | Scheme::Pbkdf2(_) | Scheme::Scrypt(_) => true,
        }
    }
}

/// Whether salt and tag have lengths that a sound hash may have.
pub(super) fn fits(salt: &[u8], tag: &[u8]) -> bool {
    (1..=MAX_SALT_BYTES).contains(&salt.len()) && (MIN_TAG_BYTES..=MAX_TAG_BYTES).contains(&tag.len())
}
