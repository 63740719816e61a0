//! The pages that links in mails open, for whoever has no front end of their own: plain forms, without scripts.
//!
//! Opening a page spends nothing, for programs that look through mail open links; its button does.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use service_kit::{language::Language, problem::Text};

use super::{change_email, disown, reset, verify};
use crate::{
    app::App,
    client::Client,
    error::{Error, Result},
    fields::Fault,
    ids::OpaqueToken,
    mail::{self, link::Purpose},
    page,
    passwords::NewPassword,
    social,
};

/// What a page shows besides its title.
struct Page<'a> {
    purpose: Purpose,
    language: Language,
    /// The form, with this token in it.
    token: Option<&'a str>,
    /// What was done, or what went wrong.
    told: Option<(&'static str, String)>,
}

/// One page for each kind of link.
pub fn routes() -> Router<App> {
    Purpose::ALL.into_iter().fold(Router::new(), |routes, purpose| {
        let show = async move |client: Client, RawQuery(query): RawQuery| show(purpose, &client, query.as_deref());
        let submit = async move |State(app): State<App>, client: Client, body: Bytes| {
            submit(purpose, &app, &client, &body).await
        };
        routes.route(purpose.path(), get(show).post(submit))
    })
}

fn show(purpose: Purpose, client: &Client, query: Option<&str>) -> Response {
    let members = members(query.unwrap_or_default().as_bytes());
    let token = members.get("token").map_or("", String::as_str);
    Page { purpose, language: client.language, token: Some(token), told: None }.into_response()
}

async fn submit(purpose: Purpose, app: &App, client: &Client, body: &[u8]) -> Response {
    let members = members(body);
    let member = |name: &str| members.get(name).map_or("", String::as_str);
    let (token, language) = (member("token"), client.language);
    match act(purpose, app, client, (token, member("new_password"))).await {
        Ok(()) => {
            let told = Some(("done", done(purpose).in_language(language).to_owned()));
            Page { purpose, language, token: None, told }.into_response()
        }
        Err(error) => {
            let told = Some(("fault", error.sentence().in_language(language).to_owned()));
            // A link that is still good can be tried again.
            let token = Some(token).filter(|_| !matches!(error, Error::InvalidOrExpiredToken));
            let page = Page { purpose, language, token, told }.into_response();
            // Logged there, and its headers say when to come again; the body is ours.
            let mut response = error.into_response();
            response.extensions_mut().clear();
            let (mut parts, _) = response.into_parts();
            parts.headers.extend(page.headers().clone());
            Response::from_parts(parts, page.into_body())
        }
    }
}

async fn act(purpose: Purpose, app: &App, client: &Client, (token, password): (&str, &str)) -> Result<()> {
    let token = OpaqueToken::parse(token).ok_or(Error::InvalidOrExpiredToken)?;
    match purpose {
        Purpose::VerifyEmail => verify::verify(app, &token, client).await,
        Purpose::ChangeEmail => change_email::confirm(app, &token, client).await,
        Purpose::NotMe => disown::disown(app, &token, client).await,
        Purpose::LinkIdentity => social::link::by_mail(app, &token, client).await,
        Purpose::ResetPassword | Purpose::Invitation | Purpose::ExpiredPassword => {
            let new = NewPassword::parse(password.to_owned(), app.config.password_min_length);
            let new = new.map_err(|fault| Error::of_field("new_password", Fault::from(fault)))?;
            reset::reset(app, &token, new, client).await
        }
    }
}

/// Members of a form or a query; of two of one name the last.
fn members(encoded: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

const fn done(purpose: Purpose) -> Text {
    match purpose {
        Purpose::VerifyEmail => Text::new("Your address is confirmed.", "이메일 주소가 확인되었습니다."),
        Purpose::ChangeEmail => Text::new("Your new address is confirmed.", "새 이메일 주소로 변경되었습니다."),
        Purpose::ResetPassword | Purpose::Invitation | Purpose::ExpiredPassword => Text::new(
            "Your password is set. You can log in now.",
            "비밀번호가 설정되었습니다. 이제 로그인할 수 있습니다.",
        ),
        Purpose::LinkIdentity => Text::new(
            "The account is linked. Go back to the app and log in through the provider again.",
            "계정이 연결되었습니다. 앱으로 돌아가 다시 로그인하세요.",
        ),
        Purpose::NotMe => Text::new(
            "That session has ended. We sent you a mail to choose a new password.",
            "해당 세션을 종료했습니다. 비밀번호를 재설정할 수 있는 메일을 보냈습니다.",
        ),
    }
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        page::render(self.language, &mail::action(self.purpose), &self.body())
    }
}

impl Page<'_> {
    fn body(&self) -> String {
        let words = |text: Text| text.in_language(self.language).to_owned();
        let title = words(mail::action(self.purpose));
        let mut body = String::new();
        if let Some((class, told)) = &self.told {
            // Writing to a text cannot fail.
            let _ = writeln!(body, "<p class=\"{class}\" role=\"status\">{}</p>", mail::escape(told));
        }
        if let Some(token) = self.token {
            let (path, token) = (self.purpose.path(), mail::escape(token));
            let _ = write!(
                body,
                "<form method=\"post\" action=\"{path}\"><input type=\"hidden\" name=\"token\" value=\"{token}\">"
            );
            if matches!(self.purpose, Purpose::ResetPassword | Purpose::Invitation | Purpose::ExpiredPassword) {
                let label = words(Text::new("New password", "새 비밀번호"));
                let _ = write!(
                    body,
                    "<label for=\"p\">{label}</label><input id=\"p\" type=\"password\" name=\"new_password\" autocomplete=\"new-password\" required autofocus>"
                );
            }
            let _ = writeln!(body, "<button>{title}</button></form>");
        }
        body
    }
}
