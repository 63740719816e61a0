//! Who somebody is at a provider.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::users::{DisplayName, Email};

/// The longest profile that is kept, bytes of JSON.
const MAX_PROFILE: usize = 16 * 1024;

/// A person as a provider knows them. What identifies them is `issuer` and `subject`, and nothing else.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Identity {
    /// The provider's name here.
    pub provider: String,
    /// Who vouches.
    pub issuer: String,
    /// The person's id there, unique for the issuer.
    pub subject: String,
    /// What the provider says of them.
    pub claims: Claims,
    /// The provider's tokens, sealed, in base64: only where they are to be kept.
    pub sealed_tokens: Option<String>,
}

/// What a provider says of a person. All of it may be absent.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Claims {
    /// An address.
    pub email: Option<String>,
    /// Whether the provider has proven that it is theirs.
    pub email_verified: bool,
    /// A name.
    pub name: Option<String>,
    /// A picture.
    pub picture: Option<String>,
    /// All that was said, as it was said.
    pub raw: Value,
}

impl Identity {
    /// The address, where the provider has proven it: no other may decide anything.
    #[must_use]
    pub fn verified_email(&self) -> Option<Email> {
        let email = self.claims.email.as_deref().filter(|_| self.claims.email_verified)?;
        Email::parse(email).ok()
    }

    /// The name, as far as an account may have it.
    #[must_use]
    pub fn display_name(&self) -> Option<DisplayName> {
        let name: String = self.claims.name.as_deref()?.trim().chars().filter(|c| !c.is_control()).take(100).collect();
        DisplayName::parse(&name).ok()
    }

    /// The sealed tokens, for a bind.
    #[must_use]
    pub fn sealed_tokens(&self) -> Option<Vec<u8>> {
        data_encoding::BASE64.decode(self.sealed_tokens.as_deref()?.as_bytes()).ok()
    }

    /// What is kept of what was said, as JSON; nothing of what is too long to be a profile.
    #[must_use]
    pub fn raw_profile(&self) -> String {
        let text = self.claims.raw.to_string();
        if text.len() <= MAX_PROFILE { text } else { "{}".to_owned() }
    }
}
