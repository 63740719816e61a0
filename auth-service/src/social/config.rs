//! Which providers there are, and what each was told about us in its console.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use service_kit::config::{Env, Environment, Secret};
use url::Url;

use super::redirect_uri::{ListedUri, RedirectUris};
use crate::keys::KeyConfig;

/// What no configuration may add to a request for authorization: it would change what the answer means.
const RESERVED: [&str; 11] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "state",
];
/// Names that are ours; an issuer of the operator's own choice has another.
const NAMES: [&str; 5] = ["google", "kakao", "naver", "github", "apple"];

/// What logins through providers run by.
pub struct SocialConfig {
    /// The providers, in the order in which they are offered.
    pub providers: Vec<ProviderConfig>,
    /// Where codes may be sent.
    pub redirect_uris: RedirectUris,
    /// Whether the providers' tokens are kept.
    pub keep_tokens: bool,
    /// For what Kakao is told and tells without a person: `Authorization: KakaoAK …`.
    pub kakao_admin_key: Option<Secret>,
    /// Where providers and browsers find us, without a slash at its end.
    pub base: String,
}

/// One provider.
pub struct ProviderConfig {
    /// Its name in paths.
    pub name: String,
    /// Which it is.
    pub kind: ProviderKind,
    /// Our id there.
    pub client_id: String,
    /// Our secret there, if it gave one.
    pub client_secret: Option<Secret>,
    /// What is asked for; each kind has its own default.
    pub scopes: Option<String>,
    /// What else its page is told, such as `prompt`.
    pub parameters: Parameters,
    /// Ids of apps whose ID tokens are taken, besides `client_id`.
    pub native_client_ids: Vec<String>,
}

/// What makes providers differ.
pub enum ProviderKind {
    /// Google, by OpenID Connect.
    Google { issuer: String },
    /// Kakao.
    Kakao { auth_url: Url, api_url: Url },
    /// Naver.
    Naver { auth_url: Url, api_url: Url },
    /// GitHub.
    GitHub { auth_url: Url, api_url: Url },
    /// Apple, by OpenID Connect of its own kind.
    Apple { issuer: String, team_id: String, key_id: String, key: Secret },
    /// Any other OpenID issuer, and what its button says.
    OpenId { issuer: String, title: String },
}

/// Parameters of a query, as an operator writes them: `prompt=login&service_terms=tag1`.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub Vec<(String, String)>);

impl std::str::FromStr for Parameters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        for (name, value) in &pairs {
            if RESERVED.contains(&name.as_str()) || name == "scope" {
                return Err(format!("{name} cannot be set here"));
            }
            if value.is_empty() {
                return Err(format!("{name} has no value; write name=value&name=value"));
            }
        }
        Ok(Self(pairs))
    }
}

impl SocialConfig {
    /// Reads the configuration.
    pub fn read(env: &mut Env, public_url: Option<&Url>, addr: SocketAddr) -> Self {
        let environment = env.environment();
        let listed: Vec<ListedUri> = env.list(
            "OAUTH_REDIRECT_URIS",
            "Addresses of apps that logins through providers may come back to, comma list, compared exactly. In development any port of loopback too.",
        );
        let keep_tokens = env.parse(
            "OAUTH_KEEP_TOKENS",
            "false",
            "Whether the providers' tokens are kept, sealed by SECRETS_KEY, for apps that call a provider's API.",
        );
        let providers = [google(env), kakao(env), naver(env), apple(env), github(env)];
        let kakao_admin_key = env.secret(
            "KAKAO_ADMIN_KEY",
            "Admin key of the Kakao app: to unlink erased accounts there, and to know its webhooks by.",
        );
        let mut providers: Vec<ProviderConfig> = providers.into_iter().flatten().chain(issuers(env)).collect();
        let base = match public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", addr.port()),
        };
        if !providers.is_empty() && public_url.is_none() && environment == Environment::Production {
            env.warn("providers are configured, but nobody can log in through them without PUBLIC_URL: it is where they send people back to");
            providers.clear();
        }
        let redirect_uris = RedirectUris::new(listed, environment);
        if !providers.is_empty() && redirect_uris.is_empty() {
            env.warn("providers are configured, but no app may use them: list its addresses in OAUTH_REDIRECT_URIS");
        }
        Self { providers, redirect_uris, keep_tokens, kakao_admin_key, base }
    }

    /// Whether what is to be kept can be sealed; in development the key is made later.
    pub fn check(&self, keys: &KeyConfig, env: &mut Env) {
        if self.keep_tokens && keys.secrets_key.is_none() && env.environment() != Environment::Development {
            env.refuse("OAUTH_KEEP_TOKENS needs SECRETS_KEY, which seals what is kept: `openssl rand -base64 32`");
        }
    }

    /// Where a provider sends people back to: one address for each, so that no provider's answer passes for another's
    /// (RFC 9700 section 4.4.2).
    #[must_use]
    pub fn callback_uri(&self, provider: &str) -> String {
        format!("{}/api/v1/oauth/{provider}/callback", self.base)
    }
}

fn google(env: &mut Env) -> Option<ProviderConfig> {
    let client_id: Option<String> = env.optional("GOOGLE_CLIENT_ID", "OAuth client id at Google; offers Google.");
    let client_secret = env.secret("GOOGLE_CLIENT_SECRET", "Its secret.");
    let issuer = env.parse("GOOGLE_ISSUER", "https://accounts.google.com", "Google's issuer.");
    let scopes = env.optional("GOOGLE_SCOPES", "What is asked of Google, `openid email profile` unless given.");
    let parameters = env
        .optional("GOOGLE_AUTHORIZE_PARAMS", "More for Google's page, such as prompt=select_account&hd=example.com.");
    let native_client_ids = env
        .list("GOOGLE_NATIVE_CLIENT_IDS", "Client ids of Android and iOS apps whose ID tokens are taken, comma list.");
    let client_id = client_id?;
    require(client_secret.as_ref(), env, ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"));
    let (kind, parameters) = (ProviderKind::Google { issuer }, parameters.unwrap_or_default());
    let name = "google".to_owned();
    Some(ProviderConfig { name, kind, client_id, client_secret, scopes, parameters, native_client_ids })
}

fn kakao(env: &mut Env) -> Option<ProviderConfig> {
    let client_id: Option<String> = env.optional("KAKAO_CLIENT_ID", "REST API key of the Kakao app; offers Kakao.");
    let client_secret = env.secret("KAKAO_CLIENT_SECRET", "Its client secret, where the console has it switched on.");
    let auth_url =
        env.parse("KAKAO_AUTH_URL", "https://kauth.kakao.com", "Kakao's login server, which is its issuer too.");
    let api_url = env.parse("KAKAO_API_URL", "https://kapi.kakao.com", "Kakao's API.");
    let scopes = env.optional(
        "KAKAO_SCOPES",
        "What is asked of Kakao. Unset nothing is: an item that the console has not enabled fails with KOE205.",
    );
    let parameters = env.optional(
        "KAKAO_AUTHORIZE_PARAMS",
        "More for Kakao's page: prompt, login_hint, service_terms, channel_public_id, as in a query.",
    );
    let native_client_ids =
        env.list("KAKAO_NATIVE_CLIENT_IDS", "Native app keys whose ID tokens are taken, comma list.");
    let (client_id, kind) = (client_id?, ProviderKind::Kakao { auth_url, api_url });
    let (name, parameters) = ("kakao".to_owned(), parameters.unwrap_or_default());
    Some(ProviderConfig { name, kind, client_id, client_secret, scopes, parameters, native_client_ids })
}

fn naver(env: &mut Env) -> Option<ProviderConfig> {
    let client_id: Option<String> =
        env.optional("NAVER_CLIENT_ID", "Client id of the Naver application; offers Naver.");
    let client_secret = env.secret("NAVER_CLIENT_SECRET", "Its secret.");
    let auth_url = env.parse("NAVER_AUTH_URL", "https://nid.naver.com", "Naver's login server.");
    let api_url = env.parse("NAVER_API_URL", "https://openapi.naver.com", "Naver's API.");
    let parameters = env.optional("NAVER_AUTHORIZE_PARAMS", "More for Naver's page, such as auth_type=reprompt.");
    let client_id = client_id?;
    require(client_secret.as_ref(), env, ("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"));
    let kind = ProviderKind::Naver { auth_url, api_url };
    let (name, parameters) = ("naver".to_owned(), parameters.unwrap_or_default());
    Some(ProviderConfig {
        name,
        kind,
        client_id,
        client_secret,
        scopes: None,
        parameters,
        native_client_ids: Vec::new(),
    })
}

fn github(env: &mut Env) -> Option<ProviderConfig> {
    let client_id: Option<String> =
        env.optional("GITHUB_CLIENT_ID", "Client id of the GitHub OAuth app; offers GitHub.");
    let client_secret = env.secret("GITHUB_CLIENT_SECRET", "Its secret.");
    let auth_url = env.parse("GITHUB_AUTH_URL", "https://github.com", "GitHub, or a server of one's own.");
    let api_url = env.parse("GITHUB_API_URL", "https://api.github.com", "GitHub's API.");
    let scopes = env.optional("GITHUB_SCOPES", "What is asked of GitHub, `read:user user:email` unless given.");
    let client_id = client_id?;
    require(client_secret.as_ref(), env, ("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"));
    let kind = ProviderKind::GitHub { auth_url, api_url };
    let (name, parameters) = ("github".to_owned(), Parameters::default());
    Some(ProviderConfig { name, kind, client_id, client_secret, scopes, parameters, native_client_ids: Vec::new() })
}

fn apple(env: &mut Env) -> Option<ProviderConfig> {
    let client_id: Option<String> = env.optional("APPLE_CLIENT_ID", "Services id at Apple; offers Apple.");
    let team_id: Option<String> = env.optional("APPLE_TEAM_ID", "Team id at Apple.");
    let key_id: Option<String> = env.optional("APPLE_KEY_ID", "Id of the key for Sign in with Apple.");
    let inline = env.secret("APPLE_PRIVATE_KEY", "That key in PEM (the .p8 file).");
    let path: Option<PathBuf> = env.optional("APPLE_PRIVATE_KEY_PATH", "File with APPLE_PRIVATE_KEY.");
    let issuer = env.parse("APPLE_ISSUER", "https://appleid.apple.com", "Apple's issuer.");
    let native_client_ids =
        env.list("APPLE_NATIVE_CLIENT_IDS", "Bundle ids of apps whose ID tokens are taken, comma list.");
    let client_id = client_id?;
    let key = match (inline, path) {
        (Some(inline), _) => Some(inline),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => Some(Secret::new(text)),
            Err(cause) => {
                env.refuse(format!("APPLE_PRIVATE_KEY_PATH {} cannot be read: {cause}", path.display()));
                None
            }
        },
        (None, None) => None,
    };
    let (Some(team_id), Some(key_id), Some(key)) = (team_id, key_id, key) else {
        env.refuse("APPLE_CLIENT_ID needs APPLE_TEAM_ID, APPLE_KEY_ID and APPLE_PRIVATE_KEY or APPLE_PRIVATE_KEY_PATH");
        return None;
    };
    let kind = ProviderKind::Apple { issuer, team_id, key_id, key };
    let (name, parameters) = ("apple".to_owned(), Parameters::default());
    Some(ProviderConfig { name, kind, client_id, client_secret: None, scopes: None, parameters, native_client_ids })
}

/// Any number of issuers, each under a name of the operator's.
fn issuers(env: &mut Env) -> Vec<ProviderConfig> {
    let issuers = env.pattern("OIDC_<NAME>_ISSUER", "Any OpenID issuer, offered under this name in lower case.");
    let ids = by_name(env.pattern("OIDC_<NAME>_CLIENT_ID", "Our client id there."));
    let mut secrets = by_name(env.secret_pattern("OIDC_<NAME>_CLIENT_SECRET", "Its secret."));
    let scopes =
        by_name(env.pattern("OIDC_<NAME>_SCOPES", "What is asked of it, `openid email profile` unless given."));
    let titles = by_name(env.pattern("OIDC_<NAME>_TITLE", "What its button says, the name unless given."));
    let mut providers = Vec::new();
    for (part, issuer) in issuers {
        let name = part.to_ascii_lowercase().replace('_', "-");
        let Some(client_id) = ids.get(&part).map(|id| id.expose().to_owned()) else {
            env.refuse(format!("OIDC_{part}_ISSUER needs OIDC_{part}_CLIENT_ID"));
            continue;
        };
        if NAMES.contains(&name.as_str()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            env.refuse(format!("OIDC_{part}_ISSUER: {name} cannot be the name of an issuer; choose another"));
            continue;
        }
        let title = titles.get(&part).map_or_else(|| name.clone(), |title| title.expose().to_owned());
        providers.push(ProviderConfig {
            kind: ProviderKind::OpenId { issuer: issuer.expose().to_owned(), title },
            client_id,
            client_secret: secrets.remove(&part),
            scopes: scopes.get(&part).map(|scopes| scopes.expose().to_owned()),
            parameters: Parameters::default(),
            native_client_ids: Vec::new(),
            name,
        });
    }
    providers
}

fn by_name(found: Vec<(String, Secret)>) -> BTreeMap<String, Secret> {
    found.into_iter().collect()
}

fn require(secret: Option<&Secret>, env: &mut Env, (id, name): (&str, &str)) {
    if secret.is_none() {
        env.refuse(format!("{id} needs {name}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<SocialConfig, String> {
        let mut env = Env::from_pairs(pairs.iter().copied());
        let config = SocialConfig::read(&mut env, None, ([127, 0, 0, 1], 8000).into());
        env.finish().map(|_| config).map_err(|refusals| refusals.to_string())
    }

    #[test]
    fn whoever_has_an_id_is_offered_in_one_order() {
        let config = read(&[
            ("OIDC_ACME_CORP_ISSUER", "https://id.acme.example"),
            ("OIDC_ACME_CORP_CLIENT_ID", "us"),
            ("KAKAO_CLIENT_ID", "rest-key"),
            ("GOOGLE_CLIENT_ID", "id"),
            ("GOOGLE_CLIENT_SECRET", "secret"),
        ])
        .unwrap_or_else(|refusals| panic!("{refusals}"));
        let names: Vec<_> = config.providers.iter().map(|provider| provider.name.as_str()).collect();
        assert_eq!(names, ["google", "kakao", "acme-corp"]);
        assert_eq!(config.base, "http://localhost:8000");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (pairs, word) in [
            (&[("GOOGLE_CLIENT_ID", "id")][..], "GOOGLE_CLIENT_SECRET"),
            (&[("NAVER_CLIENT_ID", "id")], "NAVER_CLIENT_SECRET"),
            (&[("APPLE_CLIENT_ID", "id")], "APPLE_TEAM_ID"),
            (&[("OIDC_A_ISSUER", "https://a.example")], "OIDC_A_CLIENT_ID"),
            (&[("OIDC_KAKAO_ISSUER", "https://a.example"), ("OIDC_KAKAO_CLIENT_ID", "id")], "choose another"),
            (&[("KAKAO_AUTHORIZE_PARAMS", "redirect_uri=https://evil.example")], "redirect_uri cannot be set"),
            (&[("KAKAO_AUTHORIZE_PARAMS", "prompt")], "prompt has no value"),
            (&[("OAUTH_REDIRECT_URIS", "https://*.example.com/")], "wildcards"),
        ] {
            let refusals = read(pairs).map(drop).unwrap_err();
            assert!(refusals.contains(word), "{refusals}");
        }
    }
}
