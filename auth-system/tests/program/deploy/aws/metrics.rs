//! Metrics by way of the log: what the program writes, and what scaling, alarms and the dashboard look for.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};
use test_peers::installation;

use super::{TEMPLATES, read, read_template, repository};
use crate::{
    client::PASSWORD,
    metrics,
    support::{Engine, Finished, Workplace},
};

const NAMESPACE: &str = "AuthSystem";

/// The lines of a program that has done everything that a template watches.
async fn watched_lines(format: &str) -> Vec<Value> {
    let place = Workplace::on(Engine::Postgres).set("CLOUDWATCH_METRICS", "true").set("LOG_FORMAT", format);
    let program = place.spawn(&["service"]);
    program.until_ready().await;
    let person = program.client.person("kim@example.com").await;
    let wrong = json!({"email": "kim@example.com", "password": format!("{PASSWORD}?")});
    assert_eq!(program.client.post("/api/v1/auth/login", wrong).await.status, 401);
    for _ in 0..2 {
        assert_eq!(program.client.me(&person.access).await.status, 200);
    }
    let mail = async || metrics::read(&place, "mail_outbox_depth").await.is_some();
    program.until("mail is counted", mail).await;
    program.signal("TERM");
    let mut program = program;
    assert_eq!(program.ended().await, Some(0));
    let out = program.out();
    let lines = out.lines().filter(|line| line.contains("\"_aws\"")).map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Every metric of ours that a template names.
fn names_in(template: &Value, names: &mut BTreeSet<String>) {
    match template {
        Value::Object(members) => {
            if members.get("Namespace").is_some_and(|namespace| namespace == NAMESPACE) {
                let dimensions = json!([{"Name": "service", "Value": "auth-service"}]);
                assert_eq!(members["Dimensions"], dimensions, "{members:?}");
                names.insert(members["MetricName"].as_str().unwrap().to_owned());
            }
            members.values().for_each(|value| names_in(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| names_in(value, names)),
        // The body of a dashboard.
        Value::String(text) => {
            for rest in text.split(&format!(r#"["{NAMESPACE}", ""#)).skip(1) {
                let (name, rest) = rest.split_once('"').unwrap();
                assert!(rest.starts_with(r#", "service", "auth-service""#), "{name}");
                names.insert(name.to_owned());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn lines_are_of_the_format_and_name_whatever_the_templates_look_for() {
    let lines = watched_lines("json").await;
    let folder = tempfile::tempdir().unwrap();
    let mut written = BTreeSet::new();
    for (number, line) in lines.iter().enumerate() {
        let path = folder.path().join(format!("{number}.json"));
        fs::write(&path, line.to_string()).unwrap();
        let mut validator = Command::new(installation::python_tool("jsonschema").unwrap());
        let schema = repository("auth-system/tests/program/deploy/aws/emf.schema.json");
        let finished = Finished::from(validator.arg("-i").arg(path).arg(schema).output().unwrap());
        assert_eq!(finished.code, Some(0), "{finished:?}\n{line}");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!(NAMESPACE), &json!([["service"]])));
        assert_eq!((&line["service"], &line["level"]), (&json!("auth-service"), &json!("INFO")), "{line}");
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(!line[name].is_null(), "{name} is declared and not there: {line}");
            written.insert(name.to_owned());
        }
    }
    let sum = |name: &str| lines.iter().filter_map(|line| line[name].as_f64()).sum::<f64>();
    assert_eq!((sum("logins"), sum("login_failures")), (1.0, 1.0), "{lines:?}");
    let mut watched = BTreeSet::new();
    TEMPLATES.iter().for_each(|name| names_in(&read_template(name), &mut watched));
    for name in ["hash_queue_depth", "revocation_lag_seconds", "login_failures"] {
        assert!(watched.contains(name), "{name} is watched by no template");
    }
    let unknown: Vec<&String> = watched.difference(&written).collect();
    assert!(unknown.is_empty(), "templates look for {unknown:?}, and the program writes {written:?}");
    for name in written {
        assert!(read("docs/guides/deploy-aws.md").contains(&format!("`{name}`")), "{name} is not in the guide");
    }
}

#[tokio::test]
async fn lines_are_json_whatever_the_log_looks_like_and_absent_unless_wanted() {
    assert!(!watched_lines("pretty").await.is_empty());
    let program = Workplace::on(Engine::Sqlite).start().await;
    program.signal("TERM");
    let mut program = program;
    assert_eq!(program.ended().await, Some(0));
    assert!(!program.out().contains("_aws"), "{}", program.out());
}
