//! Everything that a page can fail by, and the one place that makes pages of it.

use askama::Template;
use auth_sdk::client::ClientError;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{app::App, cookies, frame::Frame, visit::Visit};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");

/// Result of a page.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why there is no page.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Nobody is signed in, or not any more.
    SignedOut,
    /// A form came from another site, or from a session before.
    ForeignForm,
    /// A form is not one of ours.
    BadForm,
    /// There is no such thing.
    NotFound,
    /// The API refused, with its sentence.
    Refused { status: StatusCode, code: String, detail: String, request_id: String },
    /// The API is away, or too slow.
    Unreachable,
    /// The API does not know this console.
    Unacquainted,
    /// A defect of ours, which was logged.
    Internal,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(problem) => match problem.status {
                401 => Self::SignedOut,
                404 => Self::NotFound,
                status => Self::Refused {
                    status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY),
                    code: problem.code,
                    // Of the first member that is wrong, where it is about members: a form can say that of itself.
                    detail: problem.errors.into_iter().next().map_or(problem.detail, |first| first.detail),
                    request_id: problem.request_id,
                },
            },
            ClientError::Unreachable(cause) => {
                tracing::error!(cause, "the Auth API cannot be reached");
                Self::Unreachable
            }
            ClientError::Unexpected(cause) => {
                tracing::error!(cause, "the Auth API answered what is none of its answers");
                Self::Internal
            }
        }
    }
}

impl From<askama::Error> for Failure {
    fn from(cause: askama::Error) -> Self {
        tracing::error!(%cause, "a page could not be written");
        Self::Internal
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // Only a note: who asked, and in what language, is known where it is written.
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Failure {
    /// The page that somebody gets who may see nothing here, in place of an empty one.
    pub fn forbidden() -> Self {
        let (code, text) = ("forbidden".to_owned(), String::new);
        Self::Refused { status: StatusCode::FORBIDDEN, code, detail: text(), request_id: text() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::BadForm => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Refused { status, .. } => *status,
            Self::Unreachable | Self::Unacquainted => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Which texts say it.
    fn kind(&self) -> &'static str {
        match self {
            Self::SignedOut => "signed-out",
            Self::ForeignForm => "foreign-form",
            Self::BadForm => "bad-form",
            Self::NotFound => "not-found",
            Self::Refused { status, .. } if *status == StatusCode::FORBIDDEN => "forbidden",
            Self::Refused { status, .. } if *status == StatusCode::TOO_MANY_REQUESTS => "too-many",
            Self::Refused { .. } => "refused",
            Self::Unreachable => "unreachable",
            Self::Unacquainted => "unacquainted",
            Self::Internal => "internal",
        }
    }

    /// The API's own sentence, and the request to look for in the log.
    fn told(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Refused { detail, .. } if detail.is_empty() => (None, None),
            Self::Refused { detail, request_id, .. } => (Some(detail), Some(request_id)),
            Self::SignedOut
            | Self::ForeignForm
            | Self::BadForm
            | Self::NotFound
            | Self::Unreachable
            | Self::Unacquainted
            | Self::Internal => (None, None),
        }
    }

    /// Of a call that the console makes of itself: it has no session that could have ended, only its secret.
    pub fn of_console(error: ClientError) -> Self {
        let failure = Self::from(error);
        // Without any secret, the API keeps to itself that there is such a call.
        if matches!(failure, Self::SignedOut | Self::NotFound) {
            tracing::error!("the Auth API does not know this console: ADMIN_CLIENT_SECRET must be the same at both");
            return Self::Unacquainted;
        }
        failure
    }

    /// Whether this code of the API is why.
    pub fn is(&self, code: &str) -> bool {
        matches!(self, Self::Refused { code: known, .. } if known == code)
    }

    /// What to say beside a form that was refused; whatever has nothing to do with what was filled in stays a failure.
    ///
    /// # Errors
    /// The failure.
    pub fn into_sentence(self) -> Result<String> {
        match &self {
            Self::Refused { status, detail, .. } if status.is_client_error() => Ok(detail.clone()),
            Self::Refused { .. }
            | Self::SignedOut
            | Self::ForeignForm
            | Self::BadForm
            | Self::NotFound
            | Self::Unreachable
            | Self::Unacquainted
            | Self::Internal => Err(self),
        }
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    frame: Frame,
    title: String,
    sentence: String,
    told: Option<&'a str>,
    request_id: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "_failure.html")]
struct FailurePart<'a> {
    frame: Frame,
    title: String,
    sentence: String,
    told: Option<&'a str>,
    request_id: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "again.html")]
struct Again {
    frame: Frame,
    here: String,
}

/// Makes a page, or a part of one, of a failure.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let (visit, headers) = (Visit::of(&parts, &app), parts.headers.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    page(&visit, &headers, &failure).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn page(visit: &Visit, headers: &HeaderMap, failure: &Failure) -> Result<Response, askama::Error> {
    if let Failure::SignedOut = failure {
        return sign_in(visit, headers);
    }
    let (frame, kind) = (visit.bare(), failure.kind());
    let (title, sentence) = (frame.t(&format!("failure-{kind}")), frame.t(&format!("failure-why-{kind}")));
    let (told, request_id) = failure.told();
    let html = if visit.wants_part {
        FailurePart { frame, title, sentence, told, request_id }.render()?
    } else {
        FailurePage { frame, title, sentence, told, request_id }.render()?
    };
    Ok((failure.status(), Html(html)).into_response())
}

/// To the page where one signs in, and back here afterwards.
fn sign_in(visit: &Visit, headers: &HeaderMap) -> Result<Response, askama::Error> {
    let comes_from_elsewhere = headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
    if comes_from_elsewhere && !visit.wants_part && !visit.has_credential() {
        // The cookie was held back, for a link elsewhere led here: loaded by this page itself, it is sent along.
        let html = Again { frame: visit.bare(), here: visit.here.clone() }.render()?;
        return Ok(Html(html).into_response());
    }
    let current = headers.get(HX_CURRENT_URL).and_then(|value| value.to_str().ok());
    let shown =
        current.and_then(|url| url::Url::parse(url).ok()).map(|url| url[url::Position::BeforePath..].to_owned());
    let back = shown.unwrap_or_else(|| visit.here.clone());
    let to = format!("/admin/sign-in?to={}", utf8_percent_encode(&back, NON_ALPHANUMERIC));
    let mut response = visit.go(&to);
    if visit.has_credential() {
        response.headers_mut().append(http::header::SET_COOKIE, cookies::end());
    }
    Ok(response)
}
