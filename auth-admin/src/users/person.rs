//! One person on one page: who they are and what state they are in, what happened, and what they hold.

use askama::Template;
use auth_sdk::{LoginRecord, Page, PageParams, Session, User};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;

use crate::{
    failure::{Failure, Result},
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "users/person.html")]
struct PersonPage {
    frame: Frame,
    user: User,
    sessions: Vec<Session>,
    logins: Page<LoginRecord>,
}

/// The page.
pub async fn show(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let id = parse_id(&id)?;
    let api = operator.api();
    let newest = PageParams { limit: Some(30), cursor: None };
    let (frame, user, sessions, logins) = tokio::join!(
        operator.frame(Section::Users),
        api.show_user(id),
        api.list_user_sessions(id),
        api.list_user_logins(id, &newest)
    );
    let page = PersonPage { frame: frame?, user: user?, sessions: sessions?.items, logins: logins? };
    Ok(Html(page.render()?).into_response())
}

/// The id of a person in an address.
pub fn parse_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Failure::NotFound)
}
