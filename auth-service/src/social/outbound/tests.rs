//! Calls to providers that are slow, greedy, broken or somewhere else than they say.

use std::fs;

use futures_util::FutureExt;
use serde::Deserialize;
use service_kit::{
    serve::{
        Listener, ServeLimits, serve,
        tls::{CertificateFiles, Certificates},
    },
    shutdown::Shutdown,
};
use test_peers::Certified;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::Instant,
};

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\n";

fn near() -> Outbound {
    Outbound::open(Reach::Loopback, None).unwrap()
}

fn public() -> Outbound {
    Outbound::open(Reach::Public, None).unwrap()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

async fn get(outbound: &Outbound, url: &Url) -> Result<Answer, OutboundError> {
    outbound.get(url, &Authorization::None).await
}

/// The text of a request, with a body of the announced length.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut byte = [0; 512];
        let count = stream.read(&mut byte).await.unwrap();
        text.push_str(std::str::from_utf8(&byte[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= announced.map_or(0, |length| length.parse().unwrap()) {
            return text;
        }
    }
}

/// A server that answers every request with these bytes and hangs up, and the requests that it gets.
async fn answering(answer: impl Into<Vec<u8>>) -> (Url, UnboundedReceiver<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = url(&format!("http://{}/path?query=1", listener.local_addr().unwrap()));
    let (sender, requests) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            sender.send(read_request(&mut stream).await).unwrap();
            // Whoever has read enough may be gone.
            let _ = stream.write_all(&answer).await;
        }
    });
    (at, requests)
}

fn with_body(body: &str) -> String {
    format!("{OK}content-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_call_says_who_it_is_and_what_it_takes() {
    let (at, mut requests) = answering(with_body("{}")).await;
    get(&near(), &at).await.unwrap();
    let request = requests.recv().await.unwrap();
    let lines: Vec<&str> = request.lines().collect();
    assert_eq!(lines[0], "GET /path?query=1 HTTP/1.1");
    assert!(lines.contains(&"accept: application/json"), "{request}");
    let agent = format!("user-agent: auth-system/{}", env!("CARGO_PKG_VERSION"));
    assert!(lines.contains(&agent.as_str()), "{request}");
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn a_call_proves_whose_it_is() {
    let (at, mut requests) = answering(with_body("{}")).await;
    for (authorization, header) in [
        (Authorization::Bearer("token"), "Bearer token"),
        // RFC 6749 section 2.3.1: id and secret are encoded as in a form first.
        (Authorization::Basic { id: "id:1", secret: "a b+c%ü" }, "Basic aWQlM0ExOmErYiUyQmMlMjUlQzMlQkM="),
        (Authorization::Other { scheme: "KakaoAK", credentials: "key" }, "KakaoAK key"),
    ] {
        near().get(&at, &authorization).await.unwrap();
        let request = requests.recv().await.unwrap();
        assert!(request.contains(&format!("\r\nauthorization: {header}\r\n")), "{request}");
    }
    assert_eq!(BASE64.decode(b"aWQlM0ExOmErYiUyQmMlMjUlQzMlQkM=").unwrap(), b"id%3A1:a+b%2Bc%25%C3%BC");
}

#[tokio::test]
async fn credentials_cannot_add_a_header() {
    let (at, mut requests) = answering(with_body("{}")).await;
    let outcome = near().get(&at, &Authorization::Bearer("token\r\nx-admin: 1")).await;
    assert_eq!(outcome.unwrap_err(), OutboundError::Credentials { host: "127.0.0.1".to_owned() });
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn a_form_is_posted_encoded() {
    let (at, mut requests) = answering(with_body("{}")).await;
    let fields = [("grant_type", "authorization_code"), ("code", "a&b=c d/é")];
    near().post_form(&at, &fields, &Authorization::None).await.unwrap();
    let request = requests.recv().await.unwrap();
    assert!(request.starts_with("POST /path?query=1 "), "{request}");
    assert!(request.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\ngrant_type=authorization_code&code=a%26b%3Dc+d%2F%C3%A9"), "{request}");
}

#[tokio::test]
async fn an_error_of_the_provider_is_an_answer() {
    let body = r#"{"error":"invalid_grant"}"#;
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: Application/JSON; charset=utf-8\r\n";
    let (at, _requests) = answering(format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await;
    let answer = get(&near(), &at).await.unwrap();
    assert_eq!((answer.status, answer.is_success()), (StatusCode::BAD_REQUEST, false));
    assert_eq!(answer.content_type.as_deref(), Some("application/json"));
    assert_eq!(answer.json::<serde_json::Value>().unwrap()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (target, mut visitors) = answering(with_body("{}")).await;
    let (at, _requests) =
        answering(format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n")).await;
    let answer = get(&near(), &at).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    assert!(visitors.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_of_more_than_a_mebibyte_is_refused() {
    let too_long = Err(OutboundError::TooLong { host: "127.0.0.1".to_owned() });
    for (length, expected) in [(LONGEST_ANSWER, Ok(LONGEST_ANSWER)), (LONGEST_ANSWER + 1, too_long)] {
        let body = "x".repeat(length);
        for answer in [
            with_body(&body),
            format!("{OK}transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
            format!("{OK}connection: close\r\n\r\n{body}"),
        ] {
            let (at, _requests) = answering(answer).await;
            assert_eq!(get(&near(), &at).await.map(|answer| answer.body.len()), expected);
        }
    }
}

/// A byte each second keeps every wait short but the whole call long.
#[tokio::test(start_paused = true)]
async fn a_call_ends_after_five_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = url(&format!("http://{}/", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(format!("{OK}content-length: 10\r\n\r\n").as_bytes()).await.unwrap();
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ = stream.write_all(b"x").await;
        }
    });
    let start = Instant::now();
    let outcome = get(&near(), &at).await;
    assert_eq!(outcome.unwrap_err(), OutboundError::TooSlow { host: "127.0.0.1".to_owned() });
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn trouble_is_told_without_queries_or_bodies() {
    #[derive(Debug, Deserialize)]
    struct Token {
        #[serde(rename = "access_token")]
        _access_token: u64,
    }
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = get(&near(), &url(&format!("http://{free}/token?code=s3cret"))).await.unwrap_err().to_string();
    assert!(refused.starts_with("127.0.0.1 could not be called: "), "{refused}");
    let (at, _requests) = answering(with_body(r#"{"access_token":"s3cret"}"#)).await;
    let answer = get(&near(), &at).await.unwrap();
    let shown = format!("{answer:?}");
    let unreadable = answer.json::<Token>().unwrap_err().to_string();
    let (at, _requests) = answering("HTTP/1.1 s3cret\r\n\r\n").await;
    let garbage = get(&near(), &at).await.unwrap_err().to_string();
    for told in [refused, shown, unreadable, garbage] {
        assert!(!told.contains("s3cret") && !told.contains('?') && !told.contains('\n'), "{told}");
    }
}

#[tokio::test]
async fn an_address_of_an_own_network_is_not_called() {
    for text in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
    ] {
        let outcome = get(&public(), &url(text)).await;
        assert!(matches!(outcome, Err(OutboundError::Forbidden { .. })), "{text}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_name_that_stands_for_an_own_address_is_not_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = url(&format!("https://localhost:{}/", listener.local_addr().unwrap().port()));
    let refused =
        OutboundError::Forbidden { host: "localhost".to_owned(), reason: "its name stands for no public address" };
    assert_eq!(get(&public(), &at).await.unwrap_err(), refused);
    assert!(listener.accept().now_or_never().is_none(), "nobody knocked");
}

#[test]
fn only_https_is_called_but_on_this_machine() {
    let both = [public(), near()];
    let admitted = |text: &str| both.each_ref().map(|outbound| outbound.admit(&url(text)).is_ok());
    for (text, expected) in [
        ("https://accounts.example.com/", [true, true]),
        ("https://1.1.1.1/", [true, true]),
        ("http://accounts.example.com/", [false, false]),
        ("http://1.1.1.1/", [false, false]),
        ("http://localhost.example.com/", [false, false]),
        ("http://localhost:8080/", [false, true]),
        ("http://127.0.0.1:8080/", [false, true]),
        ("http://[::1]:8080/", [false, true]),
        ("https://127.0.0.1/", [false, true]),
        ("http://10.0.0.1/", [false, false]),
        ("https://10.0.0.1/", [false, false]),
        ("http://0.0.0.0/", [false, false]),
        ("https://user@accounts.example.com/", [false, false]),
        ("https://:secret@accounts.example.com/", [false, false]),
        ("ftp://localhost/", [false, false]),
        ("file:///etc/passwd", [false, false]),
        ("data:,x", [false, false]),
    ] {
        assert_eq!(admitted(text), expected, "{text}");
    }
}

#[test]
fn production_reaches_the_internet_alone() {
    assert_eq!(Reach::of(Environment::Production), Reach::Public);
    assert_eq!(Reach::of(Environment::Development), Reach::Loopback);
    assert_eq!(Reach::of(Environment::Test), Reach::Loopback);
}

#[tokio::test]
async fn a_root_of_the_configuration_is_trusted_and_no_other() {
    let certified = Certified::issue().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [chain, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&chain, &certified.certificate).unwrap();
    fs::write(&key, &certified.key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = url(&format!("https://localhost:{}/", listener.local_addr().unwrap().port()));
    let certificates = Certificates::load(&[CertificateFiles { chain, key }]).unwrap();
    let app = axum::Router::new().route("/", axum::routing::get(|| async { "{}" }));
    let (_trigger, shutdown) = Shutdown::manual();
    tokio::spawn(serve(Listener::from(listener).with_tls(certificates), app, ServeLimits::default(), shutdown));

    let trusting = Outbound::open(Reach::Loopback, Some(certified.authority.as_bytes())).unwrap();
    assert_eq!(get(&trusting, &at).await.unwrap().body, "{}");
    let other = Certified::issue().unwrap().authority;
    let mistrusting = [near(), Outbound::open(Reach::Loopback, Some(other.as_bytes())).unwrap()];
    for outbound in mistrusting {
        let told = get(&outbound, &at).await.unwrap_err().to_string();
        assert!(told.contains("certificate"), "{told}");
    }
}

#[test]
fn a_damaged_root_is_told_by_the_variable_that_names_it() {
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let told = Outbound::open(Reach::Public, Some(damaged.as_bytes())).unwrap_err();
    assert!(told.starts_with("SSL_CERT_FILE: "), "{told}");
}
