//! Logins through providers as the wire sees them.

use auth_sdk::{
    ExchangeAnswer, ExchangeRequest, IdTokenRequest, LinkByEmail, LinkByPassword, LinkRequest, Problem,
    Provider as WireProvider, Providers as WireProviders,
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use service_kit::problem::Text;

use super::{
    authorize::{self, Aim, Departure, Wish},
    browser::Browser,
    callback::{self, Answer},
    exchange::{self, Arrival, Exchanged},
    link, native,
    provider::Provider,
};
use crate::{
    app::App,
    client::Client,
    error::{Error, Result},
    fields::{Fault, Fields},
    ids::OpaqueToken,
    lists::Params,
    login::{Outcome, admit::LoggedIn, device},
    page,
    passwords::Password,
    users::DisplayName,
};

/// The longest ID token that is looked at, bytes.
const MAX_ID_TOKEN: usize = 8 * 1024;
/// The longest nonce of an app, bytes.
const MAX_NONCE: usize = 256;

/// List the providers that people can log in through
#[utoipa::path(
    get, path = "/api/v1/oauth/providers", tag = "oauth",
    responses((status = 200, body = WireProviders))
)]
pub async fn list_providers(State(app): State<App>, client: Client) -> Json<WireProviders> {
    let providers = app.providers.iter().map(|provider| WireProvider {
        name: provider.name.clone(),
        title: provider.title.in_language(client.language).to_owned(),
        authorize_url: authorize::authorize_uri(&app, &provider.name),
        takes_id_tokens: provider.signer.is_some(),
    });
    Json(WireProviders { providers: providers.collect() })
}

/// Send the browser to a provider
///
/// A navigation, not a call: it sets a cookie and goes on to the provider, which sends the person back to `redirect_uri`
/// with `code` (good once, 60 seconds) and `state`, or with `error` and `error_description`.
#[utoipa::path(
    get, path = "/api/v1/oauth/{provider}/authorize", tag = "oauth",
    params(("provider" = String, Path, description = "Its name"), auth_sdk::AuthorizeParams),
    responses((status = 302, description = "To the provider, or back to `redirect_uri` with an error"), (status = 400, body = Problem, description = "invalid_or_expired_token: of the ticket"), (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn authorize(
    State(app): State<App>,
    Path(name): Path<String>,
    client: Client,
    headers: HeaderMap,
    params: Params,
) -> Result<Response> {
    let provider = find(&app, &name)?;
    let (wish, aim) = match params.read(|f| read_authorize(&app, f))? {
        Asked::Ticket(ticket) => authorize::spend_ticket(&app, provider, &ticket).await?,
        Asked::Login(wish) => (wish, Aim::LogIn),
    };
    let departure = authorize::depart(&app, provider, (wish, aim), Browser::of(&headers), client.language).await?;
    let Departure { location, browser } = departure;
    let cookie = browser.map(|browser| AppendHeaders([(header::SET_COOKIE, browser.cookie())]));
    Ok(match cookie {
        Some(cookie) => (cookie, redirect(StatusCode::FOUND, &location)).into_response(),
        None => redirect(StatusCode::FOUND, &location),
    })
}

enum Asked {
    Ticket(OpaqueToken),
    Login(Wish),
}

fn read_authorize(app: &App, f: &mut Fields) -> Option<Asked> {
    if f.has("ticket") {
        return f.required("ticket", parse_token).map(Asked::Ticket);
    }
    let text = |text: &str| Ok(text.to_owned());
    let (uri, challenge) = (f.required("redirect_uri", text), f.required("code_challenge", text));
    let state = f.optional("state", text);
    let method = f.required("code_challenge_method", |method| match method {
        "S256" => Ok(()),
        _ => Err(Fault::new("unsupported", "Only S256.", "S256만 지원합니다.")),
    });
    let (uri, challenge, state, ()) = (uri?, challenge?, state?, method?);
    match Wish::parse(app, &uri, &challenge, state.as_deref()) {
        Ok(wish) => Some(Asked::Login(wish)),
        Err((member, fault)) => f.refuse(member, fault),
    }
}

/// Take a provider's answer
///
/// Where providers send people back to; register this address there. A cross-site POST, which Apple sends, is kept for a
/// minute and followed by a GET, with which the cookie comes.
#[utoipa::path(
    get, path = "/api/v1/oauth/{provider}/callback", tag = "oauth",
    params(("provider" = String, Path, description = "Its name")),
    responses((status = 302, description = "To the app"), (status = 400, description = "A page: nobody here asked for this answer"), (status = 404, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn callback(
    State(app): State<App>,
    Path(name): Path<String>,
    client: Client,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let provider = find(&app, &name)?;
    // What comes may be anybody's, and has us call the provider.
    app.limits.confirmation(&client, app.now()).await?;
    match arrive(&app, provider, (query.as_deref().unwrap_or_default(), &headers), &client).await {
        Ok(location) => Ok(redirect(StatusCode::FOUND, &location)),
        Err(Error::InvalidOrExpiredToken) => Ok(lost(&client)),
        Err(other) => Err(other),
    }
}

async fn arrive(
    app: &App,
    provider: &Provider,
    (query, headers): (&str, &HeaderMap),
    client: &Client,
) -> Result<String> {
    let parked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "parked");
    let answer = match parked {
        Some((_, parked)) => callback::unpark(app, provider, &parked).await?,
        None => Answer::parse(query.as_bytes())?,
    };
    callback::arrive(app, provider, answer, Browser::of(headers), client.language).await
}

/// Take a provider's answer that comes by POST
#[utoipa::path(
    post, path = "/api/v1/oauth/{provider}/callback", tag = "oauth", request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    params(("provider" = String, Path, description = "Its name")),
    responses((status = 303, description = "To the same address by GET"), (status = 400, description = "A page: nobody here asked for this answer"), (status = 404, body = Problem))
)]
pub async fn callback_by_post(
    State(app): State<App>,
    Path(name): Path<String>,
    client: Client,
    body: Bytes,
) -> Result<Response> {
    let provider = find(&app, &name)?;
    let parked = match Answer::parse(&body) {
        Ok(answer) => callback::park(&app, provider, &answer).await,
        Err(malformed) => Err(malformed),
    };
    match parked {
        Ok(location) => Ok(redirect(StatusCode::SEE_OTHER, &location)),
        Err(Error::InvalidOrExpiredToken) => Ok(lost(&client)),
        Err(other) => Err(other),
    }
}

/// Exchange a code for tokens
///
/// For whoever has the `code_verifier`. Where an account has the address that the provider vouches for, the answer is
/// `link_required` in place of tokens; where the login began by `POST /api/v1/users/me/identities/{provider}`, `linked`.
#[utoipa::path(
    post, path = "/api/v1/oauth/exchange", tag = "oauth", request_body = ExchangeRequest,
    responses((status = 200, body = ExchangeAnswer), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 403, body = Problem, description = "account_closed"), (status = 409, body = Problem, description = "identity_taken"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn exchange_code(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    let (code, verifier, device_name) = fields.read(|f| {
        let code = f.required("code", parse_token);
        let verifier = f.required("code_verifier", |text| Ok(text.to_owned()));
        let device_name = f.optional("device_name", DisplayName::parse);
        Some((code?, verifier?, device_name?))
    })?;
    let arrival = Arrival { device_name, device: device::presented(&headers), client: &client };
    exchange::exchange(&app, &code, &verifier, &arrival).await.map(answer)
}

/// Log in by the ID token of a provider's SDK
///
/// For apps on devices, of providers that sign ID tokens. Each is good once, and only with the nonce that the app chose.
#[utoipa::path(
    post, path = "/api/v1/oauth/{provider}/id-token", tag = "oauth", request_body = IdTokenRequest,
    params(("provider" = String, Path, description = "Its name")),
    responses((status = 200, body = ExchangeAnswer), (status = 401, body = Problem, description = "invalid_id_token"), (status = 403, body = Problem, description = "account_closed"), (status = 404, body = Problem), (status = 409, body = Problem, description = "identity_taken"), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem, description = "provider_unavailable"))
)]
pub async fn log_in_by_id_token(
    State(app): State<App>,
    Path(name): Path<String>,
    client: Client,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    let provider = find(&app, &name)?;
    app.limits.confirmation(&client, app.now()).await?;
    let (id_token, nonce, device_name) = fields.read(|f| {
        let id_token = f.required("id_token", |text| at_most(MAX_ID_TOKEN, text));
        let nonce = f.required("nonce", |text| at_most(MAX_NONCE, text));
        let device_name = f.optional("device_name", DisplayName::parse);
        Some((id_token?, nonce?, device_name?))
    })?;
    let arrival = Arrival { device_name, device: device::presented(&headers), client: &client };
    native::log_in(&app, provider, (&id_token, &nonce), &arrival).await.map(answer)
}

/// Link what was proposed, by the account's password
#[utoipa::path(
    post, path = "/api/v1/oauth/link", tag = "oauth", request_body = LinkByPassword,
    responses((status = 200, body = auth_sdk::LoginAnswer), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 403, body = Problem, description = "wrong_password, account_closed"), (status = 409, body = Problem, description = "identity_taken"), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn link_by_password(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    let (token, password, device_name) = fields.read(|f| {
        let token = f.required("link_token", parse_token);
        let password = f.required("password", |text| Ok(Password::parse(text.to_owned())?));
        let device_name = f.optional("device_name", DisplayName::parse);
        Some((token?, password?, device_name?))
    })?;
    let arrival = Arrival { device_name, device: device::presented(&headers), client: &client };
    Ok(match link::by_password(&app, &token, &password, &arrival).await? {
        Outcome::LoggedIn(begun) => logged_in(begun),
        Outcome::PasswordExpired(expired) => Json(expired).into_response(),
    })
}

/// Ask the account's owner by mail whether to link what was proposed
#[utoipa::path(
    post, path = "/api/v1/oauth/link/email", tag = "oauth", request_body = LinkByEmail,
    responses((status = 202, description = "A mail is on its way"), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn link_by_email(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    let token = fields.read(|f| f.required("link_token", parse_token))?;
    link::ask_by_mail(&app, &token, &client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Link what was proposed, by the token of that mail
#[utoipa::path(
    post, path = "/api/v1/oauth/link/confirm", tag = "oauth", request_body = LinkRequest,
    responses((status = 204, description = "Linked: log in through the provider again"), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 409, body = Problem, description = "identity_taken"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn confirm_link(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    let token = fields.read(|f| f.required("token", parse_token))?;
    link::by_mail(&app, &token, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The provider of this name.
pub(super) fn find<'a>(app: &'a App, name: &str) -> Result<&'a Provider> {
    app.providers.find(name).ok_or(Error::NotFound)
}

fn answer(exchanged: Exchanged) -> Response {
    match exchanged {
        Exchanged::LoggedIn(begun) => logged_in(*begun),
        Exchanged::LinkRequired(question) => Json(question).into_response(),
        Exchanged::Linked(linked) => Json(*linked).into_response(),
    }
}

fn logged_in(begun: LoggedIn) -> Response {
    let tokens = Json(begun.tokens);
    match begun.device {
        Some(token) => (AppendHeaders(device::hand_over(&token)), tokens).into_response(),
        None => tokens.into_response(),
    }
}

fn redirect(status: StatusCode, location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (status, [(header::LOCATION, location)]).into_response(),
        // A URL is always a header value.
        Err(cause) => Error::Internal(Box::new(cause)).into_response(),
    }
}

/// For a person whose answer nobody waits for, or whose browser kept no cookie.
fn lost(client: &Client) -> Response {
    let title = Text::new("The login could not be finished", "로그인을 완료하지 못했습니다");
    let told = Text::new(
        "It took too long, was finished already, or began in another browser. Go back to the app and log in again; cookies must be allowed.",
        "시간이 초과되었거나 이미 완료되었거나 다른 브라우저에서 시작된 로그인입니다. 앱으로 돌아가 다시 로그인하고, 쿠키가 허용되어 있는지 확인하세요.",
    );
    let mut response = page::render(client.language, &title, &page::paragraph(told.in_language(client.language)));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn parse_token(text: &str) -> Result<OpaqueToken, Fault> {
    // One that is none by its shape is refused like any other.
    Ok(OpaqueToken::parse(text).unwrap_or(OpaqueToken::from_bytes([0; 32])))
}

fn at_most(longest: usize, text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Err(Fault::new("empty", "This must not be empty.", "비어 있을 수 없습니다."));
    }
    if text.len() > longest {
        return Err(Fault::new("too_long", "This is too long.", "너무 깁니다."));
    }
    Ok(text.to_owned())
}
