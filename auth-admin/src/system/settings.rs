//! Settings as they are in force, with where each came from.

use askama::Template;
use auth_sdk::{SettingSource, Settings};
use axum::response::{Html, IntoResponse, Response};

use crate::{
    failure::Result,
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "system/settings.html")]
struct SettingsPage {
    frame: Frame,
    settings: Settings,
}

/// The page.
pub async fn show(operator: Operator) -> Result<Response> {
    let api = operator.api();
    let (frame, settings) = tokio::join!(operator.frame(Section::Settings), api.list_settings());
    Ok(Html(SettingsPage { frame: frame?, settings: settings? }.render()?).into_response())
}
