//! People of a Keycloak realm export. Its roles are not taken over: another system's `admin` is not ours.

use data_encoding::{BASE64, BASE64_NOPAD};
use serde_json::{Map, Value};

use super::row::{Raw, Refusal, closed_if, flag, object, text, time};

/// Reads a `UserRepresentation`.
pub(super) fn read(members: Map<String, Value>) -> Result<Raw, Refusal> {
    let email = text(&members, "email")?;
    // Keycloak gives everyone a username, and in many realms it is the address again.
    let username = text(&members, "username")?.filter(|name| !name.contains('@'));
    let names = [text(&members, "firstName")?, text(&members, "lastName")?];
    let locale = object(&members, "attributes").get("locale").and_then(|values| values[0].as_str().map(str::to_owned));
    Ok(Raw {
        email,
        username,
        display_name: Some(names.into_iter().flatten().collect::<Vec<_>>().join(" ")).filter(|name| !name.is_empty()),
        password_hash: password(&members)?,
        email_verified: flag(&members, "emailVerified")?,
        roles: Vec::new(),
        locale: locale.filter(|locale| matches!(locale.as_str(), "ko" | "en")),
        status: closed_if(members.get("enabled").is_some_and(|_| !flag(&members, "enabled").unwrap_or(false))),
        created_at: time(&members, "createdTimestamp")?,
    })
}

fn password(members: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let credentials = members.get("credentials").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let password = credentials
        .iter()
        .filter_map(Value::as_object)
        .find(|one| one.get("type").and_then(Value::as_str) == Some("password"));
    password.map(hash).transpose()
}

/// The hash in PHC form.
fn hash(credential: &Map<String, Value>) -> Result<String, Refusal> {
    let (secret, data) = (object(credential, "secretData"), object(credential, "credentialData"));
    let damaged = || Refusal::new("unsupported_hash", "the credential holds no hash with salt, value and iterations");
    let bytes = |name: &str| {
        let text = secret.get(name).and_then(Value::as_str)?;
        Some(BASE64_NOPAD.encode(&BASE64.decode(text.as_bytes()).ok()?))
    };
    let (salt, value) = (bytes("salt").ok_or_else(damaged)?, bytes("value").ok_or_else(damaged)?);
    let iterations = data.get("hashIterations").and_then(Value::as_u64).ok_or_else(damaged)?;
    let more = object(&data, "additionalParameters");
    let parameter =
        |name: &str, default: &str| more.get(name).and_then(|list| list[0].as_str()).unwrap_or(default).to_owned();
    match data.get("algorithm").and_then(Value::as_str) {
        Some(name @ ("pbkdf2" | "pbkdf2-sha256" | "pbkdf2-sha512")) => {
            Ok(format!("${name}$i={iterations}${salt}${value}"))
        }
        Some("argon2") => {
            let (kind, memory, lanes) =
                (parameter("type", "id"), parameter("memory", "7168"), parameter("parallelism", "1"));
            let version = if parameter("version", "1.3") == "1.0" { 16 } else { 19 };
            Ok(format!("$argon2{kind}$v={version}$m={memory},t={iterations},p={lanes}${salt}${value}"))
        }
        Some(other) => Err(Refusal::new(
            "unsupported_hash",
            format!("hashes of {:?} cannot be verified", super::row::quote(other)),
        )),
        None => Err(damaged()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person(credential: &str, secret: &str) -> Value {
        json!({
            "username": "kim", "email": "kim@example.com", "emailVerified": true, "enabled": false, "firstName": "Dal-rae",
            "lastName": "Kim", "createdTimestamp": 1_714_521_600_000_i64, "attributes": {"locale": ["ko"]},
            "realmRoles": ["admin"],
            "credentials": [{"type": "otp"}, {"type": "password", "credentialData": credential, "secretData": secret}],
        })
    }

    fn raw(person: Value) -> Result<Raw, Refusal> {
        let Value::Object(members) = person else { panic!() };
        read(members)
    }

    #[test]
    fn a_person_is_taken_with_their_hash_and_without_their_roles() {
        let argon2 = r#"{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}"#;
        let taken =
            raw(person(argon2, r#"{"value":"dGFn","salt":"c2FsdA==","additionalParameters":{}}"#)).ok().unwrap();
        assert_eq!(taken.password_hash.as_deref(), Some("$argon2id$v=19$m=7168,t=5,p=1$c2FsdA$dGFn"));
        assert_eq!((taken.display_name.as_deref(), taken.locale.as_deref()), (Some("Dal-rae Kim"), Some("ko")));
        assert!(taken.status == Some(auth_sdk::UserStatus::Disabled) && taken.email_verified && taken.roles.is_empty());
        let pbkdf2 = r#"{"hashIterations":210000,"algorithm":"pbkdf2-sha512"}"#;
        let taken = raw(person(pbkdf2, r#"{"value":"dGFn","salt":"c2FsdA=="}"#)).ok().unwrap();
        assert_eq!(taken.password_hash.as_deref(), Some("$pbkdf2-sha512$i=210000$c2FsdA$dGFn"));
    }

    #[test]
    fn a_hash_of_another_kind_is_told() {
        for (data, secret) in [
            (r#"{"hashIterations":1,"algorithm":"md5"}"#, r#"{"value":"dGFn","salt":"c2FsdA=="}"#),
            (r#"{"algorithm":"pbkdf2"}"#, r#"{"value":"dGFn","salt":"c2FsdA=="}"#),
            (r#"{"hashIterations":1,"algorithm":"pbkdf2"}"#, r#"{"value":"!","salt":"c2FsdA=="}"#),
            ("", ""),
        ] {
            assert_eq!(raw(person(data, secret)).err().unwrap().code, "unsupported_hash", "{data}");
        }
    }
}
