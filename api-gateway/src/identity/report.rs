//! Hands the gateway's reports on itself to the Auth API. They are for the eyes of operators: nothing here waits for them.

use std::sync::Arc;
use std::time::Duration;

use super::api::{Api, ApiError, Bounds};

const PATH: &str = "/internal/v1/gateways/report";
/// An answer says nothing.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(3), size: 16 * 1024 };

/// Sends reports.
pub struct Reporter {
    api: Arc<Api>,
    /// How the last attempt ended.
    last: Option<&'static str>,
}

impl Reporter {
    pub(super) const fn new(api: Arc<Api>) -> Self {
        Self { api, last: None }
    }

    /// Sends one; whether it was taken.
    pub async fn send(&mut self, json: Vec<u8>) -> bool {
        let outcome = self.api.post(PATH, json, BOUNDS).await;
        let ended = outcome.as_ref().map_or_else(ApiError::kind, |_| "ok");
        if self.last.replace(ended) != Some(ended) {
            match &outcome {
                Ok(_) => tracing::debug!("the Auth API takes the reports of this gateway"),
                // Also of an older release, which has no place for them.
                Err(cause) => {
                    tracing::info!(%cause, "the Auth API does not take the reports of this gateway ({ended})")
                }
            }
        }
        outcome.is_ok()
    }
}
