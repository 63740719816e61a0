//! Doing one thing to many: first who they are and what will happen to each, then what became of each.

use askama::Template;
use auth_sdk::{User, client::UserAct};
use axum::response::{Html, IntoResponse, Response};
use uuid::Uuid;

use super::acts;
use crate::{
    confirm,
    failure::{Failure, Result},
    forms::{Form, Members, Query},
    frame::{Frame, Section},
    visit::Operator,
};

/// The most people at once: a page of the list, and no more than the API takes in a moment.
const MOST: usize = 50;
/// What can be done to many.
const ACTS: [&str; 5] = ["disable", "enable", "unlock", "end-sessions", "delete"];

#[derive(Template)]
#[template(path = "users/bulk.html")]
struct BulkPage {
    frame: Frame,
    act: &'static str,
    lines: Vec<Line>,
    stage: Stage,
}

/// Somebody, and what will become of them, or has.
struct Line {
    user: User,
    outcome: Outcome,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    /// It will be done.
    Due,
    /// It would change nothing.
    Needless,
    Done,
    Refused(String),
}

#[derive(PartialEq, Eq)]
enum Stage {
    Preview { asks_password: bool, fault: Option<String> },
    Over,
}

/// Who, and what will happen.
pub async fn preview(operator: Operator, Query(query): Query) -> Result<Response> {
    let (act, kind) = asked(&query)?;
    let lines = read(&operator, &query, kind).await?;
    show(&operator, act, lines, Stage::Preview { asks_password: false, fault: None }).await
}

/// Does it, one after the other, and says what became of each.
pub async fn run(operator: Operator, Form(members): Form) -> Result<Response> {
    let (act, kind) = asked(&members)?;
    let mut lines = read(&operator, &members, kind).await?;
    let api = operator.api();
    if let Some(password) = members.raw("password")
        && let Err(refusal) = api.reauthenticate(password).await
    {
        let fault = Some(Failure::from(refusal).into_sentence()?);
        return show(&operator, act, lines, Stage::Preview { asks_password: true, fault }).await;
    }
    for number in 0..lines.len() {
        if lines[number].outcome != Outcome::Due {
            continue;
        }
        match api.act_on_user(lines[number].user.id, kind).await.map_err(Failure::from) {
            Ok(()) => lines[number].outcome = Outcome::Done,
            Err(stale) if confirm::is_stale(&stale) => {
                return show(&operator, act, lines, Stage::Preview { asks_password: true, fault: None }).await;
            }
            Err(failure) => lines[number].outcome = Outcome::Refused(failure.into_sentence()?),
        }
    }
    show(&operator, act, lines, Stage::Over).await
}

fn asked(members: &Members) -> Result<(&'static str, UserAct)> {
    let name = members.find("act").and_then(|act| ACTS.into_iter().find(|known| *known == act));
    let (name, act, _) = acts::find(name.ok_or(Failure::NotFound)?)?;
    Ok((name, act))
}

async fn read(operator: &Operator, members: &Members, act: UserAct) -> Result<Vec<Line>> {
    let ids: Option<Vec<Uuid>> = members.all("id").map(|id| id.parse().ok()).collect();
    let ids = ids.filter(|ids| ids.len() <= MOST).ok_or(Failure::BadForm)?;
    let mut lines = Vec::new();
    for id in ids {
        // Whoever has gone meanwhile is no longer among them.
        match operator.api().show_user(id).await.map_err(Failure::from) {
            Ok(user) => lines.push(Line { outcome: foresee(&user, act), user }),
            Err(Failure::NotFound) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(lines)
}

fn foresee(user: &User, act: UserAct) -> Outcome {
    use auth_sdk::UserStatus::{Active, Disabled};
    let is_needless = match act {
        UserAct::Disable => user.status == Disabled,
        UserAct::Enable => user.status == Active,
        UserAct::Unlock | UserAct::EndSessions | UserAct::Delete | UserAct::SendReset | UserAct::Restore => false,
    };
    if is_needless { Outcome::Needless } else { Outcome::Due }
}

async fn show(operator: &Operator, act: &'static str, lines: Vec<Line>, stage: Stage) -> Result<Response> {
    let frame = operator.frame(Section::Users).await?;
    Ok(Html(BulkPage { frame, act, lines, stage }.render()?).into_response())
}

impl BulkPage {
    fn due(&self) -> u64 {
        self.lines.iter().filter(|line| line.outcome == Outcome::Due).count() as u64
    }
}
