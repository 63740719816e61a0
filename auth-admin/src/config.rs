//! What the environment says of the console.

use std::{net::SocketAddr, time::Duration};

use auth_sdk::client::ClientConfig;
use service_kit::{
    config::{self, Env, Environment, Secret},
    hosts::AllowedHosts,
    proxies::{OwnConnections, TrustedProxies},
    serve::read_address,
};
use url::Url;

/// Paths that answer whatever `Host` is asked for: checks by address.
const ANY_HOST: &[&str] = &["/admin/health"];
/// Where the Auth API is when nothing is said.
const API_DEFAULT: &str = "http://127.0.0.1:8000";
/// The longest wait for the Auth API: a person is waiting too.
const PATIENCE: Duration = Duration::from_secs(10);
/// Fewest characters of `ADMIN_CLIENT_SECRET` in production.
const SECRET_LEAST: usize = 32;

/// What the console runs by.
pub struct Config {
    /// How strict to be.
    pub environment: Environment,
    /// Where to listen.
    pub addr: SocketAddr,
    /// Where the Auth API is; none when the environment does not say.
    pub api: Vec<Url>,
    /// What the console is known to the Auth API by.
    pub client_secret: Option<Secret>,
    /// Where people find the service.
    pub public_url: Option<Url>,
    /// More roots for outbound TLS, in PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// Hosts that are answered.
    pub hosts: AllowedHosts,
    /// Proxies that are believed.
    pub proxies: TrustedProxies,
}

impl Config {
    /// Believes these connections as well.
    pub fn believe(&mut self, own: OwnConnections) {
        self.proxies = std::mem::take(&mut self.proxies).with_own(own);
    }

    /// Reads everything; what is wrong is collected in `env`.
    pub fn read(env: &mut Env) -> Self {
        env.section("Console");
        let addr = read_address(
            env,
            "ADMIN_ADDR",
            ":5173",
            "Where the console listens; a port alone is on 127.0.0.1 in development.",
        );
        let help = "Where the gateway and the console find the Auth API, separated by commas; http://127.0.0.1:8000 unless it runs in the same process.";
        let api = env.list("AUTH_API_URLS", help);
        let client_secret = env.secret(
            "ADMIN_CLIENT_SECRET",
            "Shared secret of the Auth API and a console in another process; the console in the same process needs none.",
        );
        let public_url = config::read_public_url(env);
        let extra_roots = config::read_extra_roots(env);
        env.section("Edge");
        let (hosts, proxies) = (AllowedHosts::read(env, ANY_HOST), TrustedProxies::read(env));
        Self { environment: env.environment(), addr, api, client_secret, public_url, extra_roots, hosts, proxies }
    }

    /// Refuses what a console in a process of its own cannot do without.
    pub fn require_secret(&self, env: &mut Env) {
        match &self.client_secret {
            None => env.refuse(
                "ADMIN_CLIENT_SECRET is needed: the same at the Auth API and at the console, `openssl rand -hex 32`",
            ),
            Some(secret) if self.environment == Environment::Production && secret.expose().len() < SECRET_LEAST => {
                env.refuse("ADMIN_CLIENT_SECRET needs at least 32 characters: make one with `openssl rand -hex 32`");
            }
            Some(_) => {}
        }
    }

    /// How the Auth API is reached.
    pub(crate) fn client(&self) -> ClientConfig {
        let bases = if self.api.is_empty() { Url::parse(API_DEFAULT).into_iter().collect() } else { self.api.clone() };
        // The Auth API answers to its public names alone; asked by an address it would refuse.
        let host = self.public_url.as_ref().and_then(Url::host_str).map(str::to_owned);
        ClientConfig {
            bases,
            client_secret: self.client_secret.as_ref().map(|secret| secret.expose().to_owned()),
            host: host.or_else(|| self.hosts.first_name().map(str::to_owned)),
            extra_roots: self.extra_roots.clone(),
            timeout: PATIENCE,
        }
    }
}
