//! Why a call to a provider failed: one sentence for the log, without secrets, queries or bodies.

use std::{error::Error, iter::successors};

use super::resolver::NoPublicAddress;

/// Why there is no answer of a provider, or none that can be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OutboundError {
    /// The URL is none that is called.
    #[error("{host} is not called: {reason}")]
    Forbidden {
        /// Its host.
        host: String,
        /// Why.
        reason: &'static str,
    },
    /// The credentials cannot stand in a header.
    #[error("the credentials for {host} have characters that no header can hold")]
    Credentials {
        /// Whom they are for.
        host: String,
    },
    /// The whole answer was not there in time.
    #[error("{host} did not answer within 5 s")]
    TooSlow {
        /// Who did not.
        host: String,
    },
    /// The answer is too long.
    #[error("{host} answered with more than 1 MiB")]
    TooLong {
        /// Who did.
        host: String,
    },
    /// It could not be reached, or broke off.
    #[error("{host} could not be called: {cause}")]
    Failed {
        /// Who was called.
        host: String,
        /// What went wrong.
        cause: String,
    },
    /// The body is not the JSON that was expected. What it is stays untold, for it may hold secrets.
    #[error("the answer is not the JSON that was expected (line {line}, column {column})")]
    Json {
        /// Where it ceases to be: the line, from 1.
        line: usize,
        /// The column.
        column: usize,
    },
}

impl OutboundError {
    pub(super) fn of_call(host: &str, cause: &reqwest::Error) -> Self {
        let host = host.to_owned();
        let is_refused = causes_of(cause).any(|cause| cause.is::<NoPublicAddress>());
        if is_refused {
            Self::Forbidden { host, reason: "its name stands for no public address" }
        } else if cause.is_timeout() {
            Self::TooSlow { host }
        } else {
            Self::Failed { host, cause: trace(cause) }
        }
    }

    pub(crate) fn of_json(cause: &serde_json::Error) -> Self {
        Self::Json { line: cause.line(), column: cause.column() }
    }
}

/// The causes below this error, which itself would tell the URL with its query.
pub(super) fn trace(error: &reqwest::Error) -> String {
    let causes: Vec<String> = causes_of(error).map(ToString::to_string).collect();
    if causes.is_empty() { "the request could not be made".to_owned() } else { causes.join(": ") }
}

fn causes_of(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source())
}
