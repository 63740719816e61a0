//! Makes accounts.

use auth_sdk::{User, UserStatus};

use super::{
    DisplayName, Email, Locale, Profile, Username,
    store::{self, Inserted, NewUser},
};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    db::Ts,
    error::{Error, Result},
    ids::UserId,
    mail::{
        self, Mail, Recipient,
        link::{self, Purpose},
    },
    passwords::{NewPassword, OwnWords},
    recovery::{self, Account},
};

/// Nobody's id, for the statements that a free address costs.
const NOBODY: UserId = UserId(uuid::Uuid::nil());

/// What a person gives of themselves.
pub struct Registration {
    pub email: Email,
    pub password: NewPassword,
    pub username: Option<Username>,
    pub display_name: Option<DisplayName>,
    pub locale: Locale,
}

/// How a registration is answered.
pub enum Registered {
    /// With the account.
    Made(Box<User>),
    /// By a mail to the address, and otherwise alike whether or not it has an account.
    ToBeProven,
}

/// Makes an account with the default role.
///
/// # Errors
/// [`Error::UsernameTaken`], [`Error::WeakPassword`], [`Error::TooManyRequests`], [`Error::Busy`]; [`Error::EmailTaken`]
/// where addresses need not be proven.
pub async fn register(app: &App, registration: Registration, client: &Client) -> Result<Registered> {
    let Registration { email, password, username, display_name, locale } = registration;
    app.limits.register(client, app.now()).await?;
    let names = [username.as_ref().map(Username::as_str), display_name.as_ref().map(DisplayName::as_str)];
    let own_words = OwnWords::new(names.into_iter().flatten().chain([email.as_str()]));
    let password_hash = app.hash_new_password("password", password, own_words).await?;
    let now = app.now();
    let is_pending = app.config.mail.requires_verification;
    let status = if is_pending { UserStatus::Pending } else { UserStatus::Active };
    let (id, password_hash) = (UserId(app.entropy.uuid(now)), Some(password_hash));
    let user = NewUser { id, email: Some(email.clone()), username, display_name, locale, password_hash, status };
    let new = (&user, &email);
    if is_pending { begin(app, new, client, now).await } else { make(app, new, client, now).await }
}

/// Makes an account that can be used at once; its address may be proven later.
async fn make(app: &App, (user, email): (&NewUser, &Email), client: &Client, now: Ts) -> Result<Registered> {
    let mut tx = app.db.begin().await?;
    match store::insert(&mut tx, user, now).await? {
        Inserted::Yes => {}
        Inserted::EmailTaken => return Err(Error::EmailTaken),
        Inserted::UsernameTaken => return Err(Error::UsernameTaken),
    }
    audit::Entry::new(Event::UserRegistered, Some(user.id), client).record(&mut tx, now).await?;
    if app.config.mail.is_configured() {
        let to = Recipient { user: user.id, email: email.as_str().to_owned(), locale: user.locale };
        mail::queue(&mut tx, &to, Mail::VerifyEmail, now).await?;
    }
    let profile = Profile::find(&mut tx, user.id, now).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    app.mail.wake();
    metrics::counter!("registrations_total").increment(1);
    Ok(Registered::Made(Box::new(profile.user)))
}

/// Makes an account that waits for its address to be proven, in place of one that still does. An address that has an
/// account costs the same statements, and its owner is told.
async fn begin(app: &App, (user, email): (&NewUser, &Email), client: &Client, now: Ts) -> Result<Registered> {
    let account = recovery::find_by_email(&mut app.db.read().await?, email).await?;
    let owner = account.as_ref().map_or(user.id, |account| account.id);
    let kind = account.as_ref().map_or(Mail::VerifyEmail.kind(), |account| reminder(account).kind());
    let may_mail = app.limits.mails_to(kind, Some(owner), email.as_str(), now).await;
    let mut tx = app.db.begin().await?;
    let (event, told) = match store::insert(&mut tx, user, now).await? {
        Inserted::Yes => (Event::UserRegistered, Some((user.id, user.locale, Mail::VerifyEmail))),
        Inserted::EmailTaken => {
            let open = account.as_ref().filter(|account| !account.is_disabled());
            (Event::RegistrationRepeated, open.map(|account| (account.id, account.locale(), reminder(account))))
        }
        Inserted::UsernameTaken => return Err(Error::UsernameTaken),
    };
    // Whoever only claimed the address keeps nothing of it, and nor does whoever claims it now: only the mailbox decides.
    let claimed = account.filter(|account| may_mail && account.awaits_proof() && account.is_pending());
    let claimed = claimed.map_or(NOBODY, |account| account.id);
    store::contest(&mut tx, claimed, user, now).await?;
    link::end(&mut tx, Purpose::VerifyEmail, claimed, now).await?;
    if may_mail {
        let (told, locale, mail) = match told {
            Some((owner, locale, mail)) => (Some(owner), locale, mail),
            None => (None, user.locale, Mail::AlreadyRegistered),
        };
        mail::queue_if_any(&mut tx, told, (email, locale), mail, now).await?;
    }
    audit::Entry::about(event, Some(owner), client).record(&mut tx, now).await?;
    tx.commit().await?;
    metrics::counter!("registrations_total").increment(u64::from(event == Event::UserRegistered));
    Ok(Registered::ToBeProven)
}

/// What the owner of an address is told with which somebody registers again: of an account that is nobody's yet, how to
/// make it theirs.
fn reminder(account: &Account) -> Mail {
    if account.is_pending() { Mail::Invitation } else { Mail::AlreadyRegistered }
}
