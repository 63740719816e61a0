//! Renaming and describing a role.

use askama::Template;
use auth_sdk::{Role, UpdateRole};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};

use super::parse_id;
use crate::{
    failure::Result,
    forms::Form,
    frame::{Frame, Section},
    session,
    visit::Operator,
};

#[derive(Template)]
#[template(path = "roles/describe.html")]
struct DescribePage {
    frame: Frame,
    form: DescribeForm,
}

#[derive(Template)]
#[template(path = "roles/_describe.html")]
struct DescribePart {
    frame: Frame,
    form: DescribeForm,
}

/// What the form shows.
struct DescribeForm {
    role: Role,
    name: String,
    description: String,
    fault: Option<String>,
}

/// The form.
pub async fn ask(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let role = operator.api().show_role(parse_id(&id)?).await?;
    let (name, description) = (role.name.clone(), role.description.clone());
    show(&operator, DescribeForm { role, name, description, fault: None }).await
}

/// Changes what is different.
pub async fn run(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let (api, id) = (operator.api(), parse_id(&id)?);
    let role = api.show_role(id).await?;
    let name = members.find("name").unwrap_or(&role.name).to_owned();
    let description = members.find("description").unwrap_or_default().to_owned();
    match api.update_role(id, &change(&role, &name, &description)).await {
        Ok(_) => Ok(operator.go("/admin/roles?done=role")),
        Err(refusal) => {
            let fault = Some(session::first_fault(refusal)?);
            show(&operator, DescribeForm { role, name, description, fault }).await
        }
    }
}

/// Only what changed: another name ends the tokens that list the old one.
fn change(role: &Role, name: &str, description: &str) -> UpdateRole {
    let other = |before: &str, wish: &str| (before != wish).then(|| wish.to_owned());
    UpdateRole { name: other(&role.name, name), description: other(&role.description, description) }
}

async fn show(operator: &Operator, form: DescribeForm) -> Result<Response> {
    let html = if operator.wants_part {
        DescribePart { frame: operator.part(Section::Roles), form }.render()?
    } else {
        DescribePage { frame: operator.frame(Section::Roles).await?, form }.render()?
    };
    Ok(Html(html).into_response())
}
