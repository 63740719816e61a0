//! What each provider says of a person, read from its own form. Every member may be absent unless it identifies.

use serde_json::Value;

use super::identity::Claims;

/// The longest subject, bytes (OpenID Connect Core section 2).
const SUBJECT_LONGEST: usize = 255;
/// The longest address, bytes (RFC 5321 section 4.5.3.1.3).
const EMAIL_LONGEST: usize = 254;

/// Who somebody is at the provider, and what else it says.
pub type Described = (String, Claims);

/// Reads the claims of an ID token or of a userinfo answer (OpenID Connect Core 5.1).
#[must_use]
pub fn of_openid(raw: &Value) -> Option<Described> {
    let subject = kept(raw, "sub", SUBJECT_LONGEST)?;
    let claims = Claims {
        email: kept(raw, "email", EMAIL_LONGEST),
        email_verified: is_true(raw.get("email_verified")),
        name: text(raw, "name").or_else(|| text(raw, "nickname")),
        picture: text(raw, "picture"),
        raw: raw.clone(),
    };
    Some((subject, claims))
}

/// Reads `GET /v2/user/me` of Kakao. An address counts when it is valid, which is lost when another member takes it, and
/// verified.
#[must_use]
pub fn of_kakao(raw: &Value) -> Option<Described> {
    let subject = number(raw, "id")?;
    let account = raw.get("kakao_account").unwrap_or(&Value::Null);
    let profile = account.get("profile").unwrap_or(&Value::Null);
    let is_default = is_true(profile.get("is_default_image"));
    let claims = Claims {
        email: kept(account, "email", EMAIL_LONGEST),
        email_verified: is_true(account.get("is_email_valid")) && is_true(account.get("is_email_verified")),
        name: text(profile, "nickname").or_else(|| text(account, "name")),
        picture: text(profile, "profile_image_url").filter(|_| !is_default),
        raw: raw.clone(),
    };
    Some((subject, claims))
}

/// Reads `GET /v1/nid/me` of Naver, which succeeds by `resultcode` and not by status. People give their address there as
/// they like, so it is never verified.
#[must_use]
pub fn of_naver(raw: &Value) -> Option<Described> {
    if raw.get("resultcode").and_then(Value::as_str) != Some("00") {
        return None;
    }
    let response = raw.get("response")?;
    let claims = Claims {
        email: kept(response, "email", EMAIL_LONGEST),
        email_verified: false,
        name: text(response, "nickname").or_else(|| text(response, "name")),
        picture: text(response, "profile_image"),
        raw: response.clone(),
    };
    Some((kept(response, "id", SUBJECT_LONGEST)?, claims))
}

/// Reads `GET /user` of GitHub and, where they may be seen, `GET /user/emails`: of the addresses the primary one.
#[must_use]
pub fn of_github(raw: &Value, emails: Option<&Value>) -> Option<Described> {
    let subject = number(raw, "id")?;
    let primary =
        emails.and_then(Value::as_array).and_then(|emails| emails.iter().find(|email| is_true(email.get("primary"))));
    let (email, email_verified) = match primary {
        Some(primary) => (kept(primary, "email", EMAIL_LONGEST), is_true(primary.get("verified"))),
        // The public one may be anybody's.
        None => (kept(raw, "email", EMAIL_LONGEST), false),
    };
    let claims = Claims {
        email,
        email_verified,
        name: text(raw, "name").or_else(|| text(raw, "login")),
        picture: text(raw, "avatar_url"),
        raw: raw.clone(),
    };
    Some((subject, claims))
}

fn text(of: &Value, name: &str) -> Option<String> {
    of.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A text that is stored as it stands: of a column's length, and without the NUL that PostgreSQL cannot hold.
fn kept(of: &Value, name: &str, longest: usize) -> Option<String> {
    text(of, name).filter(|text| text.len() <= longest && !text.chars().any(char::is_control))
}

/// A number of 64 bits as its digits. One that was read as a float has lost some, and would be somebody else's.
fn number(of: &Value, name: &str) -> Option<String> {
    let number = of.get(name)?;
    number.as_u64().map(|number| number.to_string()).or_else(|| number.as_i64().map(|number| number.to_string()))
}

/// Apple writes `"true"`.
fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text == "true",
        Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_id_of_kakao_keeps_every_digit() {
        let raw: Value = serde_json::from_str(r#"{"id":9007199254740993}"#).unwrap();
        let (subject, claims) = of_kakao(&raw).unwrap();
        assert_eq!((subject.as_str(), claims.email, claims.name), ("9007199254740993", None, None));
        for raw in [json!({}), json!({"id": 1.5}), json!({"id": 1e30}), json!({"id": "1"}), json!({"id": null})] {
            assert!(of_kakao(&raw).is_none(), "{raw}");
        }
    }

    #[test]
    fn an_address_of_kakao_counts_when_it_is_valid_and_verified() {
        let verified = |account: Value| of_kakao(&json!({"id": 1, "kakao_account": account})).unwrap().1.email_verified;
        let email = "kim@example.com";
        assert!(verified(json!({"email": email, "is_email_valid": true, "is_email_verified": true})));
        for account in [
            json!({"email": email, "is_email_valid": true, "is_email_verified": false}),
            json!({"email": email, "is_email_valid": false, "is_email_verified": true}),
            json!({"email": email, "is_email_verified": true}),
            json!({"email": email, "is_email_valid": true}),
            json!({"email": email, "is_email_valid": 1, "is_email_verified": "yes"}),
            json!(null),
        ] {
            assert!(!verified(account.clone()), "{account}");
        }
    }

    #[test]
    fn naver_succeeds_by_its_result_code_alone_and_verifies_no_address() {
        let answer = |code: &str| json!({"resultcode": code, "response": {"id": "abc", "email": "kim@naver.com"}});
        let (subject, claims) = of_naver(&answer("00")).unwrap();
        assert_eq!((subject.as_str(), claims.email_verified), ("abc", false));
        assert!(of_naver(&answer("024")).is_none());
        assert!(of_naver(&json!({"response": {"id": "abc"}})).is_none());
        assert!(of_naver(&json!({"resultcode": "00"})).is_none());
    }

    #[test]
    fn of_the_addresses_at_github_the_primary_one_counts() {
        let user = json!({"id": 583_231, "login": "octocat", "email": "public@example.com"});
        let emails = json!([
            {"email": "old@example.com", "primary": false, "verified": true},
            {"email": "kim@example.com", "primary": true, "verified": true},
        ]);
        let (subject, claims) = of_github(&user, Some(&emails)).unwrap();
        assert_eq!((subject.as_str(), claims.email.as_deref()), ("583231", Some("kim@example.com")));
        assert!(claims.email_verified);
        let (_, claims) = of_github(&user, None).unwrap();
        assert_eq!((claims.email.as_deref(), claims.email_verified), (Some("public@example.com"), false));
    }

    #[test]
    fn apple_says_true_in_a_text() {
        let (_, claims) = of_openid(&json!({"sub": "a", "email": "k@example.com", "email_verified": "true"})).unwrap();
        assert!(claims.email_verified);
        let (_, claims) = of_openid(&json!({"sub": "a", "email": "k@example.com", "email_verified": "false"})).unwrap();
        assert!(!claims.email_verified);
        assert!(of_openid(&json!({"sub": ""})).is_none());
    }
}
