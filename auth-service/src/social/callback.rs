//! Ends a login at a provider: the answer is checked against the browser and the state, its code is exchanged, and the
//! app's address is told a code of ours.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::{language::Language, problem::Text};
use subtle::ConstantTimeEq;

use super::{
    authorize::{Aim, Pending},
    browser::Browser,
    handle::{self, Kind},
    identity::Identity,
    provider::{Endpoints, Provider, Trouble},
    redeem::{self, Return},
};
use crate::{
    app::App,
    error::{Error, Result},
    ids::OpaqueToken,
};

/// The longest member of an answer that is looked at, bytes.
const LONGEST: usize = 4096;

/// How long a provider may keep a browser waiting, all calls together: after 15 seconds the request itself would be given
/// up, and the app told nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a provider sent back with a browser.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Answer {
    pub state: Option<String>,
    pub code: Option<String>,
    pub error: Option<String>,
    pub iss: Option<String>,
    /// Apple's first answer alone.
    pub user: Option<String>,
}

/// Behind a code.
#[derive(Debug, Deserialize, Serialize)]
pub struct Granted {
    pub identity: Identity,
    pub code_challenge: String,
    pub aim: Aim,
}

/// How a login ends that led nowhere, as the app is told (RFC 6749 section 4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The person said no.
    Denied,
    /// The provider does not answer.
    Away,
    /// The provider refused us, or sent what cannot be trusted: a matter for the operator.
    Failed,
}

impl Ending {
    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Denied => "access_denied",
            Self::Away => "temporarily_unavailable",
            Self::Failed => "server_error",
        }
    }

    /// What the person is told.
    #[must_use]
    pub const fn sentence(self) -> Text {
        match self {
            Self::Denied => Text::new("The login was cancelled.", "로그인이 취소되었습니다."),
            Self::Away => Text::new(
                "The sign-in provider does not answer; try again shortly, or log in another way.",
                "로그인 제공자가 응답하지 않습니다. 잠시 후 다시 시도하거나 다른 방법으로 로그인하세요.",
            ),
            Self::Failed => Text::new(
                "The sign-in provider refused the login; try again, or log in another way.",
                "로그인 제공자가 요청을 거절했습니다. 다시 시도하거나 다른 방법으로 로그인하세요.",
            ),
        }
    }
}

impl Answer {
    /// Reads a query or a form. A member that stands twice could be read in two ways, and one that is too long is none.
    ///
    /// # Errors
    /// [`Error::InvalidOrExpiredToken`].
    pub fn parse(encoded: &[u8]) -> Result<Self> {
        let mut answer = Self::default();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            let member = match &*name {
                "state" => &mut answer.state,
                "code" => &mut answer.code,
                "error" => &mut answer.error,
                "iss" => &mut answer.iss,
                "user" => &mut answer.user,
                _ => continue,
            };
            if member.is_some() || value.len() > LONGEST {
                return Err(Error::InvalidOrExpiredToken);
            }
            *member = Some(value.into_owned());
        }
        Ok(answer)
    }
}

/// Keeps an answer that came by a cross-site POST, with which no `Lax` cookie comes, until the browser follows with a GET.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`] for an answer that nobody here asked for.
pub async fn park(app: &App, provider: &Provider, answer: &Answer) -> Result<String> {
    // Nothing is kept for a login that nobody began: anybody may post here.
    let state = answer.state.as_deref().and_then(OpaqueToken::parse).ok_or(Error::InvalidOrExpiredToken)?;
    let mut tx = app.db.begin().await?;
    let pending: Option<Pending> = handle::look_at(&mut tx, Kind::State, &state, app.now()).await?;
    if pending.is_none_or(|pending| pending.provider != provider.name) {
        return Err(Error::InvalidOrExpiredToken);
    }
    let parked = handle::issue(&mut tx, Kind::Parked, &(&provider.name, answer), app.now()).await?;
    tx.commit().await?;
    Ok(format!("{}?parked={}", app.config.social.callback_uri(&provider.name), parked.to_wire()))
}

/// The answer that was parked, once.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`].
pub async fn unpark(app: &App, provider: &Provider, parked: &str) -> Result<Answer> {
    let token = OpaqueToken::parse(parked).ok_or(Error::InvalidOrExpiredToken)?;
    let mut tx = app.db.begin().await?;
    let parked: Option<(String, Answer)> = handle::spend(&mut tx, Kind::Parked, &token, app.now()).await?;
    tx.commit().await?;
    let parked = parked.filter(|(name, _)| *name == provider.name);
    parked.map(|(_, answer)| answer).ok_or(Error::InvalidOrExpiredToken)
}

/// Takes a provider's answer; gives the app's address with a code, or with what went wrong.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`] for an answer that nobody here asked for: then there is no app to tell.
pub async fn arrive(
    app: &App,
    provider: &Provider,
    answer: Answer,
    browser: Option<Browser>,
    language: Language,
) -> Result<String> {
    let state = answer.state.as_deref().and_then(OpaqueToken::parse).ok_or(Error::InvalidOrExpiredToken)?;
    let mut tx = app.db.begin().await?;
    let pending: Option<Pending> = handle::spend(&mut tx, Kind::State, &state, app.now()).await?;
    tx.commit().await?;
    let pending = pending.filter(|pending| pending.provider == provider.name).ok_or(Error::InvalidOrExpiredToken)?;
    // A state that somebody else's browser brings was planted there (RFC 6749 section 10.12).
    let browser = browser.filter(|browser| is_same(&pending, browser)).ok_or(Error::InvalidOrExpiredToken)?;
    let told = match finish(app, provider, (&state, &answer), &browser, &pending).await? {
        Ok(code) => pending.wish.answer(&[("code", &code.to_wire())]),
        Err(ending) => ending.tell(&pending.wish, language),
    };
    told.ok_or(Error::InvalidOrExpiredToken)
}

fn is_same(pending: &Pending, browser: &Browser) -> bool {
    pending.browser.as_deref().is_some_and(|hash| bool::from(hash.as_bytes().ct_eq(browser.hash().as_bytes())))
}

async fn finish(
    app: &App,
    provider: &Provider,
    (state, answer): (&OpaqueToken, &Answer),
    browser: &Browser,
    pending: &Pending,
) -> Result<Result<OpaqueToken, Ending>> {
    let identifying = identify(app, provider, (state, answer), browser);
    let identity = match tokio::time::timeout(PATIENCE, identifying).await {
        Ok(Ok(identity)) => identity,
        Ok(Err(ending)) => return Ok(Err(ending)),
        Err(_) => {
            let trouble = format!("{} took longer than {} seconds", provider.name, PATIENCE.as_secs());
            return Ok(Err(explain(provider, &Trouble::Unavailable(trouble))));
        }
    };
    let granted = Granted { identity, code_challenge: pending.wish.code_challenge.clone(), aim: pending.aim };
    let mut tx = app.db.begin().await?;
    let code = handle::issue(&mut tx, Kind::Code, &granted, app.now()).await?;
    tx.commit().await?;
    Ok(Ok(code))
}

async fn identify(
    app: &App,
    provider: &Provider,
    (state, answer): (&OpaqueToken, &Answer),
    browser: &Browser,
) -> Result<Identity, Ending> {
    check_issuer(provider, answer).await.map_err(|trouble| explain(provider, &trouble))?;
    if let Some(error) = &answer.error {
        return Err(refusal(provider, error));
    }
    let Some(code) = answer.code.as_deref() else { return Err(refusal(provider, "no code")) };
    let back = Return {
        code,
        state: &state.to_wire(),
        redirect_uri: &app.config.social.callback_uri(&provider.name),
        verifier: &browser.verifier(state),
        nonce: &browser.nonce(state),
        user: answer.user.as_deref(),
    };
    redeem::redeem(app, provider, &back).await.map_err(|trouble| explain(provider, &trouble))
}

/// An answer that names its issuer must name the one that was asked, and one that always does must (RFC 9207 section 2.4).
async fn check_issuer(provider: &Provider, answer: &Answer) -> Result<(), Trouble> {
    let mix_up = || Trouble::Refused(format!("{}: the answer is another issuer's", provider.name));
    match (&answer.iss, &provider.endpoints) {
        (Some(iss), _) if *iss == provider.answers_as => Ok(()),
        (Some(_), _) => Err(mix_up()),
        (None, Endpoints::Published) if provider.published()?.discover().await?.returns_iss => Err(mix_up()),
        (None, Endpoints::Published | Endpoints::Fixed { .. }) => Ok(()),
    }
}

/// What a trouble means for the person; logged here, once.
pub fn explain(provider: &Provider, trouble: &Trouble) -> Ending {
    metrics::counter!("oauth_failures_total", "provider" => provider.name.clone()).increment(1);
    tracing::warn!(provider = provider.name, %trouble, "a login through a provider failed");
    match trouble {
        Trouble::Unavailable(_) => Ending::Away,
        Trouble::Refused(_) => Ending::Failed,
    }
}

fn refusal(provider: &Provider, error: &str) -> Ending {
    match error {
        "access_denied" | "consent_required" | "user_cancelled_authorize" | "user_cancelled_login" => Ending::Denied,
        "temporarily_unavailable" => Ending::Away,
        other => {
            let plain = other.len() <= 64 && other.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-. ".contains(&b));
            let named = if plain { other } else { "an error without a plain name" };
            // The commonest one at Kakao: KOE205, an item of consent that the console has not enabled.
            metrics::counter!("oauth_failures_total", "provider" => provider.name.clone()).increment(1);
            tracing::warn!(
                provider = provider.name,
                error = named,
                "the provider refused the login: compare its console with the scopes that are asked for"
            );
            Ending::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_a_member_twice_or_too_long_is_none() {
        assert_eq!(Answer::parse(b"code=a&state=b&x=1").unwrap().code.as_deref(), Some("a"));
        assert!(Answer::parse(b"code=a&code=b").is_err());
        assert!(Answer::parse(b"state=a&state=a").is_err());
        assert!(Answer::parse(format!("code={}", "a".repeat(LONGEST + 1)).as_bytes()).is_err());
    }
}
