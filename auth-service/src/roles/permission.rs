//! The permissions that the service itself asks for.

use crate::fields::Fault;

/// Longest name of a permission, in characters.
const MAX_LENGTH: usize = 100;

/// What a call demands of its caller. Teams add permissions of their own, for their own services to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See other users.
    UsersRead,
    /// Create and change users.
    UsersWrite,
    /// Delete and restore users.
    UsersDelete,
    /// See roles and permissions.
    RolesRead,
    /// Change roles and permissions.
    RolesWrite,
    /// Read the audit log.
    AuditRead,
    /// See other people's API keys.
    ApiKeysRead,
    /// Revoke other people's API keys.
    ApiKeysWrite,
    /// See how the system is set up and how it fares.
    SystemRead,
    /// Operate the system: keys, mails.
    SystemWrite,
}

impl Permission {
    const ALL: [Self; 10] = [
        Self::UsersRead,
        Self::UsersWrite,
        Self::UsersDelete,
        Self::RolesRead,
        Self::RolesWrite,
        Self::AuditRead,
        Self::ApiKeysRead,
        Self::ApiKeysWrite,
        Self::SystemRead,
        Self::SystemWrite,
    ];

    /// Whether the service itself asks for the permission of this name.
    #[must_use]
    pub fn is_system(name: &str) -> bool {
        Self::ALL.iter().any(|permission| permission.as_str() == name)
    }

    /// As access tokens and API keys list it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::UsersDelete => "users:delete",
            Self::RolesRead => "roles:read",
            Self::RolesWrite => "roles:write",
            Self::AuditRead => "audit:read",
            Self::ApiKeysRead => "api_keys:read",
            Self::ApiKeysWrite => "api_keys:write",
            Self::SystemRead => "system:read",
            Self::SystemWrite => "system:write",
        }
    }
}

/// The name of any permission: `resource:action`, each of lower-case letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionName(String);

impl PermissionName {
    /// Reads a name.
    ///
    /// # Errors
    /// `invalid_permission`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
        };
        let is_name = text.split_once(':').is_some_and(|(resource, action)| is_part(resource) && is_part(action));
        if is_name && text.len() <= MAX_LENGTH {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::new("invalid_permission", "Write resource:action, such as orders:read.", "orders:read처럼 쓰세요."))
    }

    /// The name itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_a_resource_and_an_action() {
        for name in ["orders:read", "order-lines:bulk_write", "a1:b2"] {
            assert_eq!(PermissionName::parse(name).unwrap().into_string(), name);
        }
        for text in [
            "",
            ":",
            "orders",
            "orders:",
            ":read",
            "Orders:read",
            "a:b:c",
            "1a:b",
            "a b:c",
            "주문:read",
            &format!("a:{}", "b".repeat(99)),
        ] {
            assert!(PermissionName::parse(text).is_err(), "{text}");
        }
    }
}
