//! Following the log: what came since is put above what is shown, every two seconds.

use askama::Template;
use auth_sdk::{PageParams, client::Api};
use axum::{
    http::{HeaderName, StatusCode},
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;

use super::{Line, filter::Asked};
use crate::{
    failure::{Failure, Result},
    forms::{Members, Query},
    frame::{Frame, Section},
    visit::Operator,
};

/// Looks until somebody must say that they still watch, ten minutes: otherwise a page that was left open would keep its
/// session alive for ever.
const LOOKS: u32 = 300;
/// Entries that one look shows at most.
const MOST: u32 = 100;
/// Entries among which the last sealed one is looked for.
const NEWEST: u32 = 100;
const HX_REFRESH: HeaderName = HeaderName::from_static("hx-refresh");

/// The last sealed entry.
pub struct Anchor {
    pub id: Uuid,
    pub seq: i64,
}

/// What stands above the entries and looks for more.
pub struct Tail {
    /// Where it looks.
    pub address: String,
    /// Where it is begun again.
    pub again: String,
    pub state: State,
}

/// How it fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Looking,
    /// The API was away, or had too much to do; it is asked again.
    Waiting,
    /// Nobody seems to watch.
    Paused,
}

#[derive(Template)]
#[template(path = "audit/_tail.html")]
struct TailPart {
    frame: Frame,
    tail: Tail,
    lines: Vec<Line>,
}

impl Tail {
    /// The first look; without an anchor, a look for one.
    pub fn begin(asked: &Asked, anchor: Option<Anchor>) -> Self {
        Self::of(asked, anchor.map(|anchor| anchor.id), (LOOKS, State::Looking))
    }

    fn of(asked: &Asked, after: Option<Uuid>, (left, state): (u32, State)) -> Self {
        let (after, left) = (after.map(|id| id.to_string()), left.to_string());
        let mut more = vec![("left", left.as_str())];
        more.extend(after.as_deref().map(|after| ("after", after)));
        let again = asked.address("/admin/audit", &[("live", "1")]);
        Self { address: asked.address("/admin/audit/newer", &more), again, state }
    }
}

/// What came since the last look.
pub async fn show(operator: Operator, Query(members): Query) -> Result<Response> {
    let (after, left) = read(&members)?;
    let asked = Asked::new(members);
    let frame = operator.part(Section::Audit);
    let Some(after) = after else {
        // Until something is sealed there is nothing to go on from.
        let is_there = find_anchor(&operator.api()).await?.is_some();
        return Ok(if is_there { refresh() } else { StatusCode::NO_CONTENT.into_response() });
    };
    let filter = asked.filter(frame.offset());
    let found = operator.api().list_newer_audit_logs(&filter, after, MOST).await.map_err(Failure::from);
    let (mut items, last, state) = match found {
        Ok(page) => {
            let last = page.next_cursor.and_then(|id| id.parse().ok()).unwrap_or(after);
            (page.items, last, if left == 0 { State::Paused } else { State::Looking })
        }
        Err(failure) if is_passing(&failure) => (Vec::new(), after, State::Waiting),
        Err(failure) => return Err(failure),
    };
    items.reverse();
    let tail = Tail::of(&asked, Some(last), (left.saturating_sub(1), state));
    let lines = Line::all(&frame, items);
    Ok(Html(TailPart { frame, tail, lines }.render()?).into_response())
}

/// The entry to go on from.
pub async fn find_anchor(api: &Api) -> Result<Option<Anchor>> {
    let newest = PageParams { limit: Some(NEWEST), cursor: None };
    let page = api.list_audit_logs(&auth_sdk::AuditFilter::default(), &newest).await?;
    let sealed = page.items.into_iter().filter_map(|entry| Some(Anchor { id: entry.id, seq: entry.seq? }));
    Ok(sealed.max_by_key(|anchor| anchor.seq))
}

fn read(members: &Members) -> Result<(Option<Uuid>, u32)> {
    let after = members.find("after").map(|id| id.parse().map_err(|_| Failure::BadForm)).transpose()?;
    let left = members.find("left").and_then(|left| left.parse().ok()).ok_or(Failure::BadForm)?;
    Ok((after, LOOKS.min(left)))
}

fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable => true,
        Failure::Refused { status, .. } => {
            [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(status)
        }
        Failure::SignedOut
        | Failure::ForeignForm
        | Failure::BadForm
        | Failure::NotFound
        | Failure::Unacquainted
        | Failure::Internal => false,
    }
}

fn refresh() -> Response {
    ([(HX_REFRESH, "true")], "").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_left_open_stops_looking() {
        let asked = Asked::new(Members::of_query("event=logged_in&live=1&left=7&after=x"));
        let id = Uuid::nil();
        let tail = Tail::begin(&asked, Some(Anchor { id, seq: 1 }));
        assert_eq!(tail.address, format!("/admin/audit/newer?event=logged_in&left=300&after={id}"));
        assert_eq!(tail.again, "/admin/audit?event=logged_in&live=1");
        assert_eq!(read(&Members::of_query("left=4000000000")).unwrap(), (None, LOOKS));
        for query in ["", "left=-1", "left=1&after=x"] {
            assert!(read(&Members::of_query(query)).is_err(), "{query}");
        }
    }
}
