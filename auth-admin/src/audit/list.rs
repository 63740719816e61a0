//! The log, newest first: filters and pages, and as it grows.

use askama::Template;
use auth_sdk::{AuditEntry, AuditFilter, Page, PageParams, client::ClientError};
use axum::response::{Html, IntoResponse, Response};

use super::{
    Line,
    events::GROUPS,
    filter::Asked,
    tail::{self, Anchor, Tail},
};
use crate::{
    failure::Result,
    forms::Query,
    frame::{Frame, Section},
    session,
    visit::Operator,
};

const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "audit/list.html")]
struct ListPage {
    frame: Frame,
    asked: Asked,
    found: Found,
}

#[derive(Template)]
#[template(path = "audit/_results.html")]
struct Results {
    frame: Frame,
    asked: Asked,
    found: Found,
}

/// What there is to show.
#[derive(Default)]
struct Found {
    lines: Vec<Line>,
    next_cursor: Option<String>,
    /// Where new entries appear.
    tail: Option<Tail>,
    /// What is wrong with what was asked for.
    fault: Option<String>,
}

/// The page, or only its entries where a script asks.
pub async fn show(operator: Operator, Query(members): Query) -> Result<Response> {
    let asked = Asked::new(members);
    if operator.wants_part {
        let frame = operator.part(Section::Audit);
        let found = find(&operator, &frame, &asked).await?;
        return Ok(Html(Results { frame, asked, found }.render()?).into_response());
    }
    let frame = operator.frame(Section::Audit).await?;
    let found = find(&operator, &frame, &asked).await?;
    Ok(Html(ListPage { frame, asked, found }.render()?).into_response())
}

async fn find(operator: &Operator, frame: &Frame, asked: &Asked) -> Result<Found> {
    let filter = asked.filter(frame.offset());
    if asked.is_live() {
        return find_live(operator, frame, (asked, &filter)).await;
    }
    let params = PageParams { limit: Some(ROWS), cursor: asked.cursor().map(str::to_owned) };
    match operator.api().list_audit_logs(&filter, &params).await {
        Ok(Page { items, next_cursor, .. }) => {
            Ok(Found { lines: Line::all(frame, items), next_cursor, ..Found::default() })
        }
        Err(refusal) => show_fault(refusal),
    }
}

/// The newest entries up to an anchor: what is behind it, and what waits for its place, comes by the tail.
async fn find_live(operator: &Operator, frame: &Frame, (asked, filter): (&Asked, &AuditFilter)) -> Result<Found> {
    let api = operator.api();
    let anchor = tail::find_anchor(&api).await?;
    let params = PageParams { limit: Some(ROWS), cursor: None };
    let mut page = match api.list_audit_logs(filter, &params).await {
        Ok(page) => page,
        Err(refusal) => return show_fault(refusal),
    };
    page.items.retain(|entry| is_before(entry, anchor.as_ref()));
    let tail = Some(Tail::begin(asked, anchor));
    Ok(Found { lines: Line::all(frame, page.items), next_cursor: page.next_cursor, tail, fault: None })
}

fn is_before(entry: &AuditEntry, anchor: Option<&Anchor>) -> bool {
    entry.seq.zip(anchor).is_some_and(|(seq, anchor)| seq <= anchor.seq)
}

/// What was filled in wrongly is told beside the form.
fn show_fault(refusal: ClientError) -> Result<Found> {
    match refusal {
        ClientError::Refused(problem) if problem.status == 422 => {
            let fault = Some(session::first_fault(ClientError::Refused(problem))?);
            Ok(Found { fault, ..Found::default() })
        }
        other @ (ClientError::Refused(_) | ClientError::Unreachable(_) | ClientError::Unexpected(_)) => {
            Err(other.into())
        }
    }
}
