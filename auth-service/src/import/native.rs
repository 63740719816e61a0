//! Our own columns and members, as `users export` writes them.

use auth_sdk::UserStatus;
use serde_json::{Map, Value};

use super::row::{Raw, Refusal, flag, quote, text, time};

/// What a person may have. `id`, `updated_at` and `last_login_at` stand in an export and are not taken: they are made
/// anew.
pub(super) const COLUMNS: [&str; 12] = [
    "email",
    "username",
    "display_name",
    "password_hash",
    "email_verified",
    "roles",
    "locale",
    "status",
    "created_at",
    "id",
    "updated_at",
    "last_login_at",
];

/// Reads the members of a person; one that we do not know refuses them, for whoever wrote it meant something by it.
pub(super) fn read(members: Map<String, Value>) -> Result<Raw, Refusal> {
    if let Some(unknown) = members.keys().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(Refusal::new("unknown_member", format!("there is no member {:?}", quote(unknown))));
    }
    Ok(Raw {
        email: text(&members, "email")?,
        username: text(&members, "username")?,
        display_name: text(&members, "display_name")?,
        password_hash: text(&members, "password_hash")?,
        email_verified: flag(&members, "email_verified")?,
        roles: roles(members.get("roles"))?,
        locale: text(&members, "locale")?,
        status: match text(&members, "status")?.as_deref() {
            None | Some("active") => None,
            Some("disabled") => Some(UserStatus::Disabled),
            Some("pending") => Some(UserStatus::Pending),
            Some(_) => return Err(Refusal::new("invalid_status", "status: write active, disabled or pending")),
        },
        created_at: time(&members, "created_at")?,
    })
}

/// A list of names, or one text of names parted by commas, semicolons or spaces.
fn roles(value: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::new("wrong_type", "roles is no list of names");
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => {
            let names = text.split([',', ';', ' ', '|']).filter(|name| !name.is_empty());
            Ok(names.map(str::to_owned).collect())
        }
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(wrong()),
    }
}
