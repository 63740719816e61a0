//! Argon2 (RFC 9106): the hash we make, and the older or foreign parameters we still verify.

use std::sync::{Mutex, PoisonError};

use argon2_rust::params::{Memory, ParamsBuilder, TagLen};
use argon2_rust::{Algorithm, Argon2, Hasher, Params, Version};
use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq;

use super::hash::{MAX_MEMORY_KIB, MAX_WORK_KIB, Starved, UnsupportedHash, fits};
use super::phc::Phc;

pub(super) const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;
const MIN_SALT_BYTES: usize = 8;
const MAX_LANES: u32 = 16;

/// Cost of the hashes we make.
#[derive(Clone, Copy)]
pub(super) struct Cost(Argon2);

/// An Argon2 hash of any kind, within our bounds.
pub(super) struct Argon2Hash {
    argon2: Argon2,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

/// What one thread needs to compute hashes: memory of its own, kept between hashes, and the right to the one large one.
pub(super) struct Arena<'a> {
    own: Cost,
    kept: Hasher,
    /// Held by the one thread that computes a hash larger than our own, which bounds memory.
    large: &'a Mutex<()>,
}

impl Cost {
    /// Argon2id with 19 MiB and two passes: the OWASP password storage cheat sheet's second choice.
    pub(super) const PRODUCTION: Self = Self::argon2id(19_456, 2);
    #[cfg(test)]
    pub(super) const TESTS: Self = Self::argon2id(64, 1);

    const fn argon2id(memory_kib: u32, passes: u32) -> Self {
        let params = params([memory_kib, passes, 1], TAG_BYTES).build_or_panic();
        Self(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

impl Argon2Hash {
    /// Hashes with our own kind of Argon2.
    pub(super) fn compute(
        cost: Cost,
        password: &[u8],
        salt: [u8; SALT_BYTES],
        arena: &mut Arena<'_>,
    ) -> Result<Self, Starved> {
        let tag = arena.derive(cost.0, password, &salt)?;
        Ok(Self { argon2: cost.0, salt: salt.to_vec(), tag })
    }

    /// A hash that no password is known for.
    pub(super) fn dummy(cost: Cost) -> Self {
        Self { argon2: cost.0, salt: vec![0; SALT_BYTES], tag: vec![0; TAG_BYTES] }
    }

    /// Reads a PHC string with `m`, `t` and `p`; without a version it is Argon2 1.0, which wrote none.
    pub(super) fn parse(phc: Phc<'_>) -> Result<Self, UnsupportedHash> {
        let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == phc.id);
        let version = Version::from_u32(phc.version.unwrap_or(Version::V0x10.as_u32()));
        let costs = phc.parameters(["m", "t", "p"]);
        let (Some(algorithm), Some(version), Some(costs)) = (algorithm, version, costs) else {
            return Err(UnsupportedHash::Malformed);
        };
        let [memory, passes, lanes] = costs;
        if memory > MAX_MEMORY_KIB || u64::from(memory) * u64::from(passes) > MAX_WORK_KIB || lanes > MAX_LANES {
            return Err(UnsupportedHash::TooCostly);
        }
        if phc.salt.len() < MIN_SALT_BYTES || !fits(&phc.salt, &phc.tag) {
            return Err(UnsupportedHash::Malformed);
        }
        let params = params(costs, phc.tag.len()).build().map_err(|_| UnsupportedHash::Malformed)?;
        Ok(Self { argon2: Argon2::new(algorithm, version, params), salt: phc.salt, tag: phc.tag })
    }

    /// The PHC string.
    pub(super) fn encode(&self) -> String {
        format!(
            "${}$v={}$m={},t={},p={}${}${}",
            self.argon2.algorithm().as_str(),
            self.argon2.version().as_u32(),
            self.argon2.params().memory_kib(),
            self.argon2.params().passes(),
            self.argon2.params().lanes(),
            BASE64_NOPAD.encode(&self.salt),
            BASE64_NOPAD.encode(&self.tag),
        )
    }

    pub(super) fn matches(&self, password: &[u8], arena: &mut Arena<'_>) -> Result<bool, Starved> {
        Ok(arena.derive(self.argon2, password, &self.salt)?.ct_eq(&self.tag).into())
    }

    /// Whether this is what [`Argon2Hash::compute`] makes at that cost.
    pub(super) fn is_current(&self, cost: Cost) -> bool {
        self.argon2 == cost.0 && self.salt.len() >= SALT_BYTES
    }
}

impl<'a> Arena<'a> {
    /// An arena for hashes of that cost; it takes memory with the first one.
    pub(super) fn new(cost: Cost, large: &'a Mutex<()>) -> Self {
        Self { own: cost, kept: cost.0.hasher(), large }
    }

    /// Gives the memory back to the system until the next hash.
    pub(super) fn release(&mut self) {
        self.kept.clear();
    }

    /// Runs work that takes much memory of its own; one such at a time, however many threads there are.
    pub(super) fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        let _alone = self.large.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    /// Parameters, password and salt are of lengths that Argon2 takes, so only memory can be wanting.
    fn derive(&mut self, argon2: Argon2, password: &[u8], salt: &[u8]) -> Result<Vec<u8>, Starved> {
        let tag = if argon2.params().memory_kib() > self.own.0.params().memory_kib() {
            self.alone(|| argon2.hash(password, salt))
        } else {
            self.kept.set_argon2(argon2);
            self.kept.hash(password, salt)
        };
        tag.map_err(|_| Starved)
    }
}

const fn params([memory_kib, passes, lanes]: [u32; 3], tag_bytes: usize) -> ParamsBuilder {
    Params::builder()
        .memory(Memory::kib(memory_kib as u64))
        .passes(passes)
        .lanes(lanes)
        .threads(1)
        .tag_len(TagLen::bytes(tag_bytes as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive_by_other_means(argon2: &Argon2, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let algorithm = match argon2.algorithm() {
            Algorithm::Argon2d => ::argon2::Algorithm::Argon2d,
            Algorithm::Argon2i => ::argon2::Algorithm::Argon2i,
            Algorithm::Argon2id => ::argon2::Algorithm::Argon2id,
        };
        let version = match argon2.version() {
            Version::V0x10 => ::argon2::Version::V0x10,
            Version::V0x13 => ::argon2::Version::V0x13,
        };
        let ours = argon2.params();
        let tag_bytes = ours.tag_len_bytes();
        let params = ::argon2::Params::new(ours.memory_kib(), ours.passes(), ours.lanes(), Some(tag_bytes)).unwrap();
        let mut tag = vec![0; tag_bytes];
        ::argon2::Argon2::new(algorithm, version, params).hash_password_into(password, salt, &mut tag).unwrap();
        tag
    }

    #[test]
    fn two_implementations_agree_on_every_kind_and_shape() {
        let large = Mutex::new(());
        let mut arena = Arena::new(Cost::argon2id(1024, 1), &large);
        for (algorithm, version) in Algorithm::ALL.into_iter().flat_map(|a| Version::ALL.map(|v| (a, v))) {
            for costs in [[8, 1, 1], [9, 3, 1], [64, 2, 1], [1000, 1, 1], [1024, 2, 4], [77, 2, 3], [2048, 1, 2]] {
                for (tag_bytes, password) in [(16, &b""[..]), (32, b"password"), (64, &[0xff; 1024])] {
                    let argon2 = Argon2::new(algorithm, version, params(costs, tag_bytes).build().unwrap());
                    let tag = arena.derive(argon2, password, b"0123456789abcdef").ok().unwrap();
                    assert_eq!(tag, derive_by_other_means(&argon2, password, b"0123456789abcdef"), "{argon2:?}");
                }
            }
        }
    }

    #[test]
    fn arena_keeps_its_own_memory_and_nothing_larger_until_released() {
        let large = Mutex::new(());
        let mut arena = Arena::new(Cost::TESTS, &large);
        let sizes = [64, 4096, 8].map(|memory_kib| {
            arena.derive(Cost::argon2id(memory_kib, 1).0, b"password", b"somesalt").ok().unwrap();
            arena.kept.reserved_blocks()
        });
        assert_eq!(sizes, [64, 64, 64]);
        arena.release();
        assert_eq!(arena.kept.reserved_blocks(), 0);
    }
}
