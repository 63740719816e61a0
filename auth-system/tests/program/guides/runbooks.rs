//! Every runbook: its commands and queries on a deployment where nothing is wrong, and what they show there.

use std::{collections::BTreeMap, fs};

use test_peers::{Certified, Kakao, Postgres, Redis, RegisteredClient, Security, Smtp};

use super::{
    page::{self, pages, read},
    reader::Reader,
};
use crate::support::{Engine, Workplace};

const REDIS_TOKEN: &str = "3f0c8a5d4b1e9672a8c4e0f1b3d5972640a1c9e8f7b6d5c4";
/// What the commands of each runbook show.
const SHOWN: [(&str, &[&str]); 12] = [
    ("AuthSystemCertificateExpires", &["notAfter="]),
    ("AuthSystemDatabaseAway", &["ok       database: ", "(1 row)"]),
    ("AuthSystemDown", &[r#"200 OK {"status":"healthy""#]),
    ("AuthSystemGatewayFails", &[r#""status":"healthy""#]),
    ("AuthSystemGatewayKeys", &[r#""keys":[{"#]),
    ("AuthSystemGatewayRevocationsLate", &[r#""revocations""#]),
    ("AuthSystemGatewayRoutesRefused", &["/orders"]),
    ("AuthSystemLogLost", &["ok       disk: ", "Filesystem "]),
    ("AuthSystemMailWaits", &["ok       mail: "]),
    ("AuthSystemProviderFails", &["ok       login provider: kakao"]),
    ("AuthSystemRedisAway", &["ok       redis: ", "\nPONG\n"]),
    ("AuthSystemUpstreamDown", &[r#""upstreams""#]),
];

/// A deployment with everything that alerts are about.
struct Deployment {
    place: Workplace,
    postgres: Postgres,
    redis: Redis,
    _relay: Smtp,
    _kakao: Kakao,
}

impl Deployment {
    fn new() -> Self {
        let (postgres, redis) = (Postgres::start().unwrap(), Redis::start_tls().unwrap());
        redis.require_password(REDIS_TOKEN).unwrap();
        let relay = Smtp::start(Security::Plain).unwrap();
        let kakao = Kakao::start(RegisteredClient::new("us", "our-secret", &[])).unwrap();
        let place = Workplace::on(Engine::Sqlite)
            .set("DB_PRIMARY_DB_URL", &postgres.create_database().unwrap())
            .set("REDIS_URL", &redis.url().replace("rediss://", &format!("rediss://:{REDIS_TOKEN}@")))
            .set("SSL_CERT_FILE", redis.ca_path().to_str().unwrap())
            .set("PUBLIC_URL", "http://localhost")
            .set("SMTP_URL", &relay.url())
            .set("MAIL_FROM", "no-reply@example.com")
            .set("KAKAO_CLIENT_ID", "us")
            .set("KAKAO_CLIENT_SECRET", "our-secret")
            .set("KAKAO_ADMIN_KEY", kakao.admin_key())
            .set("KAKAO_AUTH_URL", &kakao.url())
            .set("KAKAO_API_URL", &kakao.url());
        fs::write(place.path("cert.pem"), Certified::issue().unwrap().certificate).unwrap();
        fs::copy(page::path("deploy/gateway.example.toml"), place.path("gateway.toml")).unwrap();
        Self { place, postgres, redis, _relay: relay, _kakao: kakao }
    }

    /// What stands here for the names of the runbooks.
    fn names(&self) -> [(&'static str, String); 4] {
        let redis = format!("localhost -p {} --cacert {}", self.redis.port(), self.redis.ca_path().display());
        [
            ("REDIS_HOST", redis),
            ("-a TOKEN", format!("-a {REDIS_TOKEN}")),
            ("127.0.0.1:9001", format!("127.0.0.1:{}", self.place.metrics_port)),
            ("AUTH_API:8000", format!("127.0.0.1:{}", self.place.port)),
        ]
    }

    fn query(&self, sql: &str) {
        self.postgres.psql(self.place.value("DB_PRIMARY_DB_URL"), ["-c", sql]).unwrap();
    }
}

#[tokio::test]
async fn the_first_look_of_every_runbook_shows_what_there_is() {
    let deployment = Deployment::new();
    let _program = deployment.place.start().await;
    let mut expected = BTreeMap::from(SHOWN);
    for page in pages("docs/runbooks") {
        let shown = follow(&deployment, &page);
        let name = page.rsplit('/').next().unwrap().trim_end_matches(".md");
        let expected = expected.remove(name).unwrap_or_default();
        assert!(expected.iter().all(|text| shown.contains(text)), "{page}: {expected:?}: {shown}");
        assert_eq!(shown.is_empty(), expected.is_empty(), "{page}: {shown}");
    }
    assert!(expected.is_empty(), "no runbook shows {expected:?}");
}

/// Runs everything on a page; what its commands show.
fn follow(deployment: &Deployment, page: &str) -> String {
    let mut reader = Reader::open(page, &deployment.place);
    for (shown, own) in deployment.names().iter().filter(|(shown, _)| read(page).contains(shown)) {
        reader.replace(shown, own);
    }
    let mut shown = String::new();
    while let Some(block) = reader.upcoming() {
        let (calls, is_sql) = (block.text.matches("curl ").count(), block.fence == "sql");
        match is_sql {
            true => deployment.query(&reader.next("sql")),
            false => shown += &reader.run(&vec![200; calls]),
        }
    }
    reader.close();
    shown
}
