//! TLS that the gateway itself ends.

use std::fs;

use reqwest::{Certificate, Client, Version, redirect::Policy};
use test_peers::{Certified, free_port};

use super::{Gateway, ROUTES, Site, upstream::values};

/// A gateway with certificates, and where it speaks TLS and where it redirects.
struct Secure {
    gateway: Gateway,
    port: u16,
    redirect: u16,
}

async fn start(site: &Site, certified: &Certified) -> Secure {
    start_with(site, certified, "").await
}

/// With further members of `[tls]`.
async fn start_with(site: &Site, certified: &Certified, members: &str) -> Secure {
    let (port, redirect) = (free_port().unwrap(), free_port().unwrap());
    let routes = ROUTES.replace("UPSTREAM", &site.upstream.url());
    let tls = format!(
        "[tls]\nlisten = \":{port}\"\nredirect = \":{redirect}\"\ncertificates = [{{ cert = \"cert.pem\", key = \"key.pem\" }}]\n{members}\n"
    );
    let place = Gateway::place(&[site.api_place.port], &format!("{routes}\n{tls}"));
    fs::write(place.path("cert.pem"), &certified.certificate).unwrap();
    fs::write(place.path("key.pem"), &certified.key).unwrap();
    let place = place.set("ALLOWED_HOSTS", "localhost");
    Secure { gateway: Gateway::start_in(place).await, port, redirect }
}

/// A client that trusts this authority alone, and keeps no connection.
fn client(certified: &Certified) -> Client {
    let authority = Certificate::from_pem(certified.authority.as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([authority]).redirect(Policy::none()).pool_max_idle_per_host(0);
    client.build().unwrap()
}

#[tokio::test]
async fn tls_is_ended_here_and_told_to_the_service() {
    let site = Site::with(ROUTES).await;
    let certified = Certified::issue().unwrap();
    let secure = start(&site, &certified).await;
    let url = format!("https://localhost:{}/open/x", secure.port);
    let answer = client(&certified).get(&url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
    let head = site.upstream.last();
    assert_eq!(values(&head, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&head, "host"), [format!("localhost:{}", secure.port)]);
    let old =
        Client::builder().tls_certs_only([Certificate::from_pem(certified.authority.as_bytes()).unwrap()]).http1_only();
    assert_eq!(old.build().unwrap().get(&url).send().await.unwrap().version(), Version::HTTP_11);
    let stranger = client(&Certified::issue().unwrap()).get(&url).send().await;
    assert!(stranger.is_err(), "another authority vouches for nothing here");
}

#[tokio::test]
async fn plain_requests_are_sent_to_tls_and_nowhere_else() {
    let site = Site::with(ROUTES).await;
    let certified = Certified::issue().unwrap();
    let secure = start(&site, &certified).await;
    let plain = Client::builder().redirect(Policy::none()).build().unwrap();
    let asked = plain.get(format!("http://localhost:{}/open/x?y=1", secure.redirect)).send().await.unwrap();
    assert_eq!(asked.status(), 308);
    assert_eq!(asked.headers()["location"], format!("https://localhost:{}/open/x?y=1", secure.port).as_str());
    let elsewhere = plain.get(format!("http://localhost:{}/", secure.redirect)).header("host", "evil.example");
    assert_eq!(elsewhere.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn plain_requests_are_sent_to_the_port_that_clients_see() {
    let site = Site::with(ROUTES).await;
    let certified = Certified::issue().unwrap();
    let plain = Client::builder().redirect(Policy::none()).build().unwrap();
    for (public, seen) in [("443", ""), ("9443", ":9443")] {
        let secure = start_with(&site, &certified, &format!("public_port = {public}")).await;
        let asked = plain.get(format!("http://localhost:{}/open/x?y=1", secure.redirect)).send().await.unwrap();
        assert_eq!(asked.status(), 308);
        assert_eq!(asked.headers()["location"], format!("https://localhost{seen}/open/x?y=1").as_str());
        let url = format!("https://localhost:{}/open/x", secure.port);
        assert_eq!(client(&certified).get(url).send().await.unwrap().status(), 200, "it listens where it did");
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let site = Site::with(ROUTES).await;
    let (first, second) = (Certified::issue().unwrap(), Certified::issue().unwrap());
    let secure = start(&site, &first).await;
    let url = format!("https://localhost:{}/open/x", secure.port);
    assert_eq!(client(&first).get(&url).send().await.unwrap().status(), 200);
    let place = &secure.gateway.place;
    fs::write(place.path("cert.pem"), "no certificate").unwrap();
    secure.gateway.program.until_logged("cert.pem").await;
    assert_eq!(client(&first).get(&url).send().await.unwrap().status(), 200, "the old one is shown still");
    fs::write(place.path("key.pem"), &second.key).unwrap();
    fs::write(place.path("cert.pem"), &second.certificate).unwrap();
    secure.gateway.program.until("the new one is shown", async || client(&second).get(&url).send().await.is_ok()).await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_stops_the_start() {
    let site = Site::with(ROUTES).await;
    let tls = "[tls]\nlisten = \":0\"\ncertificates = [{ cert = \"missing.pem\", key = \"key.pem\" }]\n";
    let place =
        Gateway::place(&[site.api_place.port], &format!("{}\n{tls}", ROUTES.replace("UPSTREAM", &site.upstream.url())));
    let mut gateway = Gateway::spawn(place);
    assert_eq!(gateway.program.ended().await, Some(1));
    assert!(gateway.program.err().contains("missing.pem"), "{}", gateway.program.err());
}
