//! Operating the system: what it runs by, and how it fares.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a check of the doctor can find: each [`SystemCheck::code`] there is.
pub const CHECK_CODES: [&str; 44] = [
    "no_answer",
    "key_used",
    "key_unusable",
    "disk_free",
    "disk_full",
    "disk_unreadable",
    "cors_listed",
    "cors_nobody",
    "cors_anybody",
    "redis_answers",
    "redis_absent",
    "redis_url_wrong",
    "redis_unreachable",
    "redis_refuses_password",
    "redis_wants_tls",
    "redis_without_tls",
    "redis_untrusted",
    "redis_silent",
    "relay_answers",
    "relay_refuses",
    "mail_in_log",
    "mail_off",
    "database_answers",
    "database_url_wrong",
    "database_unreachable",
    "database_host_unknown",
    "database_refuses",
    "database_absent",
    "database_wants_tls",
    "database_without_tls",
    "database_untrusted",
    "schema_current",
    "schema_behind",
    "schema_unreadable",
    "index_there",
    "index_missing",
    "clock_shared",
    "clock_near",
    "clock_differs",
    "providers_wrong",
    "providers_without_apps",
    "provider_answers",
    "provider_lacks",
    "provider_unreachable",
];

/// What the configuration of a provider can lack: each [`ProviderFault::code`] there is.
pub const PROVIDER_FAULT_CODES: [&str; 3] = ["no_public_url", "no_redirect_uris", "no_kakao_admin_key"];

/// Answer of `GET /api/v1/system/settings`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Settings {
    /// The variables, by what they are about.
    pub sections: Vec<SettingsSection>,
}

/// Variables about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SettingsSection {
    /// What they are about.
    #[schema(example = "Database")]
    pub title: String,
    /// In the order of the documentation.
    pub variables: Vec<SystemSetting>,
}

/// A variable as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SystemSetting {
    /// Its name; a pattern such as `OIDC_<NAME>_ISSUER` where no variable fits it.
    #[schema(example = "DB_PRIMARY_DB_URL")]
    pub name: String,
    /// The name that it is documented as: its own, or a pattern that it fits.
    #[schema(example = "DB_PRIMARY_DB_URL")]
    pub documented_as: String,
    /// Its value; `null` where there is none, or where it is secret. Credentials in an address are left out.
    #[schema(example = "postgresql://***@db.example.com:5432/authdb")]
    pub value: Option<String>,
    /// What holds when it is unset; `null` when nothing does.
    pub default: Option<String>,
    /// Where the value came from; of a secret, whether it is set.
    pub source: SettingSource,
    /// Whether it holds a secret.
    pub secret: bool,
    /// What it does, one sentence in English.
    pub description: String,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SettingSource {
    /// It was not set.
    Default,
    /// From the environment, or in development from `.env`.
    Environment,
}

/// Answer of `GET /api/v1/system/signing-keys`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SigningKeys {
    /// Every key that is known, in the order in which they sign.
    pub keys: Vec<SigningKey>,
    /// How long others may remember the published keys; so long a new one waits before it signs.
    #[schema(example = 300)]
    pub jwks_lifetime_seconds: u64,
}

/// A key that signs access tokens, did so, or will.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SigningKey {
    /// RFC 7638 thumbprint, as in the header of tokens.
    pub kid: String,
    /// JOSE name of its algorithm.
    #[schema(example = "RS256")]
    pub algorithm: String,
    /// What it does now.
    pub state: SigningKeyState,
    /// Where its private half is.
    pub source: SigningKeySource,
    /// When it was made, or, of a configured one, first seen.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it signs from.
    #[schema(value_type = String, format = DateTime)]
    pub signs_from: Timestamp,
    /// When an instance was last known to sign with it, to half a minute; `null` before its first use.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it was taken out of use.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Timestamp>,
}

/// What a signing key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SigningKeyState {
    /// It is published, and signs soon.
    Next,
    /// It signs.
    Signing,
    /// It verifies what it has signed.
    Verifying,
    /// It has no tokens left to verify.
    Retired,
    /// It was taken out of use, with every token that it had signed.
    Withdrawn,
}

/// Where the private half of a signing key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SigningKeySource {
    /// In the configuration of an instance: a file or a variable.
    Configuration,
    /// In the database, sealed by `SECRETS_KEY`.
    Database,
}

/// Body of `POST /api/v1/system/signing-keys`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct RotateSigningKey {
    /// RS256, ES256, EdDSA or HS256; the configured one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ES256")]
    pub algorithm: Option<String>,
}

/// A mail that was sent, or is to be, without what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct OutboxMail {
    /// UUIDv7; it stands in the mail's `Message-ID`.
    pub id: Uuid,
    /// What it tells.
    #[schema(example = "verify_email")]
    pub kind: String,
    /// The account that it is about.
    pub user_id: Option<Uuid>,
    /// Where it goes.
    pub recipient: String,
    /// The language it is written in.
    #[schema(example = "ko")]
    pub locale: String,
    /// What has become of it.
    pub state: OutboxMailState,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: u64,
    /// When it is tried next; `null` unless it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// When its first byte went out to the relay.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub handed_over_at: Option<Timestamp>,
    /// When the relay had taken it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failed_at: Option<Timestamp>,
    /// What went wrong the last time: words of ours or of the relay.
    pub last_error: Option<String>,
}

/// What has become of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutboxMailState {
    /// It waits to be sent.
    Waiting,
    /// It goes out at this moment, or nobody knows whether it arrived: it is not sent twice.
    HandedOver,
    /// The relay has taken it.
    Sent,
    /// It was given up.
    Failed,
}

/// Answer of `POST /api/v1/system/doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SystemCheckup {
    /// What was tried, in one order.
    pub checks: Vec<SystemCheck>,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SystemCheck {
    /// What was tried; several may have the same name.
    #[schema(example = "redis")]
    pub name: String,
    /// How it went.
    pub outcome: CheckOutcome,
    /// What was found, for programs: one of [`CHECK_CODES`].
    #[schema(example = "redis_answers")]
    pub code: String,
    /// What the summary and the fix tell of, by name.
    #[schema(example = json!({"milliseconds": "1"}))]
    pub values: BTreeMap<String, String>,
    /// What was found, in English.
    #[schema(example = "PONG after 1 ms")]
    pub summary: String,
    /// What to do about it, in English; `null` where there is nothing to do.
    pub fix: Option<String>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// All is well.
    Ok,
    /// It works, but something is missing.
    Warning,
    /// It does not work.
    Failed,
    /// There was nothing to try: it is not configured.
    Skipped,
}

/// Answer of `GET /api/v1/system/providers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SystemProviders {
    /// Those that people can log in through, in the order in which they are offered.
    pub providers: Vec<SystemProvider>,
    /// Whether the providers' tokens are kept, for apps that call a provider's API.
    pub keeps_tokens: bool,
    /// Addresses of apps that logins may come back to.
    pub redirect_uris: Vec<String>,
}

/// A provider as it is configured, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SystemProvider {
    /// Its name in paths.
    #[schema(example = "kakao")]
    pub name: String,
    /// `google`, `kakao`, `naver`, `apple`, `github`, or `openid` for any other issuer.
    #[schema(example = "kakao")]
    pub kind: String,
    /// What people know it by, in the reader's language.
    #[schema(example = "Kakao")]
    pub title: String,
    /// Who vouches for its subjects.
    #[schema(example = "https://kauth.kakao.com")]
    pub issuer: String,
    /// Our id there.
    pub client_id: String,
    /// Ids of apps whose ID tokens are taken, besides that.
    pub native_client_ids: Vec<String>,
    /// The redirect URI that must be registered there.
    #[schema(example = "https://auth.example.com/api/v1/oauth/kakao/callback")]
    pub callback_uri: String,
    /// What is asked for.
    #[schema(example = json!(["openid", "email", "profile"]))]
    pub scopes: Vec<String>,
    /// What its configuration lacks. Whether it answers is the doctor's to try.
    pub faults: Vec<ProviderFault>,
}

/// What the configuration of a provider lacks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ProviderFault {
    /// `no_public_url`, `no_redirect_uris` or `no_kakao_admin_key`, as in [`PROVIDER_FAULT_CODES`].
    #[schema(example = "no_public_url")]
    pub code: String,
    /// What to do about it, in English.
    pub detail: String,
}
