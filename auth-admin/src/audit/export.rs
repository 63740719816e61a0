//! Copies of the log: passed on as they come, for the browser holds nothing that the API would take.

use std::time::Duration;

use auth_sdk::client::{AuditCopy, AuditFormat};
use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::filter::Asked;
use crate::{
    failure::{Failure, Result},
    forms::Query,
    frame::Section,
    visit::Operator,
};

/// How long the API may take for the next part of a copy.
const STALLED: Duration = Duration::from_secs(60);

/// Everything that passes the filter, as a file.
pub async fn show(operator: Operator, Query(members): Query) -> Result<Response> {
    let (format, kind, name) = match members.find("format") {
        Some("ndjson") => (AuditFormat::Ndjson, "application/x-ndjson", "attachment; filename=\"audit-logs.ndjson\""),
        Some("csv") => (AuditFormat::Csv, "text/csv; charset=utf-8", "attachment; filename=\"audit-logs.csv\""),
        Some(_) | None => return Err(Failure::NotFound),
    };
    let filter = Asked::new(members).filter(operator.part(Section::Audit).offset());
    let copy = operator.api().export_audit_logs(&filter, format).await?;
    let parts = stream::try_unfold(copy, |mut copy| async move {
        let part = next_part(&mut copy).await?;
        Ok::<_, String>(part.map(|part| (part, copy)))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// A copy that breaks off ends without its last chunk, so that the browser says that it is incomplete.
async fn next_part(copy: &mut AuditCopy) -> Result<Option<Vec<u8>>, String> {
    let part = tokio::time::timeout(STALLED, copy.next_part()).await;
    let part = part.map_err(|_| "the Auth API stalled".to_owned()).and_then(|part| part.map_err(|c| c.to_string()));
    part.inspect_err(|cause| tracing::warn!(cause, "a copy of the audit log broke off"))
}
