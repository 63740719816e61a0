//! Why a peer could not be started or steered.

use std::path::PathBuf;

/// A peer that failed; the text says what to install or shows the server's own last words.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// A program is not installed.
    #[error("{program} is not installed: run `cargo xtask test` once, or install {package}")]
    Missing {
        /// The program looked for.
        program: String,
        /// Debian's name of a package that carries it.
        package: &'static str,
    },
    /// We are root, which the server must not be, and there is no account to run it as.
    #[error("the server must not run as root, and /etc/passwd has none of: {0}")]
    NoAccount(String),
    /// The operating system refused a step.
    #[error("could not {step}")]
    Io {
        /// The step, in the infinitive.
        step: String,
        /// The refusal.
        source: std::io::Error,
    },
    /// A program ran and failed.
    #[error("{} failed: {output}", program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// What it printed.
        output: String,
    },
    /// A server ended, or was not ready within its deadline.
    #[error("{} did not become ready; its log ends:\n{log}", program.display())]
    NotReady {
        /// The server's program.
        program: PathBuf,
        /// The last lines of its log.
        log: String,
    },
    /// A server has answered what it should not.
    #[error("unexpected answer: {0}")]
    Answer(String),
    /// A key, a signature or randomness could not be had.
    #[cfg(feature = "identity")]
    #[error("cryptography failed")]
    Cryptography,
    /// Certificates could not be made.
    #[cfg(feature = "tls")]
    #[error("could not issue a certificate")]
    Certificate(#[from] rcgen::Error),
}

impl PeerError {
    pub(crate) fn io(step: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let step = step.into();
        move |source| Self::Io { step, source }
    }
}
