//! Sessions: what a login begins, refresh tokens carry on, and a logout, a reuse or time ends.
//!
//! Every way in ends in [`issue::begin`], and every way out in [`revoke`], so that no pathway forgets a control.

pub mod http;
pub mod issue;
pub mod revoke;
pub mod rotate;
mod seal;
pub mod store;

use std::time::Duration;

use service_kit::config::Env;

/// How long sessions and their tokens live.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Life of an access token.
    pub access_token_life: Duration,
    /// A session ends when it is not refreshed for this long.
    pub idle: Duration,
}

/// What a session is used by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// An app, with access and refresh tokens.
    App,
    /// The console, with one credential: a person who operates the system is asked again sooner.
    Console,
}

impl SessionKind {
    /// The same as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "api",
            Self::Console => "console",
        }
    }

    /// It ends when it is not used for this long.
    #[must_use]
    pub const fn idle(self, config: &SessionConfig) -> Duration {
        match self {
            Self::App => config.idle,
            Self::Console => Duration::from_secs(15 * 60),
        }
    }

    /// It ends this long after its login, however much it is used.
    #[must_use]
    pub const fn absolute(self) -> Duration {
        match self {
            Self::App => Duration::from_secs(30 * 86_400),
            Self::Console => Duration::from_secs(8 * 3_600),
        }
    }
}

/// The most live sessions of one person; one more ends the longest unused.
pub const MAX_PER_USER: i64 = 100;
/// How long after a proof of the password a session counts as fresh.
pub const FRESH_FOR: Duration = Duration::from_secs(5 * 60);
/// How long a replaced refresh token still yields the successor it was replaced by.
pub const GRACE: Duration = Duration::from_secs(10);

impl SessionConfig {
    /// Reads the configuration.
    pub fn read(env: &mut Env) -> Self {
        let minutes: u32 = env.parse(
            "JWT_ACCESS_TOKEN_EXPIRE_MINUTES",
            "30",
            "Life of an access token, in minutes, 1 to 1440. Revocation is immediate whatever it is.",
        );
        let days: u32 = env.parse(
            "JWT_REFRESH_TOKEN_EXPIRE_DAYS",
            "7",
            "Days after which a session that is not refreshed ends, 1 to 30.",
        );
        if !(1..=1440).contains(&minutes) {
            env.refuse("JWT_ACCESS_TOKEN_EXPIRE_MINUTES must be 1 to 1440");
        }
        if !(1..=30).contains(&days) {
            env.refuse("JWT_REFRESH_TOKEN_EXPIRE_DAYS must be 1 to 30");
        }
        Self {
            access_token_life: Duration::from_secs(u64::from(minutes) * 60),
            idle: Duration::from_secs(u64::from(days) * 86_400),
        }
    }
}
