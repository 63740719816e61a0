//! Begins a login at a provider: the app's wish is kept under a state, and the browser is sent away.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use service_kit::language::Language;

use super::{
    browser::Browser,
    callback::{self, Ending},
    handle::{self, Kind},
    provider::{Beginning, Provider},
    redirect_uri::RedirectUri,
};
use crate::{
    app::App,
    caller::SessionCaller,
    error::{Error, Result},
    fields::Fault,
    ids::{OpaqueToken, SessionId, TokenHash, UserId},
};

/// The longest state of an app, in characters.
const MAX_STATE: usize = 500;

/// What an app wants back.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Wish {
    /// Where; admitted already.
    pub redirect_uri: String,
    /// `S256` of the app's verifier.
    pub code_challenge: String,
    /// What the app's address is told once more.
    pub state: Option<String>,
}

/// What a login is for.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(tag = "aim", rename_all = "snake_case")]
pub enum Aim {
    /// To enter an account.
    LogIn,
    /// To link the identity to the account of this session.
    Link { user: UserId, session: SessionId },
}

/// Behind a ticket or a state.
#[derive(Debug, Deserialize, Serialize)]
pub struct Pending {
    pub provider: String,
    /// Hash of the browser's secret; nothing before the browser has come.
    pub browser: Option<String>,
    pub wish: Wish,
    pub aim: Aim,
}

/// Where a browser goes, and the cookie that it takes along.
pub struct Departure {
    pub location: String,
    pub browser: Option<Browser>,
}

impl Wish {
    /// Reads what an app asked for.
    ///
    /// # Errors
    /// The member that is wrong, and why.
    pub fn parse(
        app: &App,
        redirect_uri: &str,
        code_challenge: &str,
        state: Option<&str>,
    ) -> Result<Self, (&'static str, Fault)> {
        let redirect_uri = app.config.social.redirect_uris.admit(redirect_uri).ok_or_else(|| {
            let (en, ko) = (
                "This is none of the addresses in OAUTH_REDIRECT_URIS.",
                "OAUTH_REDIRECT_URIS에 등록된 주소가 아닙니다.",
            );
            ("redirect_uri", Fault::new("not_allowed", en, ko))
        })?;
        // SHA-256 in base64url (RFC 7636 section 4.2).
        if !BASE64URL_NOPAD.decode(code_challenge.as_bytes()).is_ok_and(|hash| hash.len() == 32) {
            let (en, ko) = (
                "Send BASE64URL(SHA256(code_verifier)), 43 characters.",
                "BASE64URL(SHA256(code_verifier)) 형식의 43자여야 합니다.",
            );
            return Err(("code_challenge", Fault::new("invalid_challenge", en, ko)));
        }
        if state.is_some_and(|state| state.chars().count() > MAX_STATE) {
            return Err(("state", Fault::new("too_long", "At most 500 characters.", "500자를 넘을 수 없습니다.")));
        }
        let (redirect_uri, code_challenge) = (redirect_uri.to_string(), code_challenge.to_owned());
        Ok(Self { redirect_uri, code_challenge, state: state.map(str::to_owned) })
    }

    /// The app's address with an answer.
    #[must_use]
    pub fn answer(&self, parameters: &[(&str, &str)]) -> Option<String> {
        let state = self.state.as_deref().map(|state| ("state", state));
        RedirectUri::from_stored(&self.redirect_uri).map(|uri| uri.with(parameters.iter().copied().chain(state)))
    }
}

/// Sends a browser to a provider for this wish.
///
/// # Errors
/// When the database fails. A provider that is away is told to the app.
pub async fn depart(
    app: &App,
    provider: &Provider,
    (wish, aim): (Wish, Aim),
    browser: Option<Browser>,
    language: Language,
) -> Result<Departure> {
    let browser = browser.unwrap_or_else(|| Browser::new(app.entropy.token()));
    let (name, hash) = (provider.name.clone(), Some(browser.hash()));
    let pending = Pending { provider: name, browser: hash, wish, aim };
    let mut tx = app.db.begin().await?;
    let state = handle::issue(&mut tx, Kind::State, &pending, app.now()).await?;
    tx.commit().await?;
    let challenge = BASE64URL_NOPAD.encode(TokenHash::of(browser.verifier(&state).as_bytes()).as_bytes());
    let beginning = Beginning {
        redirect_uri: &app.config.social.callback_uri(&provider.name),
        state: &state.to_wire(),
        nonce: &browser.nonce(&state),
        code_challenge: &challenge,
    };
    match provider.authorization_url(&beginning).await {
        Ok(location) => Ok(Departure { location, browser: Some(browser) }),
        Err(trouble) => {
            let ending = callback::explain(provider, &trouble);
            let location = ending.tell(&pending.wish, language).ok_or(Error::ProviderUnavailable)?;
            Ok(Departure { location, browser: None })
        }
    }
}

/// Begins to link a provider to the caller's account; gives the address that the browser is to open.
///
/// # Errors
/// [`Error::ReauthenticationRequired`] unless the session is fresh.
pub async fn start_link(app: &App, caller: &SessionCaller, provider: &Provider, wish: Wish) -> Result<String> {
    caller.require_fresh(app).await?;
    let aim = Aim::Link { user: caller.user_id(), session: caller.session_id() };
    let pending = Pending { provider: provider.name.clone(), browser: None, wish, aim };
    let mut tx = app.db.begin().await?;
    let ticket = handle::issue(&mut tx, Kind::Ticket, &pending, app.now()).await?;
    tx.commit().await?;
    Ok(format!("{}?ticket={}", authorize_uri(app, &provider.name), ticket.to_wire()))
}

/// What a ticket stands for, spent.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`].
pub async fn spend_ticket(app: &App, provider: &Provider, ticket: &OpaqueToken) -> Result<(Wish, Aim)> {
    let mut tx = app.db.begin().await?;
    let pending: Option<Pending> = handle::spend(&mut tx, Kind::Ticket, ticket, app.now()).await?;
    tx.commit().await?;
    let pending = pending.filter(|pending| pending.provider == provider.name);
    pending.map(|pending| (pending.wish, pending.aim)).ok_or(Error::InvalidOrExpiredToken)
}

/// Where a login at a provider begins.
#[must_use]
pub fn authorize_uri(app: &App, provider: &str) -> String {
    format!("{}/api/v1/oauth/{provider}/authorize", app.config.social.base)
}

impl Ending {
    /// The app's address with what went wrong, in the reader's language.
    #[must_use]
    pub fn tell(&self, wish: &Wish, language: Language) -> Option<String> {
        let description = self.sentence().in_language(language).to_owned();
        wish.answer(&[("error", self.code()), ("error_description", &description)])
    }
}
