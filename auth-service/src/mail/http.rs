//! Calls by which operators look at the outbox.

use auth_sdk::{OutboxMail, OutboxMailState, Page, Problem};
use axum::{
    Json,
    extract::{Path, State},
};
use uuid::Uuid;

use super::review::{
    self,
    store::{MailRow, MailState},
};
use crate::{
    app::App,
    caller::Caller,
    client::Client,
    error::{Error, Result},
    fields::Fault,
    lists::{self, Params, Sort},
    roles::Permission,
};

/// The only order of this list.
const NEWEST_FIRST: Sort = Sort::ByTime("-created_at");

/// List the mails of the last week
///
/// Newest first, without what is in them. `total` is there when everything is on this page.
#[utoipa::path(
    get, path = "/api/v1/system/mails", tag = "system", security(("bearer" = []), ("api_key" = [])),
    params(
        ("state" = Option<OutboxMailState>, Query, description = "Such as failed"),
        ("limit" = Option<i64>, Query, description = "1 to 100, 20 unless given"), ("cursor" = Option<String>, Query, description = "A next_cursor of this list"),
    ),
    responses((status = 200, body = Page<OutboxMail>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_mails(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    params: Params,
) -> Result<Json<Page<OutboxMail>>> {
    caller.require(Permission::SystemRead)?;
    let (state, page) = params.read(|p| {
        let state = p.optional("state", parse_state);
        let page = lists::page(p, NEWEST_FIRST);
        Some((state?, page?))
    })?;
    let rows = review::list(&app, (&caller, &client), state, &page).await?;
    let (rows, next_cursor) = lists::cut(rows, &page, NEWEST_FIRST, MailRow::cursor);
    let is_whole = page.after.is_none() && next_cursor.is_none();
    let total = u64::try_from(rows.len()).ok().filter(|_| is_whole);
    Ok(Json(Page { items: rows.into_iter().map(to_wire).collect(), next_cursor, total }))
}

/// Try a mail again
///
/// One that waits, or was given up, is tried now, and if need be for another day; one that a sender has in its hands within
/// a minute. A mail that was handed over to the relay is never sent again.
#[utoipa::path(
    post, path = "/api/v1/system/mails/{id}/retry", tag = "system", security(("bearer" = []), ("api_key" = [])),
    params(("id" = Uuid, Path, description = "The mail")),
    responses((status = 200, body = OutboxMail), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem, description = "mail_handed_over"), (status = 503, body = Problem, description = "mail_not_configured, among others"))
)]
pub async fn retry_mail(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<OutboxMail>> {
    caller.require(Permission::SystemWrite)?;
    let id = Uuid::try_parse(&id).map_err(|_| Error::NotFound)?;
    Ok(Json(to_wire(review::retry(&app, (&caller, &client), id).await?)))
}

fn parse_state(text: &str) -> Result<MailState, Fault> {
    match text {
        "waiting" => Ok(MailState::Waiting),
        "handed_over" => Ok(MailState::HandedOver),
        "sent" => Ok(MailState::Sent),
        "failed" => Ok(MailState::Failed),
        _ => Err(Fault::new(
            "unknown_state",
            "Write waiting, handed_over, sent or failed.",
            "waiting, handed_over, sent, failed 중 하나로 쓰세요.",
        )),
    }
}

fn to_wire(row: MailRow) -> OutboxMail {
    let state = match row.state() {
        MailState::Waiting => OutboxMailState::Waiting,
        MailState::HandedOver => OutboxMailState::HandedOver,
        MailState::Sent => OutboxMailState::Sent,
        MailState::Failed => OutboxMailState::Failed,
    };
    OutboxMail {
        id: row.id,
        kind: row.kind,
        user_id: row.user_id.map(|user| user.0),
        recipient: row.recipient,
        locale: row.locale,
        state,
        created_at: row.created_at.into(),
        attempts: u64::try_from(row.attempts).unwrap_or(0),
        next_attempt_at: (state == OutboxMailState::Waiting).then(|| row.next_attempt_at.into()),
        handed_over_at: row.handed_over_at.map(Into::into),
        sent_at: row.sent_at.map(Into::into),
        failed_at: row.failed_at.map(Into::into),
        last_error: row.last_error,
    }
}
