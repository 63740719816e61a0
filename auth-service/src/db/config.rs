//! Where the database is.

use std::{borrow::Cow, path::PathBuf};

use service_kit::config::{Env, Environment, PERCENT_ENCODE, Secret, is_cut_by_its_password, is_loopback};
use url::Url;

/// Passwords of development databases, in the guide, in compose files and in documentation.
const SAMPLE_PASSWORDS: [&str; 8] =
    ["devpassword", "password", "postgres", "changeme", "secret", "admin", "YOUR_DB_PASSWORD", "YOUR_PASSWORD"];

/// Which database an instance uses.
#[derive(Clone)]
pub struct DbConfig {
    /// PostgreSQL, or nothing for the embedded SQLite.
    pub primary_url: Option<Secret>,
    /// A replica for lists and reports that may lag.
    pub replica_url: Option<Secret>,
    /// The most connections of this instance to one server.
    pub pool_max_size: usize,
    /// The folder of the SQLite file.
    pub data_dir: PathBuf,
    /// Whether to bring the schema up to date at the start.
    pub auto_migrate: bool,
}

impl DbConfig {
    /// Reads the configuration.
    pub fn read(env: &mut Env) -> Self {
        let production = env.environment() == Environment::Production;
        let config = Self {
            primary_url: env.secret_address(
                "DB_PRIMARY_DB_URL",
                "postgresql:// address of the database; SQLite in DATA_DIR without it.",
            ),
            replica_url: env.secret_address(
                "DB_REPLICA_DB_URL",
                "postgresql:// address of a replica, for lists and reports that may lag.",
            ),
            pool_max_size: env.parse(
                "DB_POOL_MAX_SIZE",
                "20",
                "The most connections of this instance to one database server.",
            ),
            data_dir: env.parse("DATA_DIR", "data", "Folder of the SQLite file and of secrets made in development."),
            auto_migrate: env.parse(
                "AUTO_MIGRATE",
                if production { "false" } else { "true" },
                "Whether to bring the schema up to date at the start; false in production.",
            ),
        };
        for (name, url) in [("DB_PRIMARY_DB_URL", &config.primary_url), ("DB_REPLICA_DB_URL", &config.replica_url)] {
            if let Some(url) = url {
                check(env, name, url);
            }
        }
        if config.primary_url.is_none() && production {
            env.warn("DB_PRIMARY_DB_URL is not set: this instance keeps its accounts in an SQLite file of its own");
        }
        if config.pool_max_size == 0 {
            env.refuse("DB_POOL_MAX_SIZE must be at least 1");
        }
        config
    }
}

fn check(env: &mut Env, name: &str, url: &Secret) {
    match Url::parse(url.expose()) {
        Ok(parsed) if matches!(parsed.scheme(), "postgresql" | "postgres") && !is_cut_by_its_password(&parsed) => {
            let sample = parsed.password().is_some_and(|password| SAMPLE_PASSWORDS.contains(&password));
            if sample && env.environment() == Environment::Production {
                env.refuse(format!("{name} holds a development password: make one with `openssl rand -hex 32`"));
            }
            if env.environment() == Environment::Production && !is_verified_or_local(&parsed) {
                env.warn(format!("{name}: whoever stands between can pose as the database; add ?sslmode=verify-full (and sslrootcert=FILE for a CA of your own)"));
            }
        }
        // The address is not repeated: it holds a password.
        Ok(_) | Err(_) => {
            env.refuse(format!("{name}: write postgresql://user:password@host:5432/database, and {PERCENT_ENCODE}"))
        }
    }
}

/// Whether the server proves who it is, or is on this machine.
fn is_verified_or_local(url: &Url) -> bool {
    let verifies = |(name, value): (Cow<'_, str>, Cow<'_, str>)| name == "sslmode" && value == "verify-full";
    // A host in the query is the folder of a socket.
    url.host_str().is_none_or(|host| host.is_empty() || is_loopback(host)) || url.query_pairs().any(verifies)
}
