//! Services behind the gateway that speak TLS or HTTP/2: whom it believes, and what it speaks to them.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, extract::Request};
use rstest::rstest;
use service_kit::{
    serve::{
        self, Listener, ServeLimits,
        tls::{CertificateFiles, Certificates},
    },
    shutdown::{Shutdown, Trigger},
};
use test_peers::{Certified, free_port};
use tokio::net::TcpListener;

use super::Gateway;

/// A service that tells in which version of HTTP, and for which host, it was asked.
struct Service {
    port: u16,
    asked: Arc<AtomicUsize>,
    /// Ends it when dropped.
    _stop: Trigger,
}

impl Service {
    async fn start(certified: Option<&Certified>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, asked) = (socket.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let listener = Listener::from(socket);
        let listener = match certified {
            Some(certified) => listener.with_tls(certificates(certified)),
            None => listener,
        };
        let counter = Arc::clone(&asked);
        let tell = async move |request: Request| {
            counter.fetch_add(1, Ordering::SeqCst);
            let host = request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
            let host = host.or(request.uri().authority().map(ToString::to_string)).unwrap_or_default();
            format!("{:?} {} {host} {}", request.version(), request.method(), request.uri().path())
        };
        let (stop, shutdown) = Shutdown::manual();
        tokio::spawn(serve::serve(listener, Router::new().fallback(tell), ServeLimits::default(), shutdown));
        Self { port, asked, _stop: stop }
    }

    fn was_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst) > 0
    }
}

fn certificates(certified: &Certified) -> Certificates {
    let folder = tempfile::tempdir().unwrap();
    let [chain, key] = [("cert.pem", &certified.certificate), ("key.pem", &certified.key)].map(|(name, pem)| {
        let path = folder.path().join(name);
        fs::write(&path, pem).unwrap();
        path
    });
    Certificates::load(&[CertificateFiles { chain, key }]).unwrap()
}

/// A gateway alone, open to everybody, in front of this server, with further members of the upstream. `ca.pem` in its
/// folder is this authority, if any.
async fn gateway(server: &str, members: &str, authority: Option<&str>, roots: Option<&str>) -> Gateway {
    let file = format!(
        "default_routes = false\n[[route]]\nmatch = {{ path = \"/\" }}\nupstream = \"service\"\nauth = \"none\"\n\
         [upstream.service]\nservers = [\"{server}\"]\n{members}\n"
    );
    let place = Gateway::place(&[free_port().unwrap()], &file);
    for (name, pem) in [("ca.pem", authority), ("roots.pem", roots)] {
        if let Some(pem) = pem {
            fs::write(place.path(name), pem).unwrap();
        }
    }
    let place = match roots {
        Some(_) => place.set("SSL_CERT_FILE", "roots.pem"),
        None => place,
    };
    Gateway::start_in(place).await
}

#[tokio::test]
async fn a_certificate_of_the_expected_authority_for_the_expected_name_is_believed() {
    let certified = Certified::issue().unwrap();
    let service = Service::start(Some(&certified)).await;
    let (by_name, by_address) =
        (format!("https://localhost:{}", service.port), format!("https://127.0.0.1:{}", service.port));
    for (server, members, ca, roots) in [
        (&by_name, "tls = { ca = \"ca.pem\" }", Some(certified.authority.as_str()), None),
        (
            &by_address,
            "tls = { ca = \"ca.pem\", server_name = \"localhost\" }",
            Some(certified.authority.as_str()),
            None,
        ),
        (&by_name, "", None, Some(certified.authority.as_str())),
    ] {
        let gateway = gateway(server, members, ca, roots).await;
        let answer = gateway.client.get("/a").await;
        assert_eq!(answer.status, 200, "{server} {members} {answer:?}");
        assert_eq!(answer.body, format!("HTTP/1.1 GET 127.0.0.1:{} /a", gateway.port));
    }
}

#[rstest]
#[case::name("tls = { ca = \"ca.pem\", server_name = \"orders.internal\" }", "not valid for name")]
#[case::authority("tls = { ca = \"roots.pem\" }", "of an unknown authority")]
#[case::roots("", "of an unknown authority")]
#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused_and_the_log_says_why(
    #[case] members: &str,
    #[case] why: &str,
    #[values("http1", "http2")] protocol: &str,
) {
    let certified = Certified::issue().unwrap();
    let service = Service::start(Some(&certified)).await;
    let server = format!("https://localhost:{}", service.port);
    let members = format!("protocol = \"{protocol}\"\n{members}");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let gateway = gateway(&server, &members, Some(&certified.authority), Some(&other)).await;
    let answer = gateway.client.get("/a").await;
    assert_eq!((answer.status, answer.text("code").as_str()), (502, "bad_gateway"), "{answer:?}");
    assert!(!answer.body.to_string().contains("TLS"), "that is not for clients: {answer:?}");
    gateway.program.until_logged(why).await;
    let log = gateway.program.out();
    let line = log.lines().find(|line| line.contains(why)).unwrap();
    assert!(line.contains(&format!("localhost:{}", service.port)) && line.contains("TLS: "), "{line}");
    assert!(!service.was_asked());
}

#[rstest]
#[case::http1("http1", "HTTP/1.1")]
#[case::http2("http2", "HTTP/2.0")]
#[tokio::test]
async fn a_service_is_spoken_to_in_the_version_that_the_file_says(
    #[case] protocol: &str,
    #[case] version: &str,
    #[values(true, false)] tls: bool,
) {
    let certified = Certified::issue().unwrap();
    let service = Service::start(tls.then_some(&certified)).await;
    let scheme = if tls { "https" } else { "http" };
    let members = if tls { "tls = { ca = \"ca.pem\" }" } else { "" };
    let server = format!("{scheme}://localhost:{}", service.port);
    let members = format!("protocol = \"{protocol}\"\n{members}");
    let gateway = gateway(&server, &members, Some(&certified.authority), None).await;
    let got = gateway.client.get("/a").await;
    assert_eq!(got.body, format!("{version} GET 127.0.0.1:{} /a", gateway.port), "{got:?}");
    let posted = gateway.client.post("/b", serde_json::json!({"a": 1})).await;
    assert_eq!(posted.body, format!("{version} POST 127.0.0.1:{} /b", gateway.port), "{posted:?}");
}
