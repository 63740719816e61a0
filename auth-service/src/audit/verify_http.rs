//! The call that checks the chain, a part at a time.

use auth_sdk::{AuditFault, AuditLink, AuditVerification, Problem, VerifyAuditLogs};
use axum::{Json, extract::State};
use serde_json::Value;

use super::{Entry, Event, Link, Report, verify_part};
use crate::{
    app::App,
    caller::Caller,
    client::Client,
    error::Result,
    fields::{Fault, Fields},
    roles::Permission,
};

/// Check the audit log's chain
///
/// As `auth-system audit verify` does, but twenty thousand entries at a time: while there is a `next_seq`, call again with it
/// as `from_seq`, and with the same `expect`. The log is whole when every part is `ok`. `expect` is a head that was kept
/// elsewhere, as the program logs it each minute; without one it cannot be proven that the end was not cut off, or the log
/// rewritten as a whole. Checking is an event itself, of its first part and of any that finds a fault.
#[utoipa::path(
    post, path = "/api/v1/audit-logs/verify", tag = "audit", security(("bearer" = []), ("api_key" = [])), request_body = VerifyAuditLogs,
    responses((status = 200, body = AuditVerification), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn verify_audit_logs(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    fields: Fields,
) -> Result<Json<AuditVerification>> {
    caller.require(Permission::AuditRead)?;
    let (expected, from) = fields.read(|f| {
        let expected = f.optional("expect", parse_link);
        let from = f.number("from_seq", 1);
        Some((expected?, from?))
    })?;
    let report = verify_part(&app.db, expected.as_ref(), from).await?;
    if from.is_none() || !report.faults.is_empty() {
        let entry = Entry::by(Event::AuditVerified, &caller, None, &client)
            .detail("from_seq", report.from)
            .detail("first_fault", report.faults.first().map_or(Value::Null, |fault| fault.to_string().into()));
        let mut tx = app.db.begin().await?;
        entry.record(&mut tx, app.now()).await?;
        tx.commit().await?;
    }
    Ok(Json(to_wire(report, expected.as_ref())))
}

fn parse_link(text: &str) -> Result<Link, Fault> {
    text.parse().map_err(|_| {
        Fault::new(
            "invalid_head",
            "Write SEQ:HASH, as the log and `audit verify` print it.",
            "로그와 `audit verify`가 출력하는 SEQ:HASH 형식으로 쓰세요.",
        )
    })
}

fn to_wire(report: Report, expected: Option<&Link>) -> AuditVerification {
    let is_ok = report.faults.is_empty();
    let first_fault = report.faults.first().map(|fault| AuditFault {
        seq: fault.seq(),
        what: fault.code().to_owned(),
        detail: fault.to_string(),
    });
    AuditVerification {
        ok: is_ok,
        entries: report.entries,
        erased: report.erased,
        from_seq: report.from,
        next_seq: report.next,
        head: AuditLink { seq: report.head.seq, hash: report.head.hash_in_hex() },
        last_seq: report.last,
        removed_to: report.checkpoint.map(|checkpoint| checkpoint.seq),
        unsealed: u64::try_from(report.unsealed).unwrap_or(0),
        faults: u64::try_from(report.faults.len()).unwrap_or(u64::MAX),
        first_fault,
        proven_until: expected.filter(|_| is_ok && report.as_expected).map(|expected| expected.seq),
    }
}
