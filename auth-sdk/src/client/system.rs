//! Calls about the system itself.

use reqwest::Method;
use uuid::Uuid;

use super::{Api, ClientError};
use crate::{
    Instance, OutboxMail, Page, PageParams, RotateSigningKey, Settings, SigningKeys, Statistics, StatisticsParams,
    SystemCheckup, SystemProviders, SystemStatus,
};

impl Api {
    /// What happened lately, in numbers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn statistics(&self, params: &StatisticsParams) -> Result<Statistics, ClientError> {
        self.query("/api/v1/statistics", (params, &())).await
    }

    /// How the instance that answers fares.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn system_status(&self) -> Result<SystemStatus, ClientError> {
        self.get("/api/v1/system/status").await
    }

    /// Every instance of the API and every gateway.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_instances(&self) -> Result<Page<Instance>, ClientError> {
        self.get("/api/v1/system/instances").await
    }

    /// The settings in force.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_settings(&self) -> Result<Settings, ClientError> {
        self.get("/api/v1/system/settings").await
    }

    /// The providers as they are configured.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_system_providers(&self) -> Result<SystemProviders, ClientError> {
        self.get("/api/v1/system/providers").await
    }

    /// Has the system examined.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn examine(&self) -> Result<SystemCheckup, ClientError> {
        self.call(Method::POST, "/api/v1/system/doctor", None::<&()>).await
    }

    /// A page of the outbox; of mails in any state where `state` is empty.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_mails(&self, state: &str, page: &PageParams) -> Result<Page<OutboxMail>, ClientError> {
        let state = (!state.is_empty()).then_some(("state", state));
        self.query("/api/v1/system/mails", (&state.as_slice(), page)).await
    }

    /// Tries to send a mail now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn retry_mail(&self, id: Uuid) -> Result<(), ClientError> {
        self.act(Method::POST, &format!("/api/v1/system/mails/{id}/retry"), None::<&()>).await
    }

    /// The keys that sign access tokens.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_signing_keys(&self) -> Result<SigningKeys, ClientError> {
        self.get("/api/v1/system/signing-keys").await
    }

    /// Publishes another signing key, of the configured algorithm.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rotate_signing_key(&self) -> Result<(), ClientError> {
        self.act(Method::POST, "/api/v1/system/signing-keys", Some(&RotateSigningKey::default())).await
    }

    /// Takes a signing key out of use.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn withdraw_signing_key(&self, kid: &str) -> Result<(), ClientError> {
        self.act(Method::POST, &format!("/api/v1/system/signing-keys/{kid}/withdraw"), None::<&()>).await
    }
}
