//! Tails the revocations of the Auth API: a snapshot on every connect, then each revocation as it happens.

use std::sync::Arc;
use std::time::Duration;

use auth_token::{Revocation, RevocationKind, RevocationView};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use service_kit::clock::Clock;
use tokio::time::{Instant, sleep, timeout};

use super::api::{Api, ApiError};
use super::api_keys::ApiKeys;
use super::condition::Condition;
use super::keys::Keys;
use super::sse::{Event, Parser, TooLong};
use crate::upstream::Answer;

const PATH: &str = "/internal/v1/revocations";
const OPEN_TIME: Duration = Duration::from_secs(5);
/// Three heartbeats.
const SILENCE: Duration = Duration::from_secs(6);
/// Between attempts after failures: doubled from the first to the last.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(2);
/// Between attempts when every server refuses us: that takes a person to mend.
const RETRY_REFUSED: Duration = Duration::from_secs(10);
/// A connection that lived this long was a good one: the next is tried at once.
const GOOD_LIFE: Duration = Duration::from_secs(2);
/// A few hundred thousand revocations.
const LONGEST_EVENT: usize = 64 * 1024 * 1024;
/// An age above this is no age: the API has never read its log.
const NEVER: Duration = Duration::from_secs(86_400);
/// What was revoked so shortly before a snapshot was read may be missing in it, for clocks and transactions take time.
const OVERLAP: Duration = Duration::from_secs(60);

/// Keeps the revocations current.
pub(super) struct Feed {
    pub(super) api: Arc<Api>,
    pub(super) view: Arc<RevocationView>,
    pub(super) api_keys: Arc<ApiKeys>,
    pub(super) keys: Arc<Keys>,
    pub(super) clock: Clock,
    /// Whoever knows less than this is left for another server, if there is one.
    pub(super) max_staleness: Duration,
}

#[derive(Deserialize)]
struct Snapshot {
    as_of: u64,
    revocations: Vec<Item>,
}

#[derive(Deserialize)]
struct Heartbeat {
    as_of: u64,
}

/// A revocation; of a kind that only a newer release knows, perhaps.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Known(Revocation),
    Unknown(IgnoredAny),
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("the Auth API refuses the gateway ({0}): give both the same GATEWAY_FEED_TOKEN")]
    Refused(ApiError),
    #[error("the connection was closed")]
    Closed,
    #[error("the connection broke off: {0}")]
    Broken(String),
    #[error("nothing was heard for {SILENCE:?}")]
    Silent,
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error("an event cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the first event was no snapshot")]
    NoSnapshot,
    #[error("the Auth API itself has not read its log for {0:?}")]
    Blind(Duration),
}

impl Feed {
    /// Tails for as long as the gateway lives.
    pub(super) async fn run(self) {
        let mut condition = Condition::of("the revocations");
        let mut retry = Duration::ZERO;
        let mut refused = 0;
        loop {
            let began = Instant::now();
            let ended = match self.follow(&mut condition).await {
                Ok(never) => match never {},
                Err(ended) => ended,
            };
            let kind = ended.kind();
            metrics::counter!("gateway_feed_connections_total", "outcome" => kind).increment(1);
            condition.fails(kind, &ended);
            refused = if matches!(ended, Ended::Refused(_)) { refused + 1 } else { 0 };
            if began.elapsed() >= GOOD_LIFE {
                retry = Duration::ZERO;
            }
            let next = (retry * 2).clamp(RETRY_FIRST, RETRY_LAST);
            let wait = std::mem::replace(&mut retry, next);
            sleep(if refused >= self.api.servers() { RETRY_REFUSED } else { wait }).await;
        }
    }

    /// Follows one connection to its end.
    async fn follow(&self, condition: &mut Condition) -> Result<std::convert::Infallible, Ended> {
        let mut body: Answer = self.api.open(PATH, OPEN_TIME).await.map_err(Ended::of_opening)?;
        let mut parser = Parser::new(LONGEST_EVENT);
        let mut is_first = true;
        loop {
            let frame = timeout(SILENCE, body.frame()).await.map_err(|_| Ended::Silent)?;
            let heard = Instant::now();
            let frame = frame.ok_or(Ended::Closed)?.map_err(|cause| Ended::Broken(cause.to_string()))?;
            let Ok(chunk) = frame.into_data() else { continue };
            for event in parser.push(&chunk)? {
                if std::mem::take(&mut is_first) {
                    // Nothing else says what was missed while there was no connection.
                    (event.name == b"snapshot").then_some(()).ok_or(Ended::NoSnapshot)?;
                    metrics::counter!("gateway_feed_connections_total", "outcome" => "connected").increment(1);
                }
                if let Some(age) = self.take(&event, heard)? {
                    self.judge(age)?;
                    condition.works();
                }
            }
        }
    }

    /// Takes in one event; how old what the API knows is, if it says so.
    fn take(&self, event: &Event, heard: Instant) -> Result<Option<Duration>, Ended> {
        match event.name.as_slice() {
            b"snapshot" => {
                let Snapshot { as_of, revocations } = serde_json::from_slice(&event.data)?;
                let age = age(as_of)?;
                self.replace(known(revocations), age);
                self.mark(age, heard);
                Ok(Some(age))
            }
            b"revocation" => {
                let item = serde_json::from_slice(&event.data)?;
                known(vec![item]).iter().for_each(|revocation| self.apply(revocation));
                Ok(None)
            }
            b"heartbeat" => {
                let Heartbeat { as_of } = serde_json::from_slice(&event.data)?;
                let age = age(as_of)?;
                self.mark(age, heard);
                Ok(Some(age))
            }
            _ => Ok(None),
        }
    }

    /// A snapshot of another server may be older than what was heard of the last: what it cannot know yet is kept.
    fn replace(&self, mut snapshot: Vec<Revocation>, age: Duration) {
        let since = self.clock.now().as_microsecond().saturating_sub(micros(age + OVERLAP));
        snapshot.extend(self.view.snapshot().into_iter().filter(|known| known.revoked_at >= since));
        self.api_keys.forget();
        self.view.replace(&snapshot);
    }

    fn apply(&self, revocation: &Revocation) {
        match revocation.kind {
            // Before the view changes: an answer that is on its way must find that it is late.
            RevocationKind::ApiKey | RevocationKind::User | RevocationKind::Role => self.api_keys.touch(revocation),
            RevocationKind::Key => self.keys.refetch(),
            // Of API keys it says nothing.
            RevocationKind::Session | RevocationKind::Everyone => {}
        }
        self.view.apply(revocation);
    }

    /// What was known as of a later time stays known when an older source speaks.
    fn mark(&self, age: Duration, heard: Instant) {
        let Some(at) = heard.checked_sub(age) else { return };
        if self.view.staleness(heard.into_std()).is_none_or(|known| age < known) {
            self.view.mark_current(at.into_std());
        }
    }

    fn judge(&self, age: Duration) -> Result<(), Ended> {
        let has_other = self.api.servers() > 1;
        if age > self.max_staleness && has_other { Err(Ended::Blind(age)) } else { Ok(()) }
    }
}

impl Ended {
    fn of_opening(cause: ApiError) -> Self {
        if cause.kind() == "refused" { Self::Refused(cause) } else { Self::Api(cause) }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Api(cause) | Self::Refused(cause) => cause.kind(),
            Self::Closed => "closed",
            Self::Broken(_) => "broken",
            Self::Silent => "silent",
            Self::TooLong(_) | Self::Unreadable(_) | Self::NoSnapshot => "unreadable",
            Self::Blind(_) => "blind",
        }
    }
}

/// How old what the API knows is by its own word, unless it knows nothing.
fn age(as_of: u64) -> Result<Duration, Ended> {
    let age = Duration::from_millis(as_of);
    if age < NEVER { Ok(age) } else { Err(Ended::Blind(age)) }
}

fn known(items: Vec<Item>) -> Vec<Revocation> {
    let count = items.len();
    let known = items.into_iter().filter_map(|item| match item {
        Item::Known(revocation) => Some(revocation),
        Item::Unknown(_) => None,
    });
    let known: Vec<_> = known.collect();
    if known.len() < count {
        tracing::warn!(
            count = count - known.len(),
            "revocations of an unknown kind: is the gateway older than the API?"
        );
    }
    known
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
