//! Makes many accounts: the good ones land, the bad are reported, and nothing is done twice.

use auth_sdk::{BulkResult, User};
use axum::http::StatusCode;
use serde_json::Value;

use super::create::{self, Invited};
use crate::{
    app::App,
    caller::Caller,
    client::Client,
    error::{Error, Result},
    fields::{Fault, Fields},
    mail,
    roles::Rights,
};

/// The most accounts of one call.
const MAX_ITEMS: usize = 1_000;

/// Takes the member `items`.
pub fn read_items(fields: &mut Fields) -> Option<Vec<Value>> {
    let Value::Array(items) = fields.value("items")? else {
        return fields.refuse("items", Fault::new("not_a_list", "This must be a list.", "목록이어야 합니다."));
    };
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        return fields.refuse("items", Fault::new("out_of_range", "1 to 1000 items.", "1개에서 1000개여야 합니다."));
    }
    Some(items)
}

/// Makes an account of each item, and says of each what became of it.
///
/// # Errors
/// [`Error::MailNotConfigured`], or when the database fails: what was made until then stays, and is taken the next time.
pub async fn create_all(app: &App, caller: &Caller, items: Vec<Value>, client: &Client) -> Result<Vec<BulkResult>> {
    mail::require_configured(app)?;
    let mut results = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let outcome = create_one(app, caller, item, client).await;
        results.push(match outcome {
            Ok(user) => BulkResult { index, status: StatusCode::CREATED.as_u16(), user: Some(user), error: None },
            Err(cause @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(cause),
            Err(refusal) => {
                let (status, error) = refusal.into_bulk(client.language);
                BulkResult { index, status: status.as_u16(), user: None, error: Some(error) }
            }
        });
    }
    Ok(results)
}

/// In a transaction of its own: one that is refused for its roles must not take others with it.
async fn create_one(app: &App, caller: &Caller, item: Value, client: &Client) -> Result<User> {
    let Value::Object(members) = item else { return Err(Error::NotAnObject) };
    let invited = Fields::from_members(members).read(|f| Invited::read(f, app, client))?;
    invited.require_recent_proof(app, caller).await?;
    let mut tx = app.db.begin().await?;
    let rights = Rights::lock(app, &mut tx, caller).await?;
    let user = create::insert(app, &mut tx, &rights, invited, (caller, client)).await?;
    tx.commit().await?;
    app.mail.wake();
    Ok(user)
}
