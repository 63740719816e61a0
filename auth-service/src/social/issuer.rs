//! A pinned OpenID issuer: what it publishes of itself, its keys, and the tokens that it signed.

mod metadata;
mod remembered;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use auth_token::{ForeignToken, ForeignType, KeySet, TokenError, verify_foreign};
use url::Url;

use super::outbound::{Answer, Authorization, Outbound, OutboundError};
pub use metadata::Metadata;
use remembered::Remembered;

const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Why an issuer's word cannot be had, or a token is not its.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IssuerError {
    /// The issuer cannot be reached, or publishes what cannot be used: nothing is known of the token.
    #[error("{issuer} is unavailable: {cause}")]
    Unavailable {
        /// Which issuer.
        issuer: String,
        /// What went wrong.
        cause: Failure,
    },
    /// The token is not one that the issuer signed.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Why what an issuer publishes cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Failure {
    /// There is no answer, or none of JSON.
    #[error(transparent)]
    Call(#[from] OutboundError),
    /// The answer is an error.
    #[error("{what} was answered with {status}")]
    Status {
        /// What was asked for.
        what: &'static str,
        /// The status.
        status: u16,
    },
    /// The document is another issuer's (OpenID Connect Discovery section 4.3).
    #[error("its document is that of {0:?}")]
    OtherIssuer(String),
    /// The document cannot be used.
    #[error("its document has no {0} that may be called")]
    Endpoint(&'static str),
    /// None of its keys can be used.
    #[error("it publishes no key of RS256, ES256 or EdDSA")]
    NoKeys,
    /// The call ended with the program, or in a defect of it.
    #[error("the call was interrupted")]
    Interrupted,
}

/// An issuer of tokens that is known by its configured name alone; cheap to clone, and the clones remember the same.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    name: String,
    document: Url,
    outbound: Outbound,
    metadata: Arc<Remembered<Metadata>>,
    keys: Arc<Remembered<KeySet>>,
}

impl Issuer {
    /// The issuer of this name, an `https` URL without query; nothing is called yet.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the name.
    pub fn new(name: &str, outbound: Outbound) -> Result<Self, String> {
        const FORM: &str = "an issuer is written as a URL such as https://accounts.example.com, without query";
        let url = Url::parse(name).map_err(|_| FORM)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(FORM.to_owned());
        }
        outbound.admit(&url).map_err(|cause| cause.to_string())?;
        // A slash at the end gives way, but not in the name (OpenID Connect Discovery section 4.1).
        let document = format!("{}{DISCOVERY_PATH}", name.trim_end_matches('/'));
        let document = Url::parse(&document).map_err(|_| FORM)?;
        let (metadata, keys) = (Remembered::new(), Remembered::new());
        Ok(Self(Arc::new(Inner { name: name.to_owned(), document, outbound, metadata, keys })))
    }

    /// Its name, the `iss` of its tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it publishes of itself, remembered for an hour.
    ///
    /// # Errors
    /// [`IssuerError::Unavailable`].
    pub async fn discover(&self) -> Result<Arc<Metadata>, IssuerError> {
        self.0.metadata().await.map_err(|cause| self.unavailable(cause))
    }

    /// Verifies that the issuer signed a token of this type, and no more: the claims are yet to be judged.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub async fn verify(&self, token: &str, expected: ForeignType) -> Result<ForeignToken, IssuerError> {
        let keys = &self.0.keys;
        let known = keys.get(Arc::clone(&self.0).fetch_keys()).await.map_err(|cause| self.unavailable(cause))?;
        match verify_foreign(token, &known, expected) {
            // The key is new, or one in another's place: some issuers have but one name for all their keys.
            Err(cause @ (TokenError::UnknownKey(_) | TokenError::Signature | TokenError::Algorithm(_))) => {
                match keys.renew(&known, Arc::clone(&self.0).fetch_keys()).await {
                    Some(newer) => Ok(verify_foreign(token, &newer, expected)?),
                    None => Err(cause.into()),
                }
            }
            outcome => Ok(outcome?),
        }
    }

    fn unavailable(&self, cause: Failure) -> IssuerError {
        IssuerError::Unavailable { issuer: self.0.name.clone(), cause }
    }
}

impl Inner {
    async fn metadata(self: &Arc<Self>) -> Result<Arc<Metadata>, Failure> {
        self.metadata.get(Arc::clone(self).fetch_metadata()).await
    }

    async fn fetch_metadata(self: Arc<Self>) -> Result<Metadata, Failure> {
        let answer = self.ask("its document", &self.document).await;
        let metadata = answer.and_then(|answer| Metadata::read(answer.json()?, &self.name, &self.outbound));
        metadata.inspect_err(|cause| self.warn(cause))
    }

    async fn fetch_keys(self: Arc<Self>) -> Result<KeySet, Failure> {
        let metadata = self.metadata().await?;
        let answer = self.ask("its key set", &metadata.jwks_uri).await;
        answer.and_then(|answer| read_keys(&answer)).inspect_err(|cause| self.warn(cause))
    }

    async fn ask(&self, what: &'static str, url: &Url) -> Result<Answer, Failure> {
        let answer = self.outbound.get(url, &Authorization::None).await?;
        if answer.is_success() { Ok(answer) } else { Err(Failure::Status { what, status: answer.status.as_u16() }) }
    }

    /// Remembered values hide the trouble from everyone else.
    fn warn(&self, cause: &Failure) {
        tracing::warn!(issuer = self.name, %cause, "what an issuer publishes could not be fetched");
    }
}

/// A set without a key that we can use must not take the place of one with keys.
fn read_keys(answer: &Answer) -> Result<KeySet, Failure> {
    let json = std::str::from_utf8(&answer.body).map_err(|_| OutboundError::Json { line: 1, column: 1 })?;
    let keys = KeySet::from_jwks_json(json).map_err(|cause| OutboundError::of_json(&cause))?;
    if keys.keys().is_empty() { Err(Failure::NoKeys) } else { Ok(keys) }
}
