//! Where people log in from, as a database of places knows it: written here, in the format that MaxMind documents
//! (<https://maxmind.github.io/MaxMind-DB/>).

use std::{net::Ipv4Addr, time::Duration};

use auth_service::{App, app::StartError};
use rstest::rstest;
use serde_json::{Map, Value, json};
use service_kit::shutdown::Shutdown;

use crate::{
    audit_log::person_with_role,
    support::{Deployment, Engine, Instance},
};

const EMAIL: &str = "kim@example.com";

/// The kinds of values; those from the eighth on are counted from the seventh in a byte of their own.
const EXTENDED: u8 = 0;
const STRING: u8 = 2;
const UINT16: u8 = 5;
const UINT32: u8 = 6;
const MAP: u8 = 7;
const UINT64: u8 = 9;
const ARRAY: u8 = 11;
/// Bytes between the tree of networks and the data.
const SEPARATOR: usize = 16;

/// What a record of the tree leads to.
#[derive(Clone, Copy)]
enum Branch {
    Nothing,
    Node(usize),
    Data(usize),
}

/// A database of these networks of IPv4, with what it tells of each.
fn database(networks: &[(&str, u8, Value)]) -> Vec<u8> {
    let (mut nodes, mut data) = (vec![[Branch::Nothing; 2]], Vec::new());
    for (address, length, told) in networks {
        let bits = u32::from(address.parse::<Ipv4Addr>().unwrap());
        let side = |depth: u8| (bits >> (31 - depth) & 1) as usize;
        let mut at = 0;
        for depth in 0..length - 1 {
            at = match nodes[at][side(depth)] {
                Branch::Node(next) => next,
                Branch::Nothing | Branch::Data(_) => {
                    nodes.push([Branch::Nothing; 2]);
                    let next = nodes.len() - 1;
                    nodes[at][side(depth)] = Branch::Node(next);
                    next
                }
            };
        }
        nodes[at][side(length - 1)] = Branch::Data(data.len());
        encode(told, &mut data);
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for branch in nodes.into_iter().flatten() {
        let record = match branch {
            Branch::Nothing => count,
            Branch::Node(next) => next,
            Branch::Data(offset) => count + SEPARATOR + offset,
        };
        file.extend(&u32::try_from(record).unwrap().to_be_bytes()[1..]);
    }
    file.extend([0; SEPARATOR]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let about = json!({
        "record_size": 24, "ip_version": 4, "database_type": "Test", "languages": ["en"],
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "description": {},
    });
    let about = about.as_object().unwrap();
    file.push(control(MAP, about.len() + 2));
    encode_members(about, &mut file);
    encode(&json!("node_count"), &mut file);
    file.push(control(UINT32, 4));
    file.extend(u32::try_from(count).unwrap().to_be_bytes());
    encode(&json!("build_epoch"), &mut file);
    file.extend([control(EXTENDED, 8), UINT64 - 7]);
    file.extend(1_u64.to_be_bytes());
    file
}

/// A value as the data section holds it; every number is one of 16 bits, and nothing is longer than 28.
fn encode(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::String(text) => {
            to.push(control(STRING, text.len()));
            to.extend(text.as_bytes());
        }
        Value::Number(number) => {
            to.push(control(UINT16, 2));
            to.extend(u16::try_from(number.as_u64().unwrap()).unwrap().to_be_bytes());
        }
        Value::Object(members) => {
            to.push(control(MAP, members.len()));
            encode_members(members, to);
        }
        Value::Array(items) => {
            to.extend([control(EXTENDED, items.len()), ARRAY - 7]);
            items.iter().for_each(|item| encode(item, to));
        }
        Value::Null | Value::Bool(_) => panic!("{value} is not told of places"),
    }
}

fn encode_members(members: &Map<String, Value>, to: &mut Vec<u8>) {
    for (name, value) in members {
        encode(&json!(name), to);
        encode(value, to);
    }
}

/// The byte that says what follows, and how long it is.
fn control(kind: u8, length: usize) -> u8 {
    kind << 5 | u8::try_from(length).ok().filter(|length| *length < 29).unwrap()
}

/// A deployment that knows some places, behind a proxy that tells who calls.
fn well_travelled(engine: Engine) -> Deployment {
    let seoul = json!({"country": {"iso_code": "KR"}, "city": {"names": {"en": "Seoul", "fr": "Séoul"}}});
    let file = database(&[
        ("203.0.113.0", 24, seoul),
        ("198.51.100.0", 25, json!({"country": {"iso_code": "FR", "names": {"en": "France"}}})),
        ("192.0.2.0", 24, json!({"traits": {"note": "a record of another kind"}})),
    ]);
    let deployment = Deployment::new(engine).set("TRUSTED_PROXIES", "127.0.0.1");
    let path = format!("{}/places.mmdb", deployment.get("DATA_DIR"));
    std::fs::write(&path, file).unwrap();
    deployment.set("GEOIP_DB", &path)
}

/// The members `ip_address` and `place` of each row, newest first.
async fn places(caller: &Instance, path: &str) -> Vec<(String, Value)> {
    let answer = caller.get(path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.body["items"].as_array().unwrap().iter();
    items.map(|row| (row["ip_address"].as_str().unwrap().to_owned(), row["place"].clone())).collect()
}

#[rstest]
#[tokio::test]
async fn sessions_and_logins_say_where_from_to_their_owner_and_to_operators(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = well_travelled(engine);
    let api = deployment.start().await;
    let admin = api.bearing(&person_with_role(&deployment, &api, "admin@example.com", "admin").await.access);
    assert_eq!(api.register(EMAIL).await.status, 201);
    let seoul = json!({"country": "KR", "city": "Seoul"});
    let mut expected = Vec::new();
    let mut access = String::new();
    for (address, place) in [
        ("203.0.113.7", seoul.clone()),
        ("198.51.100.1", json!({"country": "FR"})),
        ("198.51.100.200", Value::Null),
        ("192.0.2.1", Value::Null),
        ("2001:db8::1", Value::Null),
        ("203.0.113.255", seoul),
    ] {
        deployment.clock.advance(Duration::from_secs(1));
        access = api.with_header("x-forwarded-for", address).log_in(EMAIL).await.access;
        expected.insert(0, (address.to_owned(), place));
    }
    let own = api.bearing(&access);
    let account = format!("/api/v1/users/{}", own.own_id().await);
    assert_eq!(places(&own, "/api/v1/auth/sessions").await, expected);
    assert_eq!(places(&own, "/api/v1/users/me/login-history").await, expected);
    assert_eq!(places(&admin, &format!("{account}/sessions")).await, expected);
    assert_eq!(places(&admin, &format!("{account}/login-history")).await, expected);
    let held = own.get("/api/v1/users/me/export").await;
    assert_eq!(held.body["login_history"][0].get("place"), None, "what is not held is not handed out");
}

#[tokio::test]
async fn without_a_database_no_place_is_told() {
    let deployment = Deployment::new(Engine::Sqlite);
    let api = deployment.start().await;
    let kim = api.person(EMAIL).await;
    let listed = api.bearing(&kim.access).get("/api/v1/auth/sessions").await;
    assert_eq!(listed.body["items"][0].get("place"), None, "{listed:?}");
}

#[tokio::test]
async fn a_file_that_holds_no_places_keeps_the_service_from_starting() {
    let deployment = Deployment::new(Engine::Sqlite);
    let folder = deployment.get("DATA_DIR").to_owned();
    let broken = format!("{folder}/broken.mmdb");
    std::fs::write(&broken, "no places").unwrap();
    for path in [broken.clone(), format!("{folder}/none.mmdb"), folder.clone()] {
        let mut config = deployment.config();
        config.geoip_db = Some(path.clone().into());
        let Err(StartError::Places(reason)) = App::start(config, deployment.clock.clone(), Shutdown::manual().1).await
        else {
            panic!("{path} was taken")
        };
        assert!(reason.starts_with(&format!("GEOIP_DB: {path} cannot be read")), "{reason}");
        assert_eq!(reason.lines().count(), 1, "{reason}");
    }
}
