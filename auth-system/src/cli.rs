//! The command line.

use std::path::PathBuf;

use auth_service::audit::{Format, Link};
use auth_token::{Algorithm, RsaBits};
use clap::{Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

/// Self-hosted authentication: tokens verified offline, and yet revoked everywhere within a second.
#[derive(Debug, Parser)]
#[command(
    name = "auth-system",
    version,
    after_help = "Configuration comes from the environment, and in development also from .env in this folder.\n\
                  Every variable is in docs/configuration.md; `auth-system docs configuration` prints it.\n\
                  Exit codes: 0 done, 1 failed, 64 the command line cannot be read."
)]
pub struct Cli {
    /// What to do; without one, `up`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start every server in this process; this is what happens without a command.
    Up,
    /// Start the Auth API alone.
    Service,
    /// Bring the database's schema up to date; safe to repeat, and beside running servers.
    Migrate {
        /// Change nothing: say what is missing, and exit 1 if anything is.
        #[arg(long)]
        check: bool,
    },
    /// Try the real environment: keys, database, Redis, hosts, clock, disk; and say what to do about each fault.
    Doctor,
    /// Ask the running Auth API whether it lives, for container health checks.
    Healthcheck {
        /// Ask whether it is ready to be sent requests instead.
        #[arg(long)]
        ready: bool,
    },
    /// Make, rotate, withdraw or list the keys that sign access tokens.
    #[command(subcommand)]
    Keys(Keys),
    /// Check the audit log, or take a copy of it.
    #[command(subcommand)]
    Audit(Audit),
    /// Print the OpenAPI document.
    Openapi,
    /// Print generated documentation.
    Docs {
        /// Which page.
        page: Page,
    },
}

/// What can be done with signing keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Write a new key pair as PEM files, readable by the owner alone.
    Generate {
        /// RS256, ES256 or EdDSA; by default as JWT_ALGORITHM says.
        #[arg(long, value_name = "NAME")]
        algorithm: Option<Algorithm>,
        /// Size of an RSA key: 2048, 3072 or 4096.
        #[arg(long, default_value = "2048")]
        bits: RsaBits,
        /// The private key's file; by default JWT_PRIVATE_KEY_PATH. A file that exists is never overwritten.
        #[arg(long, value_name = "FILE")]
        private: Option<PathBuf>,
        /// The public key's file; by default JWT_PUBLIC_KEY_PATH.
        #[arg(long, value_name = "FILE")]
        public: Option<PathBuf>,
    },
    /// Publish a new key, which signs five minutes later, when everybody can know it; nobody is logged out.
    Rotate {
        /// RS256, ES256, EdDSA or HS256; by default as JWT_ALGORITHM says.
        #[arg(long, value_name = "NAME")]
        algorithm: Option<Algorithm>,
    },
    /// Refuse a key, and every token that it signed, within a second; another key signs at once.
    Withdraw {
        /// The key's id, as `keys list` shows it.
        // One in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// List every key and what it does now: published, signs, verifies, retired or withdrawn.
    List,
}

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Name every sealed entry that was changed, removed or moved; exit 1 if there is any. Safe beside running servers.
    Verify {
        /// A head that was kept elsewhere, as this command and the log print it: proves that nothing up to there was
        /// rewritten.
        #[arg(long, value_name = "SEQ:HASH")]
        expect: Option<Link>,
    },
    /// Print the log, newest entry first; this is an entry itself.
    Export {
        /// ndjson (JSON lines) or csv.
        #[arg(long, value_name = "FORMAT")]
        format: Format,
        /// The earliest entry's time, such as 2026-01-31T09:00:00Z.
        #[arg(long, value_name = "TIME")]
        from: Option<Timestamp>,
        /// The time before which the latest entry was written.
        #[arg(long, value_name = "TIME")]
        to: Option<Timestamp>,
    },
}

/// A page that is generated from the program.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Page {
    /// Every variable, as Markdown.
    Configuration,
    /// Every variable, as an env file to copy.
    EnvExample,
    /// Every error code, as Markdown.
    Errors,
}
