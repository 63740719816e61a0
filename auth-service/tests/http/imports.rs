//! Imports: whoever is brought from another system logs in with the password they had there.

use std::path::PathBuf;

use auth_service::import::{self, Format, ImportError, Mode, Options, Outcome, SignerKey};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Deployment, Engine, Instance, PASSWORD};

/// The password of every hash below but Firebase's.
const OLD: &str = "correct horse 🦀";
const BCRYPT: &str = "$2b$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy";
const ARGON2_TAG: &str = "73d1ct7qbPCL90vXZy5w1V/rMZXFNfNTO5UgJllYvw4";
const SALT: &str = "MDEyMzQ1Njc4OWFiY2RlZg";
/// PBKDF2 of 64 bytes after 1000 rounds, as Keycloak makes it; by Python's hashlib.
const PBKDF2_SHA256: &str = "2N08qwUW+RpjAsFypuda9RNztTeqXqDegqJ2B+nFHwu13SLbbFfLn+1tlvHVAGHCbSRGbXnN50rD0fI6capGJw==";
const PBKDF2_SHA512: &str = "SWLwBl51ddc0zQ8PteVq/MVTsChdqC5RuNGgP2cDv2IAB3Q7xgrEGOQRorlT16VFV2QozFS220d+sVSULzXIgw==";
/// The example of github.com/firebase/scrypt.
const FIREBASE_KEY: &str = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
const FIREBASE_HASH: &str = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

/// A file to import, and what it is imported into.
struct Source<'a> {
    deployment: &'a Deployment,
    api: &'a Instance,
    path: PathBuf,
}

impl<'a> Source<'a> {
    fn new(deployment: &'a Deployment, api: &'a Instance, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = PathBuf::from(deployment.get("DATA_DIR")).join(name);
        std::fs::write(&path, contents).unwrap();
        Self { deployment, api, path }
    }

    async fn import(&self, format: Format, mode: Mode) -> Result<Outcome, ImportError> {
        let firebase = (format == Format::Firebase).then(|| SignerKey::parse(FIREBASE_KEY, "Bw==", 8, 14).unwrap());
        let options = Options { path: self.path.clone(), format, mode, report: Some(self.report()), firebase };
        import::run(&self.api.app.db, &self.deployment.clock, options, |_| ()).await
    }

    fn report(&self) -> PathBuf {
        self.path.with_extension("report")
    }

    /// The line and code of each refused record.
    fn refused(&self) -> Vec<(u64, String)> {
        let report = std::fs::read_to_string(self.report()).unwrap();
        let lines = report.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| (line["line"].as_u64().unwrap(), line["code"].as_str().unwrap().to_owned())).collect()
    }
}

/// Imports a file that has nothing wrong, and logs every one of its people in; twice, for the first time upgrades the hash.
async fn everyone_logs_in(deployment: &Deployment, format: Format, file: String, people: &[(&str, &str)]) {
    let api = deployment.start().await;
    let source = Source::new(deployment, &api, "people", file);
    let outcome = source.import(format, Mode::Add).await.unwrap();
    assert_eq!(
        (outcome.seen.added, outcome.seen.refused),
        (people.len() as u64, 0),
        "{outcome:?} {:?}",
        source.refused()
    );
    for (email, password) in people {
        for _ in 0..2 {
            assert_eq!(api.login(email, password).await.status, 200, "{email}");
        }
        assert_eq!(api.login(email, "wrong").await.status, 401, "{email}");
    }
    let upgraded = "SELECT COUNT(*) FROM users WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert_eq!(deployment.number(upgraded).await, people.len() as i64, "the login made better hashes");
}

#[rstest]
#[tokio::test]
async fn hashes_of_every_kind_in_a_csv_let_their_owners_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hashes = [
        BCRYPT,
        "$2y$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy",
        "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$4EDes0CfyRWmoXJKtXEfWJCx9GJejqULxr7m2S21skI=",
        "$pbkdf2-sha512$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$SWLwBl51ddc0zQ8PteVq/MVTsChdqC5RuNGgP2cDv2IAB3Q7xgrEGOQRorlT16VFV2QozFS220d+sVSULzXIgw",
        "$scrypt$ln=10,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg$dcoTmupD5s8hKacXtLq7RkQEt60+Om2NA4pTWL+WQ0o",
        "$argon2i$v=19$m=512,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ocbyjmafdAwwS5nIup6CSH+U0Iwxf2f+9JfJ2y6+ZBI",
    ];
    let rows = hashes.iter().enumerate().map(|(n, hash)| format!("Kim{n}@Example.com,kim{n},\"{hash}\"\r\n"));
    let file = format!("\u{feff}email,username,password_hash\r\n{}", rows.collect::<String>());
    let emails: Vec<String> = (0..hashes.len()).map(|n| format!("kim{n}@example.com")).collect();
    let people: Vec<_> = emails.iter().map(|email| (email.as_str(), OLD)).collect();
    everyone_logs_in(&Deployment::new(engine), Format::Csv, file, &people).await;
}

#[rstest]
#[tokio::test]
async fn people_of_a_keycloak_realm_log_in_and_are_no_administrators_here(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let person = |email: &str, data: Value, value: &str| {
        json!({
            "id": "x", "username": email, "email": email, "enabled": true, "emailVerified": true, "realmRoles": ["admin"],
            "createdTimestamp": 1_714_521_600_000_i64,
            "credentials": [{
                "type": "password", "credentialData": data.to_string(),
                "secretData": json!({"value": value, "salt": format!("{SALT}=="), "additionalParameters": {}}).to_string(),
            }],
        })
    };
    let argon2 = json!({"hashIterations": 3, "algorithm": "argon2", "additionalParameters": {
        "hashLength": ["32"], "memory": ["65536"], "type": ["id"], "version": ["1.3"], "parallelism": ["4"]}});
    let pbkdf2 = |digest: &str| json!({"hashIterations": 1000, "algorithm": format!("pbkdf2-{digest}"), "additionalParameters": {}});
    let users = [
        person("a@example.com", argon2, &format!("{ARGON2_TAG}=")),
        person("b@example.com", pbkdf2("sha256"), PBKDF2_SHA256),
        person("c@example.com", pbkdf2("sha512"), PBKDF2_SHA512),
    ];
    let realm =
        json!({"realm": "shop", "clients": [{"users": 5}], "users": users, "roles": {"realm": [{"name": "admin"}]}});
    let deployment = Deployment::new(engine);
    let people = [("a@example.com", OLD), ("b@example.com", OLD), ("c@example.com", OLD)];
    everyone_logs_in(&deployment, Format::Keycloak, realm.to_string(), &people).await;
    let administrators = "SELECT COUNT(*) FROM user_roles JOIN roles ON roles.id = role_id WHERE name = 'admin'";
    assert_eq!(deployment.number(administrators).await, 0);
}

#[rstest]
#[tokio::test]
async fn people_of_auth0_supabase_and_firebase_log_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let auth0 = [
        json!({"_id": {"$oid": "1"}, "email": "a@example.com", "email_verified": true, "passwordHash": BCRYPT, "_tmp_is_unique": true}),
        json!({"email": "b@example.com", "name": "Kim", "created_at": {"$date": "2024-01-01T00:00:00Z"},
               "custom_password_hash": {"algorithm": "bcrypt", "hash": {"value": BCRYPT}}}),
    ];
    let people = [("a@example.com", OLD), ("b@example.com", OLD)];
    let lines = auth0.iter().map(|user| format!("{user}\n")).collect::<String>();
    everyone_logs_in(&Deployment::new(engine), Format::Auth0, lines, &people).await;
    everyone_logs_in(&Deployment::new(engine), Format::Auth0, json!(auth0).to_string(), &people).await;
    let csv = format!(
        "instance_id,id,email,encrypted_password,email_confirmed_at,created_at,raw_user_meta_data,is_anonymous\n\
         0,1,a@example.com,{BCRYPT},2024-01-01 00:00:00+00,2024-01-01 00:00:00.5+00,\"{{\"\"full_name\"\":\"\"Kim\"\"}}\",f\n"
    );
    everyone_logs_in(&Deployment::new(engine), Format::Supabase, csv, &people[..1]).await;
    let json = json!([{"id": "1", "email": "a@example.com", "encrypted_password": BCRYPT, "email_confirmed_at": null,
                       "raw_user_meta_data": {"name": "Kim"}, "banned_until": null, "deleted_at": null}]);
    everyone_logs_in(&Deployment::new(engine), Format::Supabase, json.to_string(), &people[..1]).await;
    let firebase = json!({"users": [{"localId": "1", "email": "a@example.com", "emailVerified": false, "passwordHash": FIREBASE_HASH,
                                     "salt": "42xEC+ixf3L2lw==", "createdAt": "1714521600000", "providerUserInfo": []}]});
    let people = [("a@example.com", "user1password")];
    everyone_logs_in(&Deployment::new(engine), Format::Firebase, firebase.to_string(), &people).await;
}

#[rstest]
#[tokio::test]
async fn everything_a_file_says_of_a_person_is_kept_and_they_are_found_by_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let line = json!({
        "email": "Kim@Example.com", "username": "Dal.Rae", "display_name": "김달래", "password_hash": BCRYPT,
        "email_verified": true, "roles": ["manager", "user"], "locale": "ko", "created_at": "2020-02-03T04:05:06.789012Z",
    });
    let source = Source::new(&deployment, &api, "people", format!("{line}\n"));
    assert_eq!(source.import(Format::Ndjson, Mode::Add).await.unwrap().seen.added, 1);
    let login = api.login("kim@example.com", OLD).await;
    let mut me = api.me(&login.text("access_token")).await.body;
    for made in ["id", "last_login_at"] {
        assert!(me.as_object_mut().unwrap().remove(made).is_some());
    }
    let expected = json!({
        "email": "kim@example.com", "email_verified": true, "username": "Dal.Rae", "display_name": "김달래", "phone": null,
        "avatar_url": null, "locale": "ko", "status": "active", "mfa_enabled": false, "roles": ["manager", "user"],
        "permissions": ["roles:read", "users:read", "users:write"], "created_at": "2020-02-03T04:05:06.789012Z",
        "updated_at": "2026-01-01T00:00:00Z",
    });
    assert_eq!(me, expected);
    let texts: Vec<String> = deployment.column("SELECT search_text FROM users").await;
    assert_eq!(texts, ["kim@example.com\ndal.rae\n김달래"]);
    assert_eq!(deployment.column::<String>("SELECT search_name FROM users").await, ["김달래"]);
}

#[rstest]
#[tokio::test]
async fn of_a_file_half_wrong_the_good_half_lands_and_nothing_is_overwritten(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let body = json!({"email": "here@example.com", "password": PASSWORD, "username": "Here"});
    assert_eq!(api.post("/api/v1/auth/register", body).await.status, 201);
    let file = format!(
        "email,username,password_hash,roles,created_at\n\
         good1@example.com,,{BCRYPT},user,\n\
         HERE@example.com,,{BCRYPT},admin,\n\
         new@example.com,hERE,{BCRYPT},,\n\
         twice@example.com,twice,,,\n\
         Twice@Example.com,,,,\n\
         other@example.com,TWICE,,,\n\
         no address,,,,\n\
         md5@example.com,,5f4dcc3b5aa765d61d8327deb882cf99,,\n\
         plain@example.com,,TestPass123!,,\n\
         role@example.com,,,emperor,\n\
         time@example.com,,,,2999-01-01T00:00:00Z\n\
         short@example.com\n\
         һere@example.com,,,,\n\
         ｈere@example.com,,,,\n\
         good2@example.com,,{BCRYPT},,\n"
    );
    let source = Source::new(&deployment, &api, "people", file);
    let outcome = source.import(Format::Csv, Mode::Add).await.unwrap();
    let expected = [
        (3, "email_taken"),
        (4, "username_taken"),
        (6, "email_taken"),
        (7, "username_taken"),
        (8, "invalid_email"),
        (9, "unsupported_hash"),
        (10, "unsupported_hash"),
        (11, "unknown_role"),
        (12, "invalid_time"),
        (13, "wrong_number_of_fields"),
    ];
    let refused = source.refused();
    assert_eq!(refused.iter().map(|(line, code)| (*line, code.as_str())).collect::<Vec<_>>(), expected);
    assert_eq!((outcome.seen.records, outcome.seen.added, outcome.seen.refused), (15, 5, 10));
    // Letters that only look alike are another address, and another person's.
    assert_eq!(api.login("here@example.com", PASSWORD).await.status, 200, "the password is still the one it was");
    assert_eq!(api.login("here@example.com", OLD).await.status, 401);
    for email in ["good1@example.com", "good2@example.com"] {
        assert_eq!(api.login(email, OLD).await.status, 200);
    }
    let details: Vec<String> = deployment.column("SELECT details FROM audit_logs WHERE event = 'users_imported'").await;
    let details: Vec<Value> = details.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(details, [json!({"format": "csv", "records": 15, "added": 5, "refused": 10, "complete": true})]);
}

#[rstest]
#[tokio::test]
async fn a_dry_run_foretells_the_import_and_changes_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("here@example.com").await.status, 201);
    // Two of one name, in batches of their own.
    let rows = (0..6_000).map(|n| match n {
        7 => "here@example.com,\n".to_owned(),
        5_900 => "p1@example.com,\n".to_owned(),
        5_901 => "x@example.com,USER2\n".to_owned(),
        5_902 => "nobody\n".to_owned(),
        n => format!("p{n}@example.com,user{n}\n"),
    });
    let source = Source::new(&deployment, &api, "people", format!("email,username\n{}", rows.collect::<String>()));
    let foretold = source.import(Format::Csv, Mode::DryRun).await.unwrap();
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 1);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM user_imports").await, 0);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'users_imported'").await, 0);
    let refused = source.refused();
    std::fs::remove_file(source.report()).unwrap();
    let done = source.import(Format::Csv, Mode::Add).await.unwrap();
    assert_eq!(foretold.reasons, done.reasons);
    assert_eq!((foretold.seen.added, foretold.seen.refused), (done.seen.added, done.seen.refused));
    assert_eq!((refused, done.seen.added), (source.refused(), 5_996));
}

#[rstest]
#[tokio::test]
async fn a_document_cut_short_leaves_who_stood_before_the_cut(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let people: Vec<Value> = (0..1_500).map(|n| json!({"email": format!("p{n}@example.com")})).collect();
    let whole = json!({"users": people}).to_string();
    let cut = &whole[..whole.len() - 10];
    let source = Source::new(&deployment, &api, "people", cut);
    let outcome = source.import(Format::Keycloak, Mode::Add).await.unwrap();
    assert!(outcome.damage.as_deref().is_some_and(|damage| damage.contains("ends in its midst")), "{outcome:?}");
    assert_eq!(outcome.seen.added, 1_499);
    let mended = Source::new(&deployment, &api, "mended", whole);
    let outcome = mended.import(Format::Keycloak, Mode::Add).await.unwrap();
    assert_eq!((outcome.seen.added, outcome.seen.refused, outcome.damage), (1, 1_499, None));
}

#[rstest]
#[tokio::test]
async fn an_import_that_stopped_goes_on_and_repeats_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let rows = (0..20_000).map(|n| if n % 10 == 0 { "nobody\n".to_owned() } else { format!("p{n}@example.com\n") });
    let source = Source::new(&deployment, &api, "people", format!("email\n{}", rows.collect::<String>()));
    // Dropped in its midst, as if the process had been killed.
    let killed = Notify::new();
    let options = Options {
        path: source.path.clone(),
        format: Format::Csv,
        mode: Mode::Add,
        report: Some(source.report()),
        firebase: None,
    };
    let running = import::run(&api.app.db, &deployment.clock, options, |seen| {
        if seen.records == 5_000 {
            killed.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = killed.notified() => {}
        _ = running => panic!("it was to be stopped in its midst"),
    }
    let outcome = source.import(Format::Csv, Mode::Resume).await.unwrap();
    assert_eq!(
        (outcome.seen.records, outcome.seen.added, outcome.seen.refused),
        (20_000, 18_000, 2_000),
        "{outcome:?}"
    );
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 18_000);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM user_roles").await, 18_000);
    let lines: Vec<u64> = source.refused().into_iter().map(|(line, _)| line).collect();
    assert_eq!(
        lines,
        (0..2_000).map(|n| n * 10 + 2).collect::<Vec<_>>(),
        "each refused record stands in the report once"
    );
    let again = source.import(Format::Csv, Mode::Resume).await.unwrap();
    assert_eq!(
        (again.seen.added, again.resumed_after),
        (18_000, 20_000),
        "a finished import is told again, not done again"
    );
}

#[rstest]
#[tokio::test]
async fn a_report_never_replaces_a_file_least_of_all_the_one_that_is_imported(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let source = Source::new(&deployment, &api, "people", "email\na@example.com\n");
    for mode in [Mode::Add, Mode::Resume, Mode::DryRun] {
        let (path, report) = (source.path.clone(), Some(source.path.clone()));
        let options = Options { path, format: Format::Csv, mode, report, firebase: None };
        let refused = import::run(&api.app.db, &deployment.clock, options, |_| ()).await;
        assert!(matches!(refused, Err(ImportError::File { .. })), "{mode:?}");
        assert_eq!(std::fs::read_to_string(&source.path).unwrap(), "email\na@example.com\n");
    }
}

#[rstest]
#[tokio::test]
async fn a_firebase_hash_without_the_projects_key_is_refused_and_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let users = json!({"users": [{"email": "a@example.com", "passwordHash": FIREBASE_HASH, "salt": "42xEC+ixf3L2lw=="}, {"email": "b@example.com"}]});
    let source = Source::new(&deployment, &api, "people", users.to_string());
    let options = Options {
        path: source.path.clone(),
        format: Format::Firebase,
        mode: Mode::Add,
        report: Some(source.report()),
        firebase: None,
    };
    let outcome = import::run(&api.app.db, &deployment.clock, options, |_| ()).await.unwrap();
    assert_eq!((outcome.seen.added, outcome.seen.refused, outcome.seen.without_password), (1, 1, 1));
    assert_eq!(source.refused()[0].1, "unsupported_hash");
}

/// Two imports of one file at once: every account is made once, and one of the two says that it stopped for the other.
#[rstest]
#[tokio::test]
async fn two_imports_of_one_file_at_once_make_every_account_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let rows = (0..12_000).map(|n| format!("p{n}@example.com\n")).collect::<String>();
    let source = Source::new(&deployment, &api, "people", format!("email\n{rows}"));
    let import = async || {
        let options =
            Options { path: source.path.clone(), format: Format::Csv, mode: Mode::Add, report: None, firebase: None };
        import::run(&api.app.db, &deployment.clock, options, |_| ()).await
    };
    let (one, other) = tokio::join!(import(), import());
    let stopped = [&one, &other].into_iter().filter(|outcome| outcome.is_err()).count();
    assert!(stopped <= 1, "{one:?} {other:?}");
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 12_000);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM user_roles").await, 12_000);
}
