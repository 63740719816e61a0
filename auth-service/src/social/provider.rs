//! A provider as it is used: where its pages are, how we prove ourselves there, and where it says who somebody is.

use std::collections::BTreeMap;

use auth_token::KeyError;
use service_kit::{config::Secret, problem::Text};
use tokio::sync::Notify;
use url::Url;

use super::{
    apple::AppleKey,
    config::{Parameters, ProviderConfig, ProviderKind, SocialConfig},
    issuer::{Issuer, IssuerError},
    outbound::{Outbound, OutboundError, Reach},
};
use crate::{db::Ts, mail::Title};

/// What OpenID issuers are asked for unless the configuration says otherwise.
const OPENID_SCOPES: &str = "openid email profile";

/// A provider.
pub struct Provider {
    /// Its name in paths.
    pub name: String,
    /// What a button says.
    pub title: Text,
    /// Who vouches for its subjects.
    pub issuer: String,
    /// What `iss` its answers name (RFC 9207), where they name one.
    pub answers_as: String,
    /// Our id there.
    pub client_id: String,
    /// How we prove ourselves at its token endpoint.
    pub credential: Credential,
    /// Where its endpoints are.
    pub endpoints: Endpoints,
    /// Where it says who somebody is.
    pub source: Source,
    /// Whose ID tokens are taken as its own, where there are any.
    pub signer: Option<Issuer>,
    /// The clients whose ID tokens are taken.
    pub audiences: Vec<String>,
    scopes: String,
    parameters: Parameters,
}

/// What is the same for everybody who uses a provider.
struct Form {
    title: Text,
    issuer: String,
    answers_as: String,
    credential: Credential,
    endpoints: Endpoints,
    source: Source,
    signer: Option<Issuer>,
}

/// How we prove ourselves.
pub enum Credential {
    /// Not at all: a public client.
    None,
    /// By a secret.
    Secret(Secret),
    /// By a token that we sign.
    Apple(AppleKey),
}

/// Where a provider's endpoints are.
pub enum Endpoints {
    /// In the document of its issuer, which is the signer.
    Published,
    /// Where they are documented to be.
    Fixed { authorize: Url, token: Url },
}

/// Where a provider says who somebody is.
pub enum Source {
    /// In its ID token.
    IdToken,
    /// At `/v2/user/me`; and where it is told that a person is linked with us no more.
    Kakao { me: Url, unlink: Url },
    /// At `/v1/nid/me`.
    Naver { me: Url },
    /// At `/user` and `/user/emails`.
    GitHub { user: Url, emails: Url },
}

/// What a login at a provider begins with.
pub struct Beginning<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    /// `S256` of our verifier.
    pub code_challenge: &'a str,
}

/// Why a provider led nowhere; for the log, without secrets.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It does not answer, or not as it should: later it may.
    #[error("{0}")]
    Unavailable(String),
    /// It refused us, or what it sent cannot be trusted.
    #[error("{0}")]
    Refused(String),
}

impl From<IssuerError> for Trouble {
    fn from(error: IssuerError) -> Self {
        match error {
            IssuerError::Unavailable { .. } => Self::Unavailable(error.to_string()),
            IssuerError::Token(_) => Self::Refused(error.to_string()),
        }
    }
}

impl From<OutboundError> for Trouble {
    fn from(error: OutboundError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Those that are configured, by name.
pub struct Providers {
    by_name: Vec<Provider>,
    /// What calls them; nothing where there are none.
    outbound: Option<Outbound>,
    /// Has what they told us looked at.
    pub notices: Notify,
    /// Has those looked at who are to be unlinked there.
    pub unlinks: Notify,
}

impl Providers {
    /// Prepares what the configuration names; nothing is called yet.
    ///
    /// # Errors
    /// A sentence that names the provider, and says what is wrong.
    pub fn open(config: &SocialConfig, reach: Reach, extra_roots: Option<&[u8]>) -> Result<Self, String> {
        let (mut by_name, mut outbound) = (Vec::new(), None);
        // Not without need: it fails where the system has no roots to trust.
        if !config.providers.is_empty() {
            let calls = outbound.insert(Outbound::open(reach, extra_roots)?);
            let open = |config: &ProviderConfig| {
                Provider::open(config, calls).map_err(|wrong| format!("{}: {wrong}", config.name))
            };
            by_name = config.providers.iter().map(open).collect::<Result<_, _>>()?;
        }
        Ok(Self { by_name, outbound, notices: Notify::new(), unlinks: Notify::new() })
    }

    /// What calls them.
    ///
    /// # Errors
    /// [`Trouble::Unavailable`] where there are none.
    pub fn outbound(&self) -> Result<&Outbound, Trouble> {
        self.outbound.as_ref().ok_or_else(|| Trouble::Unavailable("no provider is configured".to_owned()))
    }

    /// What people know a provider by, also one that is offered no more.
    #[must_use]
    pub fn title(&self, name: &str) -> Title {
        let text = self.find(name).map_or_else(
            || Text { en: name.to_owned().into(), ko: name.to_owned().into() },
            |provider| provider.title.clone(),
        );
        Title { en: text.en.into_owned(), ko: text.ko.into_owned() }
    }

    /// The provider of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Provider> {
        self.by_name.iter().find(|provider| provider.name == name)
    }

    /// All of them, in the order in which they are offered.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.by_name.iter()
    }
}

impl Form {
    fn of(kind: &ProviderKind, secret: Credential, outbound: &Outbound) -> Result<Self, String> {
        match kind {
            ProviderKind::Google { issuer } => Self::of_openid(Text::new("Google", "Google"), issuer, secret, outbound),
            ProviderKind::OpenId { issuer, title } => {
                let title = Text { en: title.clone().into(), ko: title.clone().into() };
                Self::of_openid(title, issuer, secret, outbound)
            }
            ProviderKind::Apple { issuer, team_id, key_id, key } => {
                let key = AppleKey::from_pem(team_id, key_id, key.expose());
                let key = key.map_err(|cause: KeyError| format!("APPLE_PRIVATE_KEY: {cause}"))?;
                Self::of_openid(Text::new("Apple", "Apple"), issuer, Credential::Apple(key), outbound)
            }
            ProviderKind::Kakao { auth_url, api_url } => {
                let (me, unlink) = (at(api_url, "/v2/user/me")?, at(api_url, "/v1/user/unlink")?);
                let endpoints = Endpoints::below(auth_url, "/oauth/authorize", "/oauth/token")?;
                let form = Self::fixed(Text::new("Kakao", "카카오"), auth_url, endpoints, Source::Kakao { me, unlink });
                let signer = Some(Issuer::new(&form.issuer, outbound.clone())?);
                Ok(Self { signer, credential: secret, ..form })
            }
            ProviderKind::Naver { auth_url, api_url } => {
                let source = Source::Naver { me: at(api_url, "/v1/nid/me")? };
                let endpoints = Endpoints::below(auth_url, "/oauth2.0/authorize", "/oauth2.0/token")?;
                let form = Self::fixed(Text::new("Naver", "네이버"), auth_url, endpoints, source);
                Ok(Self { credential: secret, ..form })
            }
            ProviderKind::GitHub { auth_url, api_url } => {
                let source = Source::GitHub { user: at(api_url, "/user")?, emails: at(api_url, "/user/emails")? };
                let endpoints = Endpoints::below(auth_url, "/login/oauth/authorize", "/login/oauth/access_token")?;
                let form = Self::fixed(Text::new("GitHub", "GitHub"), auth_url, endpoints, source);
                let answers_as = format!("{}/login/oauth", form.issuer);
                Ok(Self { answers_as, credential: secret, ..form })
            }
        }
    }

    fn of_openid(title: Text, issuer: &str, credential: Credential, outbound: &Outbound) -> Result<Self, String> {
        let signer = Some(Issuer::new(issuer, outbound.clone())?);
        let (endpoints, source) = (Endpoints::Published, Source::IdToken);
        let issuer = issuer.to_owned();
        Ok(Self { title, answers_as: issuer.clone(), issuer, credential, endpoints, source, signer })
    }

    fn fixed(title: Text, base: &Url, endpoints: Endpoints, source: Source) -> Self {
        let issuer = base.as_str().trim_end_matches('/').to_owned();
        let (credential, signer) = (Credential::None, None);
        Self { title, answers_as: issuer.clone(), issuer, credential, endpoints, source, signer }
    }
}

impl Endpoints {
    fn below(base: &Url, authorize: &str, token: &str) -> Result<Self, String> {
        Ok(Self::Fixed { authorize: at(base, authorize)?, token: at(base, token)? })
    }
}

/// Below the path of `base`, which a server of one's own may have: `https://github.example.com/api/v3`.
fn at(base: &Url, path: &str) -> Result<Url, String> {
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|cause| format!("{text}: {cause}"))
}

impl Provider {
    fn open(config: &ProviderConfig, outbound: &Outbound) -> Result<Self, String> {
        let secret = config.client_secret.clone().map_or(Credential::None, Credential::Secret);
        let form = Form::of(&config.kind, secret, outbound)?;
        let Form { title, issuer, answers_as, credential, endpoints, source, signer } = form;
        let client = std::iter::once(config.client_id.clone());
        Ok(Self {
            name: config.name.clone(),
            title,
            issuer,
            answers_as,
            client_id: config.client_id.clone(),
            credential,
            endpoints,
            source,
            signer,
            audiences: client.chain(config.native_client_ids.iter().cloned()).collect(),
            scopes: config.scopes.clone().unwrap_or_else(|| default_scopes(&config.kind).to_owned()),
            parameters: config.parameters.clone(),
        })
    }

    /// What is asked for, separated by spaces.
    #[must_use]
    pub fn scopes(&self) -> &str {
        &self.scopes
    }

    /// Where a browser goes to log in.
    ///
    /// # Errors
    /// [`Trouble::Unavailable`] while nobody knows where that is.
    pub async fn authorization_url(&self, beginning: &Beginning<'_>) -> Result<String, Trouble> {
        let mut url = match &self.endpoints {
            Endpoints::Fixed { authorize, .. } => authorize.clone(),
            Endpoints::Published => self.published()?.discover().await?.authorization_endpoint.clone(),
        };
        let Beginning { redirect_uri, state, nonce, code_challenge } = *beginning;
        let mut query = BTreeMap::from([
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("state", state),
            ("code_challenge", code_challenge),
            ("code_challenge_method", "S256"),
        ]);
        if self.signer.is_some() {
            query.insert("nonce", nonce);
        }
        if !self.scopes.is_empty() {
            query.insert("scope", &self.scopes);
        }
        // Apple sends what it was asked for by no other way.
        if matches!(self.credential, Credential::Apple(_)) {
            query.insert("response_mode", "form_post");
        }
        url.query_pairs_mut().extend_pairs(&query).extend_pairs(&self.parameters.0);
        Ok(url.into())
    }

    /// Where codes become tokens, and whether the secret goes into the header there.
    ///
    /// # Errors
    /// [`Trouble::Unavailable`].
    pub async fn token_endpoint(&self) -> Result<(Url, SecretIn), Trouble> {
        match &self.endpoints {
            Endpoints::Fixed { token, .. } => Ok((token.clone(), SecretIn::Body)),
            Endpoints::Published => {
                let metadata = self.published()?.discover().await?;
                let takes_basic = metadata.token_endpoint_auth_methods.iter().any(|way| way == "client_secret_basic");
                let place = if takes_basic { SecretIn::Header } else { SecretIn::Body };
                Ok((metadata.token_endpoint.clone(), place))
            }
        }
    }

    /// The issuer that publishes the endpoints.
    ///
    /// # Errors
    /// Never: who publishes also signs.
    pub fn published(&self) -> Result<&Issuer, Trouble> {
        self.signer.as_ref().ok_or_else(|| Trouble::Unavailable(format!("{} publishes nothing", self.name)))
    }

    /// The client secret in this moment, where there is one.
    ///
    /// # Errors
    /// [`Trouble::Unavailable`] when the key cannot sign.
    pub fn client_secret(&self, now: Ts) -> Result<Option<String>, Trouble> {
        match &self.credential {
            Credential::None => Ok(None),
            Credential::Secret(secret) => Ok(Some(secret.expose().to_owned())),
            Credential::Apple(key) => {
                let made = key.client_secret(&self.issuer, &self.client_id, now);
                made.map(Some).map_err(|cause| Trouble::Unavailable(format!("Apple's client secret: {cause}")))
            }
        }
    }
}

/// Where a client secret goes in a call of the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretIn {
    Header,
    Body,
}

/// Kakao refuses what its console has not enabled, and Naver knows none.
const fn default_scopes(kind: &ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Google { .. } | ProviderKind::OpenId { .. } => OPENID_SCOPES,
        ProviderKind::Apple { .. } => "name email",
        ProviderKind::GitHub { .. } => "read:user user:email",
        ProviderKind::Kakao { .. } | ProviderKind::Naver { .. } => "",
    }
}
