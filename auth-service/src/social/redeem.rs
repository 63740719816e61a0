//! Turns a provider's code into who somebody is there.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    claims::{self, Described},
    id_token::{Expected, IdToken, IdTokenError, Nonce},
    identity::Identity,
    outbound::{Answer, Authorization},
    provider::{Provider, Providers, SecretIn, Source, Trouble},
    tokens,
};
use crate::{app::App, db::Ts};

/// What came back with a browser, and what it was sent with.
pub struct Return<'a> {
    pub code: &'a str,
    /// Naver wants it once more.
    pub state: &'a str,
    pub redirect_uri: &'a str,
    pub verifier: &'a str,
    pub nonce: &'a str,
    /// What Apple tells the first time only: a name.
    pub user: Option<&'a str>,
}

/// A provider's tokens (RFC 6749 section 5.1).
#[derive(Clone, Deserialize, Serialize)]
pub struct ProviderTokens {
    pub access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Seconds; Naver writes them in a text.
    #[serde(default, deserialize_with = "seconds", skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing)]
    id_token: Option<String>,
}

/// What a provider's answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Json {
    Object,
    List,
}

impl Json {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
        }
    }
}

/// Exchanges a code at its provider, and asks who it is for.
///
/// # Errors
/// [`Trouble`].
pub async fn redeem(app: &App, provider: &Provider, back: &Return<'_>) -> Result<Identity, Trouble> {
    let now = app.now();
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", back.code),
        ("redirect_uri", back.redirect_uri),
        ("code_verifier", back.verifier),
    ];
    if matches!(provider.source, Source::Naver { .. }) {
        fields.push(("state", back.state));
    }
    let tokens = ask_for_tokens(&app.providers, provider, fields, now).await?;
    let (subject, mut claims) = describe(&app.providers, provider, &tokens, (back.nonce, now)).await?;
    if claims.name.is_none() {
        claims.name = back.user.and_then(name_by_apple);
    }
    let (name, issuer) = (provider.name.clone(), provider.issuer.clone());
    let sealed_tokens = tokens::seal(app, (&issuer, &subject), &tokens, now);
    Ok(Identity { provider: name, issuer, subject, claims, sealed_tokens })
}

/// Calls the token endpoint.
///
/// # Errors
/// [`Trouble`].
pub async fn ask_for_tokens(
    providers: &Providers,
    provider: &Provider,
    mut fields: Vec<(&str, &str)>,
    now: Ts,
) -> Result<ProviderTokens, Trouble> {
    let (endpoint, place) = provider.token_endpoint().await?;
    let secret = provider.client_secret(now)?;
    let authorization = match (&secret, place) {
        (Some(secret), SecretIn::Header) => Authorization::Basic { id: &provider.client_id, secret },
        (Some(secret), SecretIn::Body) => {
            fields.extend([("client_id", provider.client_id.as_str()), ("client_secret", secret)]);
            Authorization::None
        }
        (None, _) => {
            fields.push(("client_id", &provider.client_id));
            Authorization::None
        }
    };
    let answer = providers.outbound()?.post_form(&endpoint, &fields, &authorization).await?;
    // Naver and GitHub write errors under a status of success.
    let body: Value = read(provider, &answer, Json::Object)?;
    if let Some(error) = body.get("error").and_then(Value::as_str) {
        return Err(refused(provider, &format!("gave no tokens: {}", plain(error, &body))));
    }
    if !answer.is_success() {
        return Err(refused(provider, &format!("gave no tokens, status {}", answer.status.as_u16())));
    }
    ProviderTokens::deserialize(body).map_err(|_| refused(provider, "sent no tokens"))
}

async fn describe(
    providers: &Providers,
    provider: &Provider,
    tokens: &ProviderTokens,
    (nonce, now): (&str, Ts),
) -> Result<Described, Trouble> {
    let signed = match (&provider.signer, &tokens.id_token) {
        (Some(signer), Some(id_token)) => {
            let expected = Expected {
                client_ids: std::slice::from_ref(&provider.client_id),
                nonce: Nonce::Plain(nonce),
                access_token: Some(&tokens.access_token),
                now,
            };
            Some(IdToken::verify(id_token, signer, &expected).await.map_err(of_id_token)?)
        }
        (Some(_) | None, _) => None,
    };
    let ask = async |url: &Url| ask_who(providers, provider, (url, Json::Object), tokens).await;
    let described = match (&provider.source, &signed) {
        (Source::IdToken, Some(signed)) => return with_userinfo(providers, provider, tokens, signed).await,
        (Source::IdToken, None) => return Err(refused(provider, "sent no ID token")),
        (Source::Kakao { me, .. }, _) => claims::of_kakao(&ask(me).await?),
        (Source::Naver { me }, _) => claims::of_naver(&ask(me).await?),
        (Source::GitHub { user, emails }, _) => {
            let user = ask(user).await?;
            let emails = match ask_who(providers, provider, (emails, Json::List), tokens).await {
                Ok(emails) => Some(emails),
                // Without the scope for it they stay unknown.
                Err(Trouble::Refused(_)) => None,
                // But not for an outage: the account would be made without the address that it has.
                Err(away) => return Err(away),
            };
            claims::of_github(&user, emails.as_ref())
        }
    };
    let described = described.ok_or_else(|| refused(provider, "did not say who it is"))?;
    match signed {
        Some(signed) if signed.subject != described.0 => Err(refused(provider, "signed for another person")),
        Some(_) | None => Ok(described),
    }
}

/// The claims of an ID token; where it holds no address, those of the userinfo endpoint too, if it is of the same person
/// (OpenID Connect Core section 5.3.2).
async fn with_userinfo(
    providers: &Providers,
    provider: &Provider,
    tokens: &ProviderTokens,
    signed: &IdToken,
) -> Result<Described, Trouble> {
    let mut raw = signed.claims.clone();
    if signed.email.is_none()
        && let Some(url) = &provider.published()?.discover().await?.userinfo_endpoint
    {
        let more = ask_who(providers, provider, (url, Json::Object), tokens).await?;
        if more.get("sub").and_then(Value::as_str) != Some(&signed.subject) {
            return Err(refused(provider, "described another person"));
        }
        if let (Value::Object(raw), Value::Object(more)) = (&mut raw, more) {
            // Whether an address is verified is a word on the address beside it.
            raw.remove("email_verified");
            for (name, value) in more {
                raw.entry(name).or_insert(value);
            }
        }
    }
    claims::of_openid(&raw).ok_or_else(|| refused(provider, "did not say who it is"))
}

async fn ask_who(
    providers: &Providers,
    provider: &Provider,
    (url, kind): (&Url, Json),
    tokens: &ProviderTokens,
) -> Result<Value, Trouble> {
    let answer = providers.outbound()?.get(url, &Authorization::Bearer(&tokens.access_token)).await?;
    if answer.status.is_client_error() {
        let status = answer.status.as_u16();
        return Err(refused(provider, &format!("refused its own access token with status {status}")));
    }
    read(provider, &answer, kind)
}

fn read(provider: &Provider, answer: &Answer, kind: Json) -> Result<Value, Trouble> {
    if answer.status.is_server_error() || answer.status.is_redirection() {
        let status = answer.status.as_u16();
        return Err(Trouble::Unavailable(format!("{} answered with status {status}", provider.name)));
    }
    let read = answer.json::<Value>().ok().filter(|read| kind.fits(read));
    read.ok_or_else(|| Trouble::Unavailable(format!("{} answered with no JSON of the right kind", provider.name)))
}

fn of_id_token(error: IdTokenError) -> Trouble {
    if let IdTokenError::Issuer(error) = error { error.into() } else { Trouble::Refused(error.to_string()) }
}

fn refused(provider: &Provider, what: &str) -> Trouble {
    Trouble::Refused(format!("{} {what}", provider.name))
}

/// A provider's error for the log: its code, and Kakao's own, which its documents explain; never its description, which
/// may repeat the code that was sent.
fn plain(error: &str, body: &Value) -> String {
    let is_plain =
        |text: &&str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let error = Some(error).filter(is_plain).unwrap_or("an error without a plain name");
    match body.get("error_code").and_then(Value::as_str).filter(is_plain) {
        Some(code) => format!("{error} ({code})"),
        None => error.to_owned(),
    }
}

/// `{"name":{"firstName":"…","lastName":"…"}}`: what a browser carried, so only ever a name.
fn name_by_apple(user: &str) -> Option<String> {
    let user: Value = serde_json::from_str(user).ok()?;
    let part = |name: &str| user.get("name")?.get(name)?.as_str().map(str::to_owned);
    let parts: Vec<String> = [part("firstName"), part("lastName")].into_iter().flatten().collect();
    Some(parts.join(" ")).filter(|name| !name.trim().is_empty())
}

fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_in_seconds_is_read_from_a_number_and_from_a_text() {
        let life = |json: &str| serde_json::from_str::<ProviderTokens>(json).unwrap().expires_in;
        assert_eq!(life(r#"{"access_token":"a","expires_in":3600}"#), Some(3600));
        assert_eq!(life(r#"{"access_token":"a","expires_in":"3600"}"#), Some(3600));
        assert_eq!(life(r#"{"access_token":"a"}"#), None);
        assert_eq!(life(r#"{"access_token":"a","expires_in":"soon"}"#), None);
    }

    #[test]
    fn an_error_is_logged_by_its_name_and_never_in_its_words() {
        let body = serde_json::json!({"error_code": "KOE320", "error_description": "code=SECRET"});
        assert_eq!(plain("invalid_grant", &body), "invalid_grant (KOE320)");
        assert!(!plain("code SECRET", &serde_json::json!({})).contains("SECRET"));
    }

    #[test]
    fn apple_tells_a_name_beside_the_token() {
        let user = r#"{"name":{"firstName":"Min","lastName":"Kim"},"email":"evil@example.com"}"#;
        assert_eq!(name_by_apple(user).as_deref(), Some("Min Kim"));
        assert_eq!(name_by_apple("{}"), None);
        assert_eq!(name_by_apple("no json"), None);
    }
}
