//! Writes every account out, in the form that `users import` reads.

use std::io::Write;

use serde::Serialize;

use super::{
    Operator, OperatorError,
    store::{self, Account},
};
use crate::{
    audit::{self, Event},
    ids::UserId,
};

/// Accounts of one statement.
const PAGE: i64 = 1_000;
const HEADER: &str = "id,email,username,display_name,email_verified,roles,locale,status,created_at,last_login_at";

/// How accounts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A JSON object a line.
    Ndjson,
    /// A header line, then a line each.
    Csv,
}

/// One account as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    id: UserId,
    email: Option<&'a str>,
    username: Option<&'a str>,
    display_name: Option<&'a str>,
    email_verified: bool,
    roles: Vec<&'a str>,
    locale: &'a str,
    status: &'a str,
    created_at: String,
    last_login_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<&'a str>,
}

/// Writes every account, oldest id first, and gives how many there were. Password hashes only where `with_hashes` says
/// so: whoever has them can try passwords at leisure.
///
/// # Errors
/// When the database fails or the output cannot be written.
pub async fn export(
    operator: &Operator<'_>,
    layout: Layout,
    with_hashes: bool,
    output: &mut dyn Write,
) -> Result<u64, OperatorError> {
    let now = operator.now();
    let (mut last, mut count) = (UserId(uuid::Uuid::nil()), 0);
    if layout == Layout::Csv {
        writeln!(output, "{HEADER}{}", if with_hashes { ",password_hash" } else { "" })?;
    }
    // Before the first line is out: who took a copy must not be able to hide it by breaking off.
    let entry = audit::Entry::by_system(Event::UsersExported, None).detail("by", "operator");
    let mut tx = operator.db.begin().await?;
    entry.detail("with_hashes", with_hashes).record(&mut tx, now).await?;
    tx.commit().await?;
    loop {
        let page = store::page(&mut operator.db.read().await?, last, PAGE, now).await?;
        let Some(end) = page.last() else { break };
        last = end.id;
        count += page.len() as u64;
        for account in &page {
            let line = line(account, with_hashes);
            match layout {
                Layout::Ndjson => serde_json::to_writer(&mut *output, &line).map_err(std::io::Error::from)?,
                Layout::Csv => write_csv(output, &line, with_hashes)?,
            }
            output.write_all(b"\n")?;
        }
    }
    output.flush()?;
    Ok(count)
}

fn line(account: &Account, with_hashes: bool) -> Line<'_> {
    Line {
        id: account.id,
        email: account.email.as_deref(),
        username: account.username.as_deref(),
        display_name: account.display_name.as_deref(),
        email_verified: account.email_verified_at.is_some(),
        roles: account.roles().collect(),
        locale: &account.locale,
        status: &account.status,
        created_at: account.created_at.to_string(),
        last_login_at: account.last_login_at.map(|time| time.to_string()),
        password_hash: account.password_hash.as_deref().filter(|_| with_hashes),
    }
}

fn write_csv(output: &mut dyn Write, line: &Line<'_>, with_hashes: bool) -> std::io::Result<()> {
    let (id, roles) = (line.id.0.to_string(), line.roles.join(","));
    let fields = [
        id.as_str(),
        line.email.unwrap_or_default(),
        line.username.unwrap_or_default(),
        line.display_name.unwrap_or_default(),
        if line.email_verified { "true" } else { "false" },
        &roles,
        line.locale,
        line.status,
        &line.created_at,
        line.last_login_at.as_deref().unwrap_or_default(),
    ];
    let hash = with_hashes.then_some(line.password_hash.unwrap_or_default());
    let fields: Vec<String> = fields.into_iter().chain(hash).map(quote).collect();
    output.write_all(fields.join(",").as_bytes())
}

/// A field of CSV (RFC 4180); one that a spreadsheet would take for a formula is made a text by an apostrophe, which the
/// import takes off again.
fn quote(text: &str) -> String {
    let guarded = format!("'{text}");
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { &guarded } else { text };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
