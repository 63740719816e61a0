//! What may happen to an account elsewhere, by the names of OpenID's RISC and CAEP, of Kakao and of Apple.

use serde::{Deserialize, Serialize};

/// What happened. Its names are those in the database.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A token was issued.
    TokenIssued,
    /// A token was revoked.
    TokenRevoked,
    /// All tokens of the account were revoked.
    TokensRevoked,
    /// The account was linked with us.
    UserLinked,
    /// The account is linked with us no more, or its owner took back their consent.
    UserUnlinked,
    /// Its owner consented to more.
    ScopeConsented,
    /// Its owner took back a part of their consent.
    ScopeWithdrawn,
    /// The account was disabled.
    AccountDisabled,
    /// The account was enabled again.
    AccountEnabled,
    /// The account is gone for good.
    AccountPurged,
    /// Its owner has to change their credentials.
    CredentialChangeRequired,
    /// Credentials of the account became known to others.
    CredentialCompromised,
    /// Credentials of the account were changed.
    CredentialChanged,
    /// Its address or phone number was changed.
    IdentifierChanged,
    /// Its address or phone number is now another's.
    IdentifierRecycled,
    /// A session of it was ended.
    SessionRevoked,
    /// All its sessions were ended.
    SessionsRevoked,
    /// How strongly its owner proved themselves has changed.
    AssuranceLevelChanged,
    /// Its profile was changed.
    ProfileChanged,
    /// Mail to its relay address arrives.
    EmailEnabled,
    /// Mail to its relay address arrives no more.
    EmailDisabled,
    /// The sender tries out whether events arrive.
    Verification,
    /// Something else, by the sender's name for it.
    Other(String),
}

impl Kind {
    /// What this URI stands for.
    pub(super) fn of_uri(uri: &str) -> Self {
        let openid = uri.strip_prefix("https://schemas.openid.net/secevent/");
        let kakao = uri.strip_prefix("https://schemas.kakao.com/platevent/");
        match openid.or(kakao).and_then(|rest| rest.split_once("/event-type/")) {
            Some(("oauth", "token-issued")) => Self::TokenIssued,
            Some(("oauth", "token-revoked")) => Self::TokenRevoked,
            Some(("oauth", "tokens-revoked")) => Self::TokensRevoked,
            Some(("oauth", "user-linked")) => Self::UserLinked,
            Some(("oauth", "user-unlinked")) => Self::UserUnlinked,
            Some(("oauth", "user-scope-consent")) => Self::ScopeConsented,
            Some(("oauth", "user-scope-withdraw")) => Self::ScopeWithdrawn,
            Some(("risc", "account-disabled")) => Self::AccountDisabled,
            Some(("risc", "account-enabled")) => Self::AccountEnabled,
            Some(("risc", "account-purged")) => Self::AccountPurged,
            Some(("risc", "account-credential-change-required")) => Self::CredentialChangeRequired,
            Some(("risc", "credential-compromise")) => Self::CredentialCompromised,
            Some(("caep", "credential-change")) => Self::CredentialChanged,
            Some(("risc", "identifier-changed")) => Self::IdentifierChanged,
            Some(("risc", "identifier-recycled")) => Self::IdentifierRecycled,
            Some(("caep", "session-revoked")) => Self::SessionRevoked,
            Some(("risc", "sessions-revoked")) => Self::SessionsRevoked,
            Some(("caep", "assurance-level-change")) => Self::AssuranceLevelChanged,
            Some(("kakao", "user-profile-changed")) => Self::ProfileChanged,
            Some(("risc" | "ssf", "verification")) => Self::Verification,
            Some(_) | None => Self::Other(uri.to_owned()),
        }
    }

    /// What Apple's `type` stands for.
    pub(super) fn of_apple(name: &str) -> Self {
        match name {
            "consent-revoked" => Self::UserUnlinked,
            // Apple's documents have it in both forms.
            "account-delete" | "account-deleted" => Self::AccountPurged,
            "email-enabled" => Self::EmailEnabled,
            "email-disabled" => Self::EmailDisabled,
            _ => Self::Other(name.to_owned()),
        }
    }
}
