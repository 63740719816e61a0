//! Setting what a role permits.

use std::collections::BTreeSet;

use askama::Template;
use auth_sdk::{Role, SetPermissions};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};

use super::{Resource, parse_id, read_resources};
use crate::{
    confirm::{self, Refusal},
    failure::Result,
    forms::{Form, Members},
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "roles/grant.html")]
struct GrantPage {
    frame: Frame,
    form: GrantForm,
}

#[derive(Template)]
#[template(path = "roles/_grant.html")]
struct GrantPart {
    frame: Frame,
    form: GrantForm,
}

/// What the form shows.
struct GrantForm {
    role: Role,
    resources: Vec<Resource>,
    chosen: BTreeSet<String>,
    /// Somebody else has set other permissions meanwhile.
    is_overtaken: bool,
    refusal: Refusal,
}

/// The form.
pub async fn ask(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let (api, id) = (operator.api(), parse_id(&id)?);
    let (role, resources) = tokio::join!(api.show_role(id), read_resources(&api));
    let role = role?;
    let chosen = role.permissions.iter().cloned().collect();
    let (is_overtaken, refusal) = (false, Refusal::default());
    show(&operator, GrantForm { role, resources: resources?, chosen, is_overtaken, refusal }).await
}

/// Sets them, unless somebody else did meanwhile: what they gave or took would be undone unseen.
pub async fn run(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let (api, id) = (operator.api(), parse_id(&id)?);
    let (role, resources) = tokio::join!(api.show_role(id), read_resources(&api));
    let (role, resources) = (role?, resources?);
    let is_overtaken = is_overtaken(&role, &members);
    if is_overtaken {
        let chosen = role.permissions.iter().cloned().collect();
        return show(&operator, GrantForm { role, resources, chosen, is_overtaken, refusal: Refusal::default() }).await;
    }
    let chosen: BTreeSet<String> = members.all("permission").map(str::to_owned).collect();
    let wish = SetPermissions { permissions: chosen.iter().cloned().collect() };
    let act = async || Ok(api.set_role_permissions(id, &wish).await?);
    match confirm::prove_and(&operator, &members, act).await? {
        Ok(_) => Ok(operator.go("/admin/roles?done=role-permissions")),
        Err(refusal) => show(&operator, GrantForm { role, resources, chosen, is_overtaken, refusal }).await,
    }
}

/// Whether the role no longer permits what it did when the form was shown.
fn is_overtaken(role: &Role, members: &Members) -> bool {
    let before: BTreeSet<&str> = members.all("before").collect();
    before != role.permissions.iter().map(String::as_str).collect()
}

async fn show(operator: &Operator, form: GrantForm) -> Result<Response> {
    let html = if operator.wants_part {
        GrantPart { frame: operator.part(Section::Roles), form }.render()?
    } else {
        GrantPage { frame: operator.frame(Section::Roles).await?, form }.render()?
    };
    Ok(Html(html).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_knows_whether_it_was_overtaken() {
        let role = |permissions: &[&str]| Role {
            id: uuid::Uuid::nil(),
            name: "support".to_owned(),
            description: String::new(),
            is_system: false,
            permissions: permissions.iter().map(|&name| name.to_owned()).collect(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let form = Members::of_query("before=users:read&before=audit:read&permission=users:read");
        assert!(!is_overtaken(&role(&["audit:read", "users:read"]), &form));
        assert!(is_overtaken(&role(&["users:read"]), &form));
        assert!(is_overtaken(&role(&["audit:read", "users:read", "users:write"]), &form));
    }
}
