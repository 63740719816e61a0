//! Mail: what people are told, written in the transaction of its cause and sent soon after, at most once.
//!
//! A mail is queued as a row that holds no secret; links get their tokens when they are sent. Senders, a few per
//! instance, take rows one at a time, and note that a mail goes out just before its first byte does: whatever happens
//! then, no second copy follows. What the relay could not take is tried again for a day.

mod config;
pub(crate) mod http;
mod letter;
pub mod link;
mod outbox;
mod render;
mod review;
mod send;
mod smtp;
mod store;

pub use config::{Delivery, MailConfig};
pub use letter::action;
pub use outbox::Outbox;
pub use render::escape;
pub use send::start;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    db::{Conn, DbError, Ts},
    error::{Error, Result},
    ids::{Entropy, SessionId, UserId},
    users::{Email, Locale, store::UserRow},
};

/// How long a mail that is done is kept.
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// What is to be told. Nothing in it is secret, and nothing in it was written by a stranger: a mail from us must not
/// carry anybody else's words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    /// A link that proves the address of an account.
    VerifyEmail,
    /// Somebody registered with an address that has an account.
    AlreadyRegistered,
    /// A link to choose a new password.
    ResetPassword,
    /// To a new address: a link that makes it the account's.
    ChangeEmail,
    /// To the address as it is: another one was asked for.
    EmailChangeRequested {
        /// The other address, shortened.
        to: String,
    },
    /// To the address as it was: it was replaced.
    EmailChanged {
        /// The new address, shortened.
        to: String,
    },
    /// A link with which somebody who was given an account chooses its password.
    Invitation,
    /// A login from a device that was not known, with a link that ends it.
    NewDevice {
        /// The session that began.
        session: SessionId,
        /// When.
        at: Ts,
        /// From which address.
        ip_address: String,
        /// Browser and system, as far as known.
        device: Option<String>,
    },
    /// The password was replaced.
    PasswordChanged,
    /// A session was ended because its refresh token came back.
    SessionReuse,
    /// Somebody logged in at a provider that vouches for the address, with a link that agrees to link the two.
    LinkIdentity {
        /// The proposed identity.
        identity: Uuid,
        /// The provider.
        provider: Title,
    },
    /// A provider opens the account from now on.
    IdentityLinked {
        /// The provider.
        provider: Title,
    },
    /// A provider opens the account no more.
    IdentityUnlinked {
        /// The provider.
        provider: Title,
    },
    /// The account will be closed unless it is used.
    DormancyNotice {
        /// When.
        locks_at: Ts,
    },
}

/// What people know a provider by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Title {
    /// In English.
    pub en: String,
    /// In Korean.
    pub ko: String,
}

/// Whom a mail is for.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The account that it is about.
    pub user: UserId,
    /// Where it goes.
    pub email: String,
    /// The language it is written in.
    pub locale: Locale,
}

impl Recipient {
    /// The owner of an account that exists, at the account's address; nothing also where it has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(conn: &mut Conn, user: UserId) -> Result<Option<Self>, DbError> {
        let row = store::find_owner(conn, user).await?;
        Ok(row.map(|(email, locale)| Self { user, email, locale: Locale::from_stored(&locale) }))
    }

    /// The owner of this account, at its address, if it has one.
    #[must_use]
    pub fn of(account: &UserRow) -> Option<Self> {
        let (user, locale) = (account.id, Locale::from_stored(&account.locale));
        account.email.clone().map(|email| Self { user, email, locale })
    }
}

/// Forgets mails that are done for a week, and links that are too old; says how many mails wait.
///
/// # Errors
/// When the database fails.
pub async fn sweep(conn: &mut Conn, now: Ts) -> Result<(), DbError> {
    store::delete_old(conn, now.minus(KEPT)).await?;
    store::delete_expired_tokens(conn, now).await?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    metrics::gauge!("mail_outbox_depth").set(store::count_waiting(conn).await? as f64);
    Ok(())
}

/// Queues a mail in the transaction of its cause. Of mails whose newest link alone is good, one that still waits is
/// dropped.
///
/// # Errors
/// When the database fails.
pub async fn queue(tx: &mut Conn, to: &Recipient, mail: Mail, now: Ts) -> Result<(), DbError> {
    if mail.newest_wins() {
        store::drop_waiting(tx, to.user, mail.kind(), now).await?;
    }
    store::insert(tx, Some(to.user), (&to.email, to.locale), &mail, now).await
}

/// Does what [`queue`] does where an account is meant, and as much work where there is none: the time that it takes tells
/// nobody which.
///
/// # Errors
/// When the database fails.
pub async fn queue_if_any(
    tx: &mut Conn,
    user: Option<UserId>,
    to: (&Email, Locale),
    mail: Mail,
    now: Ts,
) -> Result<(), DbError> {
    store::drop_waiting(tx, user.unwrap_or(UserId(uuid::Uuid::nil())), mail.kind(), now).await?;
    store::insert(tx, user, (to.0.as_str(), to.1), &mail, now).await
}

/// Tells the owner of an account something, where mail can be sent at all and there is an address. To an address that nobody has proven nothing
/// goes but how to prove it: it may be somebody else's.
///
/// # Errors
/// When the database fails.
pub async fn notify(app: &App, tx: &mut Conn, user: UserId, mail: Mail, now: Ts) -> Result<(), DbError> {
    if !app.config.mail.is_configured() {
        return Ok(());
    }
    let Some(to) = Recipient::find(tx, user).await? else { return Ok(()) };
    if !mail.proves_address() && !store::is_proven(tx, user).await? {
        return Ok(());
    }
    queue(tx, &to, mail, now).await
}

/// Passes where mail can be sent: for calls whose whole purpose is a mail.
///
/// # Errors
/// [`Error::MailNotConfigured`].
pub fn require_configured(app: &App) -> Result<()> {
    if app.config.mail.is_configured() { Ok(()) } else { Err(Error::MailNotConfigured) }
}

impl Mail {
    /// Its name in the outbox and in metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::EmailChangeRequested { .. } => "email_change_requested",
            Self::EmailChanged { .. } => "email_changed",
            Self::Invitation => "invitation",
            Self::NewDevice { .. } => "new_device",
            Self::PasswordChanged => "password_changed",
            Self::SessionReuse => "session_reuse",
            Self::LinkIdentity { .. } => "link_identity",
            Self::IdentityLinked { .. } => "identity_linked",
            Self::IdentityUnlinked { .. } => "identity_unlinked",
            Self::DormancyNotice { .. } => "dormancy_notice",
        }
    }

    /// The session that its link ends.
    const fn session(&self) -> Option<SessionId> {
        match self {
            Self::NewDevice { session, .. } => Some(*session),
            Self::VerifyEmail
            | Self::AlreadyRegistered
            | Self::ResetPassword
            | Self::ChangeEmail
            | Self::EmailChangeRequested { .. }
            | Self::EmailChanged { .. }
            | Self::Invitation
            | Self::PasswordChanged
            | Self::SessionReuse
            | Self::LinkIdentity { .. }
            | Self::IdentityLinked { .. }
            | Self::IdentityUnlinked { .. }
            | Self::DormancyNotice { .. } => None,
        }
    }

    /// The identity that its link links.
    const fn identity(&self) -> Option<Uuid> {
        match self {
            Self::LinkIdentity { identity, .. } => Some(*identity),
            Self::VerifyEmail
            | Self::AlreadyRegistered
            | Self::ResetPassword
            | Self::ChangeEmail
            | Self::EmailChangeRequested { .. }
            | Self::EmailChanged { .. }
            | Self::Invitation
            | Self::NewDevice { .. }
            | Self::PasswordChanged
            | Self::SessionReuse
            | Self::IdentityLinked { .. }
            | Self::IdentityUnlinked { .. }
            | Self::DormancyNotice { .. } => None,
        }
    }

    /// Whether its link proves the address that it is sent to.
    const fn proves_address(&self) -> bool {
        match self {
            Self::VerifyEmail | Self::ResetPassword | Self::ChangeEmail | Self::Invitation => true,
            Self::AlreadyRegistered
            | Self::EmailChangeRequested { .. }
            | Self::EmailChanged { .. }
            | Self::NewDevice { .. }
            | Self::PasswordChanged
            | Self::SessionReuse
            | Self::LinkIdentity { .. }
            | Self::IdentityLinked { .. }
            | Self::IdentityUnlinked { .. }
            | Self::DormancyNotice { .. } => false,
        }
    }

    /// Whether a newer mail of this kind makes an older one useless.
    const fn newest_wins(&self) -> bool {
        match self {
            Self::VerifyEmail
            | Self::AlreadyRegistered
            | Self::ResetPassword
            | Self::ChangeEmail
            | Self::Invitation
            | Self::LinkIdentity { .. }
            | Self::DormancyNotice { .. } => true,
            Self::EmailChangeRequested { .. }
            | Self::EmailChanged { .. }
            | Self::NewDevice { .. }
            | Self::PasswordChanged
            | Self::SessionReuse
            | Self::IdentityLinked { .. }
            | Self::IdentityUnlinked { .. } => false,
        }
    }
}
