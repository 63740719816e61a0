//! A private Redis server does what the tests of the other crates rely on.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use test_peers::Redis;

fn ask(redis: &Redis, command: &str) -> std::io::Result<String> {
    ask_over(TcpStream::connect(("127.0.0.1", redis.port()))?, command)
}

fn ask_over(mut stream: TcpStream, command: &str) -> std::io::Result<String> {
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).trim().to_owned())
}

#[test]
fn flushed_and_restarted_server_is_empty_on_the_same_port() {
    let redis = Redis::start().unwrap();
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}/0", redis.port()));
    ask(&redis, "SET k v").unwrap();
    redis.flush_all().unwrap();
    assert_eq!(ask(&redis, "EXISTS k").unwrap(), ":0");
    for end in [Redis::stop, Redis::kill] {
        ask(&redis, "SET k v").unwrap();
        end(&redis).unwrap();
        assert!(ask(&redis, "PING").is_err());
        redis.start_again().unwrap();
        assert_eq!(ask(&redis, "EXISTS k").unwrap(), ":0");
    }
}

#[test]
fn paused_server_hangs_until_it_is_resumed() {
    let redis = Redis::start().unwrap();
    redis.pause().unwrap();
    let stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(ask_over(stream, "PING").is_err(), "a frozen server answered");
    redis.resume().unwrap();
    assert_eq!(ask(&redis, "PING").unwrap(), "+PONG");
}

#[test]
fn shared_server_is_one() {
    assert!(std::ptr::eq(Redis::shared().unwrap(), Redis::shared().unwrap()));
}

#[test]
fn tls_server_is_trusted_through_its_authority_only() {
    let redis = Redis::start_tls().unwrap();
    assert!(redis.url().starts_with("rediss://localhost:"));
    assert!(redis.ca_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let ping = |tls: &[&str]| {
        let port = redis.port().to_string();
        let output =
            Command::new("redis-cli").args(["-h", "localhost", "-p", &port]).args(tls).arg("PING").output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim() == "PONG"
    };
    assert!(ping(&["--tls", "--cacert", redis.ca_path().to_str().unwrap()]));
    assert!(!ping(&["--tls"]), "an unknown authority was trusted");
    assert!(!ping(&[]), "the server speaks without TLS");
}
