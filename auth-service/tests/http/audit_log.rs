//! GET /api/v1/audit-logs and GET /api/v1/audit-logs/export

use data_encoding::BASE64URL_NOPAD;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Engine, Instance, PASSWORD, Person};

const LOGS: &str = "/api/v1/audit-logs";

/// A person with a role, who has logged in since it was given.
pub async fn person_with_role(deployment: &Deployment, api: &Instance, email: &str, role: &str) -> Person {
    assert_eq!(api.register(email).await.status, 201);
    let grant = format!(
        "INSERT INTO user_roles (user_id, role_id, granted_at)
         SELECT users.id, roles.id, users.created_at FROM users CROSS JOIN roles
         WHERE users.email = '{email}' AND roles.name = '{role}'"
    );
    assert_eq!(deployment.change(&grant).await, 1);
    api.log_in(email).await
}

async fn auditor(deployment: &Deployment, api: &Instance) -> Instance {
    let admin = person_with_role(deployment, api, "admin@example.com", "admin").await;
    api.bearing(&admin.access)
}

fn events(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().iter().map(|item| item["event"].as_str().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn an_entry_says_who_did_what_to_whom_and_from_where(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await.with_header("user-agent", "curl/8.5.0");
    let admin = auditor(&deployment, &api).await;
    let kim = api.with_header("x-request-id", "the-login").person("kim@example.com").await;
    let id = api.me(&kim.access).await.text("id");
    deployment.is_sealed().await;
    let answer = admin.get(&format!("{LOGS}?request_id=the-login&event=logged_in")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.body["next_cursor"], &answer.body["total"]), (&Value::Null, &json!(1)));
    let entry = &answer.body["items"][0];
    assert_eq!(entry["hash"].as_str().unwrap().len(), 64);
    let expected = json!({
        "id": entry["id"], "at": "2026-01-01T00:00:00Z", "event": "logged_in", "outcome": "done",
        "actor": {"type": "user", "id": id}, "target": {"type": "user", "id": id},
        "ip_address": "127.0.0.1", "user_agent": "curl/8.5.0", "browser": "HTTP Library", "request_id": "the-login",
        "details": {"session_id": kim.session, "way": "password"}, "seq": entry["seq"], "hash": entry["hash"],
    });
    assert_eq!(*entry, expected);
}

#[rstest]
#[tokio::test]
async fn every_filter_leaves_what_it_names(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let admin = auditor(&deployment, &api).await;
    let admin_id = admin.get("/api/v1/users/me").await.text("id");
    deployment.clock.advance(std::time::Duration::from_secs(60));
    let kim = api.person("kim@example.com").await;
    let kim_id = api.me(&kim.access).await.text("id");
    assert_eq!(api.login("kim@example.com", "wrong").await.status, 401);
    assert_eq!(api.login("nobody@example.com", "wrong").await.status, 401);
    let filtered = async |query: &str| {
        let answer = admin.get(&format!("{LOGS}?{query}")).await;
        let mut names: Vec<_> = events(&answer).iter().map(|&event| event.to_owned()).collect();
        // The clock stands still, and of one instant the order is anybody's.
        names.sort_unstable();
        names
    };
    let of_kim = ["logged_in", "login_failed", "user_registered"];
    assert_eq!(filtered(&format!("actor={kim_id}")).await, ["logged_in", "user_registered"], "who failed is not known");
    assert_eq!(filtered(&format!("target={kim_id}")).await, of_kim);
    assert_eq!(filtered(&format!("target={kim_id}&outcome=refused")).await, ["login_failed"]);
    assert_eq!(
        filtered(&format!("actor={kim_id}&event=logged_in&outcome=done&ip_address=127.0.0.1")).await,
        ["logged_in"]
    );
    assert_eq!(filtered("outcome=refused").await, ["login_failed", "login_failed"]);
    assert_eq!(filtered("event=login_failed").await.len(), 2);
    assert_eq!(filtered("event=user_registered").await.len(), 2);
    assert_eq!(filtered("to=2026-01-01T00:01:00Z").await, ["logged_in", "user_registered"], "before, not at");
    assert_eq!(filtered("from=2026-01-01T00:01:00Z&event=logged_in").await, ["logged_in"], "at, too");
    assert_eq!(filtered(&format!("from=2026-01-01T00:00:30Z&actor={admin_id}&event=logged_in")).await, [""; 0]);
    assert_eq!(filtered("ip_address=203.0.113.7").await, [""; 0]);
    assert_eq!(filtered("ip_address=::1").await, [""; 0]);
    assert_eq!(filtered("request_id=nothing").await, [""; 0]);
    assert_eq!(filtered("event=audit_read&limit=100").await.len(), 14, "each reading is an event, this one too");
}

#[rstest]
#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let admin = auditor(&deployment, &api).await;
    deployment.write_entries(250).await;
    let (mut seen, mut query) = (Vec::new(), "event=logged_in&limit=100".to_owned());
    loop {
        let answer = admin.get(&format!("{LOGS}?{query}")).await;
        let items = answer.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| (item["at"].as_str().unwrap().to_owned(), item["id"].to_string())));
        match answer.body["next_cursor"].as_str() {
            Some(cursor) => query = format!("event=logged_in&limit=100&cursor={cursor}"),
            None => break,
        }
        assert_eq!(answer.body["total"], Value::Null);
    }
    assert_eq!(seen.len(), 251);
    let mut sorted = seen.clone();
    sorted.sort_by(|a, b| b.0.parse::<jiff::Timestamp>().unwrap().cmp(&a.0.parse().unwrap()).then(b.1.cmp(&a.1)));
    sorted.dedup();
    assert_eq!(seen, sorted);
}

#[rstest]
#[case("limit=0", "limit", "out_of_range")]
#[case("limit=101", "limit", "out_of_range")]
#[case("cursor=", "cursor", "invalid_cursor")]
#[case("cursor=AAAA", "cursor", "invalid_cursor")]
#[case("event=", "event", "malformed")]
#[case("event=LOGGED-IN", "event", "malformed")]
#[case("outcome=maybe", "outcome", "unknown_outcome")]
#[case("actor=me", "actor", "invalid_id")]
#[case("target=1", "target", "invalid_id")]
#[case("ip_address=localhost", "ip_address", "invalid_address")]
#[case("request_id=a%20b", "request_id", "malformed")]
#[case("from=yesterday", "from", "invalid_time")]
#[case("to=2026-02-30", "to", "invalid_time")]
#[case("sort=at", "sort", "unknown")]
#[case("event=a&event=b", "event", "duplicate")]
#[tokio::test]
async fn what_is_no_filter_is_refused(#[case] query: &str, #[case] field: &str, #[case] code: &str) {
    let deployment = Deployment::new(Engine::Sqlite);
    let api = deployment.start().await;
    let answer = auditor(&deployment, &api).await.get(&format!("{LOGS}?{query}")).await;
    assert_eq!((answer.status, answer.faults()), (422, vec![(field, code)]), "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn times_and_cursors_that_no_calendar_knows_are_no_fault_of_ours(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let admin = auditor(&deployment, &api).await;
    for query in ["from=-009999-01-02T01:59:59Z", "to=-009999-01-02T01:59:59Z", "to=9999-12-30T22:00:00.999999999Z"] {
        assert_eq!(admin.get(&format!("{LOGS}?{query}")).await.status, 200, "{query}");
    }
    for micros in ["-9223372036854775808", "9223372036854775807", "-210866803200000001", "253402300800000000", "1.5"] {
        let forged = format!("-at 00000000-0000-0000-0000-000000000007 @{micros}");
        let cursor = BASE64URL_NOPAD.encode(forged.as_bytes());
        let answer = admin.get(&format!("{LOGS}?cursor={cursor}")).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_query"), "{micros}: {answer:?}");
    }
    let text = BASE64URL_NOPAD.encode(b"-at 00000000-0000-0000-0000-000000000007 =text");
    let answer = admin.get(&format!("{LOGS}?cursor={text}")).await;
    assert_eq!(answer.status, 422, "a key of another kind: {answer:?}");
}

#[rstest]
#[tokio::test]
async fn only_who_may_read_the_log_reads_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let admin = auditor(&deployment, &api).await;
    let manager = person_with_role(&deployment, &api, "manager@example.com", "manager").await;
    let user = api.person("kim@example.com").await;
    let key = async |scopes: Value| {
        let made = admin.post("/api/v1/api-keys", json!({"name": "siem", "scopes": scopes})).await;
        api.bearing(&made.text("key"))
    };
    let (siem, other) = (key(json!(["audit:read"])).await, key(json!(["users:read"])).await);
    for path in [LOGS.to_owned(), format!("{LOGS}/export?format=csv")] {
        assert_eq!(api.get(&path).await.status, 401);
        for caller in [&api.bearing(&manager.access), &api.bearing(&user.access), &other] {
            let answer = caller.get(&path).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path}");
        }
        for caller in [&admin, &siem] {
            assert_eq!(caller.get(&path).await.status, 200, "{path}");
        }
    }
    let read = admin.get(&format!("{LOGS}?event=audit_exported")).await;
    assert_eq!(read.body["total"], 2);
    let items = read.body["items"].as_array().unwrap();
    assert_eq!(items.iter().filter(|item| item["details"]["api_key_id"].is_string()).count(), 1, "{items:?}");
    assert!(items.iter().all(|item| item["details"]["filters"] == json!([])), "{items:?}");
}

#[rstest]
#[tokio::test]
async fn a_copy_has_every_entry_once_in_either_format(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let admin = auditor(&deployment, &api).await;
    let formula = api.with_header("user-agent", "=cmd|' /C calc'!A0,\"x\"");
    assert_eq!(formula.login("admin@example.com", PASSWORD).await.status, 200);
    deployment.write_entries(2_500).await;
    deployment.is_sealed().await;

    let copy = admin.get(&format!("{LOGS}/export?format=ndjson")).await;
    assert_eq!(copy.header("content-type"), "application/x-ndjson");
    let Value::String(text) = copy.body else { panic!("lines") };
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2_504, "2 logins, a registration, and this copy");
    let mut ids: Vec<_> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), lines.len());
    assert!(lines.iter().all(|line| line["personal_hash"].as_str().is_some_and(|hash| hash.len() == 64)));

    let copy = admin.get(&format!("{LOGS}/export?format=csv&to=2026-01-01T00:00:00.001Z")).await;
    assert_eq!(copy.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(copy.header("content-disposition"), "attachment; filename=\"audit-logs.csv\"");
    let Value::String(text) = copy.body else { panic!("lines") };
    assert_eq!(text.lines().count(), 6, "the header, 2 logins, a registration and both copies: {text}");
    assert!(text.starts_with("id,at,event,outcome,actor_type,actor_id,"), "{text}");
    assert!(text.contains(r#","'=cmd|' /C calc'!A0,""x""","#), "{text}");
}

#[tokio::test]
async fn a_copy_needs_a_format_and_takes_the_filters_of_the_list() {
    let deployment = Deployment::new(Engine::Sqlite);
    let api = deployment.start().await;
    let admin = auditor(&deployment, &api).await;
    for (query, fault) in [
        ("", ("format", "required")),
        ("format=xml", ("format", "unknown_format")),
        ("format=csv&limit=1", ("limit", "unknown")),
        ("format=csv&outcome=maybe", ("outcome", "unknown_outcome")),
    ] {
        let answer = admin.get(&format!("{LOGS}/export?{query}")).await;
        assert_eq!((answer.status, answer.faults()), (422, vec![fault]), "{query}");
    }
    let nothing = admin.get(&format!("{LOGS}/export?format=ndjson&event=nothing")).await;
    assert_eq!((nothing.status, nothing.body), (200, json!("")));
    assert_eq!(api.request(reqwest::Method::DELETE, LOGS, "").await.status, 405, "nobody changes the log");
}
