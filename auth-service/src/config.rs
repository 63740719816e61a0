//! The service's configuration: one struct per concern, read in one go, refused as a whole.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use service_kit::{
    config::{self, Env, Environment, FeedConfig, Secret, Setting},
    cors::Cors,
    hosts::AllowedHosts,
    proxies::TrustedProxies,
    serve::read_address,
    shed::ShedConfig,
};
use url::Url;

pub use crate::mail::{Delivery, MailConfig};
use crate::{
    backup::BackupConfig,
    console,
    db::DbConfig,
    jobs::RetentionConfig,
    keys::{GenerateError, KeyConfig},
    limits::LimitConfig,
    passwords, places,
    sessions::SessionConfig,
    social::SocialConfig,
    users,
};

/// Paths that answer whatever `Host` is asked for: checks by address, gateways inside, keys.
const ANY_HOST: &[&str] = &["/api/v1/health", "/.well-known/jwks.json", "/internal/v1"];

/// The longest estimated wait for a hash thread: whoever is admitted has an answer within a second.
const HASH_WAIT: Duration = Duration::from_millis(700);

/// What the Auth API runs by.
pub struct Config {
    /// How strict to be.
    pub environment: Environment,
    /// Where to listen.
    pub addr: SocketAddr,
    /// Where people find the service.
    pub public_url: Option<Url>,
    /// The database.
    pub db: DbConfig,
    /// Backups of the database.
    pub backup: BackupConfig,
    /// Redis, shared by all instances.
    pub redis_url: Option<Secret>,
    /// More roots for outbound TLS, in PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// Mail.
    pub mail: MailConfig,
    /// Logins through providers.
    pub social: SocialConfig,
    /// Signing keys.
    pub keys: KeyConfig,
    /// Sessions and tokens.
    pub sessions: SessionConfig,
    /// `ADMIN_CLIENT_SECRET`: what the console shows; without one there is none.
    pub console_secret: Option<Secret>,
    /// The revocation log.
    pub revocation: FeedConfig,
    /// How long what is held on people is kept.
    pub retention: RetentionConfig,
    /// Hash threads.
    pub hashing: passwords::Config,
    /// Fewest characters of a new password.
    pub password_min_length: usize,
    /// What else a password must be.
    pub passwords: passwords::Policy,
    /// When unused accounts are closed, if ever.
    pub dormancy: Option<users::dormant::Dormancy>,
    /// A file that knows where addresses are.
    pub geoip_db: Option<PathBuf>,
    /// Rate limits.
    pub limits: LimitConfig,
    /// Hosts that are answered.
    pub hosts: AllowedHosts,
    /// Origins that may read answers.
    pub cors: Cors,
    /// Proxies that are believed.
    pub proxies: TrustedProxies,
    /// How much is served at once.
    pub shed: ShedConfig,
    /// Whether `/docs` and `/openapi.json` are served.
    pub docs: bool,
    /// Every variable as it is in force, for operators to look at.
    pub settings: Vec<Setting>,
}

impl Config {
    /// Reads everything; what is wrong is collected in `env`.
    pub fn read(env: &mut Env) -> Self {
        env.section("Auth API");
        let environment = env.environment();
        let about = "Where the Auth API listens; a port alone is on 127.0.0.1 in development.";
        let addr = read_address(env, "SERVICE_ADDR", ":8000", about);
        let public_url = config::read_public_url(env);
        let docs = env.parse("DOCS_ENABLED", "true", "Whether /docs and /openapi.json are served.");
        env.section("Database");
        let (db, backup) = (DbConfig::read(env), BackupConfig::read(env));
        env.section("Redis");
        let redis_url = config::read_redis_url(env);
        let extra_roots = config::read_extra_roots(env);
        env.section("Mail");
        let mail = MailConfig::read(env, public_url.as_ref(), addr);
        env.section("Logins through providers");
        let social = SocialConfig::read(env, public_url.as_ref(), addr);
        env.section("Tokens and keys");
        let keys = KeyConfig::read(env);
        social.check(&keys, env);
        let sessions = SessionConfig::read(env);
        env.section("Revocation");
        let revocation = FeedConfig::read(env);
        let console_secret = console::read_secret(env);
        let retention = RetentionConfig::read(env);
        let (password_min_length, passwords) = read_password_rules(env);
        env.section("Accounts");
        let dormancy = users::dormant::Dormancy::read(env);
        let (limits, shed) = (LimitConfig::read(env), ShedConfig::read(env));
        env.section("Edge");
        Self {
            environment,
            addr,
            public_url,
            db,
            backup,
            redis_url,
            extra_roots,
            mail,
            social,
            keys,
            sessions,
            console_secret,
            revocation,
            retention,
            hashing: passwords::Config { threads: cores(), max_wait: HASH_WAIT },
            password_min_length,
            passwords,
            dormancy,
            geoip_db: places::read_path(env),
            limits,
            hosts: AllowedHosts::read(env, ANY_HOST),
            cors: Cors::read(env),
            proxies: TrustedProxies::read(env),
            shed,
            docs,
            // Last: what is read here is all that a process of this service alone reads.
            settings: env.settings(),
        }
    }
}

impl Config {
    /// Makes, in development, the keys and secrets that any other environment must be given.
    ///
    /// # Errors
    /// When a file can be neither read nor written.
    pub fn make_development_secrets(&mut self) -> Result<(), GenerateError> {
        match self.environment {
            Environment::Development => self.keys.make_missing(&self.db.data_dir),
            Environment::Test | Environment::Production => Ok(()),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn read_password_rules(env: &mut Env) -> (usize, passwords::Policy) {
    env.section("Passwords");
    let min_length = env.parse(
        "PASSWORD_MIN_LENGTH",
        "8",
        "Fewest characters of a new password, 8 or more; 15 where no second factor is used.",
    );
    (min_length, passwords::Policy::read(env, min_length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_providers_are_never_kept_unsealed() {
        let refusals = |pairs: &[(&str, &str)]| {
            let mut env = Env::from_pairs(pairs.iter().copied());
            Config::read(&mut env);
            env.finish().map(drop).err().map(|refusals| refusals.to_string()).unwrap_or_default()
        };
        let (keep, key) =
            (("OAUTH_KEEP_TOKENS", "true"), ("SECRETS_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="));
        assert!(refusals(&[("ENV", "production"), keep]).contains("OAUTH_KEEP_TOKENS needs SECRETS_KEY"));
        assert!(!refusals(&[("ENV", "production"), keep, key]).contains("OAUTH_KEEP_TOKENS"));
        assert!(!refusals(&[("ENV", "production")]).contains("OAUTH_KEEP_TOKENS"));
        assert!(!refusals(&[keep]).contains("OAUTH_KEEP_TOKENS"));
    }
}
