//! The file of routes: read at the start, and again when it changes or on SIGHUP; a broken one changes nothing.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};

use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::routes::{self, File};
use crate::routing::{Ground, Routing};

/// How often the file is looked at: soon enough for whoever has just saved it.
const LOOK: Duration = Duration::from_secs(1);

/// Whether the file as it is now is in force.
#[derive(Default)]
pub(crate) struct FileState {
    refused: AtomicBool,
}

/// What tells one state of a file from another.
type Stamp = Option<(SystemTime, u64)>;

impl FileState {
    /// Whether the file was refused, and an older one is in force.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// What the file says; without one, the default routes.
///
/// # Errors
/// Every fault, a line each, after the file's name.
pub(crate) fn read(path: Option<&Path>) -> Result<File, String> {
    let Some(path) = path else { return Ok(File::default()) };
    routes::read_file(path).map_err(|faults| format!("{} is refused:\n  - {}", path.display(), faults.join("\n  - ")))
}

/// The routing that a file says; what is the same in `before` stays connected.
///
/// # Errors
/// Every fault, a line each.
pub(crate) fn route(
    file: File,
    ground: &Ground,
    identity: &Identity,
    before: Option<&Routing>,
) -> Result<Routing, String> {
    Routing::build(file, ground, identity, before).map_err(|faults| faults.join("\n"))
}

/// Keeps the routing as the file says, until the gateway is gone.
pub(crate) async fn watch(gateway: Weak<Gateway>) {
    let Some(path) = gateway.upgrade().and_then(|gateway| gateway.file.clone()) else { return };
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        return tracing::error!("the operating system refuses a handler for SIGHUP: the file of routes is not watched");
    };
    let mut known = stamp(&path);
    let mut tick = tokio::time::interval(LOOK);
    loop {
        let asked = tokio::select! {
            _ = tick.tick() => false,
            _ = hangup.recv() => true,
        };
        let now = stamp(&path);
        if !asked && now == known {
            continue;
        }
        known = now;
        let Some(gateway) = gateway.upgrade() else { return };
        gateway.reload(&path);
    }
}

impl Gateway {
    fn reload(self: &Arc<Self>, path: &Path) {
        let before = self.routing.load_full();
        let file = read(Some(path));
        match file.and_then(|file| route(file, &self.ground, &self.identity, Some(&before))) {
            Ok(routing) => {
                self.routing.store(Arc::new(routing));
                self.file_state.refused.store(false, Ordering::Relaxed);
                metrics::counter!("gateway_reloads_total", "outcome" => "done").increment(1);
                tracing::info!(file = %path.display(), "the routes are read anew");
            }
            Err(faults) => {
                self.file_state.refused.store(true, Ordering::Relaxed);
                metrics::counter!("gateway_reloads_total", "outcome" => "refused").increment(1);
                tracing::error!("the routes stay as they were: {faults}");
            }
        }
    }
}

/// Also of a file that an editor or a mounted secret replaced.
fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
