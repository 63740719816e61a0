//! RS256 alone: a parsed key signs a message of a token's size on every processor.

use std::time::Duration;

use anyhow::{Context, Result};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::RSA_PKCS1_SHA256,
};

/// Header and claims of an access token in base64url.
const MESSAGE: [u8; 500] = [b'a'; 500];

/// Signatures a second of all threads, by a key of 2048 bits.
pub fn signatures_per_second(threads: usize, duration: Duration) -> Result<f64> {
    let key = KeyPair::generate(KeySize::Rsa2048).ok().context("no RSA key")?;
    let sign = |signature: &mut [u8]| key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &MESSAGE, signature);
    sign(&mut vec![0; key.public_modulus_len()]).ok().context("RSA does not sign")?;
    Ok(super::rate_of(threads, duration, || {
        let mut signature = vec![0; key.public_modulus_len()];
        move || {
            let _ = sign(&mut signature);
        }
    }))
}
