//! Giving somebody roles, for good or until a day, and taking them.

use askama::Template;
use auth_sdk::{PageParams, Role, RoleGrant, SetRoles, User};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use uuid::Uuid;

use super::person::parse_id;
use crate::{
    confirm::{self, Refusal},
    failure::{Failure, Result},
    forms::{Form, Members},
    frame::{Frame, Section},
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
    refusal: Refusal,
}

/// A role, whether it is to be held, and until which day.
struct Line {
    role: Role,
    held: bool,
    until: String,
    /// When it ends as it is held now.
    ends: Option<Timestamp>,
}

/// The form.
pub async fn ask(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let (user, lines) = read(&operator, parse_id(&id)?).await?;
    show(&operator, RolesForm { lines, user, refusal: Refusal::default() }).await
}

/// Gives and takes.
pub async fn run(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let api = operator.api();
    let id = parse_id(&id)?;
    let offset = operator.part(Section::Users).offset();
    let (user, lines) = read(&operator, id).await?;
    let lines: Vec<Line> = lines.into_iter().map(|line| line.wished(&members)).collect();
    let Some(wish) = lines.iter().filter(|line| line.held).map(|line| line.grant(offset)).collect::<Option<Vec<_>>>()
    else {
        return Err(Failure::BadForm);
    };
    let act = async || Ok(api.set_user_roles(id, &SetRoles { roles: wish }).await?);
    match confirm::prove_and(&operator, &members, act).await? {
        Ok(_) => Ok(operator.go(&format!("/admin/users/{id}?done=roles"))),
        Err(refusal) => show(&operator, RolesForm { user, lines, refusal }).await,
    }
}

/// Who it is about, and every role as they hold it now.
async fn read(operator: &Operator, id: Uuid) -> Result<(User, Vec<Line>)> {
    let (api, offset) = (operator.api(), operator.part(Section::Users).offset());
    let all = PageParams { limit: Some(100), cursor: None };
    let (user, roles, grants) = tokio::join!(api.show_user(id), api.list_roles(&all), api.list_user_roles(id));
    let grants = grants?.items;
    let line = |role: Role| {
        let grant = grants.iter().find(|grant| grant.name == role.name);
        let ends = grant.and_then(|grant| grant.expires_at);
        let until = ends.map(|end| last_day(end, offset)).unwrap_or_default();
        Line { held: grant.is_some(), until, ends, role }
    };
    Ok((user?, roles?.items.into_iter().map(line).collect()))
}

/// The day after which a time ends something.
fn last_day(end: Timestamp, offset: Offset) -> String {
    let last = end.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(end);
    offset.to_datetime(last).date().to_string()
}

impl Line {
    fn wished(self, members: &Members) -> Self {
        let held = members.all("role").any(|name| name == self.role.name);
        let until = members.find(&format!("until:{}", self.role.name)).unwrap_or_default().to_owned();
        Self { held, until, ..self }
    }

    /// What the API is asked for: until the end of the day that was named, or as it is where that is the same day.
    /// Nothing, where it is no day.
    fn grant(&self, offset: Offset) -> Option<RoleGrant> {
        let name = self.role.name.clone();
        if self.until.is_empty() {
            return Some(RoleGrant::Name(name));
        }
        if let Some(end) = self.ends.filter(|end| last_day(*end, offset) == self.until) {
            return Some(RoleGrant::Expiring { name, expires_at: Some(end.to_string()) });
        }
        let end = self.until.parse::<Date>().ok()?.tomorrow().ok()?.at(0, 0, 0, 0);
        Some(RoleGrant::Expiring { name, expires_at: Some(offset.to_timestamp(end).ok()?.to_string()) })
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
