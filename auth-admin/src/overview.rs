//! The first page: how the system fares.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::{
    failure::Result,
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
}

/// The page.
pub async fn show(operator: Operator) -> Result<Response> {
    Ok(Html(OverviewPage { frame: operator.frame(Section::Overview).await? }.render()?).into_response())
}
