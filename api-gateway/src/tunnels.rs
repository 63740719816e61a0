//! Connections that outlive their request: counted, so that a drain can wait for them and then end them.

use std::time::Duration;

use service_kit::shutdown::Shutdown;
use tokio::sync::watch;

/// The WebSockets that are open.
pub(crate) struct Tunnels {
    open: watch::Sender<usize>,
    shutdown: Shutdown,
}

impl Tunnels {
    pub(crate) fn new(shutdown: Shutdown) -> Self {
        Self { open: watch::Sender::new(0), shutdown }
    }

    /// Runs a tunnel until it ends, or until the program is to stop: its client connects again, elsewhere.
    pub(crate) fn spawn(&self, tunnel: impl Future<Output = ()> + Send + 'static) {
        let (open, shutdown) = (self.open.clone(), self.shutdown.clone());
        open.send_modify(|open| *open += 1);
        tokio::spawn(async move {
            tokio::select! {
                () = tunnel => {}
                () = shutdown.requested() => {}
            }
            open.send_modify(|open| *open -= 1);
        });
    }

    /// Returns once none is open, or after `limit`.
    pub(crate) async fn drained(&self, limit: Duration) {
        let mut open = self.open.subscribe();
        let none = open.wait_for(|open| *open == 0);
        if tokio::time::timeout(limit, none).await.is_err() {
            tracing::warn!("WebSockets cut at the end of the drain");
        }
    }
}
