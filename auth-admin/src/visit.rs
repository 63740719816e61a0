//! One request of somebody at a browser: what it says of them, and the API's calls as they make them.

use std::{convert::Infallible, ops::Deref};

use auth_sdk::client::{Api, Caller};
use aws_lc_rs::hmac;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use data_encoding::BASE64URL_NOPAD;
use service_kit::{language::Language, proxies::ClientAddr, request_id::RequestId};
use subtle::ConstantTimeEq;

use crate::{
    app::App,
    cookies::{self, Likes},
    failure::{Failure, Result},
    frame::{Frame, Section, Who},
};

const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
/// What a form's token is derived for.
const LABEL: &[u8] = b"form";

/// One request.
#[derive(Clone)]
pub struct Visit {
    pub app: App,
    pub likes: Likes,
    /// Path and query.
    pub here: String,
    /// Whether a part of a page is asked for, by a script of ours.
    pub wants_part: bool,
    credential: Option<String>,
    caller: Caller,
    language: Language,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

impl Visit {
    /// Reads a request.
    pub fn of(parts: &Parts, app: &App) -> Self {
        let headers = &parts.headers;
        let likes = Likes::read(headers);
        let language = likes.language.unwrap_or(Language::of(headers));
        let credential = cookies::find(headers, cookies::SESSION).filter(|value| !value.is_empty()).map(str::to_owned);
        let caller = Caller {
            credential: credential.clone(),
            address: parts.extensions.get::<ClientAddr>().map(|addr| addr.ip),
            user_agent: text(headers, &header::USER_AGENT),
            device_token: cookies::find(headers, cookies::DEVICE).map(str::to_owned),
            language: Some(match language {
                Language::English => "en",
                Language::Korean => "ko",
            }),
            request_id: parts.extensions.get::<RequestId>().map(ToString::to_string),
        };
        let here = parts.uri.path_and_query().map_or("/admin/", |path| path.as_str()).to_owned();
        let wants_part = headers.contains_key(HX_REQUEST);
        Self { app: app.clone(), likes, here, wants_part, credential, caller, language }
    }

    /// The language of the pages.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Whether the browser shows a credential, good or not.
    pub const fn has_credential(&self) -> bool {
        self.credential.is_some()
    }

    /// The API as whoever visits calls it.
    pub fn api(&self) -> Api {
        self.app.client.on_behalf_of(&self.caller)
    }

    /// The API as a console calls it of itself, for somebody without a session.
    pub fn api_of_console(&self) -> Api {
        self.app.client.on_behalf_of(&Caller { credential: None, ..self.caller.clone() })
    }

    /// The frame of a page for somebody who is not known.
    pub fn bare(&self) -> Frame {
        Frame::new(self, Section::None, None)
    }

    /// What a form of this session carries, so that no other site can send one: nobody else can derive it.
    pub fn form_token(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.credential.as_deref().unwrap_or_default().as_bytes());
        BASE64URL_NOPAD.encode(hmac::sign(&key, LABEL).as_ref())
    }

    /// Whether a form carries it.
    pub fn is_form_token(&self, token: &str) -> bool {
        self.has_credential() && bool::from(token.as_bytes().ct_eq(self.form_token().as_bytes()))
    }

    /// Sends the browser to another page, also when a script asked.
    pub fn go(&self, to: &str) -> Response {
        if !self.wants_part {
            return Redirect::to(to).into_response();
        }
        let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/admin/"));
        ([(HX_REDIRECT, to)], "").into_response()
    }
}

/// A request of somebody with a session; whether it still lives, the API says.
#[derive(Clone)]
pub struct Operator(Visit);

impl FromRequestParts<App> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let visit = Visit::of(parts, app);
        if visit.has_credential() { Ok(Self(visit)) } else { Err(Failure::SignedOut) }
    }
}

impl Operator {
    /// The frame of a page, with who they are.
    ///
    /// # Errors
    /// [`Failure::SignedOut`], among others.
    pub async fn frame(&self, section: Section) -> Result<Frame> {
        let who = Who::of(self.api().me().await?);
        Ok(Frame::new(self, section, Some(who)))
    }

    /// The frame of a part of a page, in which nobody looks for who they are.
    pub fn part(&self, section: Section) -> Frame {
        Frame::new(self, section, None)
    }
}

impl Deref for Operator {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.0
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
