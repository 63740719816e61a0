//! People of an Auth0 export: the users' list, the hashes that support hands out, or the form that Auth0 itself imports.

use serde_json::{Map, Value};

use super::row::{Raw, Refusal, closed_if, flag, object, quote, text, time};

/// Reads a user.
pub(super) fn read(members: Map<String, Value>) -> Result<Raw, Refusal> {
    let email = text(&members, "email")?;
    let name = text(&members, "name")?.filter(|name| Some(name) != email.as_ref());
    Ok(Raw {
        username: text(&members, "username")?,
        display_name: name.or(text(&members, "nickname")?),
        password_hash: password(&members)?,
        email_verified: flag(&members, "email_verified")?,
        status: closed_if(flag(&members, "blocked")?),
        created_at: created_at(&members)?,
        email,
        ..Raw::default()
    })
}

fn password(members: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let plain = text(members, "passwordHash")?.or(text(members, "password_hash")?);
    if plain.is_some() || !members.contains_key("custom_password_hash") {
        return Ok(plain);
    }
    let custom = object(members, "custom_password_hash");
    match custom.get("algorithm").and_then(Value::as_str) {
        // These three are given as they are written everywhere; the others in parts that mean something else each.
        Some("bcrypt" | "argon2" | "pbkdf2") => text(&object(&custom, "hash"), "value"),
        other => {
            let name = quote(other.unwrap_or("nothing"));
            Err(Refusal::new("unsupported_hash", format!("hashes of {name:?} cannot be taken over")))
        }
    }
}

/// A time as text, or in MongoDB's form.
fn created_at(members: &Map<String, Value>) -> Result<Option<crate::db::Ts>, Refusal> {
    match members.get("created_at") {
        Some(Value::Object(wrapped)) => time(wrapped, "$date"),
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            time(members, "created_at")
        }
    }
}
