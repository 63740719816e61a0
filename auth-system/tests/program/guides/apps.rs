//! The pages for those who write services: behind the gateway, and verifying tokens by themselves.

use std::{
    fs,
    os::unix::fs::symlink,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rstest::rstest;
use test_peers::{Certified, free_port, installation};

use super::reader::Reader;
use crate::{
    client::{Answer, Client},
    support::{Engine, Finished, Workplace, comes_within, postgres},
};

/// What a restore writes.
const EVERYONE: &str = "INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
    SELECT gen_random_uuid(), 'everyone', '*', version + 1, now(), now() + INTERVAL '1 hour' FROM role_catalogue";
const FEED_TOKEN: &str = "a-feed-token-of-the-tests-0123456789";

#[rstest]
#[case("docs/guides/gateway.md")]
#[case("docs/ko/guides/gateway.md")]
#[tokio::test]
async fn a_file_of_routes_is_checked_proven_and_in_force(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite).set("GATEWAY_CONFIG", "gateway.toml");
    let mut reader = Reader::open(page, &place);
    let routes = reader.next("toml");
    reader.write("gateway.toml", &routes);
    assert!(reader.run(&[]).contains("/orders/"));

    let assertion = reader.next("toml");
    let (_, command) = assertion.split_once(": auth-system ").unwrap();
    let made = place.run(&command.lines().next().unwrap().split_whitespace().collect::<Vec<_>>());
    assert_eq!(made.code, Some(0), "{made:?}");
    let limits = reader.next("toml");
    reader.write("gateway.toml", &format!("{routes}\n{assertion}\n{limits}"));
    let cases = reader.next("toml");
    reader.write("cases.toml", &cases);
    assert!(reader.run(&[]).contains("1 cases, 0 failed"));
    // The test of a policy is one: it notices what the case does not expect.
    reader.write("cases.toml", &cases.replace("forbidden", "allow"));
    assert_eq!(place.run(&["gateway", "test", "cases.toml", "--config", "gateway.toml"]).code, Some(1));

    let certified = Certified::issue().unwrap();
    reader.write("api.pem", &certified.certificate);
    reader.write("api.key", &certified.key);
    for _ in ["certificates in files", "certificates that order themselves"] {
        let tls = reader.next("toml");
        reader.write("tls.toml", &format!("{routes}\n{tls}"));
        let checked = place.run(&["gateway", "check", "tls.toml"]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
    }

    let program = place.start().await;
    let gateway = Client::new(place.gateway_port);
    program.until("the gateway is ready", async || gateway.get("/gateway/health/ready").await.status == 200).await;
    assert_eq!(gateway.get("/orders/7").await.status, 401);
    assert_eq!(gateway.get("/gateway/jwks.json").await.body["keys"].as_array().map(Vec::len), Some(1));
    reader.replace("127.0.0.1:9001", &format!("127.0.0.1:{}", place.metrics_port));
    let told = reader.run(&[200, 200]);
    assert!(told.contains(r#""upstreams""#) && told.contains("gateway_requests_total"), "{told}");
    reader.close();
}

#[rstest]
#[case("docs/guides/verify-tokens.md")]
#[case("docs/ko/guides/verify-tokens.md")]
#[tokio::test]
async fn a_service_verifies_tokens_and_knows_which_are_revoked(#[case] page: &str) {
    let place = Workplace::on(Engine::Postgres).set("GATEWAY_FEED_TOKEN", FEED_TOKEN);
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let mut reader = Reader::open(page, &place);
    reader.set("AUTH_URL", &format!("http://127.0.0.1:{}", place.port));
    write_program(&mut reader, "verify.mjs", "js");
    write_program(&mut reader, "verify.py", "python");
    let verified = run_python(&reader, &person.access);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(verified.out.contains("'roles': ['user']"), "{verified:?}");
    let (body, signature) = person.access.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    assert_eq!(run_python(&reader, &format!("{body}.{other}{}", &signature[1..])).code, Some(1));
    // The documentation of auth-token, whose example runs, makes these calls.
    let (rust, documented) = (reader.next("rust"), super::page::read("auth-token/README.md"));
    for call in ["KeySet::from_jwks_json(&", "Verifier::new(", "verifier.verify(&token, "] {
        assert!(rust.contains(call) && documented.contains(call), "{call}");
    }
    let feed = reader.run(&[200]);
    assert!(feed.contains("event: snapshot\ndata: {\"as_of\":"), "{feed}");
    write_program(&mut reader, "revocations.mjs", "js");
    write_program(&mut reader, "server.mjs", "js");
    reader.close();

    let server = Server::start(&place);
    let [client, other] = [&person.access, &program.client.log_in("kim@example.com").await.access]
        .map(|token| server.client.bearing(token));
    let greeted = async || Answer::of(client.request(reqwest::Method::GET, "/")).await.is_ok_and(|it| it.status == 200);
    program.until("the server greets", greeted).await;
    assert_eq!(server.client.bearing("forged").get("/").await.status, 401);
    assert_eq!(program.client.logout(&person.access).await.status, 204);
    let refuses = async |client: &Client| client.get("/").await.body == "revoked: answer 401\n";
    assert!(comes_within(Duration::from_secs(2), async || refuses(&client).await).await, "a logout is not heard of");
    assert_eq!(other.get("/").await.status, 200);
    postgres().psql(place.value("DB_PRIMARY_DB_URL"), ["-c", EVERYONE]).unwrap();
    assert!(comes_within(Duration::from_secs(2), async || refuses(&other).await).await, "a restore is not heard of");
}

/// Writes the next block as a program; the name that it has itself, if any, is this one.
fn write_program(reader: &mut Reader, name: &str, fence: &str) {
    let text = reader.next(fence);
    assert!(fence != "js" || text.starts_with(&format!("// {name}")), "{name}: {text}");
    reader.write(name, &text);
}

fn run_python(reader: &Reader, token: &str) -> Finished {
    let python = installation::python_tool("python3").unwrap();
    let mut command = Command::new(python);
    command.args(["-c", "import sys, verify; print(verify.verify(sys.argv[1]))", token]);
    command.current_dir(reader.place.path("")).env_clear().env("AUTH_URL", reader.place.value("AUTH_URL"));
    Finished::from(command.output().unwrap())
}

/// The server of the page, ended with this value.
struct Server {
    child: Child,
    client: Client,
}

impl Server {
    fn start(place: &Workplace) -> Self {
        symlink(installation::node_modules("jose").unwrap(), place.path("node_modules")).unwrap();
        let (port, log) = (free_port().unwrap(), fs::File::create(place.path("server.log")).unwrap());
        let mut command = Command::new(installation::node().unwrap());
        command.arg("server.mjs").current_dir(place.path("")).env_clear().env("PORT", port.to_string());
        command.env("AUTH_URL", format!("http://127.0.0.1:{}", place.port)).env("GATEWAY_FEED_TOKEN", FEED_TOKEN);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { child, client: Client::new(port) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
