//! Signals to a server and to its children. The standard library cannot send them, but any shell can.

use std::process::{Child, Command, Stdio};

use crate::PeerError;

/// `signal_tree SIGNAL PID` signals a server and its children: PostgreSQL's are in process groups of their own, and
/// stopping the parent first keeps it from adding any meanwhile. After KILL it waits for the children, which nobody else
/// does and whose shared memory would keep PostgreSQL from starting again.
pub(crate) const SIGNAL_TREE: &str = r#"
children_of() { cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1"; }
is_alive() { read -r stat <"/proc/$1/stat" && case $stat in *") Z "*) return 1 ;; esac }
signal_tree() {
    kill -s STOP "$2" || return 0
    children=$(children_of "$2")
    kill -s "$1" $children "$2"
    [ "$1" = KILL ] || return 0
    for child in $children; do
        while is_alive "$child"; do sleep 0.01; done
    done
}
"#;

/// Sends a signal such as `TERM` to a server.
pub(crate) fn send(signal: &str, child: &Child) -> Result<(), PeerError> {
    run(r#"kill -s "$1" "$2""#, signal, child)
}

/// Sends a signal to a server and its children.
pub(crate) fn send_to_tree(signal: &str, child: &Child) -> Result<(), PeerError> {
    run(&format!("{SIGNAL_TREE}signal_tree \"$1\" \"$2\""), signal, child)
}

/// Runs a script with a signal as `$1` and a process as `$2`.
fn run(script: &str, signal: &str, child: &Child) -> Result<(), PeerError> {
    let mut command = Command::new("sh");
    command.args(["-c", script, "signal", signal, &child.id().to_string()]).stderr(Stdio::null());
    command.status().map(drop).map_err(PeerError::io(format!("send {signal}")))
}
