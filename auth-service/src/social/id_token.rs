//! What an ID token says (OpenID Connect Core section 2), and whether it is meant for us, now, and for this login.

mod claims;
#[cfg(test)]
mod tests;

use std::time::Duration;

use auth_token::{Algorithm, ForeignToken, ForeignType};
use aws_lc_rs::digest::{self, SHA256, SHA512};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::issuer::{Issuer, IssuerError};
use crate::db::Ts;
use claims::Claims;
pub(crate) use claims::{Audience, optional_seconds, seconds};

/// How far clocks may differ.
pub(crate) const LEEWAY: Duration = Duration::from_secs(30);
/// How old an ID token may be: it tells of a login that ends here.
const OLDEST: Duration = Duration::from_mins(10);
/// The longest subject, bytes (OpenID Connect Core section 2).
const SUBJECT_LONGEST: usize = 255;

/// What ties an ID token to one login.
#[derive(Clone, Copy)]
pub enum Nonce<'a> {
    /// The token carries the nonce itself.
    Plain(&'a str),
    /// The token carries the nonce's SHA-256 in hexadecimal, as asked for by apps on Apple's devices.
    Sha256(&'a str),
    /// Either: which one, is up to the app's SDK.
    PlainOrSha256(&'a str),
}

/// What an ID token must fit.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The client ids that are ours at this issuer; those of apps may differ from that of the web.
    pub client_ids: &'a [String],
    /// The nonce of this login.
    pub nonce: Nonce<'a>,
    /// The access token that came along, if one did.
    pub access_token: Option<&'a str>,
    /// The time.
    pub now: Ts,
}

/// An ID token that was found good.
#[derive(Clone, Debug, PartialEq)]
pub struct IdToken {
    /// Who logged in: with the issuer, and it alone, the person's identity.
    pub subject: String,
    /// Their address, as the issuer knows it.
    pub email: Option<String>,
    /// Whether the issuer says that the address was proven.
    pub email_verified: bool,
    /// Their full name.
    pub name: Option<String>,
    /// Their given name.
    pub given_name: Option<String>,
    /// Their family name.
    pub family_name: Option<String>,
    /// What they are called.
    pub nickname: Option<String>,
    /// Where their picture is.
    pub picture: Option<String>,
    /// Their language, such as `ko` or `en-US`.
    pub locale: Option<String>,
    /// All that it says.
    pub claims: Value,
}

/// Why an ID token is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdTokenError {
    /// The issuer did not sign it, or cannot be asked.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A claim is missing, double or of the wrong type.
    #[error("unreadable claims (line {line}, column {column})")]
    Claims {
        /// Where: the line, from 1.
        line: usize,
        /// The column.
        column: usize,
    },
    /// Its `iss` is another one.
    #[error("the ID token is issued by {0:?}")]
    OtherIssuer(String),
    /// It is for someone else.
    #[error("the ID token is meant for another client")]
    Audience,
    /// It is for several, and another than us asked for it.
    #[error("the ID token is for several clients, and its azp is none of ours")]
    Party,
    /// Its time is over.
    #[error("the ID token has expired")]
    Expired,
    /// Issued in the future: clocks differ by more than the leeway.
    #[error("the ID token is issued in the future: compare the clocks")]
    IssuedInFuture,
    /// Issued too long ago for a login that ends now.
    #[error("the ID token is older than 10 minutes")]
    TooOld,
    /// It is of another login.
    #[error("the ID token's nonce is not that of this login")]
    Nonce,
    /// The access token is of another login.
    #[error("the ID token's at_hash is not that of the access token")]
    AccessToken,
    /// It says nobody that can be known again.
    #[error("the ID token's sub is not 1 to 255 bytes of text")]
    Subject,
    /// A security event or logout token under the type of an ID token (RFC 8417 section 4.5).
    #[error("the ID token tells of events")]
    Events,
}

impl IdToken {
    /// Verifies that `issuer` signed the token, and that it fits (OpenID Connect Core section 3.1.3.7).
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub async fn verify(token: &str, issuer: &Issuer, expected: &Expected<'_>) -> Result<Self, IdTokenError> {
        let token = issuer.verify(token, ForeignType::Jwt).await?;
        Self::judge(&token, issuer.name(), expected)
    }

    /// Judges the claims of a token whose signature was found good.
    fn judge(token: &ForeignToken, issuer: &str, expected: &Expected<'_>) -> Result<Self, IdTokenError> {
        let claims = Claims::read(&token.claims).map_err(IdTokenError::of_json)?;
        if claims.iss != issuer {
            return Err(IdTokenError::OtherIssuer(claims.iss));
        }
        if claims.events.is_some() {
            return Err(IdTokenError::Events);
        }
        check_audience(&claims, expected.client_ids)?;
        check_times(&claims, expected.now)?;
        if !claims.nonce.as_deref().is_some_and(|nonce| expected.nonce.is(nonce)) {
            return Err(IdTokenError::Nonce);
        }
        if let (Some(hash), Some(access_token)) = (&claims.at_hash, expected.access_token)
            && !is_equal(hash, &half_hash(token.algorithm, access_token))
        {
            return Err(IdTokenError::AccessToken);
        }
        let all = serde_json::from_slice(&token.claims).map_err(IdTokenError::of_json)?;
        Self::of(claims, all)
    }

    fn of(claims: Claims, all: Value) -> Result<Self, IdTokenError> {
        // Text that PostgreSQL cannot hold, or that tears a line of the log, is nobody's name.
        let is_text = !claims.sub.is_empty() && !claims.sub.chars().any(char::is_control);
        if !is_text || claims.sub.len() > SUBJECT_LONGEST {
            return Err(IdTokenError::Subject);
        }
        Ok(Self {
            subject: claims.sub,
            email: claims.email,
            email_verified: claims.email_verified,
            name: claims.name,
            given_name: claims.given_name,
            family_name: claims.family_name,
            nickname: claims.nickname,
            picture: claims.picture,
            locale: claims.locale,
            claims: all,
        })
    }
}

impl Nonce<'_> {
    /// Whether a token with this claim is of the login. No nonce at all is no match for any.
    fn is(self, claim: &str) -> bool {
        let hash = |nonce: &str| HEXLOWER.encode(digest::digest(&SHA256, nonce.as_bytes()).as_ref());
        match self {
            Self::Plain("") | Self::Sha256("") | Self::PlainOrSha256("") => false,
            Self::Plain(nonce) => is_equal(claim, nonce),
            Self::Sha256(nonce) => is_equal(&claim.to_ascii_lowercase(), &hash(nonce)),
            Self::PlainOrSha256(nonce) => Self::Plain(nonce).is(claim) || Self::Sha256(nonce).is(claim),
        }
    }
}

impl IdTokenError {
    /// The claims are personal: where they are wrong is told, what they are is not.
    fn of_json(cause: serde_json::Error) -> Self {
        Self::Claims { line: cause.line(), column: cause.column() }
    }
}

fn check_audience(claims: &Claims, client_ids: &[String]) -> Result<(), IdTokenError> {
    let is_ours = |id: &String| client_ids.contains(id);
    match &claims.aud {
        Audience::One(one) if is_ours(one) => Ok(()),
        Audience::Several(several) if several.iter().any(is_ours) => match (several.as_slice(), &claims.azp) {
            ([_], _) => Ok(()),
            (_, Some(party)) if is_ours(party) => Ok(()),
            (_, _) => Err(IdTokenError::Party),
        },
        Audience::One(_) | Audience::Several(_) => Err(IdTokenError::Audience),
    }
}

fn check_times(claims: &Claims, now: Ts) -> Result<(), IdTokenError> {
    let (earliest, latest) = (now.minus(LEEWAY).as_seconds(), now.plus(LEEWAY).as_seconds());
    if claims.exp <= earliest {
        return Err(IdTokenError::Expired);
    }
    if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(IdTokenError::IssuedInFuture);
    }
    if claims.iat < now.minus(OLDEST + LEEWAY).as_seconds() {
        return Err(IdTokenError::TooOld);
    }
    Ok(())
}

/// The left half of the access token's hash, by the algorithm that signed (OpenID Connect Core section 3.1.3.6).
fn half_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::Hs256 => &SHA256,
        // Ed25519 signs over SHA-512.
        Algorithm::EdDsa => &SHA512,
    };
    let digest = digest::digest(hash, access_token.as_bytes());
    let (left, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
    BASE64URL_NOPAD.encode(left)
}

fn is_equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
