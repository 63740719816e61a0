//! Signing in and out.

use askama::Template;
use auth_sdk::{
    LoginRequest,
    client::{ClientError, ConsoleEntry},
};
use axum::{
    http::header,
    response::{AppendHeaders, Html, IntoResponse, Redirect, Response},
};

use crate::{
    cookies,
    failure::{Failure, Result},
    forms::{Form, OpenForm, Query},
    frame::Frame,
    visit::{Operator, Visit},
};

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    frame: Frame,
    to: String,
    name: String,
    fault: Option<String>,
    is_expected: bool,
}

#[derive(Template)]
#[template(path = "new-password.html")]
struct NewPasswordPage {
    frame: Frame,
    token: String,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "no-cookie.html")]
struct NoCookiePage {
    frame: Frame,
}

/// The page where one signs in; the one where an installation is set up, while nobody could.
pub async fn show(visit: Visit, Query(query): Query) -> Result<Response> {
    if visit.api_of_console().console_state().await.map_err(Failure::of_console)?.setup_required {
        return Ok(Redirect::to("/admin/setup").into_response());
    }
    let to = query.page("to").to_owned();
    // Whoever was sent here from a page was signed in before, or followed a link.
    let is_expected = query.find("to").is_none();
    page(&visit, SignInPage { frame: visit.bare(), to, name: String::new(), fault: None, is_expected })
}

/// Signs in.
pub async fn sign_in(visit: Visit, OpenForm(form): OpenForm) -> Result<Response> {
    let (name, password) = (form.find("name").unwrap_or_default(), form.raw("password").unwrap_or_default());
    let (email, username) = if name.contains('@') { (Some(name), None) } else { (None, Some(name)) };
    let login = LoginRequest {
        email: email.map(str::to_owned),
        username: username.map(str::to_owned),
        password: password.to_owned(),
        device_name: None,
    };
    match visit.api_of_console().log_in_to_console(&login).await {
        Ok(ConsoleEntry::LoggedIn(begun, device)) => Ok(enter(&begun.credential, device.as_deref(), form.page("to"))),
        Ok(ConsoleEntry::PasswordExpired(expired)) => {
            page(&visit, NewPasswordPage { frame: visit.bare(), token: expired.reset_token, fault: None })
        }
        Err(refusal) => {
            let frame = visit.bare();
            let fault = Some(sentence(&frame, refusal)?);
            page(
                &visit,
                SignInPage { frame, to: form.page("to").to_owned(), name: name.to_owned(), fault, is_expected: true },
            )
        }
    }
}

/// Replaces a password that is too old.
pub async fn choose_password(visit: Visit, OpenForm(form): OpenForm) -> Result<Response> {
    let (token, password) = (form.raw("token").unwrap_or_default(), form.raw("password").unwrap_or_default());
    match visit.api_of_console().reset_password(token, password).await {
        Ok(()) => Ok(Redirect::to("/admin/sign-in?done=password-changed").into_response()),
        Err(refusal) => {
            let fault = Some(first_fault(refusal)?);
            page(&visit, NewPasswordPage { frame: visit.bare(), token: token.to_owned(), fault })
        }
    }
}

/// Where a session begins: if the browser brings its cookie, on it goes; if not, it says why.
pub async fn arrive(visit: Visit, Query(query): Query) -> Result<Response> {
    if visit.has_credential() {
        return Ok(Redirect::to(query.page("to")).into_response());
    }
    page(&visit, NoCookiePage { frame: visit.bare() })
}

/// Signs out.
pub async fn sign_out(operator: Operator, Form(_): Form) -> Result<Response> {
    match operator.api().log_out().await {
        Ok(()) => {}
        // It had ended already.
        Err(refusal) if refusal.code() == "invalid_token" => {}
        Err(other) => return Err(other.into()),
    }
    let gone = AppendHeaders([(header::SET_COOKIE, cookies::end())]);
    let forget = [("clear-site-data", "\"cache\"")];
    Ok((gone, forget, operator.go("/admin/sign-in?done=signed-out")).into_response())
}

/// Hands the credential to the browser.
pub fn enter(credential: &str, device: Option<&str>, to: &str) -> Response {
    let cookies = [Some(cookies::begin(credential)), device.map(cookies::know_device)];
    let cookies = cookies.into_iter().flatten().map(|cookie| (header::SET_COOKIE, cookie));
    let to: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    (AppendHeaders(cookies.collect::<Vec<_>>()), Redirect::to(&format!("/admin/arrive?{to}"))).into_response()
}

/// What to say of a login that was refused.
fn sentence(frame: &Frame, refusal: ClientError) -> Result<String> {
    match refusal.code() {
        "invalid_credentials" | "invalid_request" => Ok(frame.t("sign-in-refused")),
        "forbidden" => Ok(frame.t("sign-in-no-console")),
        _ => first_fault(refusal),
    }
}

/// What to say beside a form: of the first member that is wrong, or of the whole.
pub fn first_fault(refusal: ClientError) -> Result<String> {
    Failure::from(refusal).into_sentence()
}

fn page(visit: &Visit, page: impl Template) -> Result<Response> {
    let html = page.render()?;
    if visit.wants_part {
        // Asked for by a script: the whole page is what somebody must see.
        return Ok(visit.go("/admin/sign-in"));
    }
    Ok(Html(html).into_response())
}
