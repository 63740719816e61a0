//! Tries what an operator has set up, part by part, and says what to do about each fault.

mod providers;
mod store;

pub(crate) use providers::lacks;

use std::{
    fmt,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use service_kit::{clock::Clock, config::Secret, redis::Redis};

use crate::{
    Config,
    config::Delivery,
    db::{
        Conn, Db, DbError, Engine, Ts,
        migrate::{self, SCRIPTS, Schema},
    },
    mail::Outbox,
};

/// Clocks may differ by so much before tokens of one machine are refused on another.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);
/// Free space below which writes may soon fail.
const MIN_FREE_BYTES: u64 = 512 * 1024 * 1024;
/// How long Redis is waited for.
const REDIS_PATIENCE: Duration = Duration::from_secs(3);

/// The longest that a check may take: somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(9);

/// What one check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was tried.
    pub subject: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do about it, where there is anything to do.
    pub fix: Option<String>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Ok,
    /// It works, but something is missing.
    Warning,
    /// It does not work.
    Failed,
    /// There was nothing to try: it is not configured.
    Skipped,
}

/// What is wrong, and what to do about it.
struct Wrong {
    found: String,
    fix: String,
}

impl Wrong {
    fn new(found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { found: found.into(), fix: fix.into() }
    }
}

impl Finding {
    fn of(subject: &'static str, result: Result<String, Wrong>) -> Self {
        match result {
            Ok(found) => Self { subject, outcome: Outcome::Ok, found, fix: None },
            Err(Wrong { found, fix }) => Self { subject, outcome: Outcome::Failed, found, fix: Some(fix) },
        }
    }

    fn skipped(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, outcome: Outcome::Skipped, found: found.into(), fix: None }
    }

    fn warning(subject: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { subject, outcome: Outcome::Warning, found: found.into(), fix: Some(fix.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.found)?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, ". {fix}"))
    }
}

/// Runs every check, each whatever the others find, and none for longer than ten seconds.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::of("signing key", examine_key(config)), Finding::of("disk", examine_disk(config))];
    let (redis, mail, providers, database) = tokio::join!(
        bounded("redis", async { vec![examine_redis(config).await] }),
        bounded("mail", async { vec![examine_mail(config).await] }),
        providers::examine(config),
        bounded("database", examine_database(config)),
    );
    findings.extend([redis, mail, providers, database].into_iter().flatten());
    findings
}

async fn bounded(subject: &'static str, check: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| {
        let found = format!("no answer in {} s", PATIENCE.as_secs());
        vec![Finding::of(subject, Err(Wrong::new(found, "Check that this machine may reach it")))]
    })
}

fn examine_key(config: &Config) -> Result<String, Wrong> {
    let key = config.keys.source.load(config.keys.algorithm);
    let key = key.map_err(|cause| {
        Wrong::new(cause, "Check JWT_PRIVATE_KEY_PATH, or JWT_PRIVATE_KEY, or under HS256 JWT_SECRET_KEY")
    })?;
    Ok(format!("{} {} from {}", key.algorithm(), key.kid(), config.keys.source))
}

fn examine_disk(config: &Config) -> Result<String, Wrong> {
    let folder = if config.db.data_dir.exists() { config.db.data_dir.as_path() } else { ".".as_ref() };
    let stat = rustix::fs::statvfs(folder)
        .map_err(|cause| Wrong::new(format!("{} cannot be examined: {cause}", folder.display()), "Check DATA_DIR"))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let found = format!("{} MiB free in {}", free / 1024 / 1024, folder.display());
    if free < MIN_FREE_BYTES { Err(Wrong::new(found, "Make room, or writes will fail")) } else { Ok(found) }
}

async fn examine_redis(config: &Config) -> Finding {
    const SUBJECT: &str = "redis";
    match &config.redis_url {
        Some(url) => Finding::of(SUBJECT, try_redis(url, config.extra_roots.as_deref()).await),
        None => Finding::skipped(SUBJECT, "REDIS_URL is not set: counts and announcements stay in each process"),
    }
}

async fn try_redis(url: &Secret, extra_roots: Option<&[u8]>) -> Result<String, Wrong> {
    let redis =
        Redis::open(url.expose(), extra_roots).map_err(|cause| Wrong::new(cause.to_string(), "Check REDIS_URL"))?;
    let began = Instant::now();
    if tokio::time::timeout(REDIS_PATIENCE, redis.available()).await.is_err() {
        return Err(Wrong::new(
            "Error connecting to Redis: no answer in 3 s",
            "Check that REDIS_URL begins with rediss:// where the server wants TLS, the password, the security group (port 6379), and SSL_CERT_FILE for a private CA",
        ));
    }
    redis.ping().await.map_err(|cause| {
        Wrong::new(format!("{cause}: it connects, but does not answer PING"), "Check the server that REDIS_URL names")
    })?;
    Ok(format!("PONG after {} ms", began.elapsed().as_millis()))
}

async fn examine_mail(config: &Config) -> Finding {
    const SUBJECT: &str = "mail";
    match &config.mail.delivery {
        Delivery::Relay(relay) => {
            let tried = Outbox::examine(relay, &config.mail, config.extra_roots.as_deref()).await;
            let advice = "Check SMTP_URL: host, port, user, password, and smtps:// for port 465";
            Finding::of(SUBJECT, tried.map_err(|cause| Wrong::new(cause, advice)))
        }
        Delivery::Log => Finding::of(SUBJECT, Ok("SMTP_URL is not set: mails stand in the log".to_owned())),
        Delivery::Nowhere => Finding::warning(
            SUBJECT,
            "no mail is sent",
            "Set PUBLIC_URL, SMTP_URL and MAIL_FROM for password resets and notices",
        ),
    }
}

async fn examine_database(config: &Config) -> Vec<Finding> {
    const SUBJECT: &str = "database";
    let db = match Db::open(&config.db, config.extra_roots.as_deref()) {
        Ok(db) => db,
        Err(cause) => {
            return vec![Finding::of(SUBJECT, Err(Wrong::new(cause.to_string(), "Check DB_PRIMARY_DB_URL")))];
        }
    };
    let connection = examine_connection(&db).await;
    if connection.is_err() {
        // The others could only say the same.
        return vec![Finding::of(SUBJECT, connection)];
    }
    vec![
        Finding::of(SUBJECT, connection),
        Finding::of("schema", examine_schema(&db).await),
        Finding::of("indexes", examine_indexes(&db).await),
        Finding::of("clock", examine_clock(&db).await),
    ]
}

async fn examine_connection(db: &Db) -> Result<String, Wrong> {
    let began = Instant::now();
    let version = store::show_version(&mut reach(db).await?).await.map_err(away)?;
    Ok(format!("{version}, answers after {} ms", began.elapsed().as_millis()))
}

async fn reach(db: &Db) -> Result<Conn, Wrong> {
    db.read().await.map_err(away)
}

fn away(cause: DbError) -> Wrong {
    Wrong::new(
        cause.to_string(),
        "Check the host, port, user and password in DB_PRIMARY_DB_URL, and that the security group admits this machine (port 5432)",
    )
}

async fn examine_schema(db: &Db) -> Result<String, Wrong> {
    const FIX: &str = "Run `auth-system migrate` of this release";
    match migrate::check(db, SCRIPTS).await {
        Ok(Schema::Current) => Ok("every script is applied".to_owned()),
        Ok(behind @ Schema::Behind(_)) => Err(Wrong::new(behind.to_string(), FIX)),
        Err(cause) => Err(Wrong::new(cause.to_string(), FIX)),
    }
}

async fn examine_indexes(db: &Db) -> Result<String, Wrong> {
    if store::has_active_email_index(&mut reach(db).await?).await.map_err(away)? {
        Ok("idx_users_email_active is there".to_owned())
    } else {
        Err(Wrong::new("idx_users_email_active is missing", "Run `auth-system migrate`"))
    }
}

/// Compares this machine's clock with the database server's.
async fn examine_clock(db: &Db) -> Result<String, Wrong> {
    if db.engine() == Engine::Sqlite {
        return Ok("the database has this machine's".to_owned());
    }
    let theirs = store::read_clock(&mut reach(db).await?).await.map_err(away)?;
    let ours: Ts = Clock::System.now().into();
    let difference = ours.since(theirs).max(theirs.since(ours));
    if difference > MAX_CLOCK_DIFFERENCE {
        let (seconds, ours, theirs) = (difference.as_secs(), Timestamp::from(ours), Timestamp::from(theirs));
        let found = format!("differs from the database's by {seconds} s (here {ours}, there {theirs})");
        return Err(Wrong::new(found, "Run chrony or ntpd on both"));
    }
    Ok(format!("within {} ms of the database's", difference.as_millis()))
}
