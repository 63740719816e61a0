//! The page of roles: what each is for, and what each permits, in a matrix.

use askama::Template;
use auth_sdk::{Page, PageParams, Role};
use axum::response::{Html, IntoResponse, Response};
use url::form_urlencoded;

use super::{Resource, read_resources};
use crate::{
    failure::Result,
    forms::Query,
    frame::{Frame, Section},
    visit::Operator,
};

/// Roles on a page, each a column.
const COLUMNS: u32 = 30;

#[derive(Template)]
#[template(path = "roles/matrix.html")]
struct MatrixPage {
    frame: Frame,
    roles: Page<Role>,
    resources: Vec<Resource>,
    is_first: bool,
}

/// The page.
pub async fn show(operator: Operator, Query(query): Query) -> Result<Response> {
    let api = operator.api();
    let page = PageParams { limit: Some(COLUMNS), cursor: query.find("cursor").map(str::to_owned) };
    let (frame, roles, resources) =
        tokio::join!(operator.frame(Section::Roles), api.list_roles(&page), read_resources(&api));
    let is_first = page.cursor.is_none();
    let page = MatrixPage { frame: frame?, roles: roles?, resources: resources?, is_first };
    Ok(Html(page.render()?).into_response())
}

impl MatrixPage {
    /// The roles from another one on.
    fn address(&self, cursor: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("cursor", cursor).finish();
        format!("/admin/roles?{query}")
    }

    fn width(&self) -> usize {
        self.roles.items.len() + 1
    }
}
