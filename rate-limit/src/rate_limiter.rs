//! Limits on how often, or on how many accounts, one subject may do something.

use std::time::Duration;

use redis::Script;
use service_kit::redis::{Redis, RedisAway};

use crate::bounded::BoundedMap;
use crate::decision::Decision;
use crate::distinct::{Noted, Seen};
use crate::gcra::{self, Rate, Taken};
use crate::quota::Quota;
use crate::shared::{Shared, TimeSource, script_with_clock};

/// A quota with the name by which it is counted and shown in headers.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Short and stable, as in `login`.
    pub name: &'static str,
    /// What is allowed to each subject.
    pub quota: Quota,
}

/// Counts in this process or in Redis; with Redis away, in this process until it is back.
pub struct RateLimiter {
    process: ProcessCounters,
    redis: Option<RedisCounters>,
}

struct ProcessCounters {
    rates: BoundedMap<i64>,
    seen: BoundedMap<Seen>,
}

struct RedisCounters {
    shared: Shared,
    gcra: Script,
    distinct: Script,
}

impl RateLimiter {
    /// Counts in this process.
    pub fn memory() -> Self {
        Self { process: ProcessCounters { rates: BoundedMap::new(), seen: BoundedMap::new() }, redis: None }
    }

    /// Counts in Redis, exactly across all instances.
    pub fn redis(link: Redis, time: TimeSource) -> Self {
        let gcra = script_with_clock(include_str!("lua/gcra.lua"));
        let distinct = script_with_clock(include_str!("lua/distinct.lua"));
        Self { redis: Some(RedisCounters { shared: Shared { link, time }, gcra, distinct }), ..Self::memory() }
    }

    /// Counts one request of `subject` and decides on it; `now` in Unix microseconds.
    pub async fn check(&self, limit: Limit, subject: &str, now: i64) -> Decision {
        let rate = Rate::of(&limit.quota);
        let taken = match &self.redis {
            Some(redis) => redis.take(limit.name, subject, rate, now).await,
            None => Err(RedisAway),
        };
        let Taken { backlog, wait } =
            taken.unwrap_or_else(|RedisAway| self.process.take(limit.name, subject, rate, now));
        decide(limit, rate.remaining(backlog), backlog, wait)
    }

    /// Admits `subject` to as many distinct members as the quota says, each for a window after it was last seen:
    /// a known member is free. `now` in Unix microseconds.
    pub async fn check_distinct(&self, limit: Limit, subject: &str, member: &str, now: i64) -> Decision {
        let noted = match &self.redis {
            Some(redis) => redis.note(limit, subject, member, now).await,
            None => Err(RedisAway),
        };
        let Noted { members, backlog, wait } =
            noted.unwrap_or_else(|RedisAway| self.process.note(limit, subject, member, now));
        decide(limit, limit.quota.limit().saturating_sub(members), backlog, wait)
    }
}

impl ProcessCounters {
    fn take(&self, name: &str, subject: &str, rate: Rate, now: i64) -> Taken {
        let hash = self.rates.hash((name, subject));
        self.rates.update(hash, now, 1, |whole_at| {
            let taken = gcra::take(whole_at, rate, now);
            (taken, *whole_at)
        })
    }

    fn note(&self, limit: Limit, subject: &str, member: &str, now: i64) -> Noted {
        let hash = self.seen.hash((limit.name, subject));
        let member = self.seen.hash(member);
        let quota = limit.quota;
        self.seen.update(hash, now, quota.limit(), |seen| {
            let noted = seen.note(member, quota.limit(), quota.window_micros(), now);
            let idle_at = now + noted.backlog;
            (noted, idle_at)
        })
    }
}

impl RedisCounters {
    async fn take(&self, name: &str, subject: &str, rate: Rate, now: i64) -> Result<Taken, RedisAway> {
        let mut call = self.shared.prepare(&self.gcra, &format!("auth-system:rate:{name}:{subject}"), now);
        let (backlog, wait) = self.shared.link.script(call.arg(rate.interval).arg(rate.burst)).await?;
        Ok(Taken { backlog, wait })
    }

    async fn note(&self, limit: Limit, subject: &str, member: &str, now: i64) -> Result<Noted, RedisAway> {
        let key = format!("auth-system:distinct:{}:{subject}", limit.name);
        let mut call = self.shared.prepare(&self.distinct, &key, now);
        call.arg(limit.quota.limit()).arg(limit.quota.window_micros()).arg(member);
        let (members, backlog, wait) = self.shared.link.script(&call).await?;
        Ok(Noted { members, backlog, wait })
    }
}

fn decide(limit: Limit, remaining: u32, backlog: i64, wait: i64) -> Decision {
    let micros = |time: i64| Duration::from_micros(time.try_into().unwrap_or(0));
    Decision {
        name: limit.name,
        quota: limit.quota,
        remaining,
        reset_after: micros(backlog),
        retry_after: (wait > 0).then(|| micros(wait)),
    }
}
