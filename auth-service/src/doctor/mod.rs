//! Tries what an operator has set up, part by part, and says what to do about each fault.

mod providers;
mod store;

pub(crate) use store::show_version;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use service_kit::{clock::Clock, redis::Redis};

use crate::{
    Config,
    db::{
        Db, DbError, Engine, Ts,
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

/// What one check found.
#[derive(Debug)]
pub struct Finding {
    /// What was tried.
    pub subject: &'static str,
    /// What was found, or what to do about it.
    pub outcome: Result<String, String>,
}

/// Runs every check, each whatever the others find.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![
        Finding { subject: "signing key", outcome: examine_key(config) },
        Finding { subject: "disk", outcome: examine_disk(config) },
        Finding { subject: "redis", outcome: examine_redis(config).await },
        Finding { subject: "mail", outcome: Outbox::examine(&config.mail, config.extra_roots.as_deref()).await },
    ];
    findings.extend(providers::examine(config).await);
    findings.extend(examine_database(config).await);
    findings
}

fn examine_key(config: &Config) -> Result<String, String> {
    let key = config.keys.source.load(config.keys.algorithm)?;
    Ok(format!("{} {} from {}", key.algorithm(), key.kid(), config.keys.source))
}

fn examine_disk(config: &Config) -> Result<String, String> {
    let folder = if config.db.data_dir.exists() { config.db.data_dir.as_path() } else { ".".as_ref() };
    let stat =
        rustix::fs::statvfs(folder).map_err(|cause| format!("{} cannot be examined: {cause}", folder.display()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let mebibytes = free / 1024 / 1024;
    if free < MIN_FREE_BYTES {
        return Err(format!("{mebibytes} MiB are free in {}: make room, or writes will fail", folder.display()));
    }
    Ok(format!("{mebibytes} MiB free in {}", folder.display()))
}

async fn examine_redis(config: &Config) -> Result<String, String> {
    let Some(url) = &config.redis_url else {
        return Ok("REDIS_URL is not set: counts and announcements stay in each process".to_owned());
    };
    let redis = Redis::open(url.expose(), config.extra_roots.as_deref()).map_err(|cause| cause.to_string())?;
    let began = Instant::now();
    match tokio::time::timeout(REDIS_PATIENCE, redis.available()).await {
        Ok(()) => {}
        Err(_) => {
            return Err("Error connecting to Redis: no answer in 3 s. Check that REDIS_URL begins with rediss:// where the server wants TLS, the password, the security group (port 6379), and SSL_CERT_FILE for a private CA".to_owned());
        }
    }
    redis.ping().await.map_err(|cause| format!("{cause}: it connects, but does not answer PING"))?;
    Ok(format!("PONG after {} ms", began.elapsed().as_millis()))
}

async fn examine_database(config: &Config) -> Vec<Finding> {
    let db = match Db::open(&config.db, config.extra_roots.as_deref()) {
        Ok(db) => db,
        Err(cause) => return vec![Finding { subject: "database", outcome: Err(cause.to_string()) }],
    };
    let connection = examine_connection(&db).await;
    if connection.is_err() {
        // The others could only say the same.
        return vec![Finding { subject: "database", outcome: connection }];
    }
    let schema = match migrate::check(&db, SCRIPTS).await {
        Ok(Schema::Current) => Ok("every script is applied".to_owned()),
        Ok(behind @ Schema::Behind(_)) => Err(behind.to_string()),
        Err(cause) => Err(cause.to_string()),
    };
    vec![
        Finding { subject: "database", outcome: connection },
        Finding { subject: "schema", outcome: schema },
        Finding { subject: "indexes", outcome: examine_indexes(&db).await },
        Finding { subject: "clock", outcome: examine_clock(&db).await },
    ]
}

async fn examine_connection(db: &Db) -> Result<String, String> {
    let began = Instant::now();
    let version = store::show_version(&mut reach(db).await?).await.map_err(|cause| cause.to_string())?;
    Ok(format!("{version}, answers after {} ms", began.elapsed().as_millis()))
}

async fn reach(db: &Db) -> Result<crate::db::Conn, String> {
    db.read().await.map_err(|cause: DbError| {
        format!("{cause}. Check the host, port, user and password in DB_PRIMARY_DB_URL, and that the security group admits this machine (port 5432)")
    })
}

async fn examine_indexes(db: &Db) -> Result<String, String> {
    let found = store::has_active_email_index(&mut reach(db).await?).await.map_err(|cause| cause.to_string())?;
    if found {
        Ok("idx_users_email_active is there".to_owned())
    } else {
        Err("idx_users_email_active is missing: run `auth-system migrate`".to_owned())
    }
}

/// Compares this machine's clock with the database server's.
async fn examine_clock(db: &Db) -> Result<String, String> {
    if db.engine() == Engine::Sqlite {
        return Ok("the database has this machine's".to_owned());
    }
    let theirs = store::read_clock(&mut reach(db).await?).await.map_err(|cause| cause.to_string())?;
    let ours: Ts = Clock::System.now().into();
    let difference = ours.since(theirs).max(theirs.since(ours));
    if difference > MAX_CLOCK_DIFFERENCE {
        return Err(format!(
            "differs from the database's by {} s (here {}, there {}): run chrony or ntpd on both",
            difference.as_secs(),
            Timestamp::from(ours),
            Timestamp::from(theirs),
        ));
    }
    Ok(format!("within {} ms of the database's", difference.as_millis()))
}
