//! What somebody likes: language, theme and columns, kept by their browser.

use axum::{
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use service_kit::language::Language;

use crate::{cookies::Theme, forms::OpenForm, users, visit::Visit};

/// Keeps what the form says, and goes back to where it was sent from.
pub async fn keep(visit: Visit, OpenForm(form): OpenForm) -> Response {
    let mut likes = visit.likes.clone();
    match form.find("language") {
        Some("ko") => likes.language = Some(Language::Korean),
        Some("en") => likes.language = Some(Language::English),
        Some(_) | None => {}
    }
    if let Some(theme) = form.find("theme") {
        likes.theme = Theme::parse(theme);
    }
    if form.find("columns").is_some() {
        let shown: Vec<&str> = form.all("column").collect();
        let all = users::COLUMNS.iter();
        likes.hidden = all.filter(|name| !shown.contains(name)).map(|&name| name.to_owned()).collect();
    }
    ([(header::SET_COOKIE, likes.to_cookie())], Redirect::to(form.page("back"))).into_response()
}
