//! Counters in Redis: one script, one key, one round trip per question.

use redis::{Script, ScriptInvocation};
use service_kit::clock::Clock;
use service_kit::redis::Redis;

const CLOCK: &str = include_str!("lua/clock.lua");

/// Whose clock counts in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    /// The Redis server's, one for all instances.
    Server,
    /// The caller's, for tests that turn the time by hand.
    Caller,
}

pub(crate) struct Shared {
    pub(crate) link: Redis,
    pub(crate) time: TimeSource,
}

impl TimeSource {
    /// That of a program which lives by this clock.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        match clock {
            // One clock for all instances, whatever theirs say.
            Clock::System => Self::Server,
            Clock::Manual(_) => Self::Caller,
        }
    }
}

impl Shared {
    /// Prepares `script` with its key and, as first argument, the time in microseconds or nothing for the server's.
    pub(crate) fn prepare<'s>(&self, script: &'s Script, key: &str, now: i64) -> ScriptInvocation<'s> {
        let mut invocation = script.key(key);
        match self.time {
            TimeSource::Server => invocation.arg(""),
            TimeSource::Caller => invocation.arg(now),
        };
        invocation
    }
}

/// A script that finds the time in `now` (microseconds) and in `slack` what to add to the life of keys (milliseconds).
pub(crate) fn script_with_clock(body: &str) -> Script {
    Script::new(&format!("{CLOCK}{body}"))
}
