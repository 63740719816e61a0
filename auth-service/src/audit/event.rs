//! What the audit log tells of.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was made by its owner.
    UserRegistered,
    /// An account was made by somebody else.
    UserCreated,
    /// A profile was changed.
    UserUpdated,
    /// An account was deleted, softly.
    UserDeleted,
    /// A deleted account was brought back.
    UserRestored,
    /// A deleted account was erased for good.
    UserErased,
    /// An account was closed.
    UserDisabled,
    /// An account was opened again.
    UserEnabled,
    /// The count of failed guesses at an account was cleared.
    UserUnlocked,
    /// Somebody looked at another person's data.
    UserViewed,
    /// Somebody looked through a list of people.
    UsersListed,
    /// All that is held on a person was handed out.
    UserExported,
    /// Accounts were brought from another system.
    UsersImported,
    /// A copy of all accounts was taken.
    UsersExported,
    /// An account was closed because nobody used it.
    UserDormant,
    /// A person was given other roles.
    UserRolesChanged,
    /// A session began.
    LoggedIn,
    /// A login was refused.
    LoginFailed,
    /// A right password was too old to log in by.
    PasswordExpired,
    /// Sessions ended at somebody's wish.
    SessionsEnded,
    /// A person said that a login was not theirs.
    SessionDisowned,
    /// A person proved themselves again.
    Reauthenticated,
    /// A wrong password was given in a session.
    ConfirmationFailed,
    /// A password was changed by whoever knew it.
    PasswordChanged,
    /// A mail to reset a password was asked for.
    PasswordResetRequested,
    /// A password was replaced through a mail.
    PasswordReset,
    /// Somebody registered again with an address that has an account.
    RegistrationRepeated,
    /// A mail to prove an address was asked for again.
    EmailVerificationRequested,
    /// An address was proven.
    EmailVerified,
    /// Another address was asked for.
    EmailChangeRequested,
    /// An address was replaced.
    EmailChanged,
    /// A refresh token came back after its successor was used: its session was ended.
    RefreshReuse,
    /// A role was made.
    RoleCreated,
    /// A role was changed.
    RoleUpdated,
    /// A role was deleted.
    RoleDeleted,
    /// A permission was made.
    PermissionCreated,
    /// A permission was deleted.
    PermissionDeleted,
    /// Somebody had all that the service stands on examined.
    SystemExamined,
    /// Somebody looked through the mails that were sent, or are to be.
    MailsListed,
    /// A mail was tried again at somebody's wish.
    MailRetried,
    /// A new key to sign tokens with was published.
    SigningKeyRotated,
    /// A key that signed tokens was taken out of use, with them.
    SigningKeyWithdrawn,
    /// An API key was made.
    ApiKeyCreated,
    /// An API key was replaced.
    ApiKeyRotated,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// Somebody looked through the API keys of everybody.
    ApiKeysListed,
    /// An account was entered, or can be from now on, by who its owner is at a provider.
    IdentityLinked,
    /// Somebody at a provider has the address of an account, and its owner is asked.
    IdentityProposed,
    /// An identity was taken from an account by its owner, or by an administrator.
    IdentityUnlinked,
    /// A provider ended an identity.
    IdentityRevoked,
    /// Somebody whose address an account had without proof proved it: what was there before is void.
    UserClaimed,
    /// Somebody read the audit log.
    AuditRead,
    /// Somebody took a copy of the audit log.
    AuditExported,
    /// Somebody checked the audit log's chain.
    AuditVerified,
    /// The oldest entries of the audit log were removed, for their time was over.
    AuditTrimmed,
    /// A backup of the database was made.
    BackupMade,
    /// The database was brought back from a backup.
    DatabaseRestored,
}

impl Event {
    /// The event's name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user_registered",
            Self::UserCreated => "user_created",
            Self::UserUpdated => "user_updated",
            Self::UserDeleted => "user_deleted",
            Self::UserRestored => "user_restored",
            Self::UserErased => "user_erased",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserUnlocked => "user_unlocked",
            Self::UserViewed => "user_viewed",
            Self::UsersListed => "users_listed",
            Self::UserExported => "user_exported",
            Self::UsersImported => "users_imported",
            Self::UsersExported => "users_exported",
            Self::UserDormant => "user_dormant",
            Self::UserRolesChanged => "user_roles_changed",
            Self::LoggedIn => "logged_in",
            Self::LoginFailed => "login_failed",
            Self::PasswordExpired => "password_expired",
            Self::SessionsEnded => "sessions_ended",
            Self::SessionDisowned => "session_disowned",
            Self::Reauthenticated => "reauthenticated",
            Self::ConfirmationFailed => "confirmation_failed",
            Self::PasswordChanged => "password_changed",
            Self::PasswordResetRequested => "password_reset_requested",
            Self::PasswordReset => "password_reset",
            Self::RegistrationRepeated => "registration_repeated",
            Self::EmailVerificationRequested => "email_verification_requested",
            Self::EmailVerified => "email_verified",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
            Self::RefreshReuse => "refresh_reuse",
            Self::RoleCreated => "role_created",
            Self::RoleUpdated => "role_updated",
            Self::RoleDeleted => "role_deleted",
            Self::PermissionCreated => "permission_created",
            Self::PermissionDeleted => "permission_deleted",
            Self::SystemExamined => "system_examined",
            Self::MailsListed => "mails_listed",
            Self::MailRetried => "mail_retried",
            Self::SigningKeyRotated => "signing_key_rotated",
            Self::SigningKeyWithdrawn => "signing_key_withdrawn",
            Self::ApiKeyCreated => "api_key_created",
            Self::ApiKeyRotated => "api_key_rotated",
            Self::ApiKeyRevoked => "api_key_revoked",
            Self::ApiKeysListed => "api_keys_listed",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityProposed => "identity_proposed",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::IdentityRevoked => "identity_revoked",
            Self::UserClaimed => "user_claimed",
            Self::AuditRead => "audit_read",
            Self::AuditExported => "audit_exported",
            Self::AuditVerified => "audit_verified",
            Self::AuditTrimmed => "audit_trimmed",
            Self::BackupMade => "backup_made",
            Self::DatabaseRestored => "database_restored",
        }
    }

    /// `refused` where somebody was kept from what they tried, `done` otherwise.
    pub(crate) fn outcome(self) -> &'static str {
        if matches!(self, Self::LoginFailed | Self::ConfirmationFailed | Self::PasswordExpired | Self::RefreshReuse) {
            "refused"
        } else {
            "done"
        }
    }
}
