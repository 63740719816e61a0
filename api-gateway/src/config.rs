//! What the environment says of the gateway; its routes are in a file of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use auth_token::{Algorithm, KeySet, SigningKey};
use service_kit::config::{self, Env, Environment, FeedConfig, Secret, TokenNames};
use service_kit::cors::Cors;
use service_kit::hosts::AllowedHosts;
use service_kit::proxies::TrustedProxies;
use service_kit::serve::read_address;
use url::Url;

use crate::upstream::ServerUrl;

/// Paths that answer whatever `Host` is asked for: checks by address, and keys.
const ANY_HOST: &[&str] = &["/gateway/health", "/health", "/api/v1/health", "/.well-known/jwks.json"];

/// What the gateway runs by.
pub struct Config {
    /// How strict to be.
    pub environment: Environment,
    /// Where to listen.
    pub addr: SocketAddr,
    /// `gateway.toml`; without one, the default routes alone.
    pub file: Option<PathBuf>,
    /// Where the Auth API is; none when the environment does not say.
    pub api: Vec<ServerUrl>,
    /// Where the console is.
    pub console: Vec<ServerUrl>,
    /// Whose tokens, and for whom.
    pub tokens: TokenNames,
    /// Keys that are not published: the secret of HS256.
    pub fixed_keys: Option<KeySet>,
    /// How revocations are heard of.
    pub feed: FeedConfig,
    /// Redis, shared by all gateways for their counts.
    pub redis_url: Option<Secret>,
    /// More roots for outbound TLS, in PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// Hosts that are answered.
    pub hosts: AllowedHosts,
    /// Origins that may read answers.
    pub cors: Cors,
    /// Proxies that are believed.
    pub proxies: TrustedProxies,
}

impl Config {
    /// Reads everything; what is wrong is collected in `env`.
    pub fn read(env: &mut Env) -> Self {
        env.section("Gateway");
        let addr = read_address(
            env,
            "GATEWAY_ADDR",
            ":8080",
            "Where the gateway listens; a port alone is on 127.0.0.1 in development.",
        );
        let file = env
            .optional("GATEWAY_CONFIG", "Routes of the gateway, such as gateway.toml; without it, the default ones.");
        let api = "Where the gateway and the console find the Auth API, separated by commas; http://127.0.0.1:8000 unless it runs in the same process.";
        let console = "Where the gateway finds the console, separated by commas; http://127.0.0.1:5173 unless it runs in the same process.";
        let (api, console) = (env.list("AUTH_API_URLS", api), env.list("AUTH_ADMIN_URLS", console));
        env.section("Tokens and keys");
        let fixed_keys = read_fixed_keys(env);
        let tokens = TokenNames::read(env);
        env.section("Revocation");
        let feed = FeedConfig::read(env);
        env.section("Redis");
        let redis_url = config::read_redis_url(env);
        let extra_roots = config::read_extra_roots(env);
        env.section("Edge");
        Self {
            environment: env.environment(),
            addr,
            file,
            api,
            console,
            tokens,
            fixed_keys,
            feed,
            redis_url,
            extra_roots,
            hosts: AllowedHosts::read(env, ANY_HOST),
            cors: Cors::read(env),
            proxies: TrustedProxies::read(env),
        }
    }
}

/// A shared secret is published nowhere, so the gateway must be given it.
fn read_fixed_keys(env: &mut Env) -> Option<KeySet> {
    let algorithm: Algorithm =
        env.parse("JWT_ALGORITHM", "RS256", "Signature of access tokens: RS256, ES256, EdDSA or HS256.");
    let secret = env.secret("JWT_SECRET_KEY", "Shared secret of HS256, at least 32 bytes: `openssl rand -base64 64`.");
    match (algorithm, secret) {
        (Algorithm::Hs256, Some(secret)) => match SigningKey::from_secret(secret.expose().as_bytes()) {
            Ok(key) => Some(KeySet::new(vec![key.verification_key()])),
            Err(cause) => {
                env.refuse(format!("JWT_SECRET_KEY: {cause}"));
                None
            }
        },
        (Algorithm::Hs256, None) => {
            env.refuse("JWT_ALGORITHM=HS256 needs JWT_SECRET_KEY, at least 32 bytes: `openssl rand -base64 64`");
            None
        }
        (Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa, _) => None,
    }
}

impl FromStr for ServerUrl {
    type Err = &'static str;

    /// `http://host:port` or `https://host:port`, without a path, a query or a user.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write http:// or https://, a host and perhaps a port, and nothing else";
        let url = Url::parse(text).map_err(|_| FORM)?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_ours = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        let (Some(host), Some(port), true) = (url.host_str(), url.port_or_known_default(), is_bare && is_ours) else {
            return Err(FORM);
        };
        Ok(Self { tls: url.scheme() == "https", host: host.trim_matches(['[', ']']).to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_written_as_origins() {
        let server = |text: &str| text.parse::<ServerUrl>();
        let expected = ServerUrl { tls: false, host: "10.0.0.5".to_owned(), port: 9000 };
        assert_eq!(server("http://10.0.0.5:9000"), Ok(expected));
        assert_eq!(
            server("https://[::1]/").map(|url| (url.tls, url.host, url.port)),
            Ok((true, "::1".to_owned(), 443))
        );
        for wrong in ["10.0.0.5:9000", "ftp://a", "http://a/b", "http://u@a", "http://a?b", "http://", ""] {
            assert!(server(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_shared_secret_must_be_given() {
        let mut env = Env::from_pairs([("JWT_ALGORITHM", "HS256")]);
        Config::read(&mut env);
        assert!(env.finish().unwrap_err().0[0].contains("JWT_SECRET_KEY"));
        let mut env =
            Env::from_pairs([("JWT_ALGORITHM", "HS256"), ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef")]);
        assert!(Config::read(&mut env).fixed_keys.is_some());
        env.finish().unwrap();
    }
}
