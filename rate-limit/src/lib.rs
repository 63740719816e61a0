//! Rate limits and guess limits, counted in this process or, the same way, in the Redis that all instances share.
//!
//! A [`RateLimiter`] asks how often somebody did something (GCRA), or to how many accounts; a [`GuessLimiter`] guards
//! the password of one account without locking its owner out. Counters may vanish without harm: while Redis is away
//! each process counts for itself, so what gets through is at most the limit times the number of instances.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod address;
mod bounded;
mod decision;
mod distinct;
mod gcra;
mod guess_limiter;
mod guesses;
mod lease;
mod quota;
mod rate_limiter;
mod shared;

pub use address::{address_subject, address_subjects};
pub use decision::Decision;
pub use guess_limiter::{GuessLimiter, Reservation, Ticket};
pub use quota::{InvalidQuota, Quota, Rule};
pub use rate_limiter::{Limit, RateLimiter};
pub use shared::TimeSource;
