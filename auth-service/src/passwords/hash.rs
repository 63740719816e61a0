//! Stored password hashes: the one form we write, and every form we can read.

use super::argon2::{Arena, Argon2Hash, Cost, SALT_BYTES};
use super::firebase::FirebaseHash;
use super::foreign::{BcryptHash, Pbkdf2Hash, ScryptHash};
use super::password::Password;
use super::phc::Phc;

// A hash may come from an import, and its parameters decide what verifying it costs us: these bounds are the answer to
// a hostile one. They admit RFC 9106's second choice, OWASP's lists and the defaults of common libraries.

/// Most memory of one hash: 128 MiB.
pub(super) const MAX_MEMORY_KIB: u32 = 128 * 1024;
/// Most memory of one hash, times the passes over it: 512 MiB.
pub(super) const MAX_WORK_KIB: u64 = 512 * 1024;
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
    #[error("not a password hash of a supported form (Argon2, bcrypt, PBKDF2, scrypt, Firebase scrypt)")]
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
    Firebase(FirebaseHash),
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
        } else if let Some(parts) = bare.strip_prefix("$fbscrypt$") {
            Scheme::Firebase(FirebaseHash::parse(parts)?)
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
            Scheme::Firebase(hash) => Ok(hash.matches(password, arena)),
        }
    }

    /// Whether a login should replace it: anything but our own kind and cost, weaker or not.
    pub(super) fn needs_upgrade(&self, cost: Cost) -> bool {
        match &self.scheme {
            Scheme::Argon2(hash) => !hash.is_current(cost),
            Scheme::Bcrypt(_) | Scheme::Pbkdf2(_) | Scheme::Scrypt(_) | Scheme::Firebase(_) => true,
        }
    }
}

/// Whether salt and tag have lengths that a sound hash may have.
pub(super) fn fits(salt: &[u8], tag: &[u8]) -> bool {
    (1..=MAX_SALT_BYTES).contains(&salt.len()) && (MIN_TAG_BYTES..=MAX_TAG_BYTES).contains(&tag.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const PASSWORD: &str = "correct horse 🦀";
    const CURRENT: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$9yNt4+2l009xCSGCZZvE6sUE3zPnOplrOFj21ulnhkc";
    /// Made by argon2-cffi 25.1, bcrypt 5.0, Django 5.2, passlib 1.7 and Python's hashlib, in this order.
    const OUTDATED: [&str; 19] = [
        "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$73d1ct7qbPCL90vXZy5w1V/rMZXFNfNTO5UgJllYvw4",
        "$argon2i$v=19$m=512,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ocbyjmafdAwwS5nIup6CSH+U0Iwxf2f+9JfJ2y6+ZBI",
        "$argon2d$v=19$m=256,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$4Mt6wlKcGXIE+/DRpHiGgfjYq5YfAfgbxcrJVhJWb1I",
        "$argon2id$v=16$m=256,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$z/7IMx80y7YuTpcTwR3hk/CFDeBNz4I8A2jlkZ+cGaY",
        "$argon2i$m=256,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$9gTEXyap6eLiUqzwbNIVH1JOYJ4s0GNTQHq7uyhzyY4",
        "$2b$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy",
        "$2a$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy",
        "$2y$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy",
        "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$4EDes0CfyRWmoXJKtXEfWJCx9GJejqULxr7m2S21skI=",
        "pbkdf2_sha1$1000$abcdefghijklmnopqrstuv$6UdRULjnuW+IC9PbhvBYvy554EI=",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$MDEyMzQ1Njc4OWFiY2RlZg$EwYyFNw+Jo/DEt5z7Ht9nCEwKlKg2oErlzlrwsAF4is",
        "bcrypt$$2b$05$ubksEzjipnQT4LEyaEJG9OGyVK/0kNkWCLlgUIm7Vg8okCQy3nfvW",
        "$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZg$npRV9M0x1AbmlU8IIBlmLLgms6A",
        "$pbkdf2-sha256$1000$.//7//v/.//7//v/.//7/w$91oYNPO21/BAgEaDPLMUVrjAn2X3Sfu4gk.HUVhgv1I",
        "$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$SWLwBl51ddc0zQ8PteVq/MVTsChdqC5RuNGgP2cDv2IAB3Q7xgrEGOQRorlT16VFV2QozFS220d.sVSULzXIgw",
        "$scrypt$ln=10,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg$dcoTmupD5s8hKacXtLq7RkQEt60+Om2NA4pTWL+WQ0o",
        "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Nn1eFb2K+jRDKL5n+DxVGL9BNe4Z46dZVbY4LGd2FRI",
        "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$2N08qwUW+RpjAsFypuda9RNztTeqXqDegqJ2B+nFHws",
        "$pbkdf2-sha512$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$SWLwBl51ddc0zQ8PteVq/MVTsChdqC5RuNGgP2cDv2IAB3Q7xgrEGOQRorlT16VFV2QozFS220d+sVSULzXIgw",
    ];

    fn verifies(hash: &str, password: &str) -> bool {
        let large = Mutex::new(());
        let hash = PasswordHash::parse(hash).unwrap_or_else(|error| panic!("{hash}: {error}"));
        let password = Password::parse(password.to_owned()).unwrap();
        hash.matches(&password, &mut Arena::new(Cost::PRODUCTION, &large)).ok().unwrap()
    }

    fn compute(cost: Cost, password: &str) -> PasswordHash {
        let large = Mutex::new(());
        let password = Password::parse(password.to_owned()).unwrap();
        let mut arena = Arena::new(cost, &large);
        PasswordHash::compute(cost, &password, *b"0123456789abcdef", &mut arena).ok().unwrap()
    }

    #[test]
    fn hash_of_our_own_is_the_reference_answer_and_current() {
        let hash = compute(Cost::PRODUCTION, PASSWORD);
        assert_eq!(hash.as_str(), CURRENT);
        assert!(!hash.needs_upgrade(Cost::PRODUCTION));
        assert!(!PasswordHash::parse(CURRENT).unwrap_or_else(|_| panic!()).needs_upgrade(Cost::PRODUCTION));
        assert!(verifies(CURRENT, PASSWORD));
    }

    #[test]
    fn foreign_hash_verifies_its_password_and_is_outdated() {
        for hash in OUTDATED {
            assert!(verifies(hash, PASSWORD), "{hash}");
            assert!(!verifies(hash, "correct horse"), "{hash}");
            assert!(PasswordHash::parse(hash).unwrap_or_else(|_| panic!()).needs_upgrade(Cost::PRODUCTION), "{hash}");
        }
    }

    #[test]
    fn hash_of_firebase_is_its_signer_key_under_a_key_of_the_password() {
        // The example of github.com/firebase/scrypt.
        let key = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
        let tag = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
        let hash = format!("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={key}$42xEC+ixf3L2lw==${tag}");
        assert!(verifies(&hash, "user1password"));
        assert!(!verifies(&hash, "user2password"));
        for damaged in [
            hash.replace("n=14", "n=0"),
            hash.replace("v=1", "v=2"),
            hash.replace("==$4", "A=$4"),
            hash.replace(",ss=Bw==", ""),
        ] {
            assert_eq!(PasswordHash::parse(&damaged).err(), Some(UnsupportedHash::Malformed), "{damaged}");
        }
        assert_eq!(PasswordHash::parse(&hash.replace("n=14", "n=40")).err(), Some(UnsupportedHash::TooCostly));
    }

    #[test]
    fn every_byte_of_a_password_counts() {
        let texts = ["a", "a\0", "a\0b", "é", "e\u{301}", " a", "a ", "A", "🦀", &"🦀".repeat(128), &"x".repeat(1024)];
        for text in texts {
            let hash = compute(Cost::TESTS, text);
            for other in texts {
                assert_eq!(verifies(hash.as_str(), other), text == other, "{text:?} {other:?}");
            }
        }
    }

    #[test]
    fn bcrypt_reads_the_first_72_bytes_as_the_system_that_made_the_hash_did() {
        let hash = "$2b$04$I0hglHUfxPO/mYikmVd9zOnkINYaSjM8Nv5s.GlMOBBESSio/4uFO";
        assert!(verifies(hash, &"비밀".repeat(20)));
        assert!(verifies(hash, &"비밀".repeat(12)));
        assert!(!verifies(hash, &"비밀".repeat(11)));
    }

    #[test]
    fn bcrypt_does_not_stop_at_nul() {
        let hash = "$2b$04$ceVwXxpHNB7OtVgzdYdlgOVzI3F1Nnwhtx0LX6M8ZgjpMCzAbc4cm";
        assert!(verifies(hash, "a\0b"));
        assert!(!verifies(hash, "a"));
        assert!(!verifies(hash, "a\0c"));
    }

    #[test]
    fn malformed_hash_is_refused() {
        let argon2 = |parameters: &str, salt: &str, tag: &str| format!("$argon2id$v=19${parameters}${salt}${tag}");
        let (salt, tag) = ("MDEyMzQ1Njc4OWFiY2RlZg", "9yNt4+2l009xCSGCZZvE6sUE3zPnOplrOFj21ulnhkc");
        for text in [
            "",
            "password",
            "!",
            "*",
            "$1$abc$def",
            "$6$salt$hash",
            "md5$salt$hash",
            "bcrypt_sha256$$2b$12$x",
            "$2x$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy",
            "$2b$03$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy",
            "$2b$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMT",
            "$2b$05$비밀번호",
            "$2",
            "pbkdf2_sha256$0$salt$4EDes0CfyRWmoXJKtXEfWJCx9GJejqULxr7m2S21skI=",
            "pbkdf2_md5$1000$salt$4EDes0CfyRWmoXJKtXEfWJCx9GJejqULxr7m2S21skI=",
            "$pbkdf2-sha256$i=1000,l=16$MDEyMzQ1Njc4OWFiY2RlZg$2N08qwUW+RpjAsFypuda9RNztTeqXqDegqJ2B+nFHws",
            "$scrypt$ln=0,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Nn1eFb2K+jRDKL5n+DxVGL9BNe4Z46dZVbY4LGd2FRI",
            "$scrypt$ln=14,r=0,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Nn1eFb2K+jRDKL5n+DxVGL9BNe4Z46dZVbY4LGd2FRI",
            "$argon2id$v=20$m=256,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$9gTEXyap6eLiUqzwbNIVH1JOYJ4s0GNTQHq7uyhzyY4",
            &argon2("m=19456,t=2,p=1", "c2FsdA", tag),
            &argon2("m=19456,t=2,p=1", salt, "dGFn"),
            &argon2("m=19456,t=0,p=1", salt, tag),
            &argon2("m=7,t=1,p=1", salt, tag),
            &argon2("m=19456,t=2,p=0", salt, tag),
            &argon2("m=19456,t=2,p=1,data=eA", salt, tag),
            &argon2("m=19456,t=2,p=1", &"MDEy".repeat(40), tag),
            &argon2("m=19456,t=2,p=1", &"MDEy".repeat(400), tag),
        ] {
            assert_eq!(PasswordHash::parse(text).err(), Some(UnsupportedHash::Malformed), "{text}");
        }
    }

    #[test]
    fn hash_that_would_take_too_much_memory_or_time_is_refused() {
        let (salt, tag) = ("MDEyMzQ1Njc4OWFiY2RlZg", "9yNt4+2l009xCSGCZZvE6sUE3zPnOplrOFj21ulnhkc");
        for parameters in [
            "argon2id$v=19$m=131073,t=1,p=1",
            "argon2id$v=19$m=4294967295,t=1,p=1",
            "argon2id$v=19$m=8,t=4294967295,p=1",
            "argon2id$v=19$m=131072,t=5,p=1",
            "argon2id$v=19$m=131072,t=1,p=17",
            "scrypt$ln=18,r=8,p=1",
            "scrypt$ln=63,r=8,p=1",
            "scrypt$ln=4294967295,r=8,p=1",
            "scrypt$ln=1,r=1073741823,p=1",
            "scrypt$ln=17,r=8,p=5",
            "pbkdf2-sha256$2000001",
            "pbkdf2-sha256$i=4294967295,l=32",
        ] {
            let text = format!("${parameters}${salt}${tag}");
            assert_eq!(PasswordHash::parse(&text).err(), Some(UnsupportedHash::TooCostly), "{text}");
        }
        let bcrypt = "$2b$16$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy";
        assert_eq!(PasswordHash::parse(bcrypt).err(), Some(UnsupportedHash::TooCostly));
    }

    #[test]
    fn damaged_hash_is_read_or_refused_but_never_a_crash() {
        for hash in OUTDATED {
            for at in 0..hash.len() {
                let _ = PasswordHash::parse(&hash[..at]);
                for byte in ["$", "=", ",", "0", "é"] {
                    let _ = PasswordHash::parse(&format!("{}{byte}{}", &hash[..at], &hash[at + 1..]));
                }
            }
        }
    }
}
