//! A deployment with somebody in every role, and what tests of administration ask of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Engine, Instance, PASSWORD, Person};

/// Everybody's e-mail address begins with what they are.
pub const ADMIN: &str = "admin@example.com";
pub const MANAGER: &str = "manager@example.com";
pub const USER: &str = "user@example.com";

/// An instance, and an administrator, a manager and a user who are logged in to it.
pub struct Team {
    pub deployment: Deployment,
    pub api: Instance,
    pub admin: Instance,
    pub manager: Instance,
    pub user: Person,
    pub user_id: String,
}

impl Team {
    pub async fn new(engine: Engine) -> Self {
        Self::of(Deployment::new(engine)).await
    }

    pub async fn of(deployment: Deployment) -> Self {
        let api = deployment.start().await;
        let admin = deployment.person_as(&api, ADMIN, "admin").await;
        let manager = deployment.person_as(&api, MANAGER, "manager").await;
        let user = api.person(USER).await;
        let user_id = api.me(&user.access).await.text("id");
        Self {
            admin: api.bearing(&admin.access),
            manager: api.bearing(&manager.access),
            deployment,
            api,
            user,
            user_id,
        }
    }

    /// The path of the user's account.
    pub fn user_path(&self) -> String {
        format!("/api/v1/users/{}", self.user_id)
    }
}

impl Deployment {
    /// Registers somebody, gives them a role behind the service's back, and logs them in.
    pub async fn person_as(&self, api: &Instance, email: &str, role: &str) -> Person {
        assert_eq!(api.register(email).await.status, 201);
        let granted = self
            .change(&format!(
                "INSERT INTO user_roles (user_id, role_id, granted_at)
                 SELECT users.id, roles.id, users.created_at FROM users CROSS JOIN roles
                 WHERE users.email = '{email}' AND roles.name = '{role}'"
            ))
            .await;
        assert_eq!(granted, 1);
        api.log_in(email).await
    }
}

impl Instance {
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, body).await
    }

    /// The id of whoever this client is.
    pub async fn own_id(&self) -> String {
        self.get("/api/v1/users/me").await.text("id")
    }

    /// An API key of whoever this client is, as a client that sends it.
    pub async fn key_client(&self, api: &Self, scopes: &[&str]) -> Self {
        let made = self.post("/api/v1/api-keys", json!({"name": "key", "scopes": scopes})).await;
        assert_eq!(made.status, 201, "{made:?}");
        api.with_header("x-api-key", &made.text("key"))
    }

    /// Logs somebody in with the password that everybody has.
    pub async fn bearing_as(&self, email: &str) -> Self {
        let login = self.login(email, PASSWORD).await;
        assert_eq!(login.status, 200, "{login:?}");
        self.bearing(&login.text("access_token"))
    }
}
