//! The browser: a sign-in at the OpenID provider that leads to another site, and a page behind TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;
use test_peers::{
    Apple, Browser, Certified, Motion, Naver, OpenIdProvider, OpenIdSetup, Outlook, RegisteredClient, Scheme, Scripts,
};

const PAGE: &str = "<!doctype html><title>Safe</title><p id=word>Hello</p>";

#[test]
fn person_signs_in_at_one_site_and_arrives_at_another_in_browser() {
    let app = Naver::start(RegisteredClient::new("unused", "unused", &[])).unwrap();
    let callback = format!("http://app.example:{}/callback", app.port());
    let provider = OpenIdProvider::start(OpenIdSetup {
        clients: vec![RegisteredClient::new("c", "s", &[&callback])],
        accounts: vec![json!({"sub": "ada-1"})],
        ..OpenIdSetup::default()
    })
    .unwrap();
    let browser = Browser::start().unwrap();
    let challenge = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let request = format!(
        "{}/auth?client_id=c&redirect_uri={callback}&response_type=code&scope=openid&state=s&{challenge}",
        provider.issuer()
    );
    assert_eq!(browser.goto(&request).unwrap(), 200);
    assert_eq!(browser.text("h1").unwrap(), "Sign in to c");
    browser.fill("input[name=login]", "nobody").unwrap();
    browser.click("#sign-in").unwrap();
    browser.wait_for("[role=alert]:has-text('Nobody')").unwrap();
    browser.fill("input[name=login]", "ada-1").unwrap();
    browser.click("#sign-in").unwrap();
    let arrived = browser.wait_for_url(&callback).unwrap();
    assert!(arrived.contains("code=") && arrived.contains("state=s"), "{arrived}");
    assert_eq!(app.requests_to("/callback")[0].header("host"), Some(format!("app.example:{}", app.port()).as_str()));
    assert!(browser.cookies().unwrap().iter().any(|cookie| cookie["domain"] == "127.0.0.1"), "the provider's session");
    browser.start_afresh().unwrap();
    assert_eq!((browser.cookies().unwrap().len(), browser.url().unwrap().as_str()), (0, "about:blank"));
}

#[test]
fn form_is_posted_from_apple_to_another_site_in_browser() {
    let app = Naver::start(RegisteredClient::new("unused", "unused", &[])).unwrap();
    let callback = format!("http://app.example:{}/callback", app.port());
    let apple = Apple::start(RegisteredClient::new("c", "unused", &[&callback])).unwrap();
    let browser = Browser::start().unwrap();
    let query =
        format!("client_id=c&redirect_uri={callback}&response_type=code&response_mode=form_post&scope=name&state=s");
    let origin = format!("http://appleid.example:{}", apple.port());
    browser.goto(&format!("{origin}/auth/authorize?{query}")).unwrap();
    browser.wait_for_url(&callback).unwrap();
    let posted = &app.requests_to("/callback")[0];
    assert_eq!((posted.method.as_str(), posted.form("state").as_deref()), ("POST", Some("s")));
    assert!(posted.form("user").unwrap().contains("Lovelace") && posted.form("code").is_some());
    assert_eq!(posted.header("origin"), Some(origin.as_str()));
}

#[test]
fn page_behind_tls_of_our_authority_is_shown_in_browser() {
    let site = format!("https://auth.example:{}/", serve_tls());
    let browser = Browser::start().unwrap();
    assert_eq!(browser.goto(&site).unwrap(), 200);
    assert_eq!(
        (browser.evaluate("document.title").unwrap(), browser.text("#word").unwrap()),
        (json!("Safe"), "Hello".into())
    );
    let cookies = browser.cookies().unwrap();
    assert_eq!((&cookies[0]["name"], &cookies[0]["secure"]), (&json!("__Host-a"), &json!(true)));
    browser.evaluate("console.error('oh')").unwrap();
    assert!(browser.complaints().unwrap().contains(&"oh".to_owned()));
    let error = browser.evaluate("nothing.here").unwrap_err().to_string();
    assert!(error.contains("not defined") && error.contains(&site), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("page.png");
    browser.screenshot(&picture).unwrap();
    assert!(std::fs::read(picture).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn page_is_used_by_keys_boxes_and_lists_in_browser() {
    let browser = Browser::start().unwrap();
    let form = "<body><input id=box type=checkbox><select id=list><option>a<option>b</select><p id=gone>here</p>\
                <script>onkeydown = (event) => { document.title += event.key; gone.hidden = true }</script>";
    browser.goto(&format!("data:text/html,{form}")).unwrap();
    browser.select("#list", "b").unwrap();
    browser.check("#box").unwrap();
    assert_eq!(browser.evaluate("[list.value, box.checked]").unwrap(), json!(["b", true]));
    browser.uncheck("#box").unwrap();
    browser.wait_for("#gone").unwrap();
    browser.press("j").unwrap();
    browser.press("Enter").unwrap();
    browser.wait_until_gone("#gone").unwrap();
    assert_eq!(browser.evaluate("[document.title, box.checked]").unwrap(), json!(["jEnter", false]));
    browser.goto("about:blank").unwrap();
    browser.go_back().unwrap();
    assert!(browser.url().unwrap().starts_with("data:"));
    browser.evaluate("console.error('oh')").unwrap();
    assert_eq!(browser.take_complaints().unwrap(), ["oh"]);
    assert_eq!(browser.complaints().unwrap().len(), 0);
}

#[test]
fn page_is_looked_at_as_somebody_prefers_in_browser() {
    let browser = Browser::start().unwrap();
    let looks = "[innerWidth, innerHeight, navigator.language, matchMedia('(prefers-color-scheme: dark)').matches, \
                 matchMedia('(prefers-reduced-motion: reduce)').matches]";
    let (scheme, motion) = (Scheme::Dark, Motion::Reduced);
    let outlook = Outlook { width: 390, height: 700, scheme, motion, locale: "ko-KR", ..Outlook::default() };
    browser.start_afresh_as(&outlook).unwrap();
    assert_eq!(browser.evaluate(looks).unwrap(), json!([390, 700, "ko-KR", true, true]));
    browser.resize(1280, 800).unwrap();
    browser.prefer(Scheme::Light).unwrap();
    assert_eq!(browser.evaluate(looks).unwrap(), json!([1280, 800, "ko-KR", false, true]));
    browser.start_afresh_as(&Outlook::default()).unwrap();
    assert_eq!(browser.evaluate(looks).unwrap(), json!([1280, 800, "en-US", false, false]));
}

#[test]
fn page_runs_no_script_for_whoever_wants_none_in_browser() {
    let browser = Browser::start().unwrap();
    let page = "data:text/html,<title>still</title><script>document.title = 'ran'</script>";
    for (scripts, title) in [(Scripts::On, "ran"), (Scripts::Off, "still")] {
        browser.start_afresh_as(&Outlook { scripts, ..Outlook::default() }).unwrap();
        browser.goto(page).unwrap();
        assert_eq!(browser.evaluate("document.title").unwrap(), title);
        let knows = browser.evaluate("matchMedia('(scripting: none)').matches").unwrap();
        assert_eq!(knows, scripts == Scripts::Off, "style sheets are told");
    }
}

#[test]
fn page_that_keeps_people_out_is_found_in_browser() {
    let browser = Browser::start().unwrap();
    let policy = "<meta http-equiv=content-security-policy content=\"default-src 'none'\">";
    let body = "<html lang=en><title>t</title><main><h1>t</h1><img src=x><p>text</p></main>";
    browser.goto(&format!("data:text/html,<!doctype html>{policy}{body}")).unwrap();
    let found = browser.violations(&["wcag2a", "wcag2aa"]).unwrap();
    assert_eq!(found.iter().map(|violation| violation.rule.as_str()).collect::<Vec<_>>(), ["image-alt"]);
    assert!(found[0].to_string().contains("img: ") && found[0].places.len() == 1, "{}", found[0]);
    browser.evaluate("document.querySelector('img').alt = 'a cat'").unwrap();
    assert_eq!(browser.violations(&["wcag2a", "wcag2aa"]).unwrap(), []);
}

/// Answers every request with one page and one cookie; the port.
fn serve_tls() -> u16 {
    let certified = Certified::issue().unwrap();
    let chain = CertificateDer::pem_slice_iter(certified.certificate.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            // A browser opens connections that it does not use: each has a thread of its own.
            std::thread::spawn(move || serve_page(StreamOwned::new(tls, stream)));
        }
    });
    port
}

fn serve_page(stream: StreamOwned<ServerConnection, TcpStream>) {
    let mut stream = BufReader::new(stream);
    let lines = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    if lines.count() > 0 {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
        let cookie = "Set-Cookie: __Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax";
        let answer = format!("{head}\r\n{cookie}\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len());
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
    }
}
