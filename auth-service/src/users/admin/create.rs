//! Makes an account for somebody else, who chooses its password through an invitation.

use auth_sdk::{User, UserStatus};

use crate::{
    app::App,
    audit::Event,
    caller::Caller,
    client::Client,
    db::Conn,
    error::{Error, Result},
    fields::Fields,
    ids::UserId,
    mail::{self, Mail, Recipient},
    roles::{self, DEFAULT_ROLE, Grant, Rights},
    users::{
        DisplayName, Email, Locale, Profile, Username, http,
        store::{self, Inserted, NewUser},
    },
};

/// An account to be made for somebody.
pub struct Invited {
    email: Email,
    username: Option<Username>,
    display_name: Option<DisplayName>,
    locale: Locale,
    /// What they are to hold; the default role when nothing is said.
    grants: Option<Vec<Grant>>,
}

impl Invited {
    /// Takes the members of a body.
    pub fn read(f: &mut Fields, app: &App, client: &Client) -> Option<Self> {
        let email = f.required("email", Email::parse);
        let username = f.optional("username", Username::parse);
        let display_name = f.optional("display_name", DisplayName::parse);
        let locale = f.optional("locale", Locale::parse);
        let grants = if f.has("roles") { roles::read_grants(f, app.now()).map(Some) } else { Some(None) };
        Some(Self {
            email: email?,
            username: username?,
            display_name: display_name?,
            locale: locale?.unwrap_or(http::spoken(client.language)),
            grants: grants?,
        })
    }

    /// Rights are given by an invitation as they are by a change of roles, and as hard to take back once used.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`], or when the database fails.
    pub async fn require_recent_proof(&self, app: &App, caller: &Caller) -> Result<()> {
        let gives_rights = self.grants.iter().flatten().any(|grant| grant.role.as_str() != DEFAULT_ROLE);
        if gives_rights { caller.require_recent_proof(app).await } else { Ok(()) }
    }
}

/// Makes an account.
///
/// # Errors
/// [`Error::EmailTaken`], [`Error::UsernameTaken`], [`Error::BeyondOwnRights`], [`Error::ReauthenticationRequired`],
/// [`Error::Invalid`] for a role that does not exist, [`Error::MailNotConfigured`].
pub async fn create(app: &App, caller: &Caller, invited: Invited, client: &Client) -> Result<User> {
    invited.require_recent_proof(app, caller).await?;
    mail::require_configured(app)?;
    let mut tx = app.db.begin().await?;
    let rights = Rights::lock(app, &mut tx, caller).await?;
    let user = insert(app, &mut tx, &rights, invited, (caller, client)).await?;
    tx.commit().await?;
    app.mail.wake();
    Ok(user)
}

/// Makes an account in a transaction, which is to be given up when this fails with anything but a name that is taken.
pub(super) async fn insert(
    app: &App,
    tx: &mut Conn,
    rights: &Rights,
    invited: Invited,
    (caller, client): (&Caller, &Client),
) -> Result<User> {
    let now = app.now();
    let Invited { email, username, display_name, locale, grants } = invited;
    let id = UserId(app.entropy.uuid(now));
    let to = Recipient { user: id, email: email.as_str().to_owned(), locale };
    let status = UserStatus::Pending;
    let user = NewUser { id, email: Some(email), username, display_name, locale, password_hash: None, status };
    match store::insert(tx, &user, now).await? {
        Inserted::Yes => {}
        Inserted::EmailTaken => return Err(Error::EmailTaken),
        Inserted::UsernameTaken => return Err(Error::UsernameTaken),
    }
    if let Some(grants) = grants {
        roles::assign(tx, rights, id, &grants, now).await?;
    } else {
        rights.cover_user(tx, id, now).await?;
    }
    mail::queue(tx, &to, Mail::Invitation, now).await?;
    super::record(app, tx, Event::UserCreated, caller, (id, client)).await?;
    Ok(Profile::find(tx, id, now).await?.ok_or(Error::NotFound)?.user)
}
