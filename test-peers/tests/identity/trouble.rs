//! Trouble that a test makes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use test_peers::{HttpTrouble, Kakao};

use super::{client, get};

const PATH: &str = "/.well-known/openid-configuration";

/// Asks, and leaves the answer to be read.
fn ask(kakao: &Kakao) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", kakao.port())).unwrap();
    stream.write_all(format!("GET {PATH} HTTP/1.1\r\nHost: kakao\r\n\r\n").as_bytes()).unwrap();
    stream
}

fn read_all(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn answers_are_broken_at_one_path_in_the_way_asked_for() {
    let kakao = Kakao::start(client()).unwrap();
    let url = format!("{}{PATH}", kakao.url());
    let sound = get(&url);
    kakao.set_trouble(PATH, HttpTrouble::Status(500));
    assert_eq!(get(&url).status, 500);
    assert_eq!(get(&format!("{}/v2/user/me", kakao.url())).status, 401, "no trouble there");
    kakao.set_trouble(PATH, HttpTrouble::Redirect("http://elsewhere.example/".into()));
    assert_eq!(get(&url).location().as_deref(), Some("http://elsewhere.example/"));
    kakao.set_trouble(PATH, HttpTrouble::NotJson);
    assert!(get(&url).body.starts_with("<!doctype"));
    kakao.set_trouble(PATH, HttpTrouble::Body("{".into()));
    assert_eq!(get(&url).body, "{");
    kakao.set_trouble(PATH, HttpTrouble::Huge);
    let huge = get(&url).body;
    assert!(huge.len() > 1 << 20 && huge.trim_start() == sound.body, "only its size is wrong");
    kakao.set_trouble(PATH, HttpTrouble::HangUp);
    assert_eq!(read_all(ask(&kakao)), "");
    kakao.set_trouble(PATH, HttpTrouble::NotHttp);
    assert!(!read_all(ask(&kakao)).starts_with("HTTP"));
    kakao.set_trouble(PATH, HttpTrouble::Late(Duration::from_millis(1)));
    assert_eq!(get(&url).body, sound.body);
    kakao.clear_trouble();
    assert_eq!(get(&url).body, sound.body);
}

#[test]
fn what_hangs_is_answered_when_the_trouble_ends() {
    let kakao = Kakao::start(client()).unwrap();
    kakao.set_trouble(PATH, HttpTrouble::Hang);
    let mut stream = ask(&kakao);
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(stream.read(&mut [0]).is_err(), "nothing comes");
    kakao.clear_trouble();
    stream.set_read_timeout(None).unwrap();
    assert!(read_all(stream).starts_with("HTTP/1.1 200 "));
}

#[test]
fn drops_come_one_by_one() {
    let kakao = Kakao::start(client()).unwrap();
    kakao.set_trouble(PATH, HttpTrouble::Drip);
    let mut stream = ask(&kakao);
    let mut drops = [0; 64];
    assert!(stream.read(&mut drops).unwrap() < 64, "far from all at once");
}
