//! Calls about the system itself.

use super::{Api, ClientError};
use crate::Health;

impl Api {
    /// The health of the instance that answers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.get("/api/v1/health").await
    }
}
