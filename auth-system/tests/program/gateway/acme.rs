//! Certificates from an authority: a real one, which looks for its proof where the gateway listens.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, KeyPair};
use reqwest::{Certificate, ClientBuilder, tls::TlsInfo};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use service_kit::clock::Clock;
use test_peers::{Pebble, free_port};

use super::Gateway;
use crate::support::Workplace;

const DOMAIN: &str = "gate.example.test";
const OTHER: &str = "other.example.test";

/// A gateway's place with an authority that it may order from.
struct Ordering {
    pebble: Pebble,
    tls_port: u16,
    /// In PEM.
    root: Vec<u8>,
}

impl Ordering {
    async fn start() -> Self {
        let tls_port = free_port().unwrap();
        let pebble = Pebble::start(tls_port).unwrap();
        let root = root(&pebble).await;
        Self { pebble, tls_port, root }
    }

    /// Where a gateway may order, and trusts the authority.
    fn place(&self) -> Workplace {
        self.distrustful_place().set("SSL_CERT_FILE", self.pebble.ca_path().to_str().unwrap())
    }

    /// The same for one that trusts the system's roots alone.
    fn distrustful_place(&self) -> Workplace {
        let file = tls(self.tls_port, &self.pebble.directory(), &[DOMAIN]);
        Gateway::place(&[free_port().unwrap()], &file).set("LOG_LEVEL", "debug")
    }

    /// The certificate that is shown for a name to whoever trusts the authority and nobody else.
    async fn shown(&self, name: &str) -> reqwest::Result<Vec<u8>> {
        let root = Certificate::from_pem(&self.root)?;
        self.shown_to(reqwest::Client::builder().tls_certs_only([root]), name).await
    }

    async fn shown_to(&self, client: ClientBuilder, name: &str) -> reqwest::Result<Vec<u8>> {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, self.tls_port));
        let url = format!("https://{name}:{}/gateway/health", self.tls_port);
        let answer = client.tls_info(true).resolve(name, here).build()?.get(url).send().await?;
        assert_eq!(answer.status(), 200);
        let info: &TlsInfo = answer.extensions().get().unwrap();
        Ok(info.peer_certificate().unwrap().to_vec())
    }

    /// Waits until a certificate of the authority is shown.
    async fn until_shown(&self, gateway: &Gateway, name: &str) -> Vec<u8> {
        gateway.program.until("a certificate is shown", async || self.shown(name).await.is_ok()).await;
        self.shown(name).await.unwrap()
    }

    fn orders(&self) -> usize {
        self.pebble.log().unwrap().matches("Issued certificate serial").count()
    }
}

/// What all certificates of an authority lead to.
async fn root(pebble: &Pebble) -> Vec<u8> {
    let own = Certificate::from_pem(&fs::read(pebble.ca_path()).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([own]).build().unwrap();
    client.get(pebble.root_url()).send().await.unwrap().bytes().await.unwrap().to_vec()
}

/// A file with nothing but TLS.
fn tls(port: u16, directory: &str, domains: &[&str]) -> String {
    format!(
        "[tls]\nlisten = \"127.0.0.1:{port}\"\nacme = {{ directory = \"{directory}\", contact = \"mailto:ops@example.com\", domains = {domains:?}, storage = \"data/acme\" }}\n"
    )
}

/// Starts one that need not become ready, for no API is behind it.
async fn spawn(place: Workplace) -> Gateway {
    let gateway = Gateway::spawn(place);
    gateway.program.until("it answers", async || gateway.health("").await == Some(200)).await;
    gateway
}

/// Ends one, and starts another in its place.
async fn restart(gateway: Gateway) -> Gateway {
    let Gateway { program, place, .. } = gateway;
    program.stop().await;
    spawn(place).await
}

/// The folder of the one authority.
fn kept(place: &Workplace) -> PathBuf {
    fs::read_dir(place.path("data/acme")).unwrap().next().unwrap().unwrap().path()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_certificate_is_ordered_once_and_kept_over_restarts() {
    let ordering = Ordering::start().await;
    let gateway = spawn(ordering.place()).await;
    let first = ordering.until_shown(&gateway, DOMAIN).await;
    gateway.program.until("its time is told", async || seconds_left(&gateway).await > 86_400.0).await;
    let gateway = restart(gateway).await;
    assert_eq!(ordering.shown(DOMAIN).await.unwrap(), first, "the kept one is used at once");
    assert_eq!(ordering.orders(), 1, "{}", ordering.pebble.log().unwrap());
    ordering.pebble.stop().unwrap();
    let gateway = restart(gateway).await;
    assert_eq!(ordering.shown(DOMAIN).await.unwrap(), first, "the authority need not be there");
    let folder = kept(&gateway.place);
    assert_eq!([mode(&gateway.place.path("data/acme")), mode(&folder)], [0o700; 2]);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files, ["account.json", "certificate.pem", "orders.json"].map(|name| folder.join(name)));
    assert!(files.iter().all(|file| mode(file) == 0o600));
    assert_holds_no_secret(&gateway.program.out(), &folder);
}

#[tokio::test]
async fn a_certificate_that_is_due_or_lacks_a_name_is_replaced() {
    let ordering = Ordering::start().await;
    let gateway = spawn(ordering.place()).await;
    ordering.until_shown(&gateway, DOMAIN).await;
    let Gateway { program, place, .. } = gateway;
    program.stop().await;
    fs::write(kept(&place).join("certificate.pem"), about_to_expire()).unwrap();
    let gateway = spawn(place).await;
    let renewed = ordering.until_shown(&gateway, DOMAIN).await;
    assert_eq!(ordering.orders(), 2);
    fs::write(gateway.file(), tls(ordering.tls_port, &ordering.pebble.directory(), &[DOMAIN, OTHER])).unwrap();
    let gateway = restart(gateway).await;
    let both = ordering.until_shown(&gateway, OTHER).await;
    assert_ne!(both, renewed);
    assert_eq!(ordering.shown(DOMAIN).await.unwrap(), both, "one certificate for all names");
    assert_eq!(ordering.orders(), 3);
}

#[tokio::test]
async fn a_certificate_that_is_due_stays_in_use_while_the_authority_is_away() {
    let ordering = Ordering::start().await;
    let gateway = spawn(ordering.place()).await;
    ordering.until_shown(&gateway, DOMAIN).await;
    let Gateway { program, place, .. } = gateway;
    program.stop().await;
    ordering.pebble.stop().unwrap();
    let due = about_to_expire();
    fs::write(kept(&place).join("certificate.pem"), &due).unwrap();
    let gateway = spawn(place).await;
    gateway.program.until_logged("until then the present certificate stays in use").await;
    let trusting = reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    let shown = ordering.shown_to(trusting, DOMAIN).await.unwrap();
    assert_eq!(shown, *CertificateDer::from_pem_slice(due.as_bytes()).unwrap());
}

#[tokio::test]
async fn an_authority_that_forgot_the_account_is_given_another_one() {
    let mut ordering = Ordering::start().await;
    let gateway = spawn(ordering.place()).await;
    ordering.until_shown(&gateway, DOMAIN).await;
    let Gateway { program, place, .. } = gateway;
    program.stop().await;
    fs::write(kept(&place).join("certificate.pem"), about_to_expire()).unwrap();
    ordering.pebble.stop().unwrap();
    ordering.pebble.start_again().unwrap();
    ordering.root = root(&ordering.pebble).await;
    let gateway = spawn(place).await;
    ordering.until_shown(&gateway, DOMAIN).await;
    gateway.program.until_logged("another account is made").await;
}

#[tokio::test]
async fn proofs_are_for_authorities_and_for_a_time() {
    let ordering = Ordering::start().await;
    let gateway = spawn(ordering.place()).await;
    ordering.until_shown(&gateway, DOMAIN).await;
    let handshake = |protocols: &[&str]| handshake(&ordering, protocols).map_err(|cause| cause.to_string());
    assert_eq!(handshake(&["http/1.1"]), Ok(()));
    for protocols in [&["acme-tls/1"][..], &["acme-tls/1", "http/1.1"]] {
        assert!(handshake(protocols).unwrap_err().contains("AccessDenied"), "{protocols:?}");
    }
}

#[tokio::test]
async fn an_authority_that_cannot_be_reached_is_told_once_and_plain_requests_are_answered() {
    let (tls_port, nowhere) = (free_port().unwrap(), free_port().unwrap());
    let directory = format!("https://127.0.0.1:{nowhere}/dir");
    let gateway = spawn(Gateway::place(&[free_port().unwrap()], &tls(tls_port, &directory, &[DOMAIN]))).await;
    gateway.program.until_logged("check tls.acme.directory").await;
    let log = gateway.program.out();
    assert!(log.contains(&directory) && log.contains("Connection refused") && log.contains(DOMAIN), "{log}");
    assert_eq!(gateway.health("").await, Some(200));
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, tls_port));
    let client =
        reqwest::Client::builder().tls_danger_accept_invalid_certs(true).resolve(DOMAIN, here).build().unwrap();
    assert!(client.get(format!("https://{DOMAIN}:{tls_port}/")).send().await.is_err(), "there is no certificate yet");
}

#[tokio::test]
async fn an_authority_that_finds_no_proof_is_quoted_with_what_to_do() {
    let ordering = Ordering::start().await;
    let elsewhere = free_port().unwrap();
    let place = ordering.place();
    fs::write(place.path("gateway.toml"), tls(elsewhere, &ordering.pebble.directory(), &[DOMAIN])).unwrap();
    let gateway = spawn(place).await;
    gateway.program.until_logged("port 443 of every name must reach tls.listen").await;
    assert!(gateway.program.out().contains(&format!("{DOMAIN}: ")), "{}", gateway.program.out());
    assert_eq!((gateway.health("").await, ordering.orders()), (Some(200), 0));
}

#[tokio::test]
async fn an_authority_that_cannot_prove_who_it_is_gets_no_order() {
    let ordering = Ordering::start().await;
    let gateway = spawn(ordering.distrustful_place()).await;
    gateway.program.until_logged("check tls.acme.directory").await;
    assert!(gateway.program.out().contains("UnknownIssuer"), "{}", gateway.program.out());
    assert_eq!(ordering.orders(), 0);
}

/// What comes of a client that trusts the authority and speaks these protocols.
fn handshake(ordering: &Ordering, protocols: &[&str]) -> io::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&ordering.root).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let mut tls = ClientConnection::new(Arc::new(config), DOMAIN.try_into().unwrap()).unwrap();
    let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, ordering.tls_port))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    Ok(())
}

/// What the metric says of the certificate; 0 while it says nothing.
async fn seconds_left(gateway: &Gateway) -> f64 {
    let port = gateway.place.port_of("GATEWAY_METRICS_ADDR");
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.unwrap();
    let told = answer.text().await.unwrap();
    let metric = format!("gateway_certificate_expires_seconds{{name=\"{DOMAIN}\"}} ");
    told.lines().find_map(|line| line.strip_prefix(&metric)?.parse().ok()).unwrap_or(0.0)
}

/// A key and its certificate with less than a third of its life left, whoever signed it.
fn about_to_expire() -> String {
    let today = Clock::System.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |date: jiff::civil::Date| rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8);
    let mut params = CertificateParams::new([DOMAIN.to_owned()]).unwrap();
    params.not_before = day(today - jiff::Span::new().days(99));
    params.not_after = day(today + jiff::Span::new().days(2));
    let key = KeyPair::generate().unwrap();
    format!("{}{}", key.serialize_pem(), params.self_signed(&key).unwrap().pem())
}

/// Neither the account's key nor that of the certificate is in the log.
fn assert_holds_no_secret(log: &str, folder: &Path) {
    let account: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("account.json")).unwrap()).unwrap();
    let pem = fs::read_to_string(folder.join("certificate.pem")).unwrap();
    for secret in [account["key_pkcs8"].as_str().unwrap(), pem.lines().nth(1).unwrap()] {
        assert!(secret.len() > 40 && !log.contains(secret), "{secret}");
    }
}
