//! Everything that is held on somebody, as one file to take along.

use auth_sdk::User;
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

use super::person::parse_id;
use crate::{
    confirm::{self, Question, Weight},
    failure::{Failure, Result},
    forms::Form,
    frame::{Frame, Section, name_of},
    visit::Operator,
};

/// The file; whoever signed in long ago is asked for their password first.
pub async fn show(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let (id, api) = (parse_id(&id)?, operator.api());
    let data = match api.export_user(id).await.map_err(Failure::from) {
        Err(stale) if confirm::is_stale(&stale) => {
            let user = api.show_user(id).await?;
            return confirm::ask_password(&operator, question(&operator.part(Section::Users), &user)).await;
        }
        outcome => outcome?,
    };
    let name = format!("attachment; filename=\"{id}.json\"");
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, format!("{data:#}")).into_response())
}

/// Proves who is there, and leads back to where the file is asked for: a download leaves the page as it is.
pub async fn prove(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let user = operator.api().show_user(parse_id(&id)?).await?;
    let question = question(&operator.part(Section::Users), &user);
    Ok(match confirm::carry_out(&operator, &members, question, async || Ok(())).await? {
        Ok(()) => operator.go(&format!("/admin/users/{}?done=proven", user.id)),
        Err(asked_again) => asked_again,
    })
}

fn question(frame: &Frame, user: &User) -> Question {
    let who = name_of(user);
    Question {
        title: frame.t1("ask-export", "name", &who),
        sentence: frame.t1("ask-why-export", "name", &who),
        button: frame.t("export"),
        weight: Weight::Light,
        action: format!("/admin/users/{}/export", user.id),
        carried: Vec::new(),
    }
}
