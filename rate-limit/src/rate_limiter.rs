//! Limits on how often, or on how many accounts, one subject may do something.

use std::time::Duration;

use redis::Script;
use service_kit::redis::{Redis, RedisAway};

use crate::bounded::BoundedMap;
use crate::decision::Decision;
use crate::distinct::{Noted, Seen};
use crate::gcra::{self, Rate, Taken};
use crate::lease::Lease;
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
    leases: BoundedMap<Lease>,
}

struct RedisCounters {
    shared: Shared,
    gcra: Script,
    distinct: Script,
}

impl RateLimiter {
    /// Counts in this process.
    pub fn memory() -> Self {
        Self { process: ProcessCounters::new(), redis: None }
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
            Some(redis) => redis.take(limit.name, subject, (rate, 1), now).await.map(|(taken, _)| taken),
            None => Err(RedisAway),
        };
        let Taken { backlog, wait } =
            taken.unwrap_or_else(|RedisAway| self.process.take(limit.name, subject, rate, now));
        decide(limit, rate.remaining(backlog), backlog, wait)
    }

    /// As [`Self::check`], for what is asked all the time: instances lease a few requests at once from Redis. Never more
    /// than the quota is admitted in all; a little less may be, where somebody asks several instances.
    pub async fn check_often(&self, limit: Limit, subject: &str, now: i64) -> Decision {
        let rate = Rate::of(&limit.quota);
        let Some(redis) = &self.redis else {
            let Taken { backlog, wait } = self.process.take(limit.name, subject, rate, now);
            return decide(limit, rate.remaining(backlog), backlog, wait);
        };
        if let Some((left, backlog)) = self.process.spend(limit.name, subject, now) {
            return decide(limit, rate.remaining(backlog) + left, backlog, 0);
        }
        let wanted = self.process.wanted(limit, subject, now);
        match redis.take(limit.name, subject, (rate, wanted), now).await {
            // Another request of this instance may have been granted more than its own while this one was under way.
            Ok((_, 0)) if let Some((left, backlog)) = self.process.spend(limit.name, subject, now) => {
                decide(limit, rate.remaining(backlog) + left, backlog, 0)
            }
            Ok((Taken { backlog, wait }, granted)) => {
                self.process.lease(limit.name, subject, (granted, backlog), now);
                decide(limit, rate.remaining(backlog) + granted.saturating_sub(1), backlog, wait)
            }
            Err(RedisAway) => {
                let Taken { backlog, wait } = self.process.take(limit.name, subject, rate, now);
                decide(limit, rate.remaining(backlog), backlog, wait)
            }
        }
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
    fn new() -> Self {
        Self { rates: BoundedMap::new(), seen: BoundedMap::new(), leases: BoundedMap::new() }
    }

    fn spend(&self, name: &str, subject: &str, now: i64) -> Option<(u32, i64)> {
        let hash = self.leases.hash((name, subject));
        self.leases.update(hash, now, 1, |lease| (lease.spend(now), lease.idle_at()))
    }

    fn wanted(&self, limit: Limit, subject: &str, now: i64) -> u32 {
        let hash = self.leases.hash((limit.name, subject));
        self.leases.update(hash, now, 1, |lease| (lease.wanted(limit.quota.limit(), now), lease.idle_at()))
    }

    fn lease(&self, name: &str, subject: &str, (granted, backlog): (u32, i64), now: i64) {
        let hash = self.leases.hash((name, subject));
        self.leases.update(hash, now, 1, |lease| {
            lease.take(granted, backlog, now);
            ((), lease.idle_at())
        });
    }

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
    /// What was found, and how many of those that were wanted are granted.
    async fn take(
        &self,
        name: &str,
        subject: &str,
        (rate, wanted): (Rate, u32),
        now: i64,
    ) -> Result<(Taken, u32), RedisAway> {
        let mut call = self.shared.prepare(&self.gcra, &format!("auth-system:rate:{name}:{subject}"), now);
        call.arg(rate.interval).arg(rate.burst).arg(wanted);
        let (backlog, wait, granted) = self.shared.link.script(&call).await?;
        Ok((Taken { backlog, wait }, granted))
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
