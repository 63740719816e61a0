//! The command line.

use std::path::PathBuf;

use auth_service::{audit, import::Format, operator::MOST_DEMO_USERS};
use auth_token::{Algorithm, RsaBits};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

/// Self-hosted authentication: tokens verified offline, and yet revoked everywhere within a second.
#[derive(Debug, Parser)]
#[command(
    name = "auth-system",
    version,
    after_help = "Configuration comes from the environment, and in development also from .env in this folder.\n\
                  Every variable is in docs/configuration.md; `auth-system docs configuration` prints it.\n\
                  Exit codes: 0 done, 1 failed, 2 an import refused records, 64 the command line cannot be read."
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
    /// Start the gateway alone, or prove its file of routes.
    Gateway {
        /// Without one, start.
        #[command(subcommand)]
        command: Option<Gateway>,
    },
    /// Start the console alone.
    Admin,
    /// Print the token by which the first administrator is made at the console, while there is none.
    SetupToken,
    /// Bring the database's schema up to date; safe to repeat, and beside running servers.
    Migrate {
        /// Change nothing: say what is missing, and exit 1 if anything is.
        #[arg(long)]
        check: bool,
    },
    /// Try the real environment: keys, database, Redis, hosts, clock, disk; and say what to do about each fault.
    Doctor,
    /// Ask the running server whether it lives, for container health checks.
    Healthcheck {
        /// Ask the gateway instead of the Auth API.
        #[arg(long)]
        gateway: bool,
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
    /// Make an administrator; list, disable, bring in or copy out accounts.
    #[command(subcommand)]
    Users(Users),
    /// Copy the database, beside running servers, to a folder or an S3-compatible store.
    #[command(
        after_help = "Backups are sealed for BACKUP_RECIPIENT, an age public key (age1…); its private key is needed for a restore alone.\n\
                            Not in a backup: the configured signing key, SECRETS_KEY. Keep both, elsewhere: docs/guides/backup.md."
    )]
    Backup(Backup),
    /// Bring the database back from a backup, while no server runs.
    #[command(
        after_help = "Every session ends unless --keep-sessions says otherwise: revocations since the backup are lost, so whatever was handed out could live again."
    )]
    Restore(Restore),
    /// Fill the database with people who are nobody, and all that they did, to see the console at work.
    Demo(Demo),
    /// Print the OpenAPI document.
    Openapi,
    /// Print generated documentation.
    Docs {
        /// Which page.
        page: Page,
    },
}

/// What can be done with the gateway's file of routes, without starting anything.
#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// Say everything that is wrong with the file, or show the routes in force.
    Check {
        /// The file; by default GATEWAY_CONFIG, and without either the default routes.
        file: Option<PathBuf>,
    },
    /// Judge requests by the file, and compare with what is expected of them; exit 1 if any differs.
    Test {
        /// Requests and expectations, such as cases.toml.
        cases: PathBuf,
        /// The file of routes; by default GATEWAY_CONFIG, and without either the default routes.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
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
        expect: Option<audit::Link>,
    },
    /// Print the log, newest entry first; this is an entry itself.
    Export {
        /// ndjson (JSON lines) or csv.
        #[arg(long, value_name = "FORMAT")]
        format: audit::Format,
        /// The earliest entry's time, such as 2026-01-31T09:00:00Z.
        #[arg(long, value_name = "TIME")]
        from: Option<Timestamp>,
        /// The time before which the latest entry was written.
        #[arg(long, value_name = "TIME")]
        to: Option<Timestamp>,
    },
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum Users {
    /// Make an account with the role `admin`, or give the role to the account that has the address.
    CreateAdmin {
        /// The account's address.
        #[arg(long)]
        email: String,
        /// The account's username, if it is to have one.
        #[arg(long)]
        username: Option<String>,
        /// Read the password from the first line of standard input; otherwise one is made and printed once.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List accounts, newest first.
    List {
        /// Only those whose address, username or name holds this.
        #[arg(long)]
        search: Option<String>,
        /// Only those who hold this role.
        #[arg(long)]
        role: Option<String>,
        /// Only active, disabled or pending ones.
        #[arg(long)]
        status: Option<Status>,
        /// How many at most.
        #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Close an account and end its sessions; its tokens are refused everywhere within a second.
    Disable {
        /// The account's address or id.
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
    /// Write every account to a file, or to standard output.
    Export {
        /// A file that does not exist yet.
        file: Option<PathBuf>,
        /// How.
        #[arg(long, value_enum, default_value = "ndjson")]
        format: ExportFormat,
        /// Write password hashes too: whoever has them can try passwords at leisure.
        #[arg(long)]
        with_hashes: bool,
    },
    /// Bring accounts from a file, with the password hashes of the system that they come from.
    #[command(
        after_help = "CSV: a header line with any of email, username, display_name, password_hash, email_verified, \
                            roles, locale, status, created_at.\n\
                            Exit codes: 0 every record was taken, 2 some were refused, 1 the import failed."
    )]
    Import(Import),
}

/// How accounts are brought in.
#[derive(Debug, Args)]
pub struct Import {
    /// The file.
    pub file: PathBuf,
    /// csv, ndjson, keycloak, auth0, supabase or firebase.
    #[arg(long, value_name = "NAME")]
    pub format: Format,
    /// Change nothing: tell what would be added and what refused.
    #[arg(long, conflicts_with = "resume")]
    pub dry_run: bool,
    /// Go on where an import of the same file has stopped.
    #[arg(long)]
    pub resume: bool,
    /// Write a line of JSON for each refused record to this file, which must not exist unless the import goes on.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Firebase: `base64_signer_key` of the project's hash parameters.
    #[arg(long, value_name = "BASE64", allow_hyphen_values = true)]
    pub firebase_signer_key: Option<String>,
    /// Firebase: `base64_salt_separator`.
    #[arg(long, value_name = "BASE64", default_value = "Bw==", allow_hyphen_values = true)]
    pub firebase_salt_separator: String,
    /// Firebase: `rounds`.
    #[arg(long, value_name = "N", default_value = "8")]
    pub firebase_rounds: u32,
    /// Firebase: `mem_cost`.
    #[arg(long, value_name = "N", default_value = "14")]
    pub firebase_mem_cost: u32,
}

/// How a backup is made.
#[derive(Debug, Args)]
pub struct Backup {
    /// A folder, a file that ends with .backup or .age, or s3://bucket/prefix; by default BACKUP_TO.
    #[arg(long, value_name = "PATH|URL")]
    pub to: Option<String>,
    /// Leave it readable for whoever has it: password hashes and addresses are in it.
    #[arg(long)]
    pub unencrypted: bool,
    /// Then remove all but the newest N of this engine, and those that --keep-days keeps.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: Option<u32>,
    /// Then remove those older than N days, but the newest and those that --keep keeps.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub keep_days: Option<u32>,
}

/// How a backup is restored.
#[derive(Debug, Args)]
pub struct Restore {
    /// A backup; of a folder or s3://bucket/prefix, the newest in it.
    #[arg(long, value_name = "PATH|URL")]
    pub from: String,
    /// The file of the age private key, if the backup is sealed.
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Refuse it unless its audit log holds this place: the `audit` line of a backup, or a head noted before it was made.
    #[arg(long, value_name = "SEQ:HASH")]
    pub expect: Option<audit::Link>,
    /// Put it in the place of the accounts that the database holds.
    #[arg(long)]
    pub replace: bool,
    /// End every session; this is what happens without --keep-sessions.
    #[arg(long, conflicts_with = "keep_sessions")]
    pub end_sessions: bool,
    /// Leave sessions as they were at the backup: those that ended since live again.
    #[arg(long)]
    pub keep_sessions: bool,
}

/// How large a demonstration is.
#[derive(Debug, Args)]
pub struct Demo {
    /// How many people.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=MOST_DEMO_USERS))]
    pub users: u64,
    /// Another number has other people; the same one always the same.
    #[arg(long, value_name = "N", default_value = "20260101")]
    pub seed: u64,
    /// Put it beside people of other kinds; without it a database that holds any is left alone.
    #[arg(long)]
    pub append: bool,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Status {
    /// In use.
    Active,
    /// Closed.
    Disabled,
    /// Waiting for its address to be proven.
    Pending,
}

/// How accounts are written out.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ExportFormat {
    /// A JSON object a line.
    Ndjson,
    /// A header line, then a line each.
    Csv,
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
