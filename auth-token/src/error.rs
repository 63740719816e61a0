//! Why a key or a token is refused: one line each, fit for a log.

use crate::Algorithm;

/// Why a key cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// The PEM holds no private key.
    #[error("no private key (PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY) in the PEM: found {found}")]
    NoPrivateKey {
        /// Labels of what it holds.
        found: String,
    },
    /// The PEM holds no public key.
    #[error("no public key (PUBLIC KEY) in the PEM: found {found}")]
    NoPublicKey {
        /// Labels of what it holds.
        found: String,
    },
    /// The private key needs a passphrase.
    #[error("the private key is encrypted: decrypt it with `openssl pkey -in OLD -out NEW`")]
    Encrypted,
    /// The PEM is damaged.
    #[error("damaged PEM: {0}")]
    Pem(String),
    /// The key is of a type that the algorithm cannot use.
    #[error("{algorithm} needs a key of type {}, this one is of type {found}", algorithm.key_type())]
    Mismatch {
        /// What was asked for.
        algorithm: Algorithm,
        /// What the key is.
        found: &'static str,
    },
    /// RSA below 2048 bits (NIST SP 800-131A).
    #[error("RSA keys below 2048 bits are refused: make one with `openssl genrsa 2048`")]
    RsaTooShort,
    /// A shared secret below 256 bits (RFC 7518 section 3.2).
    #[error("an HS256 secret needs at least 32 bytes, this one has {bytes}: make one with `openssl rand -base64 64`")]
    SecretTooShort {
        /// Its length.
        bytes: usize,
    },
    /// HS256 knows a shared secret only: neither PEM nor key pair.
    #[error("HS256 takes a shared secret, not a key pair")]
    SharedSecret,
    /// The numbers of the key do not make a key.
    #[error("not a valid {0} key")]
    Invalid(Algorithm),
    /// The JWK cannot be used.
    #[error("unusable JWK: {0}")]
    Jwk(&'static str),
    /// The number of bits is none of 2048, 3072, 4096.
    #[error("RSA keys are made with 2048, 3072 or 4096 bits")]
    RsaBits,
    /// Tokens of the type of access tokens have the claims of access tokens.
    #[error("at+jwt is the type of access tokens alone")]
    Type,
    /// The cryptographic library failed, as it does when memory or randomness is not to be had.
    #[error("the cryptographic library failed")]
    Crypto,
}

/// Why a token is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWS of ours in compact form (RFC 7515 section 7.1).
    #[error("malformed token: {0}")]
    Malformed(&'static str),
    /// Signed by a key that is not in the set: perhaps a new one.
    #[error("signed by the unknown key {0}")]
    UnknownKey(String),
    /// The header names another algorithm than the key's.
    #[error("the token's algorithm is not its key's, {0}")]
    Algorithm(Algorithm),
    /// Not an access token (RFC 9068 section 4): an ID token, say.
    #[error("the token's type is not at+jwt")]
    Type,
    /// Not a foreign token of the type that was asked for.
    #[error("the token's type is not {0}")]
    ForeignType(&'static str),
    /// Signed by someone else, or changed since.
    #[error("wrong signature")]
    Signature,
    /// A claim is missing, double or of the wrong type.
    #[error("unreadable claims: {0}")]
    Claims(String),
    /// From another issuer.
    #[error("issued by {0:?}")]
    Issuer(String),
    /// For someone else.
    #[error("meant for {0:?}")]
    Audience(String),
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Issued in the future: clocks differ by more than the leeway.
    #[error("issued in the future: compare the clocks")]
    IssuedInFuture,
}
