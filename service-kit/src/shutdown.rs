//! The signal to stop: SIGTERM or SIGINT for the program, a trigger for tests and for servers that stop each other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells every part of the program that it is to stop; clones hear the same signal.
#[derive(Clone, Debug)]
pub struct Shutdown {
    signal: watch::Receiver<bool>,
    /// The same, for whoever asks at every request: a receiver takes a lock to be looked at.
    requested: Arc<AtomicBool>,
}

/// Sends the signal; dropping it sends it too, for then nobody else could.
#[derive(Debug)]
pub struct Trigger {
    signal: watch::Sender<bool>,
    requested: Arc<AtomicBool>,
}

impl Shutdown {
    /// Requested by the first SIGTERM or SIGINT. Call it inside the runtime.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn on_signal() -> io::Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (trigger, shutdown) = Self::manual();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            trigger.request();
            tracing::info!("shutdown requested");
        });
        Ok(shutdown)
    }

    /// Requested by its trigger.
    #[must_use]
    pub fn manual() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(false);
        let requested = Arc::new(AtomicBool::new(false));
        (Trigger { signal: sender, requested: Arc::clone(&requested) }, Self { signal: receiver, requested })
    }

    /// Whether the program is stopping: the readiness check answers 503 from then on.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    /// Returns once the program is to stop; at once when it already is.
    pub async fn requested(&self) {
        // An error means that the trigger is gone, which is the same news.
        let _ = self.signal.clone().wait_for(|requested| *requested).await;
    }
}

impl Trigger {
    /// Asks everyone to stop.
    pub fn request(&self) {
        self.requested.store(true, Ordering::Release);
        self.signal.send_replace(true);
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        self.request();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_clone_hears_the_request_also_afterwards() {
        let (trigger, shutdown) = Shutdown::manual();
        let early = shutdown.clone();
        assert!(!early.is_requested());
        trigger.request();
        early.requested().await;
        shutdown.clone().requested().await;
        assert!(shutdown.is_requested());
    }

    #[tokio::test]
    async fn a_dropped_trigger_counts_as_a_request() {
        let (trigger, shutdown) = Shutdown::manual();
        drop(trigger);
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }
}
