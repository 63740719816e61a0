//! Shows counters as zero from the start: of one that appears with its first event, no alert sees that event.

use crate::social::Providers;

const LOGINS: [&str; 3] = ["logged_in", "refused", "password_expired"];
const MAILS: [&str; 4] = ["sent", "retried", "failed", "unknown"];
const LOOKS: [&str; 2] = ["hit", "miss"];
/// The names that [`crate::limits`] counts by.
const RULES: [&str; 10] = [
    "login",
    "login_accounts",
    "register",
    "refresh",
    "api_address",
    "api_user",
    "api_key",
    "forgot",
    "mails_to",
    "change_email",
];
const PLAIN: [&str; 4] =
    ["registrations_total", "refresh_reuse_total", "token_validations_failed_total", "audit_entries_sealed_total"];

/// Shows every counter whose labels are known.
pub fn show_zeros(providers: &Providers) {
    for name in PLAIN {
        metrics::counter!(name).increment(0);
    }
    for (name, outcomes) in [("logins_total", &LOGINS[..]), ("mails_total", &MAILS), ("profile_cache_total", &LOOKS)] {
        for outcome in outcomes {
            metrics::counter!(name, "outcome" => *outcome).increment(0);
        }
    }
    for rule in RULES {
        metrics::counter!("rate_limited_total", "rule" => rule).increment(0);
    }
    for provider in providers.iter() {
        metrics::counter!("oauth_failures_total", "provider" => provider.name.clone()).increment(0);
    }
}
