//! Rows as the document shows them.

use auth_sdk::{HeldApiKey, HeldAuditEntry, HeldDevice, HeldIdentity, HeldMail, HeldProfile, HeldRole, HeldSession};

use super::store::{ApiKeyRow, DeviceRow, IdentityRow, MailRow, ProfileRow, RoleRow, SessionRow};
use crate::audit::EntryRow;

impl From<ProfileRow> for HeldProfile {
    fn from(row: ProfileRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            email_verified_at: row.email_verified_at.map(Into::into),
            username: row.username,
            display_name: row.display_name,
            phone: row.phone,
            avatar_url: row.avatar_url,
            locale: row.locale,
            status: row.status,
            password_changed_at: row.password_changed_at.map(Into::into),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_login_at: row.last_login_at.map(Into::into),
            deleted_at: row.deleted_at.map(Into::into),
        }
    }
}

impl From<RoleRow> for HeldRole {
    fn from(row: RoleRow) -> Self {
        Self { name: row.name, granted_at: row.granted_at.into(), expires_at: row.expires_at.map(Into::into) }
    }
}

impl From<IdentityRow> for HeldIdentity {
    fn from(row: IdentityRow) -> Self {
        Self {
            id: row.id,
            provider: row.provider,
            issuer: row.issuer,
            subject: row.subject,
            email: row.email,
            email_verified: row.email_verified,
            display_name: row.display_name,
            profile: serde_json::from_str(&row.profile).unwrap_or_default(),
            linked_at: row.linked_at.into(),
            last_login_at: row.last_login_at.map(Into::into),
            unlinked_at: row.unlinked_at.map(Into::into),
        }
    }
}

impl From<DeviceRow> for HeldDevice {
    fn from(row: DeviceRow) -> Self {
        Self { created_at: row.created_at.into(), expires_at: row.expires_at.into() }
    }
}

impl From<SessionRow> for HeldSession {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.into(),
            expires_at: row.expires_at.into(),
            ended_at: row.ended_at.map(Into::into),
            end_reason: row.end_reason,
            client: row.client,
            auth_methods: serde_json::from_str(&row.auth_methods).unwrap_or_default(),
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            device_name: row.device_name,
        }
    }
}

impl From<ApiKeyRow> for HeldApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
            rate_limit: row.rate_limit,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            last_used_at: row.last_used_at.map(Into::into),
            revoked_at: row.revoked_at.map(Into::into),
        }
    }
}

impl From<MailRow> for HeldMail {
    fn from(row: MailRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            recipient: row.recipient,
            locale: row.locale,
            created_at: row.created_at.into(),
            sent_at: row.sent_at.map(Into::into),
            failed_at: row.failed_at.map(Into::into),
        }
    }
}

impl From<EntryRow> for HeldAuditEntry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id,
            at: row.at.into(),
            event: row.event,
            outcome: row.outcome,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            details: serde_json::from_str(&row.details).unwrap_or_default(),
        }
    }
}
