//! Sign in with Apple: <https://developer.apple.com/documentation/signinwithapplerestapi>.

mod login;
mod secret;

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::grants::{Consent, Grants, RegisteredClient, random_text};
use super::keys::Keys;
use super::message::{Answer, HttpRequest};
use super::server::{Place, StandIn};
use super::signer::TokenSigner;
use crate::PeerError;

const TEAM: &str = "TEAM123456";

/// Apple's servers at one address, which is the issuer.
pub struct Apple {
    server: StandIn,
    shared: Arc<Shared>,
}

/// What a developer is given for an app; its key proves the app in place of a secret.
#[derive(Clone, Debug)]
pub struct AppleApp {
    /// The developer's team.
    pub team_id: String,
    /// The key's id.
    pub key_id: String,
    /// The private key on P-256, PKCS#8 in PEM.
    pub private_key: String,
}

/// How claims that are true or false are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppleBooleans {
    /// As the strings `"true"` and `"false"`.
    #[default]
    Text,
    /// As JSON has them.
    Json,
}

struct Shared {
    url: String,
    client: RegisteredClient,
    app_key: TokenSigner,
    state: Mutex<State>,
}

struct State {
    user: Value,
    consent: Consent,
    booleans: AppleBooleans,
    /// Subjects whose name has been told: that is done once.
    known: HashSet<String>,
    grants: Grants,
    keys: Keys,
}

impl Apple {
    /// Starts it with one app; the secret of the client is not used.
    ///
    /// # Errors
    /// [`PeerError`] if no port is free.
    pub fn start(client: RegisteredClient) -> Result<Self, PeerError> {
        let place = Place::find()?;
        let state = State {
            user: json!({"sub": "001234.0a1b2c3d4e5f.0123", "email": "x7@privaterelay.appleid.test", "email_verified": true,
                "is_private_email": true, "name": {"firstName": "Ada", "lastName": "Lovelace"}}),
            consent: Consent::default(),
            booleans: AppleBooleans::default(),
            known: HashSet::new(),
            grants: Grants::default(),
            keys: Keys::default(),
        };
        let (url, app_key) = (place.url(), TokenSigner::es256()?);
        let shared = Arc::new(Shared { url, client, app_key, state: Mutex::new(state) });
        let answerer = Arc::clone(&shared);
        Ok(Self { server: StandIn::start(place, move |request| answerer.answer(request)), shared })
    }

    /// What the service is to be configured with.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn app(&self) -> Result<AppleApp, PeerError> {
        let key = &self.shared.app_key;
        let (team_id, key_id) = (TEAM.to_owned(), key.kid().to_owned());
        Ok(AppleApp { team_id, key_id, private_key: key.private_pem()? })
    }

    /// Puts another person at the browser: `sub`, and where they are to be told `email`, `email_verified`,
    /// `is_private_email` and `name`, which is `{"firstName": …, "lastName": …}`.
    pub fn sign_in(&self, user: Value) {
        self.shared.state().user = user;
    }

    /// Decides what the person does with the question that comes next, and after.
    pub fn set_consent(&self, consent: Consent) {
        self.shared.state().consent = consent;
    }

    /// Writes what is true or false in another way.
    pub fn set_booleans(&self, booleans: AppleBooleans) {
        self.shared.state().booleans = booleans;
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

    /// The ID token that an app on a phone is given for the person at the browser; the app sends the hash of a nonce.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn id_token(&self, audience: &str, nonce: Option<&str>) -> Result<String, PeerError> {
        let mut apple = self.shared.state();
        let user = apple.user.clone();
        self.shared.id_token(&mut apple, &user, &json!({"aud": audience, "nonce": nonce}))
    }

    /// The body of a server-to-server notification, such as `consent-revoked` or `account-delete`.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn notification(&self, kind: &str, sub: &str) -> Result<String, PeerError> {
        let mut apple = self.shared.state();
        let now = apple.grants.now();
        // The event is a text within the claims.
        let event = json!({"type": kind, "sub": sub, "event_time": now * 1_000}).to_string();
        let claims = json!({"iss": self.shared.url, "aud": self.shared.client.id, "iat": now, "exp": now + 86_400,
            "jti": random_text()?, "events": event});
        Ok(json!({"payload": apple.keys.signer()?.sign("JWT", &claims)?}).to_string())
    }
}

impl Deref for Apple {
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
            ("GET", "/auth/keys") => self.state().keys.set().map(|set| Answer::json(200, &set)).map_err(Into::into),
            ("GET", "/auth/authorize") => self.authorize(request),
            ("POST", "/auth/token") => self.token(request),
            ("POST", "/auth/revoke") => self.revoke(request),
            _ => Err(Answer::html(404, "<!doctype html><title>Not Found</title>".into())),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }
}
