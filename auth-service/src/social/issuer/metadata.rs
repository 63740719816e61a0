//! What an issuer publishes of itself (OpenID Connect Discovery section 3, RFC 9207 section 3).

use serde::Deserialize;
use url::Url;

use super::Failure;
use crate::social::outbound::Outbound;

/// What of an issuer's document a relying party needs; every endpoint in it may be called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metadata {
    /// Where people log in.
    pub authorization_endpoint: Url,
    /// Where codes become tokens.
    pub token_endpoint: Url,
    /// Where more is known of a person, if anywhere.
    pub userinfo_endpoint: Option<Url>,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Whether its answers say `iss`, so that one without is a mix-up (RFC 9207 section 2.4).
    pub returns_iss: bool,
    /// How clients may prove themselves at the token endpoint.
    pub token_endpoint_auth_methods: Vec<String>,
}

/// The document as it stands.
#[derive(Deserialize)]
pub(super) struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    jwks_uri: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Takes the document of the issuer of this name; any other's is refused.
    pub(super) fn read(document: Document, issuer: &str, outbound: &Outbound) -> Result<Self, Failure> {
        if document.issuer != issuer {
            return Err(Failure::OtherIssuer(document.issuer));
        }
        let parse = |what, text: Option<String>| {
            let url = text.and_then(|text| Url::parse(&text).ok()).filter(|url| outbound.admit(url).is_ok());
            url.ok_or(Failure::Endpoint(what))
        };
        let userinfo = document.userinfo_endpoint.map(|text| parse("userinfo_endpoint", Some(text)));
        Ok(Self {
            authorization_endpoint: parse("authorization_endpoint", document.authorization_endpoint)?,
            token_endpoint: parse("token_endpoint", document.token_endpoint)?,
            userinfo_endpoint: userinfo.transpose()?,
            jwks_uri: parse("jwks_uri", document.jwks_uri)?,
            returns_iss: document.authorization_response_iss_parameter_supported,
            token_endpoint_auth_methods: document
                .token_endpoint_auth_methods_supported
                .unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
        })
    }
}
