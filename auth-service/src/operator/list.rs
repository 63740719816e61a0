//! Lists accounts for an operator to read.

use super::{
    Operator, OperatorError,
    store::{self, Account},
};
use crate::{
    audit::{self, Event},
    users::search,
};

/// Which accounts.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those whose address, username or name holds this.
    pub search: Option<String>,
    /// Only those who hold this role.
    pub role: Option<String>,
    /// Only those of this status.
    pub status: Option<String>,
    /// How many at most.
    pub limit: u32,
}

/// The accounts that a filter lets through, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(operator: &Operator<'_>, filter: Filter) -> Result<Vec<Account>, OperatorError> {
    let Filter { search, role, status, limit } = filter;
    let search = search.map(|text| format!("%{}%", escape(&search::fold(&text)))).unwrap_or_default();
    let (role, status) = (role.unwrap_or_default(), status.unwrap_or_default());
    let now = operator.now();
    let mut tx = operator.db.begin().await?;
    let accounts = store::list(&mut tx, [&search, &role, &status], i64::from(limit), now).await?;
    let entry = audit::Entry::by_system(Event::UsersListed, None).detail("by", "operator").count(accounts.len());
    entry.record(&mut tx, now).await?;
    tx.commit().await?;
    Ok(accounts)
}

/// What `LIKE` would read as a placeholder stands for itself.
fn escape(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
