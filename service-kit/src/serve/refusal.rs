//! Hyper answers a head that it cannot parse by itself and barely: here that answer gets our headers and a body.

use std::fmt::Write as _;

use http::StatusCode;

use crate::edge::SecurityHeaders;
use crate::language::Language;
use crate::problem::Problem;
use crate::request_id::{RequestIds, X_REQUEST_ID};

/// The whole answer in place of `bare`; `None` when that is no bare refusal.
pub(super) fn complete(bare: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bare).ok()?;
    let status: StatusCode = text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    // What passed the edge carries its id: a response to an earlier request on this connection, for one.
    if !status.is_client_error() || !text.ends_with("\r\n\r\n") || text.contains(X_REQUEST_ID.as_str()) {
        return None;
    }
    let id = RequestIds::new().make();
    let problem = Problem::of_status(status);
    tracing::info!(target: "access", status = status.as_u16(), request_id = %id, "refused unread");
    // A head that cannot be read names no language either.
    let language = Language::default();
    let (status, mut headers, body) = problem.into_parts(&id, language);
    SecurityHeaders::new().set(&mut headers, id.header());
    let mut answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for (name, value) in &headers {
        let _ = write!(answer, "{name}: {}\r\n", value.to_str().ok()?);
    }
    answer.push_str("\r\n");
    let mut answer = answer.into_bytes();
    answer.extend(body);
    Some(answer)
}
