//! The outbox: what waits, what went, what failed and why.

use askama::Template;
use auth_sdk::{OutboxMail, OutboxMailState, Page, PageParams};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;

use crate::{
    confirm::{self, Question, Weight},
    failure::{Failure, Result},
    forms::{Form, Query},
    frame::{Frame, Section},
    visit::Operator,
};

const ROWS: u32 = 50;
/// What can be looked at, each with its text.
const STATES: [(&str, &str); 4] = [
    ("", "mails-all"),
    ("waiting", "mail-state-waiting"),
    ("sent", "mail-state-sent"),
    ("failed", "mail-state-failed"),
];

#[derive(Template)]
#[template(path = "system/mails.html")]
struct MailsPage {
    frame: Frame,
    state: &'static str,
    page: Page<OutboxMail>,
}

/// The page.
pub async fn show(operator: Operator, Query(query): Query) -> Result<Response> {
    let asked = query.find("state").unwrap_or_default();
    let (state, _) = STATES.into_iter().find(|(name, _)| *name == asked).unwrap_or(STATES[0]);
    let params = PageParams { limit: Some(ROWS), cursor: query.find("cursor").map(str::to_owned) };
    let api = operator.api();
    let (frame, page) = tokio::join!(operator.frame(Section::Mails), api.list_mails(state, &params));
    Ok(Html(MailsPage { frame: frame?, state, page: page? }.render()?).into_response())
}

/// Asks whether to try one again.
pub async fn ask(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let id = parse_id(&id)?;
    confirm::ask(&operator, question(&operator.part(Section::Mails), id)).await
}

/// Tries one again.
pub async fn run(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let id = parse_id(&id)?;
    let api = operator.api();
    let question = question(&operator.part(Section::Mails), id).carrying(&members);
    let done = confirm::carry_out(&operator, &members, question, async || Ok(api.retry_mail(id).await?)).await?;
    Ok(match done {
        Ok(()) => operator.go("/admin/mails?done=mail-retried"),
        Err(asked_again) => asked_again,
    })
}

fn question(frame: &Frame, id: Uuid) -> Question {
    Question {
        title: frame.t("ask-mail-retry"),
        sentence: frame.t("ask-why-mail-retry"),
        button: frame.t("mail-retry"),
        weight: Weight::Light,
        action: format!("/admin/mails/{id}/retry"),
        carried: Vec::new(),
    }
}

fn parse_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Failure::NotFound)
}

impl MailsPage {
    /// How a mail looks: its class and its text's key.
    fn look(&self, state: &OutboxMailState) -> (&'static str, &'static str) {
        match state {
            OutboxMailState::Waiting => ("warn", "mail-state-waiting"),
            OutboxMailState::HandedOver => ("", "mail-state-handed-over"),
            OutboxMailState::Sent => ("ok", "mail-state-sent"),
            OutboxMailState::Failed => ("bad", "mail-state-failed"),
        }
    }

    fn may_retry(&self, mail: &OutboxMail) -> bool {
        let is_open = matches!(mail.state, OutboxMailState::Waiting | OutboxMailState::Failed);
        is_open && mail.handed_over_at.is_none() && self.frame.may("system:write")
    }
}
