//! The one link to Redis that limits, caches and fan-out share, and that never makes a caller wait for a dead server.
//!
//! A keeper task connects in the background and writes a heartbeat every second. Commands go out while the link is up
//! and are answered within 200 ms; the first failure takes the link down, and until the keeper has it up again every
//! call fails at once, so that a hanging Redis costs nobody latency. What Redis holds may vanish: callers fall back.

mod probe;

pub use probe::{RedisFault, probe};

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubStream};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError,
    RedisResult, ScriptInvocation, ServerErrorKind, TlsCertificates,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

const COMMAND_TIMEOUT: Duration = Duration::from_millis(200);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(1);
const HEARTBEAT_KEY: &str = "auth-system:heartbeat";
const HEARTBEAT_LIFE_MILLIS: u64 = 10_000;
/// Messages a subscriber may lag behind before the reader waits for it.
const SUBSCRIPTION_BUFFER: usize = 1024;
/// Where systems keep their roots as one PEM file: Debian and Alpine, Red Hat, SUSE, BSD and macOS.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A handle on the shared link; cheap to clone. The link ends with its last handle.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    link: Arc<watch::Sender<Link>>,
}

/// Redis gave no usable answer in time: go on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis is away")]
pub struct RedisAway;

/// The address of Redis cannot be used. The message never repeats it, for it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("REDIS_URL must be like redis://localhost:6379/0 or rediss://:password@host:6379/0 ({0})")]
pub struct InvalidRedisUrl(String);

/// What a subscriber hears.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Messages arrive from now on; whatever was published before may have been missed.
    Connected,
    /// The payload of one message.
    Message(Vec<u8>),
    /// Messages are being lost until the next `Connected`.
    Disconnected,
}

enum Link {
    Connecting,
    Up { connection: MultiplexedConnection, epoch: u64 },
    Down,
}

impl Redis {
    /// Opens `redis://` or `rediss://`; the latter trusts the system's roots and those in `extra_roots_pem`.
    /// Returns at once (the link comes up in the background) and must be called inside a Tokio runtime.
    pub fn open(url: &str, extra_roots_pem: Option<&[u8]>) -> Result<Self, InvalidRedisUrl> {
        let client = open_client(url, extra_roots_pem)?;
        let link = Arc::new(watch::Sender::new(Link::Connecting));
        let redis = Self { client, link };
        tokio::spawn(keep_up(redis.client.clone(), Arc::downgrade(&redis.link)));
        Ok(redis)
    }

    /// Whether the link is up: its last heartbeat, at most about a second ago, was answered.
    pub fn is_available(&self) -> bool {
        matches!(*self.link.borrow(), Link::Up { .. })
    }

    /// Waits until the link is up; for start-up and tests, bounded by the caller.
    pub async fn available(&self) {
        // The sender lives in `self`, so the wait cannot end otherwise.
        let _ = self.link.subscribe().wait_for(|link| matches!(link, Link::Up { .. })).await;
    }

    /// Asks Redis for a sign of life now.
    pub async fn ping(&self) -> Result<(), RedisAway> {
        self.command(&redis::cmd("PING")).await
    }

    /// Runs one command.
    pub async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisAway> {
        let (mut connection, epoch) = self.connection()?;
        self.answer(epoch, command.query_async(&mut connection)).await
    }

    /// Runs one script, loading it first where Redis does not know it (also after `FLUSHALL` or a restart).
    pub async fn script<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> Result<T, RedisAway> {
        let (mut connection, epoch) = self.connection()?;
        self.answer(epoch, invocation.invoke_async(&mut connection)).await
    }

    /// Sends `payload` to whoever subscribes to `channel` now.
    pub async fn publish(&self, channel: &str, payload: &[u8]) -> Result<(), RedisAway> {
        self.command(redis::cmd("PUBLISH").arg(channel).arg(payload)).await
    }

    /// Subscribes to `channel` on a connection of its own that comes back by itself; ends when the receiver is dropped.
    pub fn subscribe(&self, channel: &str) -> mpsc::Receiver<Received> {
        let (sender, receiver) = mpsc::channel(SUBSCRIPTION_BUFFER);
        tokio::spawn(keep_subscribed(self.client.clone(), self.link.subscribe(), channel.to_owned(), sender));
        receiver
    }

    fn connection(&self) -> Result<(MultiplexedConnection, u64), RedisAway> {
        match &*self.link.borrow() {
            Link::Up { connection, epoch } => Ok((connection.clone(), *epoch)),
            Link::Connecting | Link::Down => Err(RedisAway),
        }
    }

    async fn answer<T>(&self, epoch: u64, reply: impl Future<Output = RedisResult<T>>) -> Result<T, RedisAway> {
        let error = match in_time(reply).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if ends_link(&error) {
            take_down(&self.link, epoch, &error);
        } else {
            // Never the detail: Redis repeats arguments there.
            tracing::warn!(code = error.code(), kind = error.category(), "Redis refused a command");
        }
        Err(RedisAway)
    }
}

fn open_client(url: &str, extra_roots_pem: Option<&[u8]>) -> Result<Client, InvalidRedisUrl> {
    let invalid = |error: RedisError| InvalidRedisUrl(error.to_string());
    let info = url.into_connection_info().map_err(invalid)?;
    match (info.addr(), extra_roots_pem) {
        (ConnectionAddr::TcpTls { .. }, Some(extra)) => {
            let root_cert = Some(with_system_roots(extra));
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert }).map_err(invalid)
        }
        (ConnectionAddr::Tcp(..) | ConnectionAddr::TcpTls { .. }, _) => Client::open(info).map_err(invalid),
        _ => Err(InvalidRedisUrl("only TCP and TLS are supported".to_owned())),
    }
}

/// The system's own roots, whatever the environment names; nothing where they are in no single file.
#[must_use]
pub fn system_roots_pem() -> Vec<u8> {
    SYSTEM_ROOTS.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default()
}

/// The redis crate takes given roots *instead of* the system's, which would cut off a Redis with a public certificate.
fn with_system_roots(extra_roots_pem: &[u8]) -> Vec<u8> {
    let mut roots = system_roots_pem();
    roots.push(b'\n');
    roots.extend_from_slice(extra_roots_pem);
    roots
}

/// Heartbeat and single prober in one: at each beat it either proves the link or tries to connect.
async fn keep_up(client: Client, link: Weak<watch::Sender<Link>>) {
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connections: u64 = 0;
    loop {
        beat.tick().await;
        let Some(link) = link.upgrade() else { return };
        let up = match &*link.borrow() {
            Link::Up { connection, epoch } => Some((connection.clone(), *epoch)),
            Link::Connecting | Link::Down => None,
        };
        if let Some((connection, epoch)) = up {
            if let Err(error) = in_time(write_heartbeat(connection)).await {
                take_down(&link, epoch, &error);
            }
            continue;
        }
        match connect(&client).await {
            Ok(connection) => {
                connections += 1;
                bring_up(&link, connection, connections);
            }
            Err(error) => take_down(&link, connections, &error),
        }
    }
}

async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    timeout(CONNECT_TIMEOUT, attempt(client)).await.unwrap_or_else(|_| Err(no_answer()))
}

async fn attempt(client: &Client) -> RedisResult<MultiplexedConnection> {
    // Time-outs are ours; the crate's own would end slow commands without taking the link down.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    write_heartbeat(connection.clone()).await?;
    Ok(connection)
}

/// A write, for a full server or a demoted replica answers PING and yet keeps no counter.
async fn write_heartbeat(mut connection: MultiplexedConnection) -> RedisResult<()> {
    redis::cmd("SET").arg(HEARTBEAT_KEY).arg(1).arg("PX").arg(HEARTBEAT_LIFE_MILLIS).query_async(&mut connection).await
}

/// Two halves: a process that was itself starved of CPU reads what has arrived before it blames Redis.
async fn in_time<T>(reply: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let mut reply = pin!(reply);
    for _ in 0..2 {
        if let Ok(result) = timeout(COMMAND_TIMEOUT / 2, reply.as_mut()).await {
            return result;
        }
    }
    Err(no_answer())
}

fn no_answer() -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time").into()
}

/// Whether the error is about the server rather than about one command.
fn ends_link(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly)
        )
}

fn bring_up(link: &watch::Sender<Link>, connection: MultiplexedConnection, epoch: u64) {
    link.send_replace(Link::Up { connection, epoch });
    tracing::info!("Connected to Redis");
}

/// Logs the first failure of an outage only. A late failure of an earlier connection is no news of this one.
fn take_down(link: &watch::Sender<Link>, failed_epoch: u64, cause: &RedisError) {
    let went_down = link.send_if_modified(|state| {
        let goes_down = match state {
            Link::Connecting => true,
            Link::Up { epoch, .. } => *epoch == failed_epoch,
            Link::Down => false,
        };
        if goes_down {
            *state = Link::Down;
        }
        goes_down
    });
    if went_down {
        tracing::error!("Error connecting to Redis: {cause}");
    }
}

async fn keep_subscribed(
    client: Client,
    mut link: watch::Receiver<Link>,
    channel: String,
    subscriber: mpsc::Sender<Received>,
) {
    let listen = async {
        let mut retry = interval(HEARTBEAT);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Ends when the last handle is gone or the subscriber no longer listens.
        while let Some(epoch) = wait_until_up(&mut link).await {
            if let Ok(messages) = open_subscription(&client, &channel).await {
                let mut link = link.clone();
                subscriber.send(Received::Connected).await.ok()?;
                tokio::select! {
                    () = forward(messages, &subscriber) => {}
                    // The link notices a silent server, which an idle subscription cannot.
                    _ = link.wait_for(|link| !matches!(link, Link::Up { epoch: now, .. } if *now == epoch)) => {}
                }
                subscriber.send(Received::Disconnected).await.ok()?;
            }
            retry.tick().await;
        }
        Some(())
    };
    tokio::select! {
        _ = listen => {}
        () = subscriber.closed() => {}
    }
}

async fn wait_until_up(link: &mut watch::Receiver<Link>) -> Option<u64> {
    // The last state outlives the last handle, and `wait_for` would be content with it.
    link.has_changed().ok()?;
    match *link.wait_for(|link| matches!(link, Link::Up { .. })).await.ok()? {
        Link::Up { epoch, .. } => Some(epoch),
        Link::Connecting | Link::Down => None,
    }
}

async fn open_subscription(client: &Client, channel: &str) -> RedisResult<PubSubStream> {
    let attempt = async {
        let (mut sink, messages) = client.get_async_pubsub().await?.split();
        sink.subscribe(channel).await?;
        Ok(messages)
    };
    timeout(CONNECT_TIMEOUT, attempt).await.unwrap_or_else(|_| Err(no_answer()))
}

async fn forward(mut messages: PubSubStream, subscriber: &mpsc::Sender<Received>) {
    while let Some(message) = messages.next().await {
        if subscriber.send(Received::Message(message.get_payload_bytes().to_vec())).await.is_err() {
            return;
        }
    }
}
