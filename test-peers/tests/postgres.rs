//! A private PostgreSQL server does what the tests of the other crates rely on.

#![allow(clippy::unwrap_used)]

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use test_peers::{Postgres, installation};

fn ask(postgres: &Postgres, url: &str, sql: &str) -> String {
    postgres.psql(url, ["-c", sql]).unwrap()
}

#[test]
fn each_database_is_its_own() {
    let postgres = Postgres::shared().unwrap();
    let (one, other) = (postgres.create_database().unwrap(), postgres.create_database().unwrap());
    ask(postgres, &one, "CREATE TABLE t (i int)");
    assert!(postgres.psql(&other, ["-c", "SELECT * FROM t"]).is_err());
}

#[test]
fn database_is_copied_from_a_template_and_dropped_while_in_use() {
    let postgres = Postgres::shared().unwrap();
    let template = postgres.create_database().unwrap();
    ask(postgres, &template, "CREATE TABLE t AS SELECT 7 AS i");
    let copy = postgres.create_database_from(template.rsplit('/').next().unwrap()).unwrap();
    assert_eq!(ask(postgres, &copy, "SELECT i FROM t"), "7");
    let mut connected = Command::new(installation::psql().unwrap());
    let mut connected = connected.args(["-d", &copy]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    postgres.drop_database(&copy).unwrap();
    assert!(postgres.psql(&copy, ["-c", "SELECT 1"]).is_err());
    drop(connected.stdin.take());
    connected.wait().unwrap();
}

#[test]
fn data_survives_a_stop_and_a_kill_on_the_same_port() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.create_database().unwrap();
    ask(&postgres, &url, "CREATE TABLE t AS SELECT 1 AS i");
    postgres.stop().unwrap();
    assert!(postgres.psql(&url, ["-c", "SELECT 1"]).is_err());
    postgres.start_again().unwrap();
    ask(&postgres, &url, "INSERT INTO t VALUES (2)");
    postgres.kill().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", postgres.port())).is_err());
    postgres.start_again().unwrap();
    assert_eq!(ask(&postgres, &url, "SELECT sum(i) FROM t"), "3");
}

#[test]
fn paused_server_answers_after_it_is_resumed() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.create_database().unwrap();
    postgres.pause().unwrap();
    let impatient = format!("{url}?connect_timeout=2");
    assert!(postgres.psql(&impatient, ["-c", "SELECT 1"]).is_err(), "a frozen server answered");
    postgres.resume().unwrap();
    assert_eq!(ask(&postgres, &url, "SELECT 1"), "1");
}

#[test]
fn durability_is_off_unless_asked_for() {
    let relaxed = Postgres::shared().unwrap();
    assert_eq!(ask(relaxed, &relaxed.url("postgres"), "SHOW fsync"), "off");
    let durable = Postgres::start_durable().unwrap();
    assert_eq!(ask(&durable, &durable.url("postgres"), "SHOW fsync"), "on");
    assert_eq!(ask(&durable, &durable.url("postgres"), "SHOW max_connections"), "200");
}

#[test]
fn version_sixteen_comes_from_npm() {
    let postgres = Postgres::start_version(16).unwrap();
    let url = postgres.create_database().unwrap();
    assert!(ask(&postgres, &url, "SHOW server_version").starts_with("16"));
}

#[test]
fn dropped_server_frees_its_port_even_when_paused() {
    let postgres = Postgres::start().unwrap();
    let port = postgres.port();
    postgres.pause().unwrap();
    drop(postgres);
    TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert!(TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(1)).is_err());
}
