//! Sets an installation up, once: whoever has the token that was printed at start becomes its first administrator.

use askama::Template;
use auth_sdk::{LoginRequest, SetUp, client::ConsoleEntry};
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::{
    failure::{Failure, Result},
    forms::{OpenForm, Query},
    frame::Frame,
    session,
    visit::Visit,
};

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    frame: Frame,
    token: String,
    email: String,
    display_name: String,
    fault: Option<String>,
}

/// The page, while it is good for something.
pub async fn show(visit: Visit, Query(query): Query) -> Result<Response> {
    if !visit.api_of_console().console_state().await.map_err(Failure::of_console)?.setup_required {
        return Ok(Redirect::to("/admin/sign-in").into_response());
    }
    let token = query.find("token").unwrap_or_default().to_owned();
    let page = SetupPage { frame: visit.bare(), token, email: String::new(), display_name: String::new(), fault: None };
    Ok(Html(page.render()?).into_response())
}

/// Makes the first administrator, and signs them in.
pub async fn run(visit: Visit, OpenForm(form): OpenForm) -> Result<Response> {
    let text = |name: &str| form.find(name).unwrap_or_default().to_owned();
    let password = form.raw("password").unwrap_or_default().to_owned();
    let (frame, api) = (visit.bare(), visit.api_of_console());
    let set_up = SetUp {
        token: text("token"),
        email: text("email"),
        password: password.clone(),
        display_name: form.find("display_name").map(str::to_owned),
        locale: Some(frame.lang().to_owned()),
    };
    if let Err(refusal) = api.set_up(&set_up).await {
        let fault = match refusal.code() {
            "invalid_or_expired_token" => frame.t("setup-wrong-token"),
            "email_taken" => frame.t("setup-email-taken"),
            _ => session::first_fault(refusal)?,
        };
        let (token, email, display_name) = (set_up.token, set_up.email, text("display_name"));
        return Ok(Html(SetupPage { frame, token, email, display_name, fault: Some(fault) }.render()?).into_response());
    }
    let login = LoginRequest { email: Some(set_up.email), username: None, password, device_name: None };
    match api.log_in_to_console(&login).await.map_err(Failure::from)? {
        ConsoleEntry::LoggedIn(begun, device) => {
            Ok(session::enter(&begun.credential, device.as_deref(), "/admin/?done=set-up"))
        }
        ConsoleEntry::PasswordExpired(_) => Ok(Redirect::to("/admin/sign-in").into_response()),
    }
}
