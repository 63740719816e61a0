//! Giving somebody roles, for good or until a day, and taking them.

use askama::Template;
use auth_sdk::{PageParams, Role, RoleGrant, SetRoles, User};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use jiff::{SignedDuration, civil::Date, tz::Offset};

use super::person::parse_id;
use crate::{
    failure::{Failure, Result},
    forms::{Form, Members},
    frame::{Frame, Section},
    session,
    visit::Operator,
};

#[derive(Template)]
#[template(path = "users/roles.html")]
struct RolesPage {
    frame: Frame,
    form: RolesForm,
}

#[derive(Template)]
#[template(path = "users/_roles.html")]
struct RolesPart {
    frame: Frame,
    form: RolesForm,
}

/// What the form shows.
struct RolesForm {
    user: User,
    lines: Vec<Line>,
    asks_password: bool,
    fault: Option<String>,
}

/// A role, whether it is to be held, and until which day.
struct Line {
    role: Role,
    held: bool,
    until: String,
}

/// The form.
pub async fn ask(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let api = operator.api();
    let id = parse_id(&id)?;
    let all = PageParams { limit: Some(100), cursor: None };
    let (user, roles, held) = tokio::join!(api.show_user(id), api.list_roles(&all), api.list_user_roles(id));
    let (user, held, frame) = (user?, held?.items, operator.part(Section::Users));
    let line = |role: Role| {
        let grant = held.iter().find(|grant| grant.name == role.name);
        // The last day on which it is held: it ends with that day.
        let until = grant.and_then(|grant| grant.expires_at).map(|at| frame.date(&(at - SignedDuration::from_secs(1))));
        Line { held: grant.is_some(), until: until.unwrap_or_default(), role }
    };
    let lines = roles?.items.into_iter().map(line).collect();
    show(&operator, RolesForm { lines, user, asks_password: false, fault: None }).await
}

/// Gives and takes.
pub async fn run(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let api = operator.api();
    let id = parse_id(&id)?;
    let all = PageParams { limit: Some(100), cursor: None };
    let (user, roles) = tokio::join!(api.show_user(id), api.list_roles(&all));
    let (user, roles) = (user?, roles?.items);
    let lines: Vec<Line> = roles.into_iter().map(|role| read(role, &members)).collect();
    let offset = operator.part(Section::Users).offset();
    let Some(wish) = lines.iter().filter(|line| line.held).map(|line| line.grant(offset)).collect::<Option<Vec<_>>>()
    else {
        return Err(Failure::BadForm);
    };
    let outcome = match members.raw("password") {
        Some(password) => api.reauthenticate(password).await,
        None => Ok(()),
    };
    let outcome = match outcome {
        Ok(()) => api.set_user_roles(id, &SetRoles { roles: wish }).await.map(drop),
        Err(refused) => Err(refused),
    };
    let Err(refusal) = outcome else { return Ok(operator.go(&format!("/admin/users/{id}?done=roles"))) };
    let asks_password = refusal.code() == "reauthentication_required" || members.raw("password").is_some();
    let fault = match refusal {
        stale if stale.code() == "reauthentication_required" => None,
        other => Some(session::first_fault(other)?),
    };
    show(&operator, RolesForm { user, lines, asks_password, fault }).await
}

fn read(role: Role, members: &Members) -> Line {
    let held = members.all("role").any(|name| name == role.name);
    let until = members.find(&format!("until:{}", role.name)).unwrap_or_default().to_owned();
    Line { role, held, until }
}

impl Line {
    /// What the API is asked for: until the end of the day that was named. Nothing, where that is no day.
    fn grant(&self, offset: Offset) -> Option<RoleGrant> {
        if self.until.is_empty() {
            return Some(RoleGrant::Name(self.role.name.clone()));
        }
        let end = self.until.parse::<Date>().ok()?.tomorrow().ok()?.at(0, 0, 0, 0);
        let expires_at = Some(offset.to_timestamp(end).ok()?.to_string());
        Some(RoleGrant::Expiring { name: self.role.name.clone(), expires_at })
    }
}

async fn show(operator: &Operator, form: RolesForm) -> Result<Response> {
    let html = if operator.wants_part {
        RolesPart { frame: operator.part(Section::Users), form }.render()?
    } else {
        RolesPage { frame: operator.frame(Section::Users).await?, form }.render()?
    };
    Ok(Html(html).into_response())
}
