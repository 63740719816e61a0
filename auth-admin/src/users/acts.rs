//! What can be done to somebody after one question.

use auth_sdk::{User, client::UserAct};
use axum::{extract::Path, response::Response};

use super::person::parse_id;
use crate::{
    confirm::{self, Question, Weight},
    failure::{Failure, Result},
    forms::{Form, Members},
    frame::{Frame, Section, name_of},
    visit::Operator,
};

/// What can be done, as it stands in an address and in the keys of texts.
const ACTS: [(&str, UserAct, Weight); 7] = [
    ("disable", UserAct::Disable, Weight::Heavy),
    ("enable", UserAct::Enable, Weight::Light),
    ("unlock", UserAct::Unlock, Weight::Light),
    ("send-reset", UserAct::SendReset, Weight::Light),
    ("restore", UserAct::Restore, Weight::Light),
    ("end-sessions", UserAct::EndSessions, Weight::Heavy),
    ("delete", UserAct::Delete, Weight::Heavy),
];

/// Asks.
pub async fn ask(operator: Operator, Path((id, act)): Path<(String, String)>) -> Result<Response> {
    let (id, (name, _, weight)) = (parse_id(&id)?, find(&act)?);
    let user = operator.api().show_user(id).await?;
    confirm::ask(&operator, question(&operator.part(Section::Users), &user, (name, weight))).await
}

/// Does it.
pub async fn run(operator: Operator, Path((id, act)): Path<(String, String)>, Form(members): Form) -> Result<Response> {
    let (id, (name, act, weight)) = (parse_id(&id)?, find(&act)?);
    let api = operator.api();
    let user = api.show_user(id).await?;
    let question = question(&operator.part(Section::Users), &user, (name, weight)).carrying(&members);
    let done = confirm::carry_out(&operator, &members, question, async || Ok(api.act_on_user(id, act).await?)).await?;
    Ok(match done {
        Ok(()) if act == UserAct::Delete => operator.go("/admin/users?done=delete"),
        Ok(()) => operator.go(&format!("/admin/users/{id}?done={name}")),
        Err(asked_again) => asked_again,
    })
}

/// The act with this name.
pub fn find(name: &str) -> Result<(&'static str, UserAct, Weight)> {
    ACTS.into_iter().find(|(known, ..)| *known == name).ok_or(Failure::NotFound)
}

fn question(frame: &Frame, user: &User, (name, weight): (&str, Weight)) -> Question {
    let who = name_of(user);
    Question {
        title: frame.t1(&format!("ask-{name}"), "name", &who),
        sentence: frame.t1(&format!("ask-why-{name}"), "name", &who),
        button: frame.t(&format!("act-{name}")),
        weight,
        action: format!("/admin/users/{}/{name}", user.id),
        carried: Members::default().to_carry(),
    }
}
