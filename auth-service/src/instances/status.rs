//! Gathers how this instance fares. What is away makes its part say so, and never the whole fail.

use std::time::{Duration, Instant};

use auth_sdk::{
    DatabaseStatus, HashingStatus, LoginTimes, MailStatus, PoolStatus, RedisStatus, RevocationStatus, SigningKeyStatus,
    SystemStatus,
};

use crate::{
    app::App,
    db::{Conn, DbError, Engine, Ts},
    doctor, keys, mail,
};

const DAY: Duration = Duration::from_secs(86_400);

/// What the database says.
struct Asked {
    version: String,
    round_trip: Duration,
    mail: mail::Survey,
    signs_from: Option<Ts>,
}

/// How this instance fares now.
pub async fn gather(app: &App) -> SystemStatus {
    let now = app.now();
    let asked = ask(app, now).await;
    if let Err(cause) = &asked {
        tracing::debug!(%cause, "the state of the database could not be told");
    }
    let asked = asked.ok();
    SystemStatus {
        instance_id: app.instance.id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        environment: app.config.environment.as_str().to_owned(),
        started_at: app.instance.started_at.into(),
        now: now.into(),
        database: database(app, asked.as_ref()),
        redis: redis(app).await,
        mail: mail_status(app, asked.as_ref(), now),
        hashing: hashing(app),
        logins: logins(app),
        revocations: revocations(app),
        signing_key: signing_key(app, asked.as_ref(), now),
    }
}

async fn ask(app: &App, now: Ts) -> Result<Asked, DbError> {
    let mut conn: Conn = app.db.read().await?;
    let began = Instant::now();
    let version = doctor::show_version(&mut conn).await?;
    let round_trip = began.elapsed();
    let mail = mail::survey(&mut conn, now.minus(DAY)).await?;
    let signs_from = keys::find_signs_from(&mut conn, app.keys.signing_key().kid()).await?;
    Ok(Asked { version, round_trip, mail, signs_from })
}

fn database(app: &App, asked: Option<&Asked>) -> DatabaseStatus {
    let (open, idle) = app.db.usage();
    let engine = match app.db.engine() {
        Engine::Postgres => "postgresql",
        Engine::Sqlite => "sqlite",
    };
    DatabaseStatus {
        up: asked.is_some(),
        engine: engine.to_owned(),
        version: asked.map(|asked| number_in(&asked.version)),
        round_trip_ms: asked.map(|asked| millis(asked.round_trip)),
        pool: PoolStatus {
            in_use: count(open.saturating_sub(idle)),
            open: count(open),
            size: count(app.db.capacity()),
        },
    }
}

async fn redis(app: &App) -> Option<RedisStatus> {
    let redis = app.redis.as_ref()?;
    let began = Instant::now();
    let answered = redis.ping().await.is_ok();
    Some(RedisStatus { up: answered, round_trip_ms: answered.then(|| millis(began.elapsed())) })
}

fn mail_status(app: &App, asked: Option<&Asked>, now: Ts) -> MailStatus {
    let survey = asked.map(|asked| &asked.mail);
    MailStatus {
        configured: app.config.mail.is_configured(),
        waiting: survey.map(|survey| survey.waiting),
        retrying: survey.map(|survey| survey.retrying),
        failed_24h: survey.map(|survey| survey.failed),
        oldest_waiting_seconds: survey.and_then(|survey| survey.oldest).map(|at| now.since(at).as_secs()),
    }
}

fn hashing(app: &App) -> HashingStatus {
    let load = app.hasher.load();
    HashingStatus {
        threads: load.threads,
        queue: count(load.waiting),
        queue_size: count(load.places),
        hash_ms: millis(load.average),
        hashes_per_second: load.per_second,
    }
}

fn logins(app: &App) -> LoginTimes {
    let spread = app.login_times.spread(Instant::now());
    LoginTimes {
        count: spread.map_or(0, |spread| count(spread.count)),
        p50_ms: spread.map(|spread| millis(spread.median)),
        p99_ms: spread.map(|spread| millis(spread.p99)),
    }
}

fn revocations(app: &App) -> RevocationStatus {
    let view = &app.revocations.view;
    RevocationStatus {
        live: count(view.len()),
        staleness_ms: view.staleness(Instant::now()).map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        announce: if app.redis.is_some() { "redis" } else { "memory" }.to_owned(),
    }
}

fn signing_key(app: &App, asked: Option<&Asked>, now: Ts) -> SigningKeyStatus {
    let key = app.keys.signing_key();
    let signs_from = asked.and_then(|asked| asked.signs_from);
    SigningKeyStatus {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm().to_string(),
        signs_from: signs_from.map(Into::into),
        age_days: signs_from.map(|at| now.since(at).as_secs() / DAY.as_secs()),
    }
}

/// `16.4` of all that an engine says of itself.
fn number_in(version: &str) -> String {
    let number = version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    number.unwrap_or(version).to_owned()
}

/// In milliseconds, to a hundredth.
fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 100_000.0).round() / 100.0
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_told_by_its_number() {
        assert_eq!(number_in("PostgreSQL 15.13 (Debian 15.13-0+deb12u1) on x86_64-pc-linux-gnu"), "15.13");
        assert_eq!(number_in("SQLite 3.51.0"), "3.51.0");
        assert_eq!(number_in("unheard of"), "unheard of");
    }

    #[test]
    fn milliseconds_have_two_places() {
        assert_eq!(millis(Duration::from_micros(1_236)), 1.24);
    }
}
