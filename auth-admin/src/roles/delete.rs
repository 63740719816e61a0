//! Deleting a role, also from those who hold it, once it was said how many.

use auth_sdk::{
    PageParams, Role, UserFilter,
    client::{Api, Force},
};
use axum::{extract::Path, response::Response};

use super::parse_id;
use crate::{
    confirm::{self, Question, Weight},
    failure::Result,
    forms::{Form, Members},
    frame::{Frame, Section},
    visit::Operator,
};

/// The API's code for a role that somebody holds.
const IN_USE: &str = "role_in_use";

/// What became of it.
enum Outcome {
    Deleted,
    InUse,
}

/// Asks.
pub async fn ask(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let role = operator.api().show_role(parse_id(&id)?).await?;
    confirm::ask(&operator, question(&operator.part(Section::Roles), &role)).await
}

/// Deletes it; where people hold it, asks once more.
pub async fn run(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let (api, id) = (operator.api(), parse_id(&id)?);
    let role = api.show_role(id).await?;
    let frame = operator.part(Section::Roles);
    let is_forced = members.find("force").is_some();
    let (force, question) = if is_forced {
        (Force::Yes, question_of_holders(&frame, &role, count_holders(&api, &role).await))
    } else {
        (Force::No, question(&frame, &role))
    };
    let act = async || match api.delete_role(id, force).await {
        Ok(()) => Ok(Outcome::Deleted),
        Err(refusal) if refusal.code() == IN_USE => Ok(Outcome::InUse),
        Err(other) => Err(other.into()),
    };
    match confirm::carry_out(&operator, &members, question, act).await? {
        Ok(Outcome::Deleted) => Ok(operator.go("/admin/roles?done=role-deleted")),
        Ok(Outcome::InUse) => {
            let holders = count_holders(&api, &role).await;
            confirm::ask(&operator, question_of_holders(&frame, &role, holders)).await
        }
        Err(asked_again) => Ok(asked_again),
    }
}

/// How many hold it; unknown to who may not see people, and where counting takes long.
async fn count_holders(api: &Api, role: &Role) -> Option<u64> {
    let filter = UserFilter { role: Some(role.name.clone()), ..UserFilter::default() };
    let page = api.list_users(&filter, &PageParams { limit: Some(1), cursor: None }).await;
    page.ok().and_then(|page| page.total)
}

fn question(frame: &Frame, role: &Role) -> Question {
    Question {
        title: frame.t1("ask-role-delete", "name", &role.name),
        sentence: frame.t("ask-why-role-delete"),
        button: frame.t("act-delete"),
        weight: Weight::Heavy,
        action: format!("/admin/roles/{}/delete", role.id),
        carried: Members::default().to_carry(),
    }
}

fn question_of_holders(frame: &Frame, role: &Role, holders: Option<u64>) -> Question {
    let sentence = match &holders {
        Some(count) => frame.tn("ask-why-role-force", count),
        None => frame.t("ask-why-role-force-some"),
    };
    let carried = vec![("force".to_owned(), "1".to_owned())];
    Question { sentence, button: frame.t("act-role-force"), carried, ..question(frame, role) }
}
