//! Gives a person roles.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Permission, Rights, RoleName, store};
use crate::{
    db::{Conn, Ts},
    error::Result,
    fields::{Fault, Fields, parse_time},
    ids::UserId,
};

/// The most roles of one person.
const MAX_ROLES: usize = 30;

/// A role to be given, for good or until then.
#[derive(Clone, Debug)]
pub struct Grant {
    pub role: RoleName,
    pub expires_at: Option<Ts>,
}

/// Takes the member `roles`: names, or objects with `name` and `expires_at`.
pub fn read_grants(fields: &mut Fields, now: Ts) -> Option<Vec<Grant>> {
    let Value::Array(items) = fields.value("roles")? else {
        return fields.refuse("roles", Fault::new("not_a_list", "This must be a list.", "목록이어야 합니다."));
    };
    if items.len() > MAX_ROLES {
        return fields.refuse("roles", Fault::new("too_many", "At most 30 roles.", "역할은 30개를 넘을 수 없습니다."));
    }
    let mut grants = Vec::new();
    for item in items {
        match read_grant(item, now) {
            Ok(grant) => grants.push(grant),
            Err(fault) => return fields.refuse("roles", fault),
        }
    }
    let names: BTreeSet<_> = grants.iter().map(|grant| grant.role.as_str()).collect();
    if names.len() < grants.len() {
        return fields
            .refuse("roles", Fault::new("duplicate", "A role stands twice.", "같은 역할이 두 번 들어 있습니다."));
    }
    Some(grants)
}

fn read_grant(item: Value, now: Ts) -> Result<Grant, Fault> {
    let form = || {
        Fault::new(
            "invalid_role",
            "Write a name, or {\"name\", \"expires_at\"} with a time to come.",
            "역할 이름이나 {\"name\", \"expires_at\"}(미래 시각)을 쓰세요.",
        )
    };
    match item {
        Value::String(name) => Ok(Grant { role: RoleName::parse(&name)?, expires_at: None }),
        Value::Object(mut members) => {
            let (name, expires_at) = (members.remove("name"), members.remove("expires_at"));
            let (Some(Value::String(name)), true) = (name, members.is_empty()) else { return Err(form()) };
            let expires_at = match expires_at {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(parse_time(&text).ok().filter(|at| *at > now).ok_or_else(form)?),
                Some(_) => return Err(form()),
            };
            Ok(Grant { role: RoleName::parse(&name)?, expires_at })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Err(form()),
    }
}

/// Gives a person these roles in place of those they hold; none that permits more than the caller may.
///
/// # Errors
/// [`Error::BeyondOwnRights`], [`Error::Invalid`] for a role that does not exist.
pub async fn assign(tx: &mut Conn, rights: &Rights, user: UserId, grants: &[Grant], now: Ts) -> Result<()> {
    store::clear_roles(tx, user).await?;
    for grant in grants {
        let Some(role) = store::find_by_name(tx, grant.role.as_str()).await? else {
            return Err(Fault::new("unknown_role", "There is no such role.", "없는 역할입니다.").of("roles"));
        };
        let permissions = store::list_permissions_of(tx, role.id).await?;
        rights.cover(&permissions)?;
        if permissions.is_empty() && !role.is_system {
            // It permits nothing here, but a team's own services may go by its name.
            rights.cover(&[Permission::RolesWrite.as_str().to_owned()])?;
        }
        store::grant(tx, user, role.id, grant.expires_at, now).await?;
    }
    Ok(())
}
