//! Roles and permissions: who may do what, and changing it.

pub mod delete;
pub mod describe;
pub mod grant;
pub mod matrix;
pub mod new;
pub mod permissions;

use auth_sdk::{HeldGrant, PageParams, Permission, Role, client::Api};
use uuid::Uuid;

use crate::{
    failure::{Failure, Result},
    frame::Frame,
};

/// The role that permits everything there is, and so cannot be made to permit less.
const ADMIN: &str = "admin";
/// Descriptions that roles came with: until somebody writes another, they are said in the language of the page.
const AS_SHIPPED: [(&str, &str); 3] =
    [(ADMIN, "Everything"), ("manager", "Reads and writes users and reads roles"), ("user", "Nothing beyond oneself")];

/// Permissions of one resource: `users` of `users:read` and `users:write`.
pub struct Resource {
    pub name: String,
    pub permissions: Vec<Permission>,
}

/// Every permission, by resource.
pub async fn read_resources(api: &Api) -> Result<Vec<Resource>> {
    Ok(group(read_permissions(api).await?))
}

/// Every permission: there are no more than fit into a token.
pub async fn read_permissions(api: &Api) -> Result<Vec<Permission>> {
    let mut all = Vec::new();
    let mut page = PageParams { limit: Some(100), cursor: None };
    loop {
        let read = api.list_permissions(&page).await?;
        all.extend(read.items);
        match read.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(all),
        }
    }
}

/// What a role is for.
pub fn about_role(frame: &Frame, role: &Role) -> String {
    about(frame, &role.name, &role.description)
}

/// The same of a role that somebody holds.
pub fn about_grant(frame: &Frame, grant: &HeldGrant) -> String {
    about(frame, &grant.name, &grant.description)
}

/// What a permission is for: of those that the service itself asks for, in the language of the page.
pub fn about_permission(frame: &Frame, permission: &Permission) -> String {
    let told = frame.name("about", &permission.name);
    if permission.is_system && told != permission.name { told } else { frame.apart(&permission.description) }
}

fn about(frame: &Frame, name: &str, description: &str) -> String {
    let is_shipped = AS_SHIPPED.contains(&(name, description));
    if is_shipped { frame.t(&format!("about-role-{name}")) } else { frame.apart(description) }
}

/// The id of a role or permission in an address.
fn parse_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Failure::NotFound)
}

/// Whether a role permits this.
fn permits(role: &Role, permission: &str) -> bool {
    role.permissions.iter().any(|held| held == permission)
}

/// Whether what a role permits can be changed.
fn is_open(role: &Role) -> bool {
    role.name != ADMIN
}

fn group(permissions: Vec<Permission>) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    for permission in permissions {
        let name = permission.name.split_once(':').map_or(permission.name.as_str(), |(resource, _)| resource);
        match resources.iter_mut().find(|resource| resource.name == name) {
            Some(resource) => resource.permissions.push(permission),
            None => resources.push(Resource { name: name.to_owned(), permissions: vec![permission] }),
        }
    }
    resources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_stand_with_those_of_their_resource() {
        let permission = |name: &str| Permission {
            id: Uuid::nil(),
            name: name.to_owned(),
            description: String::new(),
            is_system: false,
        };
        let names = ["order-lines:read", "orders:read", "order-lines:write", "orders:write"];
        let grouped = group(names.map(permission).into());
        let seen: Vec<(&str, Vec<&str>)> = grouped
            .iter()
            .map(|resource| (resource.name.as_str(), resource.permissions.iter().map(|p| p.name.as_str()).collect()))
            .collect();
        assert_eq!(
            seen,
            [
                ("order-lines", vec!["order-lines:read", "order-lines:write"]),
                ("orders", vec!["orders:read", "orders:write"])
            ]
        );
    }
}
