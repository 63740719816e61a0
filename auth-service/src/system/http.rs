//! Calls about the system as a whole.

use std::time::Duration;

use auth_sdk::{
    CheckOutcome, Problem, SettingSource, Settings, SettingsSection, SystemCheck, SystemCheckup, SystemSetting,
};
use axum::{Json, extract::State};
use service_kit::config::{Secrecy, Setting, Value};

use crate::{
    app::App,
    audit::{Entry, Event},
    caller::Caller,
    client::Client,
    db::DbError,
    doctor::{self, Finding, Outcome},
    error::{Error, Result},
    roles::Permission,
};

/// After this long an examination is over, most likely.
const TAKES: Duration = Duration::from_secs(5);

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

/// Examine the system
///
/// The checks of `auth-system doctor`: this instance tries its keys, disk, database, Redis, mail relay and providers, for ten
/// seconds at most, and says what to do about each fault. One at a time: meanwhile another is answered `busy`.
#[utoipa::path(
    post, path = "/api/v1/system/doctor", tag = "system", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = SystemCheckup), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem, description = "busy, among others"))
)]
pub async fn examine_system(State(app): State<App>, caller: Caller, client: Client) -> Result<Json<SystemCheckup>> {
    caller.require(Permission::SystemRead)?;
    let Ok(_alone) = app.examination.try_lock() else { return Err(Error::Busy(TAKES)) };
    let findings = doctor::examine(&app.config).await;
    let failed = findings.iter().filter(|finding| finding.outcome() == Outcome::Failed).count();
    let entry = Entry::by(Event::SystemExamined, &caller, None, &client).detail("failed", failed);
    if let Err(cause) = record(&app, entry).await {
        // What is wrong may be the database itself: then who is to mend it must be told.
        tracing::error!(%cause, "an examination of the system could not be recorded");
    }
    Ok(Json(SystemCheckup { checks: findings.iter().map(as_check).collect() }))
}

async fn record(app: &App, entry: Entry<'_>) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    entry.record(&mut tx, app.now()).await?;
    tx.commit().await
}

fn as_check(finding: &Finding) -> SystemCheck {
    SystemCheck {
        name: finding.subject.to_owned(),
        outcome: match finding.outcome() {
            Outcome::Ok => CheckOutcome::Ok,
            Outcome::Warning => CheckOutcome::Warning,
            Outcome::Failed => CheckOutcome::Failed,
            Outcome::Skipped => CheckOutcome::Skipped,
        },
        code: finding.code().to_owned(),
        values: finding.values().iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        summary: finding.found(),
        fix: finding.fix(),
    }
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
        documented_as: setting.documented_as.to_owned(),
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
