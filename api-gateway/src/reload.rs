//! The file of routes: read at the start, and again when it changes or on SIGHUP; a broken one changes nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::routes::{self, File};
use crate::routing::{Ground, Routing};

/// How often the file is looked at: soon enough for whoever has just saved it.
const LOOK: Duration = Duration::from_secs(1);

/// Whether the file as it is now is in force.
#[derive(Default)]
pub(crate) struct FileState {
    /// Why it was refused.
    faults: ArcSwapOption<String>,
}

/// Looks whether the file of routes is to be read again.
pub(crate) struct Watch {
    path: PathBuf,
    /// The file's state when it was last read, well or badly.
    known: Stamp,
    hangup: Signal,
}

/// What tells one state of a file from another.
type Stamp = Option<(SystemTime, u64)>;

impl FileState {
    /// Why the file was refused, and an older one is in force; nothing when it was not.
    pub(crate) fn faults(&self) -> Option<Arc<String>> {
        self.faults.load_full()
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

impl Watch {
    /// Begins with the file as it is. Call it before the file is read, and inside the runtime: what is saved or asked for
    /// meanwhile has it read once more.
    ///
    /// # Errors
    /// When the operating system refuses the handler of SIGHUP.
    pub(crate) fn begin(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), known: stamp(path), hangup: signal(SignalKind::hangup())? })
    }

    /// Keeps the routing as the file says, until the gateway is gone.
    pub(crate) async fn run(mut self, gateway: Weak<Gateway>) {
        let mut tick = tokio::time::interval(LOOK);
        loop {
            let asked = tokio::select! {
                _ = tick.tick() => false,
                _ = self.hangup.recv() => true,
            };
            let now = stamp(&self.path);
            if !asked && now == self.known {
                continue;
            }
            self.known = now;
            let Some(gateway) = gateway.upgrade() else { return };
            gateway.reload(&self.path);
        }
    }
}

impl Gateway {
    fn reload(self: &Arc<Self>, path: &Path) {
        let before = self.routing.load_full();
        let file = read(Some(path));
        match file.and_then(|file| route(file, &self.ground, &self.identity, Some(&before))) {
            Ok(routing) => {
                self.routing.store(Arc::new(routing));
                self.file_state.faults.store(None);
                metrics::counter!("gateway_reloads_total", "outcome" => "done").increment(1);
                tracing::info!(file = %path.display(), "the routes are read anew");
            }
            Err(faults) => {
                metrics::counter!("gateway_reloads_total", "outcome" => "refused").increment(1);
                tracing::error!("the routes stay as they were: {faults}");
                self.file_state.faults.store(Some(Arc::new(faults)));
            }
        }
        self.reloaded.notify_one();
    }
}

/// Also of a file that an editor or a mounted secret replaced.
fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{App, Config, Neighbours, StartError};
    use http::Method;
    use service_kit::clock::Clock;
    use service_kit::config::Env;
    use service_kit::shutdown::Shutdown;

    const OPEN: &str = "[[route]]\nmatch = { path = \"/open\" }\nupstream = \"console\"\nauth = \"none\"\n";

    /// A gateway that nobody has given a `GATEWAY_FEED_TOKEN`.
    fn start(file: &Path) -> Result<App, StartError> {
        let mut env = Env::from_pairs([("GATEWAY_CONFIG", file.to_str().unwrap())]);
        let (_, shutdown) = Shutdown::manual();
        App::start(Config::read(&mut env), &Neighbours::default(), Clock::System, shutdown)
    }

    fn leads_somewhere(gateway: &Gateway, path: &str) -> bool {
        gateway.routing.load().table.find("", path, &Method::GET).is_ok()
    }

    #[tokio::test]
    async fn routes_that_identify_callers_without_a_feed_are_refused_by_a_reload_as_by_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, OPEN).unwrap();
        let gateway = start(&path).unwrap().gateway();
        for auth in ["required", "optional"] {
            let known = OPEN.replace("/open", "/known").replace("none", auth);
            std::fs::write(&path, format!("{OPEN}{known}")).unwrap();
            gateway.reload(&path);
            let refused = gateway.file_state.faults().unwrap();
            assert!(refused.contains("GATEWAY_FEED_TOKEN is not set"), "{refused}");
            assert_eq!(start(&path).err().unwrap().to_string(), *refused);
            assert!(leads_somewhere(&gateway, "/open/x") && !leads_somewhere(&gateway, "/known/x"));
        }
        std::fs::write(&path, OPEN.replace("/open", "/other")).unwrap();
        gateway.reload(&path);
        assert_eq!(gateway.file_state.faults(), None);
        assert!(leads_somewhere(&gateway, "/other/x") && !leads_somewhere(&gateway, "/open/x"));
    }
}
