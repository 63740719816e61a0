//! Forms: what they may hold, and that they are of this session.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderName, header},
};
use url::form_urlencoded;

use crate::{
    app::App,
    failure::{Failure, Result},
    visit::Visit,
};

/// Where scripts of ours say the form's token.
const X_FORM_TOKEN: HeaderName = HeaderName::from_static("x-form-token");
/// The member that says it otherwise.
const MEMBER: &str = "form_token";

/// The members of a form or of a query, in their order.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<(String, String)>);

impl Members {
    fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The members of a query.
    pub fn of_query(query: &str) -> Self {
        Self::parse(query.as_bytes())
    }

    /// A member without the white space around it; nothing when it is empty or absent.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The page of the console that a member names; the first page where it names anything else.
    pub fn page(&self, name: &str) -> &str {
        let is_ours = |to: &&str| to.starts_with("/admin/") && !to.contains(['\\', '\r', '\n']);
        self.find(name).filter(is_ours).unwrap_or("/admin/")
    }

    /// A member as it was written: of a password, white space counts.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a member.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every member but the form's token and passwords: what a form that is asked again carries along.
    pub fn to_carry(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| name != MEMBER && name != "password").cloned().collect()
    }
}

/// A form of somebody without a session.
pub struct OpenForm(pub Members);

impl FromRequest<App> for OpenForm {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return Err(Failure::BadForm);
        }
        let body = Bytes::from_request(request, app).await.map_err(|_| Failure::BadForm)?;
        Ok(Self(Members::parse(&body)))
    }
}

/// A form of this session, and of no other.
pub struct Form(pub Members);

impl FromRequest<App> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let Ok(visit) = Visit::from_request_parts(&mut parts, app).await;
        let in_header = parts.headers.get(X_FORM_TOKEN).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let OpenForm(members) = OpenForm::from_request(Request::from_parts(parts, body), app).await?;
        if !visit.has_credential() {
            return Err(Failure::SignedOut);
        }
        let token = in_header.as_deref().or(members.raw(MEMBER)).unwrap_or_default();
        if visit.is_form_token(token) { Ok(Self(members)) } else { Err(Failure::ForeignForm) }
    }
}

/// The query of a page.
pub struct Query(pub Members);

impl FromRequestParts<App> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &App,
    ) -> Result<Self, std::convert::Infallible> {
        Ok(Self(Members::of_query(parts.uri.query().unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        let to = |to: &str| {
            let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
            Members::of_query(&query).page("to").to_owned()
        };
        assert_eq!(to("/admin/users?search=a"), "/admin/users?search=a");
        for foreign in
            ["https://evil.example", "//evil.example", "/\\evil.example", "/admin", "javascript:alert(1)", ""]
        {
            assert_eq!(to(foreign), "/admin/", "{foreign}");
        }
        assert_eq!(to("/admin/\\evil.example"), "/admin/");
    }
}
