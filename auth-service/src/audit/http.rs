//! Calls that read the audit log; each is an entry in it.

use auth_sdk::{AuditEntry, Page, Problem};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use service_kit::problem::FieldError;
use uuid::Uuid;

use super::{
    Entry, Event, Filter,
    export::{Export, Format, to_wire},
    filter,
    find::{self, Newer},
    names,
    store::EntryRow,
};
use crate::{
    app::App,
    caller::Caller,
    client::{Client, browser_and_os},
    db::DbError,
    error::{Error, Result},
    fields::{Fault, Fields},
    lists::{self, PageQuery, Params, Sort, parse_flag},
    roles::Permission,
};

/// Rows, where to go on, and how many there are.
type Found = (Vec<EntryRow>, Option<String>, Option<u64>);

/// The only order of this list.
const NEWEST_FIRST: Sort = Sort::ByTime("-at");

/// Which entries of the list are asked for, and what of them.
struct Wish {
    rows: Rows,
    names: Names,
}

/// Whether it is to be said what those are called that entries tell of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Told,
    Untold,
}

enum Rows {
    /// A page, newest first.
    Page(PageQuery),
    /// What has come behind this entry, and how many of it.
    Newer(Uuid, i64),
}

/// Read the audit log
///
/// Newest first. Every filter may be combined with every other; `from` is inclusive, `to` is not. `seq` and `hash` come
/// within a second of the event. `total` is there when everything is on this page. Reading is an event itself.
///
/// To follow the log, send the id of the last sealed entry that you have as `after`: then come the sealed entries behind it,
/// oldest first, and `next_cursor` is what to send as `after` the next time, also when there was nothing new. A look that
/// finds nothing but your own looks is no event.
///
/// With `names`, actors and targets come with what they are called now: people to who holds `users:read` (deleted ones
/// `users:delete`), roles and permissions to who holds `roles:read`.
#[utoipa::path(
    get, path = "/api/v1/audit-logs", tag = "audit", security(("bearer" = []), ("api_key" = [])),
    params(
        ("event" = Option<String>, Query, description = "Such as logged_in"), ("outcome" = Option<String>, Query, description = "done or refused"),
        ("actor" = Option<Uuid>, Query, description = "Who did it"), ("target" = Option<Uuid>, Query, description = "What it was done to"),
        ("about" = Option<Uuid>, Query, description = "Who did it, or it was done to"),
        ("ip_address" = Option<String>, Query, description = "From where"), ("request_id" = Option<String>, Query, description = "In which request"),
        ("from" = Option<String>, Query, description = "RFC 3339"), ("to" = Option<String>, Query, description = "RFC 3339"),
        ("limit" = Option<i64>, Query, description = "1 to 100, 20 unless given"), ("cursor" = Option<String>, Query, description = "A next_cursor of this list"),
        ("after" = Option<Uuid>, Query, description = "An entry behind which to go on, in place of cursor"),
        ("names" = Option<bool>, Query, description = "Whether to say what actors and targets are called"),
    ),
    responses((status = 200, body = Page<AuditEntry>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_audit_logs(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    params: Params,
) -> Result<Json<Page<AuditEntry>>> {
    caller.require(Permission::AuditRead)?;
    let (filter, wish) = params.read(|p| {
        let filter = Filter::read(p);
        let wish = read_wish(p);
        Some((filter?, wish?))
    })?;
    let (rows, next_cursor, total) = match wish.rows {
        Rows::Page(page) => {
            record(&app, Event::AuditRead, &caller, &filter, &client).await?;
            list(&app, &filter, &page).await?
        }
        Rows::Newer(after, limit) => follow(&app, (&caller, &client), &filter, (after, limit)).await?,
    };
    let mut items: Vec<AuditEntry> = rows.into_iter().map(with_software).collect();
    if wish.names == Names::Told {
        names::add(&mut app.db.read_replica().await?, &mut items, &caller).await?;
    }
    Ok(Json(Page { items, next_cursor, total }))
}

/// Take a copy of the audit log
///
/// Everything that passes the filters, newest first, as JSON lines or CSV. A copy that breaks off is incomplete: the
/// connection ends without its last chunk. Taking a copy is an event itself.
#[utoipa::path(
    get, path = "/api/v1/audit-logs/export", tag = "audit", security(("bearer" = [])),
    params(
        ("format" = String, Query, description = "ndjson or csv"),
        ("event" = Option<String>, Query, description = "Such as logged_in"), ("outcome" = Option<String>, Query, description = "done or refused"),
        ("actor" = Option<Uuid>, Query, description = "Who did it"), ("target" = Option<Uuid>, Query, description = "What it was done to"),
        ("about" = Option<Uuid>, Query, description = "Who did it, or it was done to"),
        ("ip_address" = Option<String>, Query, description = "From where"), ("request_id" = Option<String>, Query, description = "In which request"),
        ("from" = Option<String>, Query, description = "RFC 3339"), ("to" = Option<String>, Query, description = "RFC 3339"),
    ),
    responses((status = 200, description = "The copy", content((String = "application/x-ndjson"), (String = "text/csv"))), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn export_audit_logs(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    params: Params,
) -> Result<Response> {
    caller.require(Permission::AuditRead)?;
    let (filter, format) = params.read(|p| {
        let format = p.required("format", |text| {
            text.parse().map_err(|_| Fault::new("unknown_format", "Write ndjson or csv.", "ndjson 또는 csv로 쓰세요."))
        });
        let filter = Filter::read(p);
        Some((filter?, format?))
    })?;
    record(&app, Event::AuditExported, &caller, &filter, &client).await?;
    let mut export = Export::new(app.db.clone(), filter, format);
    // Before the head of the answer, so that a database that is away is a 503 and no broken copy.
    let first = export.next_part().await?;
    let rest = stream::try_unfold((first, export), |(ready, mut export)| async move {
        let part = match ready {
            Some(part) => Some(part),
            None => export.next_part().await?,
        };
        Ok::<_, DbError>(part.map(|part| (part, (None, export))))
    });
    let (media_type, name) = match format {
        Format::Ndjson => ("application/x-ndjson", "attachment; filename=\"audit-logs.ndjson\""),
        Format::Csv => ("text/csv; charset=utf-8; header=present", "attachment; filename=\"audit-logs.csv\""),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    Ok((headers, Body::from_stream(rest)).into_response())
}

fn read_wish(params: &mut Fields) -> Option<Wish> {
    let is_both = params.has("after") && params.has("cursor");
    let after = params.optional("after", filter::id);
    let names = params.optional("names", parse_flag);
    let page = lists::page(params, NEWEST_FIRST);
    if is_both {
        return params.refuse("after", Fault::new("conflict", "Not beside cursor.", "cursor와 함께 쓸 수 없습니다."));
    }
    let (after, names, page) = (after?, names?, page?);
    let names = if names == Some(true) { Names::Told } else { Names::Untold };
    let rows = match after {
        Some(after) => Rows::Newer(after, page.limit),
        None => Rows::Page(page),
    };
    Some(Wish { rows, names })
}

/// A page, newest first.
async fn list(app: &App, filter: &Filter, page: &PageQuery) -> Result<Found> {
    let mut conn = app.db.read_replica().await?;
    let rows = find::list(&mut conn, filter, page.after.as_ref(), page.limit + 1).await?;
    let (rows, next_cursor) = lists::cut(rows, page, NEWEST_FIRST, EntryRow::cursor);
    let is_whole = page.after.is_none() && next_cursor.is_none();
    let total = u64::try_from(rows.len()).ok().filter(|_| is_whole);
    Ok((rows, next_cursor, total))
}

/// What has come since. Whoever follows the log would for ever be shown that they did: of their own looks alone no other
/// is recorded.
async fn follow(
    app: &App,
    (caller, client): (&Caller, &Client),
    filter: &Filter,
    (after, limit): (Uuid, i64),
) -> Result<Found> {
    // Not of a replica, which may not know the entry yet.
    let mut conn = app.db.read().await?;
    let Newer { rows, last } = find::list_newer(&mut conn, filter, after, limit).await?.ok_or_else(unknown_entry)?;
    drop(conn);
    let is_own = |row: &EntryRow| row.event == Event::AuditRead.as_str() && row.actor_id == Some(caller.user_id().0);
    if !rows.iter().all(is_own) {
        record(app, Event::AuditRead, caller, filter, client).await?;
    }
    Ok((rows, Some(last.to_string()), None))
}

fn with_software(row: EntryRow) -> AuditEntry {
    let (browser, os) = browser_and_os(row.user_agent.as_deref());
    AuditEntry { browser, os, ..to_wire(row) }
}

fn unknown_entry() -> Error {
    let fault = Fault::new("unknown_entry", "There is no such entry.", "그런 항목이 없습니다.");
    Error::InvalidQuery(vec![FieldError { field: "after".into(), code: fault.code, detail: fault.detail }])
}

/// Before anything is shown: nobody reads unrecorded.
async fn record(app: &App, event: Event, caller: &Caller, filter: &Filter, client: &Client) -> Result<()> {
    let mut tx = app.db.begin().await?;
    Entry::by(event, caller, None, client).detail("filters", filter.names()).record(&mut tx, app.now()).await?;
    Ok(tx.commit().await?)
}
