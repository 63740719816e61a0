//! Permissions: which roles hold one, making one and deleting one.

use askama::Template;
use auth_sdk::{CreatePermission, PageParams, Permission, Role, client::Api};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};

use super::{parse_id, permits, read_permissions};
use crate::{
    confirm::{self, Question, Weight},
    failure::{Failure, Result},
    forms::{Form, Members},
    frame::{Frame, Section},
    session,
    visit::Operator,
};

#[derive(Template)]
#[template(path = "roles/permission.html")]
struct PermissionPage {
    frame: Frame,
    permission: Permission,
    holders: Vec<Role>,
}

#[derive(Template)]
#[template(path = "roles/_permission.html")]
struct PermissionPart {
    frame: Frame,
    permission: Permission,
    holders: Vec<Role>,
}

#[derive(Template)]
#[template(path = "roles/new-permission.html")]
struct NewPage {
    frame: Frame,
    wish: CreatePermission,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "roles/_new-permission.html")]
struct NewPart {
    frame: Frame,
    wish: CreatePermission,
    fault: Option<String>,
}

/// What one is for, and which roles hold it.
pub async fn show(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let api = operator.api();
    // With who is signed in also in a part: who may, deletes it from there.
    let (frame, permission) = tokio::join!(operator.frame(Section::Roles), find(&api, &id));
    let (frame, permission) = (frame?, permission?);
    let holders = read_holders(&api, &permission).await?;
    let html = if operator.wants_part {
        PermissionPart { frame, permission, holders }.render()?
    } else {
        PermissionPage { frame, permission, holders }.render()?
    };
    Ok(Html(html).into_response())
}

/// The form of a new one.
pub async fn ask(operator: Operator) -> Result<Response> {
    show_form(&operator, CreatePermission::default(), None).await
}

/// Makes it.
pub async fn run(operator: Operator, Form(members): Form) -> Result<Response> {
    let text = |name: &str| members.find(name).unwrap_or_default().to_owned();
    let wish = CreatePermission { name: text("name"), description: Some(text("description")) };
    match operator.api().create_permission(&wish).await {
        Ok(_) => Ok(operator.go("/admin/roles?done=permission-made")),
        Err(refusal) => {
            let fault = Some(session::first_fault(refusal)?);
            show_form(&operator, wish, fault).await
        }
    }
}

/// Asks whether to delete it.
pub async fn ask_delete(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let api = operator.api();
    let permission = find(&api, &id).await?;
    let holders = read_holders(&api, &permission).await?;
    confirm::ask(&operator, question(&operator.part(Section::Roles), &permission, &holders)).await
}

/// Deletes it.
pub async fn run_delete(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let api = operator.api();
    let permission = find(&api, &id).await?;
    let holders = read_holders(&api, &permission).await?;
    let question = question(&operator.part(Section::Roles), &permission, &holders);
    let act = async || Ok(api.delete_permission(permission.id).await?);
    match confirm::carry_out(&operator, &members, question, act).await? {
        Ok(()) => Ok(operator.go("/admin/roles?done=permission-deleted")),
        Err(asked_again) => Ok(asked_again),
    }
}

async fn find(api: &Api, id: &str) -> Result<Permission> {
    let id = parse_id(id)?;
    let all = read_permissions(api).await?;
    all.into_iter().find(|permission| permission.id == id).ok_or(Failure::NotFound)
}

async fn read_holders(api: &Api, permission: &Permission) -> Result<Vec<Role>> {
    let mut holders = Vec::new();
    let mut page = PageParams { limit: Some(100), cursor: None };
    loop {
        let roles = api.list_roles(&page).await?;
        holders.extend(roles.items.into_iter().filter(|role| permits(role, &permission.name)));
        match roles.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(holders),
        }
    }
}

fn question(frame: &Frame, permission: &Permission, holders: &[Role]) -> Question {
    let names: Vec<&str> = holders.iter().map(|role| role.name.as_str()).collect();
    let sentence = if names.is_empty() {
        frame.t("ask-why-permission-delete")
    } else {
        frame.t1("ask-why-permission-delete-held", "roles", &names.join(", "))
    };
    Question {
        title: frame.t1("ask-permission-delete", "name", &permission.name),
        sentence,
        button: frame.t("act-delete"),
        weight: Weight::Heavy,
        action: format!("/admin/permissions/{}/delete", permission.id),
        carried: Members::default().to_carry(),
    }
}

async fn show_form(operator: &Operator, wish: CreatePermission, fault: Option<String>) -> Result<Response> {
    let html = if operator.wants_part {
        NewPart { frame: operator.part(Section::Roles), wish, fault }.render()?
    } else {
        NewPage { frame: operator.frame(Section::Roles).await?, wish, fault }.render()?
    };
    Ok(Html(html).into_response())
}
