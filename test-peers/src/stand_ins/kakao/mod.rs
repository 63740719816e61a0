//! Kakao Login: <https://developers.kakao.com/docs/latest/en/kakaologin/rest-api>.

mod api;
mod login;
mod webhooks;

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub use self::webhooks::Webhook;
use super::grants::{Consent, Grants, RegisteredClient};
use super::keys::Keys;
use super::message::{Answer, HttpRequest};
use super::server::{Place, StandIn};
use crate::PeerError;

const ADMIN_KEY: &str = "kakao-admin-key";
const APP_ID: u64 = 123_456;
/// Above 2^53, so that whoever takes ids for floating point numbers is found out.
const USER_ID: u64 = 9_007_199_254_740_993;
const SCOPES: [&str; 4] = ["openid", "account_email", "profile_nickname", "profile_image"];

/// Kakao's servers for login and for the API, at one address.
pub struct Kakao {
    server: StandIn,
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    client: RegisteredClient,
    state: Mutex<State>,
}

struct State {
    user: Value,
    consent: Consent,
    scopes: Vec<String>,
    grants: Grants,
    keys: Keys,
}

impl Kakao {
    /// Starts it with one app; the person at the browser has a verified address.
    ///
    /// # Errors
    /// [`PeerError`] if no port is free.
    pub fn start(client: RegisteredClient) -> Result<Self, PeerError> {
        let place = Place::find()?;
        let state = State {
            user: somebody(),
            consent: Consent::default(),
            scopes: SCOPES.map(String::from).to_vec(),
            grants: Grants::default(),
            keys: Keys::default(),
        };
        let shared = Arc::new(Shared { url: place.url(), client, state: Mutex::new(state) });
        let answerer = Arc::clone(&shared);
        Ok(Self { server: StandIn::start(place, move |request| answerer.answer(request)), shared })
    }

    /// Puts another person at the browser: what `/v2/user/me` says of them, such as
    /// `{"id": 1, "kakao_account": {"email": …}}`; any field but the id may be left out.
    pub fn sign_in(&self, user: Value) {
        self.shared.state().user = user;
    }

    /// Decides what the person does with the question that comes next, and after.
    pub fn set_consent(&self, consent: Consent) {
        self.shared.state().consent = consent;
    }

    /// Enables only these scopes for the app.
    pub fn enable_scopes(&self, scopes: &[&str]) {
        self.shared.state().scopes = scopes.iter().copied().map(str::to_owned).collect();
    }

    /// Sets its clock, in seconds since 1970; it runs with the system's otherwise.
    pub fn set_now(&self, now: i64) {
        self.shared.state().grants.set_now(now);
    }

    /// Signs by a new key from now on; the old one is forgotten.
    pub fn rotate_key(&self) {
        self.shared.state().keys.rotate();
    }

    /// Puts these claims in place of those of later ID tokens; null leaves one out.
    pub fn change_id_tokens(&self, claims: &Value) {
        self.shared.state().keys.change_claims(claims);
    }

    /// A JWT of any claims, signed by its key.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn sign(&self, typ: &str, claims: &Value) -> Result<String, PeerError> {
        self.shared.state().keys.signer()?.sign(typ, claims)
    }

    /// The app's admin key.
    #[must_use]
    pub fn admin_key(&self) -> &'static str {
        ADMIN_KEY
    }

    /// The app's id, which `/v1/user/access_token_info` names.
    #[must_use]
    pub fn app_id(&self) -> u64 {
        APP_ID
    }
}

impl Deref for Kakao {
    type Target = StandIn;

    fn deref(&self) -> &StandIn {
        &self.server
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &HttpRequest) -> Answer {
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/.well-known/openid-configuration") => Ok(self.discovery()),
            ("GET", "/.well-known/jwks.json") => {
                self.state().keys.set().map(|set| Answer::json(200, &set)).map_err(Into::into)
            }
            ("GET", "/oauth/authorize") => self.authorize(request),
            ("POST", "/oauth/token") => self.token(request),
            ("GET" | "POST", "/v2/user/me") => self.me(request),
            ("GET", "/v1/oidc/userinfo") => self.userinfo(request),
            ("GET", "/v1/user/access_token_info") => self.access_token_info(request),
            ("POST", "/v1/user/unlink") => self.unlink(request),
            _ => Err(Answer::json(404, &json!({"msg": "NotFoundException", "code": -10}))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }
}

fn somebody() -> Value {
    json!({"id": USER_ID, "kakao_account": {
        "profile_nickname_needs_agreement": false,
        "profile_image_needs_agreement": false,
        "profile": {
            "nickname": "춘식",
            "thumbnail_image_url": "http://k.kakaocdn.test/img_110x110.jpg",
            "profile_image_url": "http://k.kakaocdn.test/img_640x640.jpg",
            "is_default_image": false,
        },
        "has_email": true,
        "email_needs_agreement": false,
        "is_email_valid": true,
        "is_email_verified": true,
        "email": "choonsik@kakao.test",
    }})
}
