//! Tests through the public API alone, with `jsonwebtoken` as the oracle and keys made by OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixtures;
mod foreign;
mod forgeries;
mod keys;
mod oracle;
mod remembering;
mod revocations;
mod verification;
