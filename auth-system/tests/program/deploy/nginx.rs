//! nginx/nginx.conf in a real nginx, in front of the real program.

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

use rcgen::{CertificateParams, KeyPair};
use reqwest::Certificate;
use tempfile::TempDir;
use test_peers::{free_port, installation};

use super::{commands_below, read, succeed};
use crate::{
    client::Client,
    gateway::Gateway,
    program::Program,
    support::{DEADLINE, Engine, Workplace, comes_within},
};

/// The name that the file and the guide give it.
const HOST: &str = "api.yourdomain.com";
const SECURITY_HEADERS: [&str; 4] =
    ["strict-transport-security", "x-content-type-options", "x-frame-options", "x-xss-protection"];

/// A running nginx with our configuration, ended with this value.
pub struct Nginx {
    child: Child,
    folder: TempDir,
    pub plain: u16,
    pub secure: u16,
    certificate: String,
}

/// What curl was answered.
struct Heard {
    status: u16,
    protocol: String,
    /// Every value of every header, by its name in lower case.
    headers: BTreeMap<String, Vec<String>>,
    body: String,
}

impl Nginx {
    /// In front of these instances of the API and this gateway.
    pub async fn start(api: [u16; 2], gateway: u16) -> Self {
        let names = [("auth-service:8000", api[0]), ("auth-service-2:8000", api[1]), ("api-gateway:8080", gateway)];
        let at =
            |text: String, (name, port)| text.replace(&format!("server {name}"), &format!("server 127.0.0.1:{port}"));
        Self::start_with(&names.into_iter().fold(read("nginx/nginx.conf"), at)).await
    }

    /// With a configuration whose servers are where it says; paths and ports are made the test's own.
    async fn start_with(configuration: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let (plain, secure) = (free_port().unwrap(), free_port().unwrap());
        // Its workers are somebody else when we are root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(folder.path().join("ssl")).unwrap();
        fs::create_dir_all(folder.path().join("acme/.well-known/acme-challenge")).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![HOST.to_owned()]).unwrap().self_signed(&key).unwrap().pem();
        fs::write(folder.path().join("ssl/fullchain.pem"), &certificate).unwrap();
        fs::write(folder.path().join("ssl/privkey.pem"), key.serialize_pem()).unwrap();
        let here = folder.path().to_str().unwrap();
        let configuration = configuration
            .replace("/etc/nginx/ssl", &format!("{here}/ssl"))
            .replace("/var/log/nginx", here)
            .replace("/var/www/acme", &format!("{here}/acme"))
            .replace("listen 80;", &format!("listen {plain};"))
            .replace("listen 443 ", &format!("listen {secure} "));
        fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let arguments = ["-p", here, "-e", "error.log", "-c", "nginx.conf", "-g"];
        let globals = format!("daemon off; pid {here}/pid;");
        let nginx = || {
            let mut nginx = Command::new(installation::nginx().unwrap());
            nginx.args(arguments).arg(&globals).stdin(Stdio::null());
            nginx
        };
        succeed(nginx().arg("-t"));
        let child = nginx().spawn().unwrap();
        let nginx = Self { child, folder, plain, secure, certificate };
        let listens = async || tokio::net::TcpStream::connect(("127.0.0.1", secure)).await.is_ok();
        assert!(comes_within(DEADLINE, listens).await, "{}", nginx.file("error.log"));
        nginx
    }

    /// A file that it wrote.
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// A client that knows its certificate, and calls from this address.
    pub fn client(&self, from: [u8; 4]) -> Client {
        let http = reqwest::Client::builder()
            .add_root_certificate(Certificate::from_pem(self.certificate.as_bytes()).unwrap())
            .resolve(HOST, ([127, 0, 0, 1], self.secure).into())
            .local_address(IpAddr::from(from));
        Client::with(format!("https://{HOST}:{}", self.secure), http)
    }

    /// What a path answers to curl.
    fn curl(&self, path: &str, options: &[&str]) -> Heard {
        let body = self.folder.path().join("body");
        let written = succeed(
            Command::new("curl")
                .args(["-s", "-D", "-", "-w", "\n%{http_version} %{http_code}", "-o"])
                .arg(&body)
                .args(["--resolve", &format!("{HOST}:{}:127.0.0.1", self.secure), "--cacert"])
                .arg(self.folder.path().join("ssl/fullchain.pem"))
                .args(options)
                .arg(format!("https://{HOST}:{}{path}", self.secure)),
        );
        Heard::parse(&written, fs::read_to_string(body).unwrap_or_default())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM, for its workers end with it; it may have ended already.
        drop(Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status());
        drop(self.child.wait());
    }
}

impl Heard {
    fn parse(written: &str, body: String) -> Self {
        let (heads, last) = written.trim_end().rsplit_once('\n').unwrap();
        let (protocol, status) = last.split_once(' ').unwrap();
        let mut headers = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in heads.lines().filter_map(|line| line.split_once(": ")) {
            headers.entry(name.to_lowercase()).or_default().push(value.trim().to_owned());
        }
        Self { status: status.parse().unwrap(), protocol: protocol.to_owned(), headers, body }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |values| &values[0])
    }

    fn assert_each_security_header_once(&self, what: &str) {
        for name in SECURITY_HEADERS {
            let values = self.headers.get(name).cloned().unwrap_or_default();
            assert_eq!(values.len(), 1, "{what}: {name} {values:?}");
        }
        assert_eq!(self.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("x-frame-options"), "DENY");
        assert_eq!(self.header("x-xss-protection"), "1; mode=block");
    }
}

/// The Auth API, believing nginx.
async fn start_api() -> (Program, Workplace) {
    let place = Workplace::on(Engine::Sqlite).set("TRUSTED_PROXIES", "127.0.0.1").set("ENV", "test");
    let place = place.set("GATEWAY_FEED_TOKEN", crate::gateway::FEED_TOKEN);
    let program = place.spawn(&["service"]);
    program.until_ready().await;
    (program, place)
}

#[tokio::test]
async fn every_answer_has_each_security_header_once_whoever_made_it() {
    let (_api, place) = start_api().await;
    let gateway = Gateway::start(&[place.port], "").await;
    let nginx = Nginx::start([place.port; 2], gateway.port).await;
    for (path, status) in [
        ("/api/v1/health", 200),
        ("/api/v1/users/me", 401),
        ("/api/v1/nowhere", 404),
        ("/.well-known/jwks.json", 200),
        ("/gateway/health", 200),
        ("/internal/v1/revocations", 404),
        // The console is not running: this is the gateway's answer.
        ("/admin/sign-in", 502),
    ] {
        let heard = nginx.curl(path, &["--http2"]);
        assert_eq!((heard.status, heard.protocol.as_str()), (status, "2"), "{path}: {}", heard.body);
        heard.assert_each_security_header_once(path);
    }
    let old = nginx.curl("/api/v1/health", &["--http1.1", "--tls-max", "1.2"]);
    assert_eq!((old.status, old.protocol.as_str()), (200, "1.1"));
    let older = Command::new("curl")
        .args(["-sk", "--tls-max", "1.1", &format!("https://127.0.0.1:{}/api/v1/health", nginx.secure)])
        .status();
    assert!(!older.unwrap().success(), "TLS 1.1 is no protocol any more");
    let large = nginx.curl("/api/v1/auth/login", &["--data-raw", &"x".repeat(100_000)]);
    assert!(large.status == 413 || large.status == 415, "{}", large.status);
    large.assert_each_security_header_once("a large body");
}

#[tokio::test]
async fn plain_requests_are_sent_to_tls_except_proofs_for_certbot() {
    let nginx = Nginx::start([free_port().unwrap(), free_port().unwrap()], free_port().unwrap()).await;
    let plain = Client::new(nginx.plain).with_header("host", HOST);
    let answer = plain.get("/api/v1/health?x=1").await;
    assert_eq!((answer.status, answer.header("location")), (301, "https://api.yourdomain.com/api/v1/health?x=1"));
    for name in SECURITY_HEADERS {
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{name}");
    }
    let proof = nginx.folder.path().join("acme/.well-known/acme-challenge/token");
    fs::write(proof, "proof").unwrap();
    assert_eq!(plain.get("/.well-known/acme-challenge/token").await.body, "proof");
}

#[tokio::test]
async fn a_service_that_is_away_is_answered_for_with_headers_of_nginx_s_own() {
    let nginx = Nginx::start([free_port().unwrap(), free_port().unwrap()], free_port().unwrap()).await;
    for path in ["/api/v1/health", "/admin/sign-in", "/api/v1/users/me"] {
        let heard = nginx.curl(path, &[]);
        assert_eq!((heard.status, heard.header("content-type")), (502, "application/problem+json"), "{path}");
        assert_eq!(heard.header("retry-after"), "5");
        let problem: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
        assert_eq!(problem["status"], 502);
        heard.assert_each_security_header_once(path);
    }
}

#[tokio::test]
async fn the_client_s_own_address_arrives_and_none_that_it_makes_up() {
    let (api, place) = start_api().await;
    let gateway = Gateway::place(&[place.port], "").set("TRUSTED_PROXIES", "127.0.0.1");
    let gateway = Gateway::start_in(gateway).await;
    let nginx = Nginx::start([place.port; 2], gateway.port).await;
    let client = nginx.client([127, 0, 0, 2]);
    client.person("kim@example.com").await;
    let spoofing = nginx.client([127, 0, 0, 3]).with_header("x-forwarded-for", "203.0.113.9");
    let person = spoofing.log_in("kim@example.com").await;
    let logins = client.bearing(&person.access).get("/api/v1/users/me/login-history").await;
    let text = logins.body.to_string();
    assert!(text.contains("127.0.0.2") && text.contains("127.0.0.3"), "{text}");
    assert!(!text.contains("203.0.113.9"), "{text}");
    assert!(!api.out().contains("TRUSTED_PROXIES does not name"), "{}", api.out());
}

#[tokio::test]
async fn what_is_logged_says_who_and_what_but_no_health_check_and_no_token() {
    let (_api, place) = start_api().await;
    let nginx = Nginx::start([place.port; 2], free_port().unwrap()).await;
    assert_eq!(nginx.curl("/api/v1/health", &[]).status, 200);
    assert_eq!(nginx.curl("/api/v1/health/ready", &[]).status, 200);
    assert_eq!(nginx.curl("/api/v1/users/me?token=secret-of-a-link", &[]).status, 401);
    let logged = async || nginx.file("access.log").contains("/api/v1/users/me");
    assert!(comes_within(DEADLINE, logged).await, "{}", nginx.file("error.log"));
    let log = nginx.file("access.log");
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.starts_with("127.0.0.1 [") && log.contains("\"GET /api/v1/users/me HTTP/2.0\" 401 "), "{log}");
    assert!(!log.contains("secret-of-a-link"), "{log}");
}

#[tokio::test]
async fn the_guide_s_change_for_a_server_without_containers_makes_it_a_front_of_one_process() {
    let place = Workplace::on(Engine::Sqlite).set("TRUSTED_PROXIES", "127.0.0.1");
    let program = place.start().await;
    let front = Client::new(place.gateway_port);
    program.until("the gateway is ready", async || front.get("/gateway/health/ready").await.status == 200).await;
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("nginx.conf"), read("nginx/nginx.conf")).unwrap();
    let change = commands_below(&read("docs/guides/deploy-server.md"), "## B-5. nginx");
    let change = change.replace("sudo ", "").replace("/etc/nginx/nginx.conf", "nginx.conf");
    let change: Vec<_> = change.lines().filter(|line| line.starts_with("sed ")).collect();
    assert!(!change.is_empty());
    for line in change {
        succeed(Command::new("sh").args(["-euc", line]).current_dir(folder.path()));
    }
    let changed = fs::read_to_string(folder.path().join("nginx.conf")).unwrap();
    assert!(changed.contains("server_name api.example.com;") && !changed.contains("auth-service"), "{changed}");
    let changed = changed
        .replace("127.0.0.1:8000", &format!("127.0.0.1:{}", place.port))
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", place.gateway_port));
    let nginx = Nginx::start_with(&changed).await;
    assert_eq!(nginx.curl("/api/v1/health", &[]).status, 200);
    assert_eq!(nginx.curl("/admin/sign-in", &[]).status, 303, "the console, through the gateway");
}
