//! The HTTP/2 connection to one address: one for all its requests, opened anew when it closes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use crate::upstream::connect::Stream;
use crate::upstream::http1::explain;
use crate::upstream::upload::Upload;

/// Of the head of an answer, as HTTP/2 counts it.
const MAX_HEAD: u32 = 32 * 1024;
/// Per answer, so that a slow reader of one holds up no other.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// A peer that vanished is noticed within the sum.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The connection, if there is one.
#[derive(Default)]
pub(super) struct Shared {
    live: Mutex<Option<Live>>,
    /// Held while one is opened, so that many requests at once open one.
    pub opening: tokio::sync::Mutex<()>,
}

struct Live {
    sender: SendRequest<Upload>,
    used: Instant,
}

impl Shared {
    /// The connection, if it is open as far as is known.
    pub fn sender(&self) -> Option<SendRequest<Upload>> {
        let mut live = self.lock();
        if live.as_ref().is_some_and(|live| live.sender.is_closed()) {
            *live = None;
        }
        let live = live.as_mut()?;
        live.used = Instant::now();
        Some(live.sender.clone())
    }

    /// Begins one. A task drives it until the last who uses it is gone, for its streams are used by many tasks.
    ///
    /// # Errors
    /// When the peer speaks no HTTP/2.
    pub async fn begin(&self, stream: Stream) -> Result<SendRequest<Upload>, String> {
        let (sender, connection) = builder().handshake(TokioIo::new(stream)).await.map_err(|e| explain(&e))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = explain(&error), "a connection to an upstream ended");
            }
        });
        *self.lock() = Some(Live { sender: sender.clone(), used: Instant::now() });
        Ok(sender)
    }

    /// Lets it close, once its streams have ended; the next request opens another.
    pub fn retire(&self) {
        *self.lock() = None;
    }

    /// As [`Self::retire`], if it was not used for so long.
    pub fn sweep(&self, idle_timeout: Duration) {
        let mut live = self.lock();
        if live.as_ref().is_some_and(|live| live.used.elapsed() >= idle_timeout) {
            *live = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}
