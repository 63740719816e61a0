//! What a limiter answers, and how it reads in the `RateLimit`, `RateLimit-Policy` and `Retry-After` headers.

use std::time::Duration;

use crate::quota::Quota;

/// The answer to one request under one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The limit's name, as clients see it.
    pub name: &'static str,
    /// The quota it was judged by.
    pub quota: Quota,
    /// How many more would be admitted now.
    pub remaining: u32,
    /// Until the quota is whole again.
    pub reset_after: Duration,
    /// `None` when admitted; otherwise until the next one can be.
    pub retry_after: Option<Duration>,
}

impl Decision {
    /// Whether the request may go on.
    pub fn is_admitted(&self) -> bool {
        self.retry_after.is_none()
    }

    /// The value of `RateLimit` (draft-ietf-httpapi-ratelimit-headers): `"login";r=12;t=30`.
    pub fn rate_limit_header(&self) -> String {
        format!("\"{}\";r={};t={}", self.name, self.remaining, whole_seconds(self.reset_after))
    }

    /// The value of `RateLimit-Policy` (same draft): `"login";q=30;w=60`.
    pub fn policy_header(&self) -> String {
        format!("\"{}\";q={};w={}", self.name, self.quota.limit(), self.quota.window().as_secs())
    }

    /// The value of `Retry-After` in seconds (RFC 9110 section 10.2.3), for refusals only.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| whole_seconds(wait).max(1))
    }
}

/// Rounded up: who comes back after the seconds we named is not refused again.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(retry_after: Option<Duration>) -> Decision {
        let reset_after = Duration::from_millis(29_001);
        Decision { name: "login", quota: "30/1m".parse().unwrap(), remaining: 12, reset_after, retry_after }
    }

    #[test]
    fn headers_follow_the_draft() {
        assert_eq!(decision(None).rate_limit_header(), "\"login\";r=12;t=30");
        assert_eq!(decision(None).policy_header(), "\"login\";q=30;w=60");
    }

    #[test]
    fn retry_after_is_rounded_up_and_only_for_refusals() {
        assert_eq!(decision(None).retry_after_seconds(), None);
        assert_eq!(decision(Some(Duration::from_micros(1))).retry_after_seconds(), Some(1));
        assert_eq!(decision(Some(Duration::from_secs(2))).retry_after_seconds(), Some(2));
    }
}
