//! Backups in a store that speaks S3: a stand-in of Amazon's, and stores that fail.

use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
};
use test_peers::{free_port, installation::python_tool};

use super::{files, head_in, live, place, restore};
use crate::support::{DEADLINE, Engine, Workplace, comes_within, postgres};

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY";
const CREATED: &str = r#"<?xml version="1.0"?><InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
    <Bucket>b</Bucket><Key>k</Key><UploadId>upload</UploadId></InitiateMultipartUploadResult>"#;
/// Amazon tells of a failed completion after a status of 200.
const NOT_COMPLETED: &str = "<Error><Code>InternalError</Code><Message>try again</Message></Error>";

/// A store of objects, ended with this value.
struct Store {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Store {
    async fn start() -> Self {
        let (port, http) = (free_port().unwrap(), reqwest::Client::new());
        let mut command = Command::new(python_tool("moto_server").unwrap());
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let store = Self { child: command.spawn().unwrap(), url: format!("http://127.0.0.1:{port}"), http };
        let answers = async || store.http.get(&store.url).send().await.is_ok();
        assert!(comes_within(DEADLINE * 2, answers).await, "moto does not start");
        store.http.put(format!("{}/vault", store.url)).send().await.unwrap().error_for_status().unwrap();
        store
    }

    /// The list of what there is, as XML.
    async fn list(&self, query: &str) -> String {
        self.http.get(format!("{}/vault?{query}", self.url)).send().await.unwrap().text().await.unwrap()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn with_store(place: &Workplace, url: &str) -> Workplace {
    place
        .clone()
        .set("BACKUP_S3_ENDPOINT", url)
        .set("AWS_REGION", "us-east-1")
        .set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .set("AWS_SECRET_ACCESS_KEY", SECRET)
        .set("BACKUP_TO", "s3://vault/daily")
}

#[tokio::test]
async fn a_backup_goes_to_a_store_in_parts_and_comes_back() {
    let store = Store::start().await;
    let place = with_store(&place(Engine::Postgres), &store.url);
    let program = place.start().await;
    live(&place, &program).await;
    program.stop().await;
    // More than a part, also when it is compressed.
    let bulk = "INSERT INTO login_histories (id, user_id, at, outcome, method, user_agent)
        SELECT gen_random_uuid(), (SELECT id FROM users LIMIT 1), now(), 'ok', 'password',
               (SELECT string_agg(md5(random()::text || n || i), '') FROM generate_series(1, 100) AS i)
        FROM generate_series(1, 16000) AS n";
    postgres().psql(place.value("DB_PRIMARY_DB_URL"), ["-c", bulk]).unwrap();
    for _ in 0..3 {
        let made = place.run(&["backup", "--keep", "2"]);
        assert_eq!((made.code, made.err.as_str()), (Some(0), ""), "{made:?}");
    }
    let list = store.list("list-type=2").await;
    assert_eq!(list.matches("<Key>daily/auth-system-").count(), 2, "{list}");
    assert!(list.matches("-2&quot;").count() + list.matches("-2\"").count() >= 2, "it was not sent in parts: {list}");

    let other = place.clone().set("DB_PRIMARY_DB_URL", &postgres().create_database().unwrap());
    let restored = other.run(&["restore", "--from", "s3://vault/daily", "--identity", "key"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(other.run(&["audit", "verify", "--expect", head_in(&restored.out)]).code, Some(0));
    let one = restored.out.split_whitespace().nth(1).unwrap();
    let again = other.run(&["restore", "--from", one, "--identity", "key", "--replace"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    for (from, reason) in [("s3://vault/absent.age", "404 NoSuchKey"), ("s3://vault/nothing", "there is no backup")] {
        let refused = restore(&other, from.as_ref(), &["--replace"]);
        assert!(refused.code == Some(1) && refused.err.contains(reason), "{refused:?}");
    }
    let refused = place.run(&["backup", "--to", "s3://absent/daily"]);
    assert!(refused.code == Some(1) && refused.err.contains("404 NoSuchBucket"), "{refused:?}");
}

#[tokio::test]
async fn a_dump_that_fails_half_way_leaves_nothing_in_the_store() {
    let store = Store::start().await;
    let place = with_store(&place(Engine::Postgres), &store.url);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    let script = "[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 99.1' && exit 0\necho half; exit 1";
    std::fs::create_dir(place.path("bin")).unwrap();
    std::fs::write(place.path("bin/pg_dump"), format!("#!/bin/sh\n{script}\n")).unwrap();
    let chmod = Command::new("chmod").arg("755").arg(place.path("bin/pg_dump")).status().unwrap();
    assert!(chmod.success());
    let failed = place.clone().set("PATH", place.path("bin").to_str().unwrap()).run(&["backup"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(!store.list("list-type=2").await.contains("<Key>"), "a half backup is in the store");
    assert!(!store.list("uploads").await.contains("<UploadId>"), "its parts are still in the store");
}

/// What a store was asked, a line each, and what it fails at.
#[derive(Clone)]
struct Failing {
    asked: Arc<Mutex<Vec<String>>>,
    at: &'static str,
}

async fn fail(State(failing): State<Failing>, request: Request) -> (StatusCode, &'static str) {
    let (head, body) = request.into_parts();
    // Whoever is still sending when the answer comes may see the connection break off in its place.
    axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let (method, query) = (head.method.as_str(), head.uri.query().unwrap_or_default());
    let asked = match method {
        "POST" if query.contains("uploads=") => "create",
        "PUT" => "part",
        "POST" => "complete",
        "DELETE" => "abort",
        _ => "other",
    };
    failing.asked.lock().unwrap().push(asked.to_owned());
    match asked {
        "create" if failing.at != "create" => (StatusCode::OK, CREATED),
        "complete" => (StatusCode::OK, NOT_COMPLETED),
        "abort" => (StatusCode::NO_CONTENT, ""),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "<Error><Code>SlowDown</Code></Error>"),
    }
}

async fn fail_with_tag(
    state: State<Failing>,
    request: Request,
) -> ([(&'static str, &'static str); 1], (StatusCode, &'static str)) {
    let is_part = request.method() == "PUT" && state.0.at == "complete";
    let mut answer = fail(state, request).await;
    if is_part {
        answer = (StatusCode::OK, "");
    }
    ([("etag", "\"tag\"")], answer)
}

#[tokio::test]
async fn a_store_that_fails_half_way_is_told_of_and_the_upload_given_up() {
    for (at, code, asked) in [
        ("create", "503 SlowDown", &["create"][..]),
        ("part", "503 SlowDown", &["create", "part", "part", "part", "abort"]),
        ("complete", "200 InternalError", &["create", "part", "complete", "abort"]),
    ] {
        let failing = Failing { asked: Arc::default(), at };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(fail_with_tag).with_state(failing.clone());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        let place = with_store(&place(Engine::Sqlite), &url);
        assert_eq!(place.run(&["migrate"]).code, Some(0));
        let busy = place.clone();
        let failed = tokio::task::spawn_blocking(move || busy.run(&["backup", "--keep", "1"])).await.unwrap();
        server.abort();
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert!(failed.err.contains("the store of s3://vault") && failed.err.contains(code), "{failed:?}");
        assert_eq!(failed.err.lines().count(), 1, "{failed:?}");
        for secret in [SECRET, "AKIDEXAMPLE", "Signature"] {
            assert!(!failed.err.contains(secret) && !failed.out.contains(secret), "{failed:?}");
        }
        assert_eq!(*failing.asked.lock().unwrap(), asked, "at {at}");
        assert!(files(&place).is_empty());
    }
    let nobody = format!("http://127.0.0.1:{}", free_port().unwrap());
    let place = with_store(&place(Engine::Sqlite), &nobody);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    let began = std::time::Instant::now();
    let failed = place.run(&["backup"]);
    assert!(failed.code == Some(1) && failed.err.contains("the store of s3://vault"), "{failed:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
}
