//! Closes an account at once and everywhere.

use auth_sdk::UserStatus;
use uuid::Uuid;

use super::{Operator, OperatorError, record};
use crate::{audit::Event, db::Conn, ids::UserId, mail::link, roles, sessions, users, users::Email};

/// Closes the account with this address or id: its sessions end, its tokens are refused. False when it was closed
/// already.
///
/// # Errors
/// [`OperatorError::LastAdministrator`], [`OperatorError::NotFound`].
pub async fn disable(operator: &Operator<'_>, account: &str) -> Result<bool, OperatorError> {
    let now = operator.now();
    let mut tx = operator.db.begin().await?;
    let id = find(&mut tx, account).await?.ok_or_else(|| OperatorError::NotFound(account.to_owned()))?;
    // Two commands at once could each see the other's administrator.
    roles::store::lock(&mut tx).await?;
    if roles::store::is_last_administrator(&mut tx, id).await? {
        return Err(OperatorError::LastAdministrator);
    }
    let closed = users::store::set_status(&mut tx, id, UserStatus::Disabled, now).await?;
    let Some(version) = closed else { return Ok(false) };
    link::end_all(&mut tx, id, now).await?;
    let ended = sessions::store::end_all(&mut tx, id, None, now, "account_disabled").await?;
    let recorder = operator.recorder(now);
    drop(recorder.sessions(&mut tx, &ended).await?.and(recorder.user(&mut tx, id, version).await?));
    record(&mut tx, Event::UserDisabled, id, now).await?;
    tx.commit().await?;
    Ok(true)
}

async fn find(conn: &mut Conn, account: &str) -> Result<Option<UserId>, OperatorError> {
    if let Ok(id) = account.parse::<Uuid>() {
        return Ok(users::store::find(conn, UserId(id)).await?.map(|user| user.id));
    }
    let email = Email::parse(account).map_err(|fault| OperatorError::invalid("EMAIL|ID", &fault))?;
    Ok(users::store::find_id_by_email(conn, &email).await?)
}
