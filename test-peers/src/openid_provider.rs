//! A private OpenID provider: the certified `oidc-provider`, run by Node.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};

use data_encoding::BASE64;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::folder::Folder;
use crate::process::{Launch, Process};
use crate::stand_ins::{RegisteredClient, with_query};
use crate::visitor::{Reply, Visitor};
use crate::{PeerError, free_port, installation};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node/openid-provider.mjs");
/// More redirects than there are between the request and its answer.
const STEPS: usize = 10;

/// The verifier and the challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// By what ID tokens are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdTokenAlgorithm {
    /// RSA, as most do.
    #[default]
    Rs256,
    /// P-256.
    Es256,
}

/// How clients prove themselves at the token endpoint (OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientProof {
    /// `client_secret_basic`.
    #[default]
    Basic,
    /// `client_secret_post`.
    Post,
}

/// Whom a provider knows, and its ways.
#[derive(Clone, Debug, Default)]
pub struct OpenIdSetup {
    /// The services.
    pub clients: Vec<RegisteredClient>,
    /// The people, each an object of claims with at least `sub`; they sign in by that or by `email`.
    pub accounts: Vec<Value>,
    /// By what ID tokens are signed.
    pub algorithm: IdTokenAlgorithm,
    /// How all clients prove themselves.
    pub client_proof: ClientProof,
}

/// A provider on a free port of 127.0.0.1, ended and removed with this value. It insists on PKCE, and puts the claims
/// of the scopes `email` and `profile` into ID tokens.
#[derive(Debug)]
pub struct OpenIdProvider {
    process: Process,
    setup: OpenIdSetup,
    port: u16,
}

impl OpenIdProvider {
    /// Starts the installed program.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or shows the server's log.
    pub fn start(setup: OpenIdSetup) -> Result<Self, PeerError> {
        let port = free_port()?;
        let modules = installation::node_modules("oidc-provider")?;
        let folder = Folder::create("TERM")?;
        let config = json!({
            "modules": modules,
            "port": port,
            "algorithm": setup.algorithm.name(),
            "clients": setup.clients.iter().map(|client| registration(client, &setup)).collect::<Vec<_>>(),
            "accounts": setup.accounts,
        });
        fs::write(folder.path().join("config.json"), config.to_string()).map_err(PeerError::io("write config.json"))?;
        let arguments = vec![SCRIPT.into(), "config.json".into()];
        let process = Process::new(folder, Launch { program: installation::node()?, arguments, account: None });
        let provider = Self { process, setup, port };
        provider.start_again()?;
        Ok(provider)
    }

    /// Ends it in an orderly way: nobody answers.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn stop(&self) -> Result<(), PeerError> {
        self.process.stop()
    }

    /// Starts the stopped provider, which has forgotten its sessions and its key, on the same port.
    ///
    /// # Errors
    /// [`PeerError::NotReady`] with the server's log.
    pub fn start_again(&self) -> Result<(), PeerError> {
        self.process.start(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok())
    }

    /// Its issuer: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets its clock, in seconds since 1970; it runs with the system's otherwise.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn set_now(&self, now: i64) -> Result<(), PeerError> {
        self.steer("now", &json!({"now": now}).to_string())
    }

    /// Signs by a new key from now on; the old one is no longer published.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn rotate_key(&self) -> Result<(), PeerError> {
        self.steer("rotate-key", "")
    }

    /// What a browser without a session does with an authorization request when a person signs in: the address, with
    /// code and state, that the browser is sent to.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if that does not come about.
    pub fn sign_in(&self, authorization_url: &str, login: &str) -> Result<String, PeerError> {
        self.visit(authorization_url, &[("login", login)])
    }

    /// As [`OpenIdProvider::sign_in`] when the person cancels.
    ///
    /// # Errors
    /// As [`OpenIdProvider::sign_in`].
    pub fn cancel(&self, authorization_url: &str) -> Result<String, PeerError> {
        self.visit(authorization_url, &[("cancel", "1")])
    }

    /// An ID token as an app on a phone gets it from the provider's library: for a client, with the nonce that the app
    /// has asked for.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if the client or the person is not known.
    pub fn id_token(&self, client_id: &str, login: &str, nonce: Option<&str>) -> Result<String, PeerError> {
        let client = self.setup.clients.iter().find(|client| client.id == client_id);
        let client = client.ok_or_else(|| PeerError::Answer(format!("no client is called {client_id}")))?;
        let redirect_uri = client.redirect_uris.first().map_or("", String::as_str);
        let mut query = vec![
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        query.extend(nonce.map(|nonce| ("nonce", nonce)));
        let request = with_query(&format!("{}/auth", self.issuer()), &query);
        let back = self.sign_in(&request, login)?;
        self.redeem(client, &back)
    }

    /// The ID token for the code that a browser has come back with.
    fn redeem(&self, client: &RegisteredClient, back: &str) -> Result<String, PeerError> {
        let code = Url::parse(back)
            .ok()
            .and_then(|back| Some(back.query_pairs().find(|(name, _)| name == "code")?.1.into_owned()));
        let code = code.ok_or_else(|| PeerError::Answer(back.to_owned()))?;
        let redirect_uri = back.split_once('?').map_or(back, |(before, _)| before);
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let basic = BASE64.encode(format!("{}:{}", client.id, client.secret).as_bytes());
        let basic = format!("Basic {basic}");
        let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
        match self.setup.client_proof {
            ClientProof::Basic => headers.push(("Authorization", &basic)),
            ClientProof::Post => form.extend([("client_id", client.id.as_str()), ("client_secret", &client.secret)]),
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let reply = Visitor::default().send("POST", &format!("{}/token", self.issuer()), &headers, &body)?;
        let tokens: Option<Value> = serde_json::from_str(&reply.body).ok();
        let id_token = tokens.as_ref().and_then(|tokens| tokens["id_token"].as_str());
        id_token.map(str::to_owned).ok_or_else(|| unexpected(&reply))
    }

    /// Follows an authorization request to the sign-in page, and that page's form back to the client.
    fn visit(&self, authorization_url: &str, form: &[(&str, &str)]) -> Result<String, PeerError> {
        let mut visitor = Visitor::default();
        let mut reply = visitor.get(authorization_url)?;
        for _ in 0..STEPS {
            reply = match reply.location() {
                Some(location) if location.starts_with(&self.issuer()) => visitor.get(&location)?,
                Some(location) => return Ok(location),
                None if reply.status == 200 && reply.url.path().starts_with("/interaction/") => {
                    visitor.post(reply.url.as_str(), form)?
                }
                None => return Err(unexpected(&reply)),
            };
        }
        Err(unexpected(&reply))
    }

    fn steer(&self, command: &str, body: &str) -> Result<(), PeerError> {
        let reply = Visitor::default().send("POST", &format!("{}/test/{command}", self.issuer()), &[], body)?;
        if reply.status == 200 { Ok(()) } else { Err(unexpected(&reply)) }
    }
}

impl IdTokenAlgorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

impl ClientProof {
    fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// A client's metadata (OpenID Connect Registration section 2).
fn registration(client: &RegisteredClient, setup: &OpenIdSetup) -> Value {
    json!({
        "client_id": client.id,
        "client_secret": client.secret,
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "id_token_signed_response_alg": setup.algorithm.name(),
        "token_endpoint_auth_method": setup.client_proof.name(),
    })
}

fn unexpected(reply: &Reply) -> PeerError {
    PeerError::Answer(format!("{} from {}: {}", reply.status, reply.url, reply.body))
}
