//! Argon2id alone, as the service computes it: the same crate and cost, a thread per processor, each with kept memory.

use std::hint::black_box;
use std::time::Duration;

use argon2_rust::params::{Memory, ParamsBuilder, TagLen};
use argon2_rust::{Algorithm, Argon2, Params, Version};

/// Hashes a second of all threads.
pub fn hashes_per_second(threads: usize, duration: Duration) -> f64 {
    const PARAMS: ParamsBuilder =
        Params::builder().memory(Memory::kib(19_456)).passes(2).lanes(1).threads(1).tag_len(TagLen::bytes(32));
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, const { PARAMS.build_or_panic() });
    super::rate_of(threads, duration, || {
        let mut hasher = argon2.hasher();
        move || drop(black_box(hasher.hash(b"TestPass123!", b"0123456789abcdef")))
    })
}
