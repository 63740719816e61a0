//! How an instance of the Auth API fares.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Answer of `GET /api/v1/system/status`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SystemStatus {
    /// The instance, which chooses an id at its start.
    pub instance_id: Uuid,
    /// The server's version.
    #[schema(example = "1.0.0")]
    pub version: String,
    /// `development`, `test` or `production`.
    #[schema(example = "production")]
    pub environment: String,
    /// When the instance was started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When this was so.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// Its database.
    pub database: DatabaseStatus,
    /// Its Redis; `null` when none is configured.
    pub redis: Option<RedisStatus>,
    /// Its mail, which all instances send together.
    pub mail: MailStatus,
    /// How busy its hash threads are.
    pub hashing: HashingStatus,
    /// How long logins took lately.
    pub logins: LoginTimes,
    /// What it knows of the revocations.
    pub revocations: RevocationStatus,
    /// The key that signs.
    pub signing_key: SigningKeyStatus,
}

/// A database, as an instance sees it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DatabaseStatus {
    /// Whether it answers.
    pub up: bool,
    /// `postgresql` or `sqlite`.
    #[schema(example = "postgresql")]
    pub engine: String,
    /// The engine's version; `null` while it does not answer.
    #[schema(example = "16.4")]
    pub version: Option<String>,
    /// How long the smallest question takes, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// The connections of this instance to it.
    pub pool: PoolStatus,
}

/// Connections to a database.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct PoolStatus {
    /// In use at this moment.
    pub in_use: u64,
    /// Open, in use or not.
    pub open: u64,
    /// The most there may be.
    pub size: u64,
}

/// Redis, as an instance sees it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct RedisStatus {
    /// Whether it answers.
    pub up: bool,
    /// How long that takes, in milliseconds.
    pub round_trip_ms: Option<f64>,
}

/// The outbox; its numbers are `null` while the database is away.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct MailStatus {
    /// Whether mails can be sent.
    pub configured: bool,
    /// Mails that wait to be sent.
    pub waiting: Option<u64>,
    /// Of them, those that were tried before.
    pub retrying: Option<u64>,
    /// Mails that were given up in the last 24 hours.
    pub failed_24h: Option<u64>,
    /// How long the oldest one waits; `null` when none does.
    pub oldest_waiting_seconds: Option<u64>,
}

/// The hash threads, which bound how many logins there can be.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct HashingStatus {
    /// Threads that hash.
    pub threads: u32,
    /// Passwords that wait for one.
    pub queue: u64,
    /// How many may wait before logins are answered 503.
    pub queue_size: u64,
    /// How long a hash takes, in milliseconds.
    pub hash_ms: f64,
    /// Hashes in a second, over the last ten seconds.
    pub hashes_per_second: f64,
}

/// How long logins by password took at this instance in the last five minutes, at most 1024 of them; also those that were
/// refused, which take as long.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct LoginTimes {
    /// How many there were.
    pub count: u64,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: Option<f64>,
    /// One in a hundred took longer, in milliseconds.
    pub p99_ms: Option<f64>,
}

/// What an instance knows of the revocations.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RevocationStatus {
    /// Revocations that still matter.
    pub live: u64,
    /// How long ago they were last read from the database, in milliseconds; `null` when they never were.
    pub staleness_ms: Option<u64>,
    /// How other instances are told at once: `redis`, or `memory` when this one is alone.
    #[schema(example = "redis")]
    pub announce: String,
}

/// The key that signs access tokens.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SigningKeyStatus {
    /// Its id in tokens and key sets.
    pub kid: String,
    /// Its JOSE algorithm.
    #[schema(example = "RS256")]
    pub algorithm: String,
    /// Since when it signs; `null` while the database is away.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub signs_from: Option<Timestamp>,
    /// For how many days it has signed.
    pub age_days: Option<u64>,
}
