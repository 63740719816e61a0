//! What upstreams are told, and what clients cannot tell them.

use proptest::prelude::*;

use super::super::KeyGrant;
use super::super::headers::{is_identity, set, strip};
use super::*;

fn name(text: &str) -> HeaderName {
    HeaderName::from_bytes(text.as_bytes()).unwrap()
}

async fn session(claims: AccessClaims) -> Caller {
    let world = World::ready().await;
    let token = world.key.sign(&claims).unwrap();
    world.identify(&bearer(&token)).await.unwrap().unwrap()
}

#[test]
fn every_spelling_of_an_identity_header_counts() {
    for text in [
        "x-user-id",
        "X-USER-ID",
        "x_user_id",
        "X_User-Id",
        "x.user.id",
        "x~user~roles",
        "x-user-permissions",
        "x-user-anything",
        "x-user-",
        "x-session-id",
        "x_session_id",
        "X.Session!Id",
        "x-auth-method",
        "x|auth`method",
        "x-gateway-assertion",
        "X_GATEWAY_ASSERTION",
    ] {
        assert!(is_identity(&name(text)), "{text}");
    }
    for text in [
        "x",
        "x-user",
        "x-users-id",
        "xx-user-id",
        "user-id",
        "x-session-id-2",
        "x-session",
        "x-auth-methods",
        "accept",
        "x-request-id",
        "x-forwarded-for",
        "authorization",
        "xuser-id",
        "_x-user-id",
    ] {
        assert!(!is_identity(&name(text)), "{text}");
    }
}

#[test]
fn what_a_client_says_of_itself_is_stripped_and_the_rest_stays() {
    let mut headers = HeaderMap::new();
    for (text, value) in [
        ("x_user_id", "1"),
        ("X-USER-ID", "2"),
        ("x.user.id", "3"),
        ("x-user-id", "4"),
        ("x-session-id", "5"),
        ("accept", "a"),
        ("accept", "b"),
        ("x-request-id", "c"),
    ] {
        headers.append(name(text), HeaderValue::from_static(value));
    }
    strip(&mut headers);
    let mut left: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    left.sort();
    assert_eq!(left, ["accept: a", "accept: b", "x-request-id: c"]);
}

#[tokio::test]
async fn upstreams_are_told_who_calls() {
    let caller = session(claims()).await;
    let mut headers = HeaderMap::new();
    set(&mut headers, &caller);
    let expected = [
        ("x-user-id", "00000000-0000-0000-0000-000000000001"),
        ("x-user-roles", "user,manager"),
        ("x-user-permissions", "orders:read,orders:write"),
        ("x-session-id", "00000000-0000-0000-0000-000000000003"),
        ("x-auth-method", "token"),
    ];
    assert_eq!(headers.len(), expected.len());
    for (name, value) in expected {
        assert_eq!(headers[name], value);
    }
}

#[tokio::test]
async fn an_api_key_has_no_session() {
    let grant = KeyGrant {
        key_id: Uuid::from_u128(7),
        user_id: USER,
        roles: Vec::new(),
        permissions: vec!["orders:read".to_owned()],
        expires_at: NOW,
        rate_limit: None,
        as_of: Default::default(),
        headers: Default::default(),
    };
    let mut headers = HeaderMap::new();
    set(&mut headers, &Caller::ApiKey(Arc::new(grant)));
    assert_eq!(
        (&headers["x-auth-method"], &headers["x-user-roles"]),
        (&HeaderValue::from_static("api_key"), &HeaderValue::from_static(""))
    );
    assert!(!headers.contains_key("x-session-id"));
}

#[tokio::test]
async fn names_cannot_end_a_header_or_add_to_the_list() {
    let roles = ["a,admin", "b\r\nx-user-id: 1", "관리자", "100%", "c d", ""].map(str::to_owned).to_vec();
    let caller = session(AccessClaims { roles, ..claims() }).await;
    let mut headers = HeaderMap::new();
    set(&mut headers, &caller);
    let expected = "a%2Cadmin,b%0D%0Ax-user-id:%201,%EA%B4%80%EB%A6%AC%EC%9E%90,100%25,c%20d,";
    assert_eq!(headers["x-user-roles"], expected);
}

proptest! {
    #[test]
    fn whatever_is_set_is_stripped_in_any_spelling(which in 0..5_usize, separators in prop::collection::vec("[-_.~!#$%&'*+^`|]", 2)) {
        let spelt = ["x-user-id", "x-user-roles", "x-user-permissions", "x-session-id", "x-auth-method"][which];
        let mut parts = spelt.split('-');
        let mut text = parts.next().unwrap().to_owned();
        for (separator, part) in separators.iter().zip(parts) {
            text.push_str(separator);
            text.push_str(part);
        }
        prop_assert!(is_identity(&name(&text)), "{}", text);
    }
}
