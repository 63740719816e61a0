//! What is held on a person: the history of their logins, and all of it in one document.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Place;

/// An attempt to log in as a person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct LoginRecord {
    /// UUIDv7.
    pub id: Uuid,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `logged_in` or `refused`.
    pub outcome: String,
    /// `password`, or another way in.
    pub method: String,
    /// The client's address.
    pub ip_address: Option<String>,
    /// Where that is; absent unless the service knows places (`GEOIP_DB`), and this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The client's own words.
    pub user_agent: Option<String>,
    /// The browser in those words.
    pub browser: Option<String>,
    /// The operating system in those words.
    pub os: Option<String>,
    /// The session that began.
    pub session_id: Option<Uuid>,
}

/// Everything that is held on a person, less hashes and secrets.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PersonalData {
    /// When it was gathered.
    #[schema(value_type = String, format = DateTime)]
    pub exported_at: Timestamp,
    /// The account.
    pub profile: HeldProfile,
    /// The roles that the person was given.
    pub roles: Vec<HeldRole>,
    /// Who the person is at providers.
    pub identities: Vec<HeldIdentity>,
    /// Sessions, also those that ended in the last weeks.
    pub sessions: Vec<HeldSession>,
    /// Browsers and apps that the account is known to have been used on.
    pub devices: Vec<HeldDevice>,
    /// API keys, also those that have ended.
    pub api_keys: Vec<HeldApiKey>,
    /// Mails to the person.
    pub mails: Vec<HeldMail>,
    /// Attempts to log in, newest first.
    pub login_history: Vec<LoginRecord>,
    /// What the person did, newest first.
    pub audit_by_person: Vec<HeldAuditEntry>,
    /// What others did to the account, newest first.
    pub audit_about_person: Vec<HeldAuditEntry>,
}

/// An account, with everything that it holds.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldProfile {
    /// UUIDv7.
    pub id: Uuid,
    /// The address, if one is known.
    pub email: Option<String>,
    /// When the address was proven.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub email_verified_at: Option<Timestamp>,
    /// The name to log in by.
    pub username: Option<String>,
    /// The name that is shown.
    pub display_name: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    /// Address of a picture.
    pub avatar_url: Option<String>,
    /// `ko` or `en`.
    pub locale: String,
    /// `active`, `disabled` or `pending`.
    pub status: String,
    /// When the password was last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub password_changed_at: Option<Timestamp>,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When a session last began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_login_at: Option<Timestamp>,
    /// When it was deleted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Timestamp>,
}

/// A role that a person was given.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldRole {
    /// Its name.
    pub name: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// Until when; for ever when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Who a person is at a provider.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldIdentity {
    /// UUIDv7.
    pub id: Uuid,
    /// The provider's name.
    pub provider: String,
    /// Who vouches.
    pub issuer: String,
    /// The person's id there.
    pub subject: String,
    /// The address that the provider told.
    pub email: Option<String>,
    /// Whether the provider vouches for the address.
    pub email_verified: bool,
    /// The name that the provider told.
    pub display_name: Option<String>,
    /// All that the provider told, as it did.
    #[schema(value_type = Object)]
    pub profile: Value,
    /// When it was linked.
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Timestamp,
    /// When the person last logged in by it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_login_at: Option<Timestamp>,
    /// When the provider ended it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub unlinked_at: Option<Timestamp>,
}

/// A session.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldSession {
    /// UUIDv7.
    pub id: Uuid,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// When it ends unless it is used again.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Why it was ended.
    pub end_reason: Option<String>,
    /// The program that it belongs to.
    pub client: String,
    /// How the person proved themselves (RFC 8176).
    pub auth_methods: Vec<String>,
    /// The client's address at login.
    pub ip_address: Option<String>,
    /// The client's own words.
    pub user_agent: Option<String>,
    /// As given at login.
    pub device_name: Option<String>,
}

/// A browser or app.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldDevice {
    /// Known since.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Forgotten at.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// An API key.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldApiKey {
    /// UUIDv7.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// How often it may be used.
    pub rate_limit: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}

/// A mail; its links are secrets, so its text is not here.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldMail {
    /// UUIDv7.
    pub id: Uuid,
    /// What it was about.
    pub kind: String,
    /// The address it went to.
    pub recipient: String,
    /// The language it was in.
    pub locale: String,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When a mail server took it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failed_at: Option<Timestamp>,
}

/// An entry of the audit log. Of what others did, it does not say who and from where: that is theirs.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldAuditEntry {
    /// UUIDv7.
    pub id: Uuid,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened.
    pub event: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// The client's address.
    pub ip_address: Option<String>,
    /// The client's own words.
    pub user_agent: Option<String>,
    /// What else there is to know of it.
    pub details: Value,
}
