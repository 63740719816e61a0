//! What watches the program: rules and a dashboard of metrics that there are, and a page for each alert.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output},
};

use reqwest::Method;
use serde_json::{Value, json};
use test_peers::{
    Certified,
    installation::{promtool, psql},
};

use super::{path, promql, read, succeed};
use crate::{
    client::{Answer, Client},
    gateway::{FEED_TOKEN, Gateway},
    support::{Engine, Workplace, postgres},
};

const RULES: &str = "deploy/prometheus/rules.yaml";
const DASHBOARD: &str = "deploy/grafana/dashboard.json";
const RUNBOOKS: &str = "docs/runbooks";
/// Prometheus's own: whether it could read, and which alerts there are.
const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];
const GUIDES: [&str; 2] = ["docs/guides/monitoring.md", "docs/ko/guides/monitoring.md"];

#[test]
fn prometheus_takes_rules_and_example_and_each_alert_fires_and_is_silent() {
    let folder = path("deploy/prometheus");
    let run = |arguments: &[&str]| succeed(Command::new(promtool().unwrap()).args(arguments).current_dir(&folder));
    run(&["check", "rules", "--lint-fatal", "rules.yaml"]);
    run(&["check", "config", "--lint-fatal", "prometheus.example.yml"]);
    run(&["test", "rules", "rules.test.yaml"]);
    let tests = read("deploy/prometheus/rules.test.yaml");
    for alert in alerts() {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} is not tested");
    }
    assert_eq!(tests.matches("exp_samples: []").count(), alerts().len(), "each is silent, too");
}

#[test]
fn a_rule_that_cannot_fire_fails_its_test() {
    let folder = tempfile::tempdir().unwrap();
    let rules = read(RULES).replace("database_up == 0", "database_up == 7");
    fs::write(folder.path().join("rules.yaml"), rules).unwrap();
    fs::write(folder.path().join("rules.test.yaml"), read("deploy/prometheus/rules.test.yaml")).unwrap();
    let mut command = Command::new(promtool().unwrap());
    command.args(["test", "rules", "rules.test.yaml"]).current_dir(folder.path());
    let Output { status, stderr, stdout } = command.output().unwrap();
    let printed = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert!(!status.success() && printed.contains("AuthSystemDatabaseAway"), "{printed}");
}

#[tokio::test]
async fn every_metric_that_is_watched_is_there() {
    let (rules, dashboard, guides) = (read(RULES), dashboard_expressions(), promql_blocks());
    let expressions = rule_expressions(&rules);
    let asked = [&expressions, &dashboard, &guides].into_iter().flatten().map(String::as_str);
    let asked = promql::selectors(asked);
    let records: BTreeSet<_> = named(&rules, "- record: ").into_iter().collect();
    let place = Workplace::on(Engine::Postgres)
        .set("GATEWAY_FEED_TOKEN", FEED_TOKEN)
        .set("PUBLIC_URL", "http://localhost:8000")
        .set("GOOGLE_CLIENT_ID", "client")
        .set("GOOGLE_CLIENT_SECRET", "secret");
    let program = place.spawn(&["service"]);
    let gateway = start_gateway(&place).await;
    program.until_ready().await;
    work(&gateway.client).await;
    work(&program.client).await;
    let pages = || async {
        let api = Client::new(place.metrics_port).get("/metrics").await;
        let front = Client::new(gateway.place.port_of("GATEWAY_METRICS_ADDR")).get("/metrics").await;
        [api, front].map(|answer| answer.body.as_str().unwrap().to_owned())
    };
    let missing = async || {
        let [api, front] = pages().await;
        let is_missing = |selector: &&promql::Selector| match selector.name.as_str() {
            name if OF_PROMETHEUS.contains(&name) => false,
            name if name.starts_with("auth_system:") => !records.contains(name),
            name if name.starts_with("gateway_") => !selector.is_on(&front),
            _ => !selector.is_on(&api),
        };
        asked.iter().filter(is_missing).cloned().collect::<Vec<_>>()
    };
    assert!(asked.len() > 50, "{asked:?}");
    if !crate::support::comes_within(crate::support::DEADLINE, async || missing().await.is_empty()).await {
        panic!("asked for, and not there: {:#?}", missing().await);
    }
}

#[test]
fn the_dashboard_can_be_imported_anywhere() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{}", panel["title"]);
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{}", panel["title"]);
    }
}

#[test]
fn every_expression_of_dashboard_and_guides_is_one() {
    let expressions = [dashboard_expressions(), promql_blocks()].concat();
    let rules = expressions.iter().enumerate().map(|(number, expression)| {
        let expression = expression.replace("$__rate_interval", "5m");
        json!({"record": format!("checked:{number}"), "expr": expression})
    });
    let file = json!({"groups": [{"name": "checked", "rules": rules.collect::<Vec<_>>()}]});
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yaml"), file.to_string()).unwrap();
    succeed(Command::new(promtool().unwrap()).args(["check", "rules", "rules.yaml"]).current_dir(folder.path()));
}

#[test]
fn each_alert_has_its_page_and_each_page_its_alert() {
    let pages: BTreeSet<_> = runbooks().into_iter().map(|(name, _)| name).collect();
    assert_eq!(pages, alerts());
    let urls: BTreeSet<_> = named(&read(RULES), "runbook_url: ").into_iter().collect();
    assert_eq!(urls, alerts().iter().map(|alert| format!("{RUNBOOKS}/{alert}.md")).collect());
    let index = read(&format!("{RUNBOOKS}/README.md"));
    for (name, page) in runbooks() {
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings, [&format!("# {name}"), "## Meaning", "## First look", "## Fix"], "{name}");
        assert!(index.contains(&format!("({name}.md)")), "{name} is not in the index");
    }
}

#[test]
fn the_queries_of_the_pages_run() {
    let database = postgres().create_database().unwrap();
    let place = Workplace::on(Engine::Postgres).set("DB_PRIMARY_DB_URL", &database);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    let queries: Vec<_> = runbooks().iter().flat_map(|(_, page)| blocks(page, "sql")).collect();
    assert!(queries.len() > 5, "{queries:?}");
    for query in queries {
        let mut command = Command::new(psql().unwrap());
        succeed(command.arg(&database).args(["-v", "ON_ERROR_STOP=1", "-c", &query]));
    }
}

/// A gateway that ends TLS in front of this API.
async fn start_gateway(api: &Workplace) -> Gateway {
    let tls = format!(
        "[tls]\nlisten = \":{}\"\ncertificates = [{{ cert = \"cert.pem\", key = \"key.pem\" }}]\n",
        test_peers::free_port().unwrap()
    );
    let place = Gateway::place(&[api.port], &tls).set("ALLOWED_HOSTS", "127.0.0.1");
    let certified = Certified::issue().unwrap();
    fs::write(place.path("cert.pem"), &certified.certificate).unwrap();
    fs::write(place.path("key.pem"), &certified.key).unwrap();
    Gateway::start_in(place).await
}

/// What people do in a day.
async fn work(client: &Client) {
    let email = format!("kim-{}@example.com", client.health().await.header("x-request-id"));
    let person = client.person(&email).await;
    let wrong = json!({"email": email, "password": "NotThePassword1!"});
    assert_eq!(client.post("/api/v1/auth/login", wrong).await.status, 401);
    assert_eq!(client.me(&person.access).await.status, 200);
    assert_eq!(client.refresh(&person.refresh).await.status, 200);
    assert_eq!(client.logout(&person.access).await.status, 204);
    assert_eq!(Answer::of(client.request(Method::GET, "/api/v1/users/me")).await.unwrap().status, 401);
}

fn alerts() -> BTreeSet<String> {
    named(&read(RULES), "- alert: ").into_iter().collect()
}

/// What stands behind a word in lines that begin with it.
fn named(text: &str, word: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(word)).map(str::to_owned).collect()
}

/// The expressions of rules, which may be folded over several lines.
fn rule_expressions(rules: &str) -> Vec<String> {
    let ends = |line: &str| {
        ["for:", "labels:", "- alert:", "- record:", "- name:", "#"].iter().any(|key| line.starts_with(key))
    };
    let of = |part: &str| {
        let lines = part.lines().map(str::trim).take_while(|line| !ends(line));
        lines.collect::<Vec<_>>().join(" ").trim_start_matches([' ', '>']).to_owned()
    };
    rules.split(" expr:").skip(1).map(of).collect()
}

fn dashboard_expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let targets =
        dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    targets.chain(annotations).map(|from| from["expr"].as_str().unwrap().to_owned()).collect()
}

/// Every block of PromQL in runbooks and guides.
fn promql_blocks() -> Vec<String> {
    let guides = GUIDES.map(read);
    let pages = runbooks().into_iter().map(|(_, page)| page);
    pages.chain(guides).flat_map(|page| blocks(&page, "promql")).collect()
}

fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let opened = page.split(opening.as_str()).skip(1);
    opened.map(|rest| rest.split("```").next().unwrap().trim().to_owned()).collect()
}

/// Name and text of each page.
fn runbooks() -> Vec<(String, String)> {
    let entries = fs::read_dir(path(RUNBOOKS)).unwrap().map(|entry| entry.unwrap().path());
    let pages = entries.filter(|path| path.file_name().is_some_and(|name| name != "README.md"));
    pages
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}
