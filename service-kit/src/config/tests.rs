//! What operators may write, and what they are told when it is wrong.

use proptest::prelude::*;

use super::*;

/// The names that the servers document today; several are near one another.
const OURS: [&str; 59] = [
    "DB_PRIMARY_DB_URL",
    "DB_REPLICA_DB_URL",
    "DB_POOL_MAX_SIZE",
    "REDIS_URL",
    "JWT_ALGORITHM",
    "JWT_PRIVATE_KEY_PATH",
    "JWT_PUBLIC_KEY_PATH",
    "JWT_PRIVATE_KEY",
    "JWT_PUBLIC_KEY",
    "JWT_SECRET_KEY",
    "JWT_ACCESS_TOKEN_EXPIRE_MINUTES",
    "JWT_REFRESH_TOKEN_EXPIRE_DAYS",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "CORS_ALLOWED_ORIGINS",
    "ALLOWED_HOSTS",
    "GOOGLE_CLIENT_ID",
    "GOOGLE_CLIENT_SECRET",
    "KAKAO_CLIENT_ID",
    "KAKAO_CLIENT_SECRET",
    "NAVER_CLIENT_ID",
    "NAVER_CLIENT_SECRET",
    "GOOGLE_ISSUER",
    "KAKAO_AUTH_URL",
    "KAKAO_API_URL",
    "KAKAO_ADMIN_KEY",
    "NAVER_AUTH_URL",
    "NAVER_API_URL",
    "SERVICE_ADDR",
    "GATEWAY_ADDR",
    "ADMIN_ADDR",
    "METRICS_ADDR",
    "GATEWAY_METRICS_ADDR",
    "ADMIN_METRICS_ADDR",
    "AUTH_API_URLS",
    "DATA_DIR",
    "AUTO_MIGRATE",
    "PUBLIC_URL",
    "TRUSTED_PROXIES",
    "REQUIRE_EMAIL_VERIFICATION",
    "SMTP_URL",
    "MAIL_FROM",
    "GATEWAY_FEED_TOKEN",
    "GATEWAY_CONFIG",
    "REVOCATION_MAX_STALENESS",
    "OAUTH_REDIRECT_URIS",
    "SSL_CERT_FILE",
    "SECRETS_KEY",
    "SECRETS_KEY_PATH",
    "ADMIN_CLIENT_SECRET",
    "GEOIP_DB",
    "DOCS_ENABLED",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "SENTRY_DSN",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OIDC_<NAME>_ISSUER",
    "OIDC_<NAME>_CLIENT_ID",
    "OIDC_<NAME>_CLIENT_SECRET",
];

/// What surrounds a process on real machines, in containers and in clusters.
const NEIGHBOURS: [&str; 54] = [
    "HOME",
    "PATH",
    "USER",
    "PWD",
    "OLDPWD",
    "LANG",
    "LC_ALL",
    "TERM",
    "SHELL",
    "SHLVL",
    "LOGNAME",
    "HOSTNAME",
    "MAIL",
    "TZ",
    "_",
    "EDITOR",
    "PAGER",
    "DISPLAY",
    "TMPDIR",
    "VENV",
    "NODE_ENV",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "CARGO_HOME",
    "DB_HOST",
    "DB_PORT",
    "DB_NAME",
    "DB_USER",
    "DB_PASSWORD",
    "DB_URL",
    "DATABASE_URL",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_PASSWORD",
    "REDIS_TLS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USER",
    "SSL_CERT_DIR",
    "AWS_REGION",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "SERVICE_PORT",
    "SERVICE_NAME",
    "GATEWAY_PORT",
    "METRICS_PORT",
    "JWT_SECRET",
    "PUBLIC_IP",
    "XDG_DATA_DIRS",
    "HTTP_PROXY",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_SERVICE_NAME",
];

fn typos(set: &[&str]) -> Vec<String> {
    let mut env = Env::from_pairs(set.iter().map(|name| (*name, "x")));
    for name in OURS {
        env.secret(name, "");
    }
    env.finish().map_or_else(|refusals| refusals.0, |_| Vec::new())
}

fn refusals(read: impl FnOnce(&mut Env), pairs: &[(&str, &str)]) -> Vec<String> {
    let mut env = Env::from_pairs(pairs.iter().copied());
    read(&mut env);
    env.finish().unwrap_err().0
}

#[test]
fn other_peoples_variables_are_left_alone() {
    assert_eq!(typos(&NEIGHBOURS), Vec::<String>::new());
}

#[test]
fn our_own_variables_are_never_taken_for_one_another() {
    let names = OURS.map(|name| name.replace("<NAME>", "ACME_2"));
    assert_eq!(typos(&names.each_ref().map(String::as_str)), Vec::<String>::new());
}

#[test]
fn a_misspelt_variable_is_an_error_that_names_the_right_one() {
    for (written, meant) in [
        ("REDIS_ULR", "REDIS_URL"),
        ("RDEIS_UR", "REDIS_URL"),
        ("redis_url", "REDIS_URL"),
        ("JWT_PRIVAT_KEY_PTH", "JWT_PRIVATE_KEY_PATH"),
        ("ALOWED_HOST", "ALLOWED_HOSTS"),
        ("CORS_ALLOW_ORIGINS", "CORS_ALLOWED_ORIGINS"),
        ("KAKAO_CLIENT_IDS", "KAKAO_CLIENT_ID"),
    ] {
        assert_eq!(typos(&[written]), [format!("{written}: no such variable; did you mean {meant}?")]);
    }
}

#[test]
fn blank_is_unset_and_never_a_misspelling() {
    let mut env = Env::from_pairs([("COUNT", "  "), ("ENV", ""), ("LISTS", "")]);
    assert_eq!(env.parse::<u32>("COUNT", "7", ""), 7);
    assert_eq!(env.optional::<u32>("COUNT", ""), None);
    assert!(env.secret("COUNT", "").is_none());
    assert!(env.list::<u32>("LIST", "").is_empty());
    assert_eq!(env.environment(), Environment::Development);
    assert!(env.finish().is_ok());
}

#[test]
fn all_problems_are_told_at_once_without_the_values() {
    let pairs = [("ENV", "prod"), ("COUNT", "hunter2"), ("PORTS", "1, x ,99999"), ("TIMEOUTT", "1s")];
    let reasons = refusals(
        |env| {
            assert_eq!(env.parse::<u32>("COUNT", "7", "How many."), 7);
            assert_eq!(env.list::<u16>("PORTS", "Which."), [1]);
            let _: Period = env.parse("TIMEOUT", "15s", "How long.");
            env.refuse("KEYS: make some");
        },
        &pairs,
    );
    assert_eq!(reasons.len(), 6, "{reasons:#?}");
    assert!(reasons[0].starts_with("ENV: write `development`"));
    assert!(!reasons.concat().contains("hunter2"));
    assert_eq!(reasons[5], "TIMEOUTT: no such variable; did you mean TIMEOUT?");
}

#[test]
fn patterns_read_every_variable_that_fits() {
    let names = ["OIDC_ACME_ISSUER", "OIDC_BIG_CO_ISSUER", "OIDC__ISSUER", "OIDC_low_ISSUER", "OIDC_ISSUER"];
    let mut env = Env::from_pairs(names.map(|name| (name, "https://id.example.com")));
    let found = env.pattern("OIDC_<NAME>_ISSUER", "An issuer.");
    let parts: Vec<&str> = found.iter().map(|(part, _)| part.as_str()).collect();
    assert_eq!(parts, ["ACME", "BIG_CO"]);
    assert_eq!(found[0].1.expose(), "https://id.example.com");
}

#[test]
fn periods_are_written_with_a_unit() {
    for (text, milliseconds) in
        [("500ms", 500), ("15s", 15_000), ("10m", 600_000), ("12h", 43_200_000), ("7d", 604_800_000)]
    {
        assert_eq!(text.parse::<Period>().unwrap().get().as_millis(), milliseconds);
    }
    for text in ["", "15", "s", "-1s", "1.5s", "1 s", "1w", "99999999999999999999s", "18446744073709551615d"] {
        assert!(text.parse::<Period>().is_err(), "{text}");
    }
}

#[test]
fn documents_follow_the_reading_order_and_say_each_variable_once() {
    let mut env = Env::from_pairs([("ENV", "test"), ("TOKEN", "secret value")]);
    env.section("Limits");
    let _: u32 = env.parse("COUNT", "7", "How many; a|b.");
    let _ = env.secret("TOKEN", "The token.");
    let _: u32 = env.parse("COUNT", "7", "How many; a|b.");
    let documented = env.finish().unwrap().documented;
    let example = render_env_example(&documented);
    assert!(example.ends_with("# --- Limits ---\n# How many; a|b.\n# COUNT=7\n# The token.\n# TOKEN=\n"), "{example}");
    let markdown = render_markdown(&documented);
    assert!(
        markdown.contains("## General\n\n| variable | default | meaning |\n|---|---|---|\n| `ENV` | `development` |")
    );
    assert!(markdown.contains("| `COUNT` | `7` | How many; a\\|b. |\n| `TOKEN` | – | The token. |\n"), "{markdown}");
    assert!(!markdown.contains("secret value"));
}

#[derive(Clone, Debug)]
enum Edit {
    Insert(usize, char),
    Remove(usize),
    Replace(usize, char),
    Swap(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let letter = || prop::char::range('A', 'Z');
    prop_oneof![
        (any::<usize>(), letter()).prop_map(|(at, c)| Edit::Insert(at, c)),
        any::<usize>().prop_map(Edit::Remove),
        (any::<usize>(), letter()).prop_map(|(at, c)| Edit::Replace(at, c)),
        any::<usize>().prop_map(Edit::Swap),
    ]
}

fn apply(name: &str, edits: &[Edit]) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    for edit in edits {
        let length = letters.len();
        match *edit {
            Edit::Insert(at, c) => letters.insert(at % (length + 1), c),
            Edit::Remove(at) => drop(letters.remove(at % length)),
            Edit::Replace(at, c) => letters[at % length] = c,
            Edit::Swap(at) => letters.swap(at % (length - 1), at % (length - 1) + 1),
        }
    }
    letters.into_iter().collect()
}

proptest! {
    #[test]
    fn one_edit_of_any_long_name_is_noticed(
        name in prop::sample::select(&OURS[..56]),
        edit in edit(),
    ) {
        let written = apply(name, &[edit]);
        prop_assert_eq!(typos(&[&written]).is_empty(), OURS.contains(&written.as_str()), "{}", written);
    }

    #[test]
    fn two_edits_of_any_long_name_apart_from_each_other_are_noticed(
        name in prop::sample::select(&OURS[..56]),
        edits in prop::collection::vec(edit(), 2),
    ) {
        let written = apply(name, &edits);
        // Swapping what an edit just touched is a third edit to the metric.
        prop_assume!(strsim::levenshtein(&written, name) <= 2);
        prop_assert_eq!(typos(&[&written]).is_empty(), OURS.contains(&written.as_str()), "{}", written);
    }

    #[test]
    fn names_unlike_all_of_ours_never_stop_the_program(name in "[A-Z][A-Z0-9_]{0,30}") {
        let far = OURS.iter().all(|ours| strsim::osa_distance(&name, ours) > 2);
        prop_assume!(far);
        prop_assert_eq!(typos(&[&name]), Vec::<String>::new());
    }
}
