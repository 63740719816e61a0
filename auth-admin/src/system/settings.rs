//! Settings as they are in force, with where each came from.

use askama::Template;
use auth_sdk::{SettingSource, Settings, SettingsSection, SystemSetting};
use axum::response::{Html, IntoResponse, Response};

use super::said::{self, Said};
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

impl SettingsPage {
    /// What a section is about.
    fn title(&self, section: &SettingsSection) -> Said {
        Said::new(&self.frame, &said::section(&section.title), &[], &section.title)
    }

    /// What a variable is for.
    fn about(&self, variable: &SystemSetting) -> Said {
        Said::new(&self.frame, &said::setting(&variable.documented_as), &[], &variable.description)
    }
}
