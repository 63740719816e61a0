//! Making a role.

use std::collections::BTreeSet;

use askama::Template;
use auth_sdk::CreateRole;
use axum::response::{Html, IntoResponse, Response};

use super::{Resource, read_resources};
use crate::{
    confirm::{self, Refusal},
    failure::Result,
    forms::{Form, Members},
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "roles/new.html")]
struct NewPage {
    frame: Frame,
    form: NewForm,
}

#[derive(Template)]
#[template(path = "roles/_new.html")]
struct NewPart {
    frame: Frame,
    form: NewForm,
}

/// What the form shows.
#[derive(Default)]
struct NewForm {
    name: String,
    description: String,
    chosen: BTreeSet<String>,
    resources: Vec<Resource>,
    refusal: Refusal,
}

impl NewForm {
    fn read(members: &Members) -> Self {
        let text = |name: &str| members.find(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            chosen: members.all("permission").map(str::to_owned).collect(),
            ..Self::default()
        }
    }
}

/// The form.
pub async fn ask(operator: Operator) -> Result<Response> {
    show(&operator, NewForm::default()).await
}

/// Makes it.
pub async fn run(operator: Operator, Form(members): Form) -> Result<Response> {
    let form = NewForm::read(&members);
    let role = CreateRole {
        name: form.name.clone(),
        description: Some(form.description.clone()),
        permissions: Some(form.chosen.iter().cloned().collect()),
    };
    let act = async || Ok(operator.api().create_role(&role).await?);
    match confirm::prove_and(&operator, &members, act).await? {
        Ok(_) => Ok(operator.go("/admin/roles?done=role-made")),
        Err(refusal) => show(&operator, NewForm { refusal, ..form }).await,
    }
}

async fn show(operator: &Operator, mut form: NewForm) -> Result<Response> {
    form.resources = read_resources(&operator.api()).await?;
    let html = if operator.wants_part {
        NewPart { frame: operator.part(Section::Roles), form }.render()?
    } else {
        NewPage { frame: operator.frame(Section::Roles).await?, form }.render()?
    };
    Ok(Html(html).into_response())
}
