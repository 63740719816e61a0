//! Wire types of the Auth API, one definition for the server, its OpenAPI document and clients; and, with the feature
//! `client`, a typed client.
//!
//! JSON members are snake_case, times RFC 3339 in UTC, ids UUIDv7. What each call means, its status codes and its
//! errors stand in the OpenAPI document that the server publishes at `/openapi.json`.

mod api_keys;
mod audit;
mod auth;
#[cfg(feature = "client")]
pub mod client;
mod console;
mod health;
mod instances;
mod oauth;
mod page;
mod passwords;
mod personal;
mod problem;
mod recovery;
mod roles;
mod statistics;
mod status;
mod system;
mod users;

pub use api_keys::{
    ApiKey, ApiKeyFilter, CreateApiKey, KeyOwner, NewApiKey, OwnedApiKey, ResolveApiKey, ResolvedApiKey, RotateApiKey,
};
pub use audit::{AuditEntry, AuditFault, AuditFilter, AuditLink, AuditRef, AuditVerification, VerifyAuditLogs};
pub use auth::{
    LoginAnswer, LoginRequest, LogoutScope, Place, ReauthenticateRequest, RefreshRequest, Session, SessionList,
    TokenSet,
};
pub use console::{ConsoleLogin, ConsoleState, SetUp};
pub use health::{Check, Checks, Health, HealthStatus};
pub use instances::{
    ApiState, FeedConnection, FreshnessState, GatewayCertificate, GatewayFreshness, GatewayRoute, GatewayServer,
    GatewayState, GatewayUpstream, Instance,
};
pub use oauth::{
    AuthorizeParams, EventRefused, ExchangeAnswer, ExchangeRequest, IdTokenRequest, Identities, Identity,
    KakaoUnlinked, LinkByEmail, LinkByPassword, LinkIdentity, LinkRequired, LinkStarted, Linked, Provider,
    ProviderToken, Providers,
};
pub use page::{Page, PageParams};
pub use passwords::{PasswordExpired, PasswordPolicy};
pub use personal::{
    HeldApiKey, HeldAuditEntry, HeldDevice, HeldIdentity, HeldMail, HeldProfile, HeldRole, HeldSession, LoginRecord,
    PersonalData,
};
pub use problem::{FieldError, Problem};
pub use recovery::{AddressRequest, LinkRequest, ResetPasswordRequest};
pub use roles::{CreatePermission, CreateRole, HeldGrant, Permission, Role, SetPermissions, UpdateRole};
pub use statistics::{Statistics, StatisticsBefore, StatisticsBucket, StatisticsParams, StatisticsTotals};
pub use status::{
    DatabaseStatus, HashingStatus, LoginTimes, MailStatus, PoolStatus, RedisStatus, RevocationStatus, SigningKeyStatus,
    SystemStatus,
};
pub use system::{
    CHECK_CODES, CheckOutcome, OutboxMail, OutboxMailState, PROVIDER_FAULT_CODES, ProviderFault, RotateSigningKey,
    SettingSource, Settings, SettingsSection, SigningKey, SigningKeySource, SigningKeyState, SigningKeys, SystemCheck,
    SystemCheckup, SystemProvider, SystemProviders, SystemSetting,
};
pub use users::{
    BulkError, BulkResult, BulkResults, ChangePassword, CreateUser, CreateUsers, RegisterRequest, RoleGrant, SetRoles,
    UpdateMe, User, UserFilter, UserStatus,
};
