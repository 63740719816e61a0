//! The list of people: search as one types, filters, sorting and pages.

use askama::Template;
use auth_sdk::{Page, PageParams, Role, User, UserFilter};
use axum::response::{Html, IntoResponse, Response};
use url::form_urlencoded;

use super::COLUMNS;
use crate::{
    failure::Result,
    forms::{Members, Query},
    frame::{Frame, Section},
    visit::Operator,
};

const ROWS: u32 = 50;
/// What the list can be sorted by, each with its text.
const SORTS: [(&str, &str); 5] = [
    ("-created_at", "sort-newest"),
    ("created_at", "sort-oldest"),
    ("-last_login_at", "sort-last-login"),
    ("email", "sort-email"),
    ("-email", "sort-email-down"),
];

/// What is asked for, as the form has it.
struct Asked {
    members: Members,
    hidden: Vec<String>,
}

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    frame: Frame,
    asked: Asked,
    roles: Vec<Role>,
    page: Page<User>,
}

#[derive(Template)]
#[template(path = "users/_results.html")]
struct Results {
    frame: Frame,
    asked: Asked,
    page: Page<User>,
}

/// The list, or only its rows where a script asks.
pub async fn show(operator: Operator, Query(members): Query) -> Result<Response> {
    let asked = Asked { members, hidden: operator.likes.hidden.clone() };
    let api = operator.api();
    let (filter, params) = (asked.filter(), asked.page());
    if operator.wants_part {
        let page = api.list_users(&filter, &params).await?;
        return Ok(Html(Results { frame: operator.part(Section::Users), asked, page }.render()?).into_response());
    }
    let all = PageParams { limit: Some(100), cursor: None };
    let (page, frame) = tokio::join!(api.list_users(&filter, &params), operator.frame(Section::Users));
    let frame = frame?;
    let roles = if frame.may("roles:read") { api.list_roles(&all).await?.items } else { Vec::new() };
    Ok(Html(ListPage { frame, asked, roles, page: page? }.render()?).into_response())
}

impl Asked {
    fn filter(&self) -> UserFilter {
        let text = |name: &str| self.members.find(name).map(str::to_owned);
        UserFilter {
            search: text("search"),
            status: text("status").filter(|status| status != "deleted"),
            role: text("role"),
            deleted: self.is("status", "deleted").then_some(true),
            sort: text("sort"),
            ..UserFilter::default()
        }
    }

    fn page(&self) -> PageParams {
        PageParams { limit: Some(ROWS), cursor: self.members.find("cursor").map(str::to_owned) }
    }

    fn value(&self, name: &str) -> &str {
        self.members.find(name).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.members.find(name) == Some(value)
    }

    /// Whether anything narrows the list.
    fn is_narrow(&self) -> bool {
        ["search", "status", "role"].iter().any(|name| self.members.find(name).is_some())
    }

    fn shows(&self, column: &str) -> bool {
        !self.hidden.iter().any(|hidden| hidden == column)
    }

    /// The same list from another row on.
    fn address(&self, cursor: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in ["search", "status", "role", "sort"] {
            if let Some(value) = self.members.find(name) {
                query.append_pair(name, value);
            }
        }
        if let Some(cursor) = cursor {
            query.append_pair("cursor", cursor);
        }
        format!("/admin/users?{}", query.finish())
    }
}
