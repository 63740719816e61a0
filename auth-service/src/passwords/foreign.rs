//! Hashes made by other systems, verified until their owner's next login replaces them: bcrypt, PBKDF2, scrypt.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use bcrypt::HashParts;
use subtle::ConstantTimeEq;

use super::argon2::Arena;
use super::hash::{MAX_MEMORY_KIB, MAX_WORK_KIB, UnsupportedHash, fits};
use super::phc::{Phc, decode_base64};

/// About two seconds; each step up doubles it.
const MAX_BCRYPT_COST: u32 = 15;
/// About a second.
const MAX_PBKDF2_ITERATIONS: u32 = 2_000_000;
/// Bounds scrypt's block size and parallelism, and with them the memory that `N` does not count.
const MAX_SCRYPT_FACTOR: u32 = 32;

/// A bcrypt hash, `$2a$`, `$2b$` or `$2y$`.
pub(super) struct BcryptHash(String);

/// A PBKDF2 hash.
pub(super) struct Pbkdf2Hash {
    algorithm: pbkdf2::Algorithm,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

/// A scrypt hash.
pub(super) struct ScryptHash {
    params: scrypt::Params,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

impl BcryptHash {
    /// Reads the 60 characters; `$2x$` marks hashes of a broken implementation and is refused.
    pub(super) fn parse(text: &str) -> Result<Self, UnsupportedHash> {
        let parts: HashParts = text.parse().map_err(|_| UnsupportedHash::Malformed)?;
        match parts.get_cost() {
            _ if text.starts_with("$2x$") => Err(UnsupportedHash::Malformed),
            0..4 => Err(UnsupportedHash::Malformed),
            4..=MAX_BCRYPT_COST => Ok(Self(text.to_owned())),
            _ => Err(UnsupportedHash::TooCostly),
        }
    }

    /// Bcrypt reads 72 bytes: of a longer password the system that made the hash used no more, so neither do we.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        bcrypt::verify(password, &self.0).unwrap_or(false)
    }
}

impl Pbkdf2Hash {
    /// Reads `$pbkdf2-sha256$i=600000,l=32$…` (PHC) and `$pbkdf2-sha256$29000$…` (passlib).
    pub(super) fn parse(phc: Phc<'_>) -> Result<Self, UnsupportedHash> {
        let algorithm = phc.id.strip_prefix("pbkdf2").and_then(|digest| match digest {
            "" | "-sha1" => Some(PBKDF2_HMAC_SHA1),
            "-sha256" => Some(PBKDF2_HMAC_SHA256),
            "-sha512" => Some(PBKDF2_HMAC_SHA512),
            _ => None,
        });
        let iterations = match phc.parameters(["i", "l"]) {
            Some([iterations, length]) => (length as usize == phc.tag.len()).then_some(iterations),
            None => phc.rounds().or(phc.parameters(["i"]).map(|[iterations]| iterations)),
        };
        let (Some(algorithm), Some(iterations)) = (algorithm, iterations) else {
            return Err(UnsupportedHash::Malformed);
        };
        Self::new(algorithm, iterations, phc.salt, phc.tag)
    }

    /// Reads `pbkdf2_sha256$600000$salt$tag`, where the salt is text as it stands.
    pub(super) fn parse_django(text: &str) -> Result<Self, UnsupportedHash> {
        let fields: Vec<&str> = text.split('$').collect();
        let [name, iterations, salt, tag] = fields[..] else {
            return Err(UnsupportedHash::Malformed);
        };
        let algorithm = match name {
            "pbkdf2_sha1" => PBKDF2_HMAC_SHA1,
            "pbkdf2_sha256" => PBKDF2_HMAC_SHA256,
            _ => return Err(UnsupportedHash::Malformed),
        };
        let (Ok(iterations), Some(tag)) = (iterations.parse(), decode_base64(tag)) else {
            return Err(UnsupportedHash::Malformed);
        };
        Self::new(algorithm, iterations, salt.as_bytes().to_vec(), tag)
    }

    fn new(
        algorithm: pbkdf2::Algorithm,
        iterations: u32,
        salt: Vec<u8>,
        tag: Vec<u8>,
    ) -> Result<Self, UnsupportedHash> {
        if iterations > MAX_PBKDF2_ITERATIONS {
            return Err(UnsupportedHash::TooCostly);
        }
        match NonZeroU32::new(iterations) {
            Some(iterations) if fits(&salt, &tag) => Ok(Self { algorithm, iterations, salt, tag }),
            _ => Err(UnsupportedHash::Malformed),
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        pbkdf2::verify(self.algorithm, self.iterations, &self.salt, password, &self.tag).is_ok()
    }
}

impl ScryptHash {
    /// Reads `$scrypt$ln=17,r=8,p=1$…`, as PHC and passlib write it.
    pub(super) fn parse(phc: Phc<'_>) -> Result<Self, UnsupportedHash> {
        let Some([log_n, r, p]) = phc.parameters(["ln", "r", "p"]) else {
            return Err(UnsupportedHash::Malformed);
        };
        if !fits(&phc.salt, &phc.tag) {
            return Err(UnsupportedHash::Malformed);
        }
        Ok(Self { params: scrypt_params(log_n, r, p)?, salt: phc.salt, tag: phc.tag })
    }

    pub(super) fn matches(&self, password: &[u8], arena: &Arena<'_>) -> bool {
        let mut tag = vec![0; self.tag.len()];
        let derived = arena.alone(|| scrypt::scrypt(password, &self.salt, &self.params, &mut tag));
        derived.is_ok() && bool::from(tag.ct_eq(&self.tag))
    }
}

/// The parameters of a scrypt that we are willing to compute.
pub(super) fn scrypt_params(log_n: u32, r: u32, p: u32) -> Result<scrypt::Params, UnsupportedHash> {
    if log_n > MAX_MEMORY_KIB.ilog2() || r > MAX_SCRYPT_FACTOR || p > MAX_SCRYPT_FACTOR {
        return Err(UnsupportedHash::TooCostly);
    }
    if log_n == 0 {
        return Err(UnsupportedHash::Malformed);
    }
    // RFC 7914 section 6: the large array takes 128 * N * r bytes, and is filled p times.
    let memory_kib = (1_u32 << log_n) * r / 8;
    if memory_kib > MAX_MEMORY_KIB || u64::from(memory_kib) * u64::from(p) > MAX_WORK_KIB {
        return Err(UnsupportedHash::TooCostly);
    }
    scrypt::Params::new(log_n as u8, r, p).map_err(|_| UnsupportedHash::Malformed)
}
