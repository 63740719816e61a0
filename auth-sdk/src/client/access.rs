//! Calls about roles and permissions.

use reqwest::Method;
use uuid::Uuid;

use super::{Api, ClientError};
use crate::{
    ApiKeyFilter, CreatePermission, CreateRole, OwnedApiKey, Page, PageParams, Permission, Role, SetPermissions,
    UpdateRole,
};

impl Api {
    /// All roles.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_roles(&self, page: &PageParams) -> Result<Page<Role>, ClientError> {
        self.query("/api/v1/roles", (&(), page)).await
    }

    /// A role.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn show_role(&self, id: Uuid) -> Result<Role, ClientError> {
        self.get(&format!("/api/v1/roles/{id}")).await
    }

    /// Makes a role.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_role(&self, role: &CreateRole) -> Result<Role, ClientError> {
        self.post("/api/v1/roles", role).await
    }

    /// Changes a role's name or description.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn update_role(&self, id: Uuid, change: &UpdateRole) -> Result<Role, ClientError> {
        self.call(Method::PATCH, &format!("/api/v1/roles/{id}"), Some(change)).await
    }

    /// Gives a role these permissions and no others.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_role_permissions(&self, id: Uuid, permissions: &SetPermissions) -> Result<Role, ClientError> {
        self.call(Method::PUT, &format!("/api/v1/roles/{id}/permissions"), Some(permissions)).await
    }

    /// Deletes a role, also from those who hold it where `force` says so.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_role(&self, id: Uuid, force: Force) -> Result<(), ClientError> {
        let query = match force {
            Force::No => "",
            Force::Yes => "?force=true",
        };
        self.act(Method::DELETE, &format!("/api/v1/roles/{id}{query}"), None::<&()>).await
    }

    /// All permissions.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_permissions(&self, page: &PageParams) -> Result<Page<Permission>, ClientError> {
        self.query("/api/v1/permissions", (&(), page)).await
    }

    /// Makes a permission.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_permission(&self, permission: &CreatePermission) -> Result<Permission, ClientError> {
        self.post("/api/v1/permissions", permission).await
    }

    /// Deletes a permission, from every role.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_permission(&self, id: Uuid) -> Result<(), ClientError> {
        self.act(Method::DELETE, &format!("/api/v1/permissions/{id}"), None::<&()>).await
    }

    /// Everybody's API keys.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_all_api_keys(
        &self,
        filter: &ApiKeyFilter,
        page: &PageParams,
    ) -> Result<Page<OwnedApiKey>, ClientError> {
        self.query("/api/v1/api-keys/all", (filter, page)).await
    }

    /// Revokes somebody's API key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn revoke_user_api_key(&self, owner: Uuid, key: Uuid) -> Result<(), ClientError> {
        self.act(Method::DELETE, &format!("/api/v1/users/{owner}/api-keys/{key}"), None::<&()>).await
    }
}

/// Whether a role is deleted although people hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It is not.
    No,
    /// It is.
    Yes,
}
