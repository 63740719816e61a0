//! Variables that more than one server reads: each read, judged and documented in one place.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::{Env, Environment, Period, Secret};

/// What to do about an address that its password spoils.
pub const PERCENT_ENCODE: &str =
    "percent-encode the password (/ is %2F, @ is %40), or make one without such characters: `openssl rand -hex 32`";
/// Least length of the gateways' secret in production: nothing slows down who guesses at it.
const FEED_TOKEN_LEAST: usize = 32;
/// What `REVOCATION_MAX_STALENESS` may be: a few readings of the log at least, and no longer than an outage lasts.
const MAX_STALENESS_LEAST: Duration = Duration::from_secs(2);
const MAX_STALENESS_MOST: Duration = Duration::from_secs(300);

/// What access tokens say of their issuer: written by the Auth API, expected by gateways.
pub struct TokenNames {
    /// The `iss` of tokens.
    pub issuer: String,
    /// The `aud` of tokens.
    pub audience: String,
}

/// How revocations reach gateways, and how long anybody trusts what was heard.
#[derive(Clone)]
pub struct FeedConfig {
    /// What gateways prove themselves with; without it there is no feed.
    pub token: Option<Secret>,
    /// The longest that a server trusts a view it could not renew.
    pub max_staleness: Duration,
}

impl TokenNames {
    /// Reads `JWT_ISSUER` and `JWT_AUDIENCE`; without the former, `PUBLIC_URL` is the issuer.
    pub fn read(env: &mut Env) -> Self {
        let public_url = read_public_url(env);
        let issuer =
            env.optional("JWT_ISSUER", "The `iss` of access tokens; PUBLIC_URL unless given, else `auth-system`.");
        let audience = env.parse("JWT_AUDIENCE", "auth-system", "The `aud` of access tokens.");
        let public_url = public_url.map(|url| url.as_str().trim_end_matches('/').to_owned());
        Self { issuer: issuer.or(public_url).unwrap_or_else(|| "auth-system".to_owned()), audience }
    }
}

impl FeedConfig {
    /// Reads `REVOCATION_MAX_STALENESS` and `GATEWAY_FEED_TOKEN`.
    pub fn read(env: &mut Env) -> Self {
        let max_staleness: Period = env.parse(
            "REVOCATION_MAX_STALENESS",
            "10s",
            "After this long without reading the revocation log, the Auth API answers authenticated calls 503, and gateways do what each route says.",
        );
        if !(MAX_STALENESS_LEAST..=MAX_STALENESS_MOST).contains(&max_staleness.get()) {
            env.refuse("REVOCATION_MAX_STALENESS must be 2s to 5m: that long a revoked token may go on unnoticed");
        }
        let token = env.secret(
            "GATEWAY_FEED_TOKEN",
            "Shared secret of the gateways that tail the revocation feed; without it only the gateway in the same process can.",
        );
        let is_short = token.as_ref().is_some_and(|token| token.expose().len() < FEED_TOKEN_LEAST);
        if is_short && env.environment() == Environment::Production {
            env.refuse("GATEWAY_FEED_TOKEN needs at least 32 characters: make one with `openssl rand -base64 32`");
        }
        if token.is_none() && env.environment() == Environment::Production {
            env.warn("GATEWAY_FEED_TOKEN is not set: gateways in other processes cannot hear of revocations");
        }
        Self { token, max_staleness: max_staleness.into() }
    }
}

/// Reads `PUBLIC_URL`.
pub fn read_public_url(env: &mut Env) -> Option<Url> {
    let help = "Where people find the service, such as https://auth.example.com; links are made of it.";
    env.optional("PUBLIC_URL", help)
}

/// Reads `REDIS_URL`, which in production must be TLS to anything but loopback.
pub fn read_redis_url(env: &mut Env) -> Option<Secret> {
    let url = env.secret_address(
        "REDIS_URL",
        "redis:// or rediss:// address of Redis; counts and announcements stay in this process without it.",
    );
    let Some(url) = url else {
        if env.environment() == Environment::Production {
            env.warn("REDIS_URL is not set: limits count per instance, and revocations reach other instances within half a second by the database alone");
        }
        return None;
    };
    match Url::parse(url.expose()) {
        // What was cut off may be all that was meant: nothing else is said of it.
        Ok(parsed) if is_cut_by_its_password(&parsed) => env.refuse(format!("REDIS_URL: {PERCENT_ENCODE}")),
        Ok(parsed) if parsed.scheme() == "rediss" => {}
        Ok(parsed) if parsed.scheme() == "redis" => {
            if env.environment() == Environment::Production && !parsed.host_str().is_some_and(is_loopback) {
                env.refuse("REDIS_URL: production needs TLS, rediss://, to anything but loopback");
            }
        }
        Ok(_) | Err(_) => env.refuse(format!(
            "REDIS_URL: write redis://localhost:6379/0 or rediss://:password@host:6379/0, and {PERCENT_ENCODE}"
        )),
    }
    Some(url)
}

/// Reads the file that `SSL_CERT_FILE` names.
pub fn read_extra_roots(env: &mut Env) -> Option<Vec<u8>> {
    let path: PathBuf =
        env.optional("SSL_CERT_FILE", "PEM file with more roots to trust, for every outbound TLS connection.")?;
    match std::fs::read(&path) {
        Ok(pem) => Some(pem),
        Err(cause) => {
            env.refuse(format!("SSL_CERT_FILE {} cannot be read: {cause}", path.display()));
            None
        }
    }
}

/// Whether a password that should have been percent-encoded ended the URL's host: a `/`, `?` or `#` in it leaves the rest
/// of it, and the `@`, behind.
#[must_use]
pub fn is_cut_by_its_password(url: &Url) -> bool {
    let behind = [Some(url.path()), url.query(), url.fragment()];
    url.username().is_empty() && url.password().is_none() && behind.into_iter().flatten().any(|part| part.contains('@'))
}

/// Whether a URL's host is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
