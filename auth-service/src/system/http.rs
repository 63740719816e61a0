//! Calls about the system as a whole.

use auth_sdk::{Problem, SettingSource, Settings, SettingsSection, SystemSetting};
use axum::{Json, extract::State};
use service_kit::config::{Secrecy, Setting, Value};

use crate::{app::App, caller::Caller, error::Result, roles::Permission};

/// Show what this process runs by
///
/// Every variable that it reads, with where its value came from. Of a secret nothing is shown; of an address with
/// credentials, where it leads.
#[utoipa::path(
    get, path = "/api/v1/system/settings", tag = "system", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = Settings), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub async fn show_settings(State(app): State<App>, caller: Caller) -> Result<Json<Settings>> {
    caller.require(Permission::SystemRead)?;
    Ok(Json(Settings { sections: in_sections(&app.config.settings) }))
}

/// Sections in the order of their first variable.
fn in_sections(settings: &[Setting]) -> Vec<SettingsSection> {
    let mut sections: Vec<SettingsSection> = Vec::new();
    for setting in settings {
        let variable = to_wire(setting);
        match sections.iter_mut().find(|section| section.title == setting.section) {
            Some(section) => section.variables.push(variable),
            None => {
                sections.push(SettingsSection { title: setting.section.to_owned(), variables: vec![variable] });
            }
        }
    }
    sections
}

fn to_wire(setting: &Setting) -> SystemSetting {
    let (value, source) = match &setting.value {
        Value::Unset => (setting.default.map(str::to_owned), SettingSource::Default),
        Value::Set(value) => (Some(value.clone()), SettingSource::Environment),
        Value::Hidden => (None, SettingSource::Environment),
    };
    SystemSetting {
        name: setting.name.clone(),
        value,
        default: setting.default.map(str::to_owned),
        source,
        secret: match setting.secrecy {
            Secrecy::Public => false,
            Secrecy::Address | Secrecy::Secret => true,
        },
        description: setting.help.to_owned(),
    }
}
