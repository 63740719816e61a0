//! Apple's login: the page that posts a form across sites, and tokens.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::super::grants::{Consent, Grant};
use super::super::message::{Answer, HttpRequest, with_query};
use super::{AppleBooleans, Shared, State};
use crate::PeerError;

const ACCESS_LIFETIME: i64 = 3_600;
/// A refresh token ends with the person's consent only.
const REFRESH_LIFETIME: i64 = 100 * 365 * 86_400;
const ID_TOKEN_LIFETIME: i64 = 86_400;

impl Shared {
    pub(super) fn discovery(&self) -> Answer {
        let at = |path: &str| format!("{}{path}", self.url);
        Answer::json(
            200,
            &json!({
                "issuer": self.url,
                "authorization_endpoint": at("/auth/authorize"),
                "token_endpoint": at("/auth/token"),
                "revocation_endpoint": at("/auth/revoke"),
                "jwks_uri": at("/auth/keys"),
                "response_types_supported": ["code"],
                "response_modes_supported": ["query", "fragment", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "name"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }),
        )
    }

    pub(super) fn authorize(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let page = |error: &str| Answer::html(400, format!("<!doctype html><title>Apple ID</title><p>{error}</p>"));
        if request.query("client_id") != Some(&self.client.id) {
            return Err(page("invalid_client"));
        }
        let redirect_uri = self.client.redirect_uri(request).ok_or_else(|| page("Invalid web redirect url."))?;
        let scopes: Vec<_> = request.query("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let is_form_post = request.query("response_mode") == Some("form_post");
        if !is_form_post && scopes.iter().any(|scope| scope == "name" || scope == "email") {
            return Err(page(
                "invalid_request: response_mode must be form_post when name or email scope is requested.",
            ));
        }
        let mut parameters = self.consent(request, &redirect_uri, scopes)?;
        parameters.extend(request.query("state").map(|state| ("state", state.to_owned())));
        if is_form_post {
            return Ok(Answer::html(200, form_page(&redirect_uri, &parameters)));
        }
        let pairs: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Ok(Answer::redirect(with_query(&redirect_uri, &pairs)))
    }

    /// What the service is told after the person's answer.
    fn consent(
        &self,
        request: &HttpRequest,
        redirect_uri: &str,
        scopes: Vec<String>,
    ) -> Result<Vec<(&'static str, String)>, PeerError> {
        let mut apple = self.state();
        if apple.consent == Consent::Deny {
            return Ok(vec![("error", "user_cancelled_authorize".to_owned())]);
        }
        let mut user = apple.user.clone();
        if !scopes.iter().any(|scope| scope == "email") {
            user["email"] = Value::Null;
        }
        let grant = Grant::of(request, redirect_uri, scopes, &user);
        let code = apple.grants.add_code(grant.clone())?;
        let mut parameters = vec![("code", code.clone())];
        if request.query("response_type").unwrap_or_default().split(' ').any(|wanted| wanted == "id_token") {
            let hash = half_hash(&code);
            let claims = json!({"aud": self.client.id, "nonce": grant.nonce, "c_hash": hash});
            parameters.push(("id_token", self.id_token(&mut apple, &grant.user, &claims)?));
        }
        let is_first = apple.known.insert(user["sub"].to_string());
        if is_first && !grant.scopes.is_empty() {
            let mut told = json!({});
            if grant.has_scope("name") {
                told["name"] = user["name"].clone();
            }
            if grant.has_scope("email") {
                told["email"] = user["email"].clone();
            }
            parameters.push(("user", told.to_string()));
        }
        Ok(parameters)
    }

    pub(super) fn token(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        self.check_secret(request)?;
        let grant_type = request.form("grant_type");
        let mut apple = self.state();
        match grant_type.as_deref() {
            Some("authorization_code") => {
                let code = request.form("code").unwrap_or_default();
                let grant = apple.grants.take_code(&code).ok_or_else(|| refusal("invalid_grant"))?;
                if request.form("redirect_uri").as_deref() != Some(&grant.redirect_uri) {
                    return Err(refusal("invalid_grant"));
                }
                let refresh = apple.grants.add_refresh(grant.clone(), REFRESH_LIFETIME).map_err(PeerError::from)?;
                let mut answer = self.tokens(&mut apple, &grant)?;
                answer["refresh_token"] = refresh.into();
                Ok(Answer::json(200, &answer))
            }
            Some("refresh_token") => {
                let token = request.form("refresh_token").unwrap_or_default();
                let mut grant = apple.grants.find_refresh(&token).ok_or_else(|| refusal("invalid_grant"))?.grant;
                grant.nonce = None;
                Ok(Answer::json(200, &self.tokens(&mut apple, &grant)?))
            }
            _ => Err(refusal("unsupported_grant_type")),
        }
    }

    /// Ends the person's consent; says nothing of a token that is not good.
    pub(super) fn revoke(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        self.check_secret(request)?;
        let token = request.form("token").unwrap_or_default();
        let mut apple = self.state();
        let held = apple.grants.find_refresh(&token).or_else(|| apple.grants.find_access(&token).cloned());
        if let Some(held) = held {
            let sub = &held.grant.user["sub"];
            apple.grants.remove_user("sub", sub);
            apple.known.remove(&sub.to_string());
        }
        Ok(Answer::text(200, "application/json", String::new()))
    }

    /// An ID token of a person, with these claims of its own.
    pub(super) fn id_token(&self, apple: &mut State, user: &Value, own: &Value) -> Result<String, PeerError> {
        let now = apple.grants.now();
        let booleans = apple.booleans;
        let truth = |name: &str| match (user[name].as_bool(), booleans) {
            (Some(truth), AppleBooleans::Text) => truth.to_string().into(),
            (Some(truth), AppleBooleans::Json) => Value::Bool(truth),
            (None, _) => Value::Null,
        };
        let mut claims = json!({
            "iss": self.url,
            "sub": user["sub"],
            "iat": now,
            "exp": now + ID_TOKEN_LIFETIME,
            "auth_time": now,
            "nonce_supported": true,
            "email": user["email"],
            "email_verified": truth("email_verified"),
            "is_private_email": truth("is_private_email"),
        });
        for (name, value) in own.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        apple.keys.sign_id_token(claims)
    }

    fn tokens(&self, apple: &mut State, grant: &Grant) -> Result<Value, PeerError> {
        let access = apple.grants.add_access("a", grant.clone(), ACCESS_LIFETIME)?;
        let own = json!({"aud": self.client.id, "nonce": grant.nonce, "at_hash": half_hash(&access)});
        let id_token = self.id_token(apple, &grant.user, &own)?;
        Ok(json!({"access_token": access, "token_type": "Bearer", "expires_in": ACCESS_LIFETIME, "id_token": id_token}))
    }
}

pub(super) fn refusal(error: &str) -> Answer {
    Answer::json(400, &json!({"error": error}))
}

/// A page whose form goes off by itself: from Apple's site to the service's, so without cookies that are `Lax`.
fn form_page(action: &str, parameters: &[(&str, String)]) -> String {
    let field =
        |(name, value): &(&str, String)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    let fields: String = parameters.iter().map(field).collect();
    format!(
        "<!doctype html><title>Apple ID</title><body onload=\"document.forms[0].submit()\">\
         <form method=\"post\" action=\"{}\">{fields}</form>",
        escape(action)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// The left half of a hash, by which an ID token names a code or a token (OpenID Connect Core section 3.3.2.11).
fn half_hash(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    BASE64URL_NOPAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}
