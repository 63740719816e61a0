//! The deployment guide in both languages: its commands, as they stand, from an empty folder to a service that was verified.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use rstest::rstest;
use test_peers::{Postgres, Redis, installation};

use crate::support::{PROGRAM, Workplace};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const DATABASE_PASSWORD: &str = "9d2f7c1e5a8b3046f1d7e9c2b4a6583017c9e5d3a1f8b624";
const REDIS_TOKEN: &str = "3f0c8a5d4b1e9672a8c4e0f1b3d5972640a1c9e8f7b6d5c4";
/// What a reader does where the text says to copy the token out of the answer.
const COPY_TOKEN: &str = r#"TOKEN=$(sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p' answer)"#;
/// What `api.yourdomain.com` is here, with the status and the body of each answer.
const CURL: &str =
    r#"curl() { command curl -sS -H "Host: api.yourdomain.com" -w '\nstatus %{http_code}\n' "$@" | tee answer; }"#;

/// Somebody who follows the guide, with a database server and a Redis of their own.
struct Reader {
    place: Workplace,
    postgres: Postgres,
    redis: Redis,
}

impl Reader {
    fn new() -> Self {
        let (postgres, redis) = (Postgres::start().unwrap(), Redis::start_tls().unwrap());
        redis.require_password(REDIS_TOKEN).unwrap();
        let place = Workplace::bare();
        for name in [".env.production.example", "auth-service"] {
            std::os::unix::fs::symlink(Path::new(ROOT).join(name), place.path(name)).unwrap();
        }
        // As RDS makes its master user: no superuser.
        let role = "CREATE ROLE authadmin LOGIN CREATEDB";
        postgres.psql(&postgres.url("postgres"), ["-c", role]).unwrap();
        Self { place, postgres, redis }
    }

    /// Runs commands of the guide; what they print.
    fn run(&self, commands: &str) -> String {
        let commands = commands
            .replace("auth-system-db.xxxxx.ap-northeast-2.rds.amazonaws.com", "127.0.0.1")
            .replace("https://api.yourdomain.com", &format!("http://localhost:{}", self.place.port));
        let ours = [Path::new(PROGRAM), &installation::psql().unwrap()].map(|path| path.parent().unwrap().to_owned());
        let path = format!("{}:{}:/usr/bin:/bin", ours[0].display(), ours[1].display());
        let mut shell = Command::new("sh");
        shell.args(["-euc", &format!("{CURL}\n{commands}")]).current_dir(self.place.path(".")).env_clear();
        let shell = shell.env("PATH", path).env("SSL_CERT_FILE", self.redis.ca_path());
        let finished = shell.env("PGPORT", self.postgres.port().to_string()).output().unwrap();
        let out = String::from_utf8(finished.stdout).unwrap();
        assert!(finished.status.success(), "{commands}\n{out}\n{}", String::from_utf8_lossy(&finished.stderr));
        out
    }

    /// Fills in what the example leaves to its reader.
    fn fill_in(&self) {
        let path = self.place.path(".env.production");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let database = self.postgres.url("authdb").replace("postgres@", &format!("authadmin:{DATABASE_PASSWORD}@"));
        let redis = self.redis.url().replace("rediss://", &format!("rediss://:{REDIS_TOKEN}@"));
        let secret = self.run("openssl rand -base64 32");
        let hex = self.run("openssl rand -hex 32");
        let own = [
            ("DB_PRIMARY_DB_URL", database.as_str()),
            ("REDIS_URL", &redis),
            ("SECRETS_KEY", secret.trim()),
            ("GATEWAY_FEED_TOKEN", hex.trim()),
            ("ADMIN_CLIENT_SECRET", hex.trim()),
        ];
        let text = fs::read_to_string(&path).unwrap();
        let fill = |line: &str| {
            let name = line.split_once('=').map_or("", |(name, _)| name);
            let own = own.iter().find(|(known, _)| *known == name);
            own.map_or_else(|| line.to_owned(), |(name, value)| format!("{name}={value}"))
        };
        fs::write(&path, text.lines().map(|line| fill(line) + "\n").collect::<String>()).unwrap();
    }

    /// Where the server is started with the file, as systemd and Docker read it: values as they stand.
    fn environment(&self) -> Workplace {
        let text = fs::read_to_string(self.place.path(".env.production")).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        let place = self.place.clone().set("SSL_CERT_FILE", self.redis.ca_path().to_str().unwrap());
        lines.fold(place, |place, (name, value)| place.set(name, value))
    }
}

#[rstest]
#[case("docs/guides/deployment.md")]
#[case("docs/ko/guides/deployment.md")]
#[tokio::test]
async fn whoever_follows_the_guide_has_a_service_that_is_verified(#[case] page: &str) {
    let text = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let (before, after) = text.split_once("\n## 5. ").unwrap();
    let reader = Reader::new();
    let (copying, setting) = before.split_once("openssl rand").unwrap();
    reader.run(&shell_of(copying));
    reader.fill_in();
    let prepared = reader.run(&shell_of(&format!("```sh\nopenssl rand{setting}")));
    for named in ["public | users ", "every script is applied", "idx_users_email_active is there"] {
        assert!(prepared.contains(named), "{named:?} is not in\n{prepared}");
    }

    let program = reader.environment().spawn(&["service"]);
    program.until_ready().await;
    let environment = "set -a && . ./.env.production && set +a && export DB_HOST=127.0.0.1 PGPASSWORD=x";
    let verified = reader.run(&format!("{environment}\n{}", shell_of(after)));
    let statuses: Vec<_> = verified.lines().filter_map(|line| line.strip_prefix("status ")).collect();
    assert_eq!(statuses, ["200", "200", "201", "200", "200", "204", "401"], "{verified}");
    assert!(verified.contains(r#"{"status":"healthy","version":"1.0.0","environment":"production"}"#), "{verified}");
    for header in [
        "strict-transport-security: max-age=31536000; includeSubDomains",
        "x-content-type-options: nosniff",
        "x-frame-options: DENY",
        "x-xss-protection: ",
    ] {
        assert_eq!(verified.matches(header).count(), 1, "{header}: {verified}");
    }
    assert!(verified.contains("Index Scan using idx_users_email_active"), "{verified}");
    let token = verified.lines().last().unwrap();
    assert_eq!(token.len(), 43, "{token:?} is what the first administrator is made by");
}

/// The `sh` blocks of a text, with what a reader does where it says to copy the token.
fn shell_of(markdown: &str) -> String {
    let blocks = markdown.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|line| if line.starts_with("TOKEN=") { COPY_TOKEN } else { line });
    lines.fold(String::new(), |all, line| all + line + "\n")
}
