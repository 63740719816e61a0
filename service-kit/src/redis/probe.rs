//! Tries Redis once, and says what is wrong with the way to it.

use std::time::Duration;

use redis::{Client, ConnectionAddr, ErrorKind, RedisError};
use tokio::time::timeout;

use super::{InvalidRedisUrl, attempt, no_answer, open_client};

/// Why Redis cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisFault {
    /// Its address is none.
    #[error(transparent)]
    Url(#[from] InvalidRedisUrl),
    /// It wants a password, or another one.
    #[error("it refuses the password, or wants one")]
    Password,
    /// It ends a connection without TLS.
    #[error("it ends connections without TLS ({0})")]
    WantsTls(String),
    /// It does not answer as TLS does.
    #[error("it speaks no TLS ({0})")]
    SpeaksNoTls(String),
    /// It proves to be somebody who is not trusted.
    #[error("{0}")]
    Untrusted(String),
    /// There is no way to it.
    #[error("{0}")]
    Unreachable(String),
    /// It answers, and takes no write.
    #[error("{0}")]
    Refuses(String),
}

/// Connects once and writes a heartbeat, as a link would; waits for so long and no longer.
///
/// # Errors
/// What is wrong, by whom it is to be mended.
pub async fn probe(url: &str, extra_roots_pem: Option<&[u8]>, patience: Duration) -> Result<(), RedisFault> {
    let client = open_client(url, extra_roots_pem)?;
    let secured = if let ConnectionAddr::TcpTls { host, port, .. } = client.get_connection_info().addr() {
        Some((host.clone(), *port))
    } else {
        None
    };
    match (timeout(patience, attempt(&client)).await, secured) {
        (Ok(Ok(_)), _) => Ok(()),
        (Ok(Err(error)), secured) => Err(blame(&error, secured.is_some())),
        // A server without TLS takes the greeting for a command that goes on, and waits for its end.
        (Err(_), Some(place)) if answers_without_tls(&place, patience).await => {
            Err(RedisFault::SpeaksNoTls("it answers without".to_owned()))
        }
        (Err(_), _) => Err(RedisFault::Unreachable(no_answer().to_string())),
    }
}

/// Whether a Redis answers here without TLS, if only that it wants a password: it is told none.
async fn answers_without_tls((host, port): &(String, u16), patience: Duration) -> bool {
    let Ok(client) = Client::open((host.as_str(), *port)) else { return false };
    let answer = timeout(patience, attempt(&client)).await;
    answer.is_ok_and(|answer| answer.map_or_else(|error| error.code().is_some(), |_| true))
}

fn blame(error: &RedisError, has_tls: bool) -> RedisFault {
    if error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS")) {
        return RedisFault::Password;
    }
    if let Some(code) = error.code() {
        // Never the detail: Redis repeats arguments there.
        return RedisFault::Refuses(code.to_owned());
    }
    let said = error.to_string();
    if said.contains("certificate") {
        RedisFault::Untrusted(said)
    } else if error.is_connection_refusal() || error.is_timeout() || said.contains("lookup") {
        RedisFault::Unreachable(said)
    } else if has_tls {
        RedisFault::SpeaksNoTls(said)
    } else {
        RedisFault::WantsTls(said)
    }
}
