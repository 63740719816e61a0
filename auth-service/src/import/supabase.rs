//! People of Supabase: rows of its table `auth.users`, of which only these columns matter.

use serde_json::{Map, Value};

use super::row::{Raw, Refusal, closed_if, flag, object, text, time};

/// Reads a row.
pub(super) fn read(members: Map<String, Value>) -> Result<Raw, Refusal> {
    if time(&members, "deleted_at")?.is_some() {
        return Err(Refusal::new("deleted", "the account was deleted there"));
    }
    if flag(&members, "is_anonymous")? {
        return Err(Refusal::new("anonymous", "the account belongs to nobody"));
    }
    let profile = object(&members, "raw_user_meta_data");
    Ok(Raw {
        email: text(&members, "email")?,
        display_name: text(&profile, "full_name")?.or(text(&profile, "name")?),
        password_hash: text(&members, "encrypted_password")?,
        email_verified: time(&members, "email_confirmed_at")?.or(time(&members, "confirmed_at")?).is_some(),
        // Whoever was ever banned there comes closed: their ban may not have ended, and an administrator opens them.
        status: closed_if(time(&members, "banned_until")?.is_some()),
        created_at: time(&members, "created_at")?,
        ..Raw::default()
    })
}
