//! Calls about the audit log.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use uuid::Uuid;

use super::{Api, ClientError, admit, explain};
use crate::{AuditEntry, AuditFilter, AuditVerification, Page, PageParams, VerifyAuditLogs};

/// How long a copy may take: of a large log it is many gigabytes.
const LONGEST_COPY: Duration = Duration::from_secs(6 * 60 * 60);

/// How a copy of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFormat {
    /// A JSON object per line.
    Ndjson,
    /// RFC 4180, with a header.
    Csv,
}

impl AuditFormat {
    /// As the API calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// A copy on its way: whoever reads it holds no more than a part of it.
#[derive(Debug)]
pub struct AuditCopy(Response);

impl AuditCopy {
    /// The next part; nothing at the end.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] where it breaks off: what came is incomplete then.
    pub async fn next_part(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let part = self.0.chunk().await.map_err(|cause| ClientError::Unreachable(explain(&cause)))?;
        Ok(part.map(Into::into))
    }
}

impl Api {
    /// Entries that pass the filter, newest first, with the names of whom and what they tell of.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_audit_logs(
        &self,
        filter: &AuditFilter,
        page: &PageParams,
    ) -> Result<Page<AuditEntry>, ClientError> {
        self.query("/api/v1/audit-logs?names=true", (filter, page)).await
    }

    /// Sealed entries behind this one that pass the filter, oldest first; `next_cursor` is where to go on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_newer_audit_logs(
        &self,
        filter: &AuditFilter,
        after: Uuid,
        limit: u32,
    ) -> Result<Page<AuditEntry>, ClientError> {
        let place = [("after", after.to_string()), ("limit", limit.to_string())];
        self.query("/api/v1/audit-logs?names=true", (filter, &place)).await
    }

    /// A copy of everything that passes the filter.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn export_audit_logs(&self, filter: &AuditFilter, format: AuditFormat) -> Result<AuditCopy, ClientError> {
        let finish = |request: RequestBuilder| {
            let request = request.headers(self.headers.clone()).timeout(LONGEST_COPY);
            request.query(&[("format", format.as_str())]).query(filter)
        };
        let response = self.client.send(&reqwest::Method::GET, "/api/v1/audit-logs/export", finish).await?;
        admit(response).await.map(AuditCopy)
    }

    /// Checks a part of the chain.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn verify_audit_logs(&self, part: &VerifyAuditLogs) -> Result<AuditVerification, ClientError> {
        self.post("/api/v1/audit-logs/verify", part).await
    }
}
