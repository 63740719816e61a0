//! Who calls: verified at the door, told to the service, and never to be claimed by a client.

use serde_json::{Value, json};

use super::{ROUTES, Site, upstream::values};
use crate::{client::Client, support::Engine};

/// An administrator, who holds every permission there is.
pub async fn administrator(site: &Site) -> Client {
    let made = site.api_place.run(&["users", "create-admin", "--email", "root@example.com"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let password = made.out.lines().find_map(|line| line.strip_prefix("  ")).expect("a password");
    let login = json!({"email": "root@example.com", "password": password});
    let answer = site.api().post("/api/v1/auth/login", login).await;
    site.api().bearing(&answer.text("access_token"))
}

#[tokio::test]
async fn strangers_are_refused_and_callers_are_told_to_the_service() {
    let site = Site::with(ROUTES).await;
    let front = site.front();
    let refused = front.get("/private/x").await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(site.upstream.seen().len(), 0);
    let person = site.api().person("kim@example.com").await;
    let me = site.api().me(&person.access).await;
    assert_eq!(front.bearing(&person.access).get("/private/x").await.status, 200);
    let head = site.upstream.last();
    assert_eq!(values(&head, "x-user-id"), [me.text("id")]);
    assert_eq!(values(&head, "x-user-roles"), ["user"]);
    assert_eq!(values(&head, "x-auth-method"), ["token"]);
    assert_eq!(values(&head, "x-session-id").len(), 1);
    assert_eq!(values(&head, "authorization"), [format!("Bearer {}", person.access)]);
    let forbidden = front.bearing(&person.access).get("/orders/1").await;
    assert_eq!((forbidden.status, forbidden.text("code").as_str()), (403, "forbidden"));
    assert_eq!(front.get("/optional/x").await.status, 200, "nobody in particular");
    assert_eq!(values(&site.upstream.last(), "x-user-id"), [""; 0]);
    assert_eq!(front.bearing(&person.access).get("/optional/x").await.status, 200);
    assert_eq!(values(&site.upstream.last(), "x-user-id"), [me.text("id")]);
}

#[tokio::test]
async fn a_credential_that_is_bad_is_refused_even_where_none_is_needed() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let (head, rest) = person.access.split_once('.').unwrap();
    let forged = format!("{head}.{}", rest.replacen('e', "f", 1));
    let front = site.front();
    for client in [
        front.bearing(&forged),
        front.bearing("nonsense"),
        front.with_header("authorization", "Basic a2ltOnB3"),
        front.bearing(&person.access).with_header("x-api-key", "ask_00000000000000000000000000000000_x"),
        front.with_header("x-api-key", "nonsense"),
    ] {
        let refused = client.get("/optional/x").await;
        assert_eq!((refused.status, refused.text("detail").as_str()), (401, "Invalid token"));
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    assert_eq!(site.upstream.seen().len(), 0);
}

#[tokio::test]
async fn no_spelling_of_our_headers_passes_from_a_client() {
    let site = Site::with(ROUTES).await;
    let mut wire = crate::wire::Wire::connect(site.gateway.port).await;
    wire.send(
        "GET /open/x HTTP/1.1\r\nHost: x\r\nX-User-Id: eve\r\nx-user-id: eve\r\nX_User_Id: eve\r\nX-USER-ROLES: admin\r\n\
         x_user_permissions: all\r\nX.User.Id: eve\r\nX-Session-Id: s\r\nx_session_id: s\r\nX-Auth-Method: token\r\n\
         X-Gateway-Assertion: eve\r\nConnection: close, X-User-Id\r\n\r\n",
    )
    .await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 200 "));
    let head = site.upstream.last().to_lowercase();
    assert!(!head.contains("eve") && !head.contains("admin") && !head.contains("x-auth-method"), "{head}");
    assert!(!head.contains("session"), "{head}");
}

#[tokio::test]
async fn a_client_cannot_list_our_headers_away() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let mut wire = crate::wire::Wire::connect(site.gateway.port).await;
    wire.send(&format!(
        "GET /private/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close, X-User-Id, X-User-Roles, X-Forwarded-For\r\n\r\n",
        person.access
    ))
    .await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 200 "));
    let head = site.upstream.last();
    for name in ["x-user-id", "x-user-roles", "x-forwarded-for"] {
        assert_eq!(values(&head, name).len(), 1, "{name} {head}");
    }
}

#[tokio::test]
async fn an_api_key_is_resolved_once_and_carries_its_scopes() {
    let site = Site::on(Engine::Postgres, ROUTES).await;
    let admin = administrator(&site).await;
    let made = admin.post("/api/v1/api-keys", json!({"name": "ci", "scopes": ["users:read"]})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let key = made.text("key");
    let front = site.front().with_header("x-api-key", &key);
    for _ in 0..5 {
        assert_eq!(front.get("/private/x").await.status, 200);
    }
    let head = site.upstream.last();
    assert_eq!(values(&head, "x-auth-method"), ["api_key"]);
    assert_eq!(values(&head, "x-user-permissions"), ["users:read"]);
    assert_eq!(values(&head, "x-session-id"), [""; 0]);
    assert_eq!(front.get("/orders/1").await.status, 403);
    assert_eq!(site.front().bearing(&key).get("/private/x").await.status, 200, "a key may also be a bearer");
    let id = made.body["id"].as_str().unwrap();
    let revoked =
        crate::client::Answer::of(admin.request(reqwest::Method::DELETE, &format!("/api/v1/api-keys/{id}"))).await;
    assert_eq!(revoked.unwrap().status, 204);
    site.gateway.program.until("the key is refused", async || front.get("/private/x").await.status == 401).await;
}

#[tokio::test]
async fn a_permission_opens_its_route() {
    let site = Site::with(&ROUTES.replace("orders:read", "users:read")).await;
    let admin = administrator(&site).await;
    let token = admin.get("/api/v1/users/me").await;
    assert!(token.body["permissions"].as_array().unwrap().contains(&Value::from("users:read")));
    let answer = site.front().clone();
    let bearer = admin_header(&admin);
    assert_eq!(answer.with_header("authorization", &bearer).get("/orders/7?x=1").await.status, 200);
    assert!(site.upstream.last().starts_with("GET /7?x=1 HTTP/1.1"), "the prefix is stripped");
}

fn admin_header(admin: &Client) -> String {
    let request = admin.request(reqwest::Method::GET, "/").build().unwrap();
    request.headers()["authorization"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_shared_secret_must_be_given_to_the_gateway_and_then_verifies() {
    let secret = "0123456789abcdef0123456789abcdef0123456789abcdef";
    let api_place = crate::support::Workplace::on(Engine::Sqlite)
        .set("JWT_ALGORITHM", "HS256")
        .set("JWT_SECRET_KEY", secret)
        .set("GATEWAY_FEED_TOKEN", super::FEED_TOKEN);
    let api = api_place.spawn(&["service"]);
    api.until_ready().await;
    let upstream = super::upstream::Upstream::start().await;
    let place = super::Gateway::place(&[api_place.port], &ROUTES.replace("UPSTREAM", &upstream.url()));
    let place = place.set("JWT_ALGORITHM", "HS256").set("JWT_SECRET_KEY", secret);
    let gateway = super::Gateway::start_in(place).await;
    let person = api.client.person("kim@example.com").await;
    assert_eq!(gateway.client.bearing(&person.access).get("/private/x").await.status, 200);
}
