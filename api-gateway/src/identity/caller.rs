//! A caller that was identified, and what it may do.

use std::sync::{Arc, OnceLock};

use auth_token::{RevocationView, VerifiedToken};
use rate_limit::Quota;
use uuid::Uuid;

use super::headers::Values;

/// A caller that was identified.
#[derive(Clone, Debug)]
pub enum Caller {
    /// By an access token.
    Session(Arc<VerifiedToken>),
    /// By an API key.
    ApiKey(Arc<KeyGrant>),
}

/// What a key may do now, as the Auth API resolved it.
#[derive(Debug)]
pub struct KeyGrant {
    /// The key.
    pub key_id: Uuid,
    /// Its owner.
    pub user_id: Uuid,
    /// The owner's roles.
    pub roles: Vec<String>,
    /// The scopes that the owner holds now.
    pub permissions: Vec<String>,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
    /// How often it may be used, unless as often as its owner.
    pub rate_limit: Option<Quota>,
    /// As of which revocations this is so.
    pub(crate) as_of: Versions,
    /// What upstreams are told of it.
    pub(crate) headers: OnceLock<Values>,
}

/// The versions of a key's owner and of the owner's roles that were revoked when the key was resolved.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    user: Option<i64>,
    /// One per role; one that is missing counts as none.
    roles: Vec<Option<i64>>,
}

impl Caller {
    /// The person, or the owner of the key.
    #[must_use]
    pub fn user_id(&self) -> Uuid {
        match self {
            Self::Session(token) => token.claims.sub,
            Self::ApiKey(grant) => grant.user_id,
        }
    }

    /// The person's roles.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        match self {
            Self::Session(token) => &token.claims.roles,
            Self::ApiKey(grant) => &grant.roles,
        }
    }

    /// What the caller may do: of a key, its scopes as far as its owner has them now.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        match self {
            Self::Session(token) => &token.claims.permissions,
            Self::ApiKey(grant) => &grant.permissions,
        }
    }

    /// The session, if it is one that calls.
    #[must_use]
    pub fn session_id(&self) -> Option<Uuid> {
        match self {
            Self::Session(token) => Some(token.claims.sid),
            Self::ApiKey(_) => None,
        }
    }

    /// The name of the way in which the caller proved itself.
    #[must_use]
    pub fn auth_method(&self) -> &'static str {
        match self {
            Self::Session(_) => "token",
            Self::ApiKey(_) => "api_key",
        }
    }

    /// Whether `view` knows of nothing that ended what the caller showed.
    pub(super) fn stands(&self, view: &RevocationView) -> bool {
        match self {
            Self::Session(token) => view.check(token).is_ok(),
            Self::ApiKey(grant) => grant.stands(view),
        }
    }
}

impl KeyGrant {
    /// Whether the key is not revoked, and nothing was revoked of its owner or of the owner's roles since it was
    /// resolved: what it may do could be less by now.
    pub(super) fn stands(&self, view: &RevocationView) -> bool {
        let Versions { user, roles } = &self.as_of;
        let known = roles.iter().copied().chain(std::iter::repeat(None));
        !is_revoked(view, self.key_id)
            && view.user_version(self.user_id) <= *user
            && self.roles.iter().zip(known).all(|(role, known)| view.role_version(role) <= known)
    }
}

impl Versions {
    /// Those of now.
    pub(super) fn read(view: &RevocationView, user: Uuid, roles: &[String]) -> Self {
        let roles = roles.iter().map(|role| view.role_version(role)).collect();
        Self { user: view.user_version(user), roles }
    }
}

/// Whether the key itself is revoked.
pub(super) fn is_revoked(view: &RevocationView, key: Uuid) -> bool {
    view.is_api_key_revoked(key.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}
