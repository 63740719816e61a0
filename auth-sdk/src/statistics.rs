//! What happened, in numbers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Query of `GET /api/v1/statistics`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatisticsParams {
    /// `24h`, `7d` or `30d`; 24 hours when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// How many whole hours the reader's clock is ahead of UTC, such as `+09:00`; days begin at midnight by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
}

/// Answer of `GET /api/v1/statistics`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Statistics {
    /// `24h`, `7d` or `30d`.
    #[schema(example = "7d")]
    pub window: String,
    /// By how much the days are ahead of UTC.
    #[schema(example = "+09:00")]
    pub offset: String,
    /// When the first bucket begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When it was counted; the last bucket is still going on.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// How long a bucket is: `hour` or `day`.
    #[schema(example = "day")]
    pub bucket: String,
    /// Oldest first, without gaps: 24 hours, 7 days or 30 days.
    pub buckets: Vec<StatisticsBucket>,
    /// All of the window together.
    pub totals: StatisticsTotals,
    /// The same stretch of time one window earlier, to compare with.
    pub previous: StatisticsBefore,
}

/// What happened in an hour or a day.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StatisticsBucket {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Sessions that began.
    pub logins: u64,
    /// Logins that were refused, by reason: `wrong_password`, `too_many_guesses`, `account_disabled`, `email_unverified`,
    /// `password_expired`, `account_changed`, `unknown_account`, `rate_limited`, `overloaded` or `unknown`.
    #[schema(example = json!({"wrong_password": 3}))]
    pub refused: BTreeMap<String, u64>,
    /// Accounts that were made, by whomever.
    pub registrations: u64,
    /// People who logged in, each once; absent from the time before they were counted.
    pub active_users: Option<u64>,
    /// Sessions that were open when it ended, or are now; absent from the time before they were counted, and for some minutes
    /// after an hour where there are very many.
    pub sessions: Option<u64>,
}

/// What happened in a window, and how many there are.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StatisticsTotals {
    /// Sessions that began.
    pub logins: u64,
    /// Logins that were refused, by reason.
    #[schema(example = json!({"wrong_password": 3}))]
    pub refused: BTreeMap<String, u64>,
    /// Accounts that were made.
    pub registrations: u64,
    /// People who logged in within the last 24 hours, 7 days or 30 days.
    pub active_users: u64,
    /// Accounts that are not deleted.
    pub users: u64,
    /// Sessions that have neither ended nor expired.
    pub live_sessions: u64,
    /// When people and sessions were counted: now, or some minutes ago where there are very many.
    #[schema(value_type = String, format = DateTime)]
    pub counted_at: Timestamp,
}

/// What happened one window earlier.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StatisticsBefore {
    /// Sessions that began.
    pub logins: u64,
    /// Logins that were refused.
    pub refused: u64,
    /// Accounts that were made.
    pub registrations: u64,
}
