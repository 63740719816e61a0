//! Tries what an operator has set up, part by part, and says what to do about each fault.

mod blame;
mod finding;
mod providers;
mod store;

pub use finding::{Finding, Outcome};
pub(crate) use providers::lacks;
pub(crate) use store::show_version;

use std::time::{Duration, Instant};

use finding::Kind;
use jiff::Timestamp;
use service_kit::{clock::Clock, config::Secret, cors::Cors, redis};

use crate::{
    Config,
    config::Delivery,
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

/// The longest that a check may take: somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(9);

const REDIS: &str = "redis";
const MAIL: &str = "mail";
const DATABASE: &str = "database";

/// Runs every check, each whatever the others find, and none for longer than ten seconds.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![examine_key(config), examine_disk(config), examine_cors(config)];
    let (redis, mail, providers, database) = tokio::join!(
        bounded(REDIS, async { vec![examine_redis(config).await] }),
        bounded(MAIL, async { vec![examine_mail(config).await] }),
        providers::examine(config),
        bounded(DATABASE, examine_database(config)),
    );
    findings.extend([redis, mail, providers, database].into_iter().flatten());
    findings
}

async fn bounded(subject: &'static str, check: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PATIENCE, check)
        .await
        .unwrap_or_else(|_| vec![Finding::new(subject, Kind::NoAnswer).with("seconds", PATIENCE.as_secs())])
}

fn examine_key(config: &Config) -> Finding {
    const SUBJECT: &str = "signing key";
    let source = &config.keys.source;
    match source.load(config.keys.algorithm) {
        Ok(key) => Finding::new(SUBJECT, Kind::KeyUsed)
            .with("algorithm", key.algorithm())
            .with("kid", key.kid())
            .with("source", source),
        Err(cause) => Finding::new(SUBJECT, Kind::KeyUnusable).with("cause", cause),
    }
}

fn examine_disk(config: &Config) -> Finding {
    const SUBJECT: &str = "disk";
    let folder = if config.db.data_dir.exists() { config.db.data_dir.as_path() } else { ".".as_ref() };
    let of = |kind| Finding::new(SUBJECT, kind).with("folder", folder.display());
    match rustix::fs::statvfs(folder) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let kind = if free < MIN_FREE_BYTES { Kind::DiskFull } else { Kind::DiskFree };
            of(kind).with("free", free / 1024 / 1024)
        }
        Err(cause) => of(Kind::DiskUnreadable).with("cause", cause),
    }
}

async fn examine_redis(config: &Config) -> Finding {
    match &config.redis_url {
        Some(url) => try_redis(url, config.extra_roots.as_deref()).await,
        None => Finding::new(REDIS, Kind::RedisAbsent),
    }
}

async fn try_redis(url: &Secret, extra_roots: Option<&[u8]>) -> Finding {
    let began = Instant::now();
    match redis::probe(url.expose(), extra_roots, REDIS_PATIENCE).await {
        Ok(()) => Finding::new(REDIS, Kind::RedisAnswers).with("milliseconds", began.elapsed().as_millis()),
        Err(fault) => Finding::new(REDIS, blame::of_redis(&fault)).with("cause", fault),
    }
}

/// Whose browsers may call.
fn examine_cors(config: &Config) -> Finding {
    const SUBJECT: &str = "cors";
    match &config.cors {
        Cors::AnyOrigin => Finding::new(SUBJECT, Kind::CorsAnybody),
        Cors::Origins(origins) if origins.is_empty() => Finding::new(SUBJECT, Kind::CorsNobody),
        Cors::Origins(origins) => {
            let origins: Vec<_> = origins.iter().filter_map(|origin| origin.to_str().ok()).collect();
            Finding::new(SUBJECT, Kind::CorsListed).with("origins", origins.join(", "))
        }
    }
}

async fn examine_mail(config: &Config) -> Finding {
    match &config.mail.delivery {
        Delivery::Relay(relay) => match Outbox::examine(relay, &config.mail, config.extra_roots.as_deref()).await {
            Ok(()) => Finding::new(MAIL, Kind::RelayAnswers).with("host", &relay.host).with("from", &config.mail.from),
            Err(cause) => Finding::new(MAIL, Kind::RelayRefuses).with("cause", cause),
        },
        Delivery::Log => Finding::new(MAIL, Kind::MailInLog),
        Delivery::Nowhere => Finding::new(MAIL, Kind::MailOff),
    }
}

async fn examine_database(config: &Config) -> Vec<Finding> {
    let db = match Db::open(&config.db, config.extra_roots.as_deref()) {
        Ok(db) => db,
        Err(cause) => return vec![Finding::new(DATABASE, Kind::DatabaseUrlWrong).with("cause", cause)],
    };
    let connection = match examine_connection(&db).await {
        Ok(found) => found,
        // The others could only say the same.
        Err(cause) => return vec![away(DATABASE, &cause)],
    };
    let (schema, indexes, clock) = (examine_schema(&db).await, examine_indexes(&db).await, examine_clock(&db).await);
    vec![
        connection,
        schema,
        indexes.unwrap_or_else(|cause| away("indexes", &cause)),
        clock.unwrap_or_else(|cause| away("clock", &cause)),
    ]
}

fn away(subject: &'static str, cause: &DbError) -> Finding {
    let cause = cause.to_string();
    Finding::new(subject, blame::of_database(&cause)).with("cause", cause)
}

async fn examine_connection(db: &Db) -> Result<Finding, DbError> {
    let began = Instant::now();
    let version = store::show_version(&mut db.read().await?).await?;
    let answers = Finding::new(DATABASE, Kind::DatabaseAnswers).with("version", version);
    Ok(answers.with("milliseconds", began.elapsed().as_millis()))
}

async fn examine_schema(db: &Db) -> Finding {
    const SUBJECT: &str = "schema";
    match migrate::check(db, SCRIPTS).await {
        Ok(Schema::Current) => Finding::new(SUBJECT, Kind::SchemaCurrent),
        Ok(Schema::Behind(missing)) => {
            let scripts: Vec<String> = missing.iter().map(|number| format!("{number:03}")).collect();
            Finding::new(SUBJECT, Kind::SchemaBehind).with("scripts", scripts.join(", "))
        }
        Err(cause) => Finding::new(SUBJECT, Kind::SchemaUnreadable).with("cause", cause),
    }
}

async fn examine_indexes(db: &Db) -> Result<Finding, DbError> {
    let is_there = store::has_active_email_index(&mut db.read().await?).await?;
    Ok(Finding::new("indexes", if is_there { Kind::IndexThere } else { Kind::IndexMissing }))
}

/// Compares this machine's clock with the database server's.
async fn examine_clock(db: &Db) -> Result<Finding, DbError> {
    const SUBJECT: &str = "clock";
    if db.engine() == Engine::Sqlite {
        return Ok(Finding::new(SUBJECT, Kind::ClockShared));
    }
    let theirs = store::read_clock(&mut db.read().await?).await?;
    let ours: Ts = Clock::System.now().into();
    let difference = ours.since(theirs).max(theirs.since(ours));
    if difference > MAX_CLOCK_DIFFERENCE {
        let differs = Finding::new(SUBJECT, Kind::ClockDiffers).with("seconds", difference.as_secs());
        return Ok(differs.with("here", Timestamp::from(ours)).with("there", Timestamp::from(theirs)));
    }
    Ok(Finding::new(SUBJECT, Kind::ClockNear).with("milliseconds", difference.as_millis()))
}
