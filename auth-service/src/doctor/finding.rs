//! What a check finds: for programs by a code and values, for people in English.

use std::{collections::BTreeMap, fmt};

/// What one check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was tried.
    pub subject: &'static str,
    kind: Kind,
    values: BTreeMap<&'static str, String>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Ok,
    /// It works, but something is missing.
    Warning,
    /// It does not work.
    Failed,
    /// There was nothing to try: it is not configured.
    Skipped,
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NoAnswer,
    KeyUsed,
    KeyUnusable,
    DiskFree,
    DiskFull,
    DiskUnreadable,
    CorsListed,
    CorsNobody,
    CorsAnybody,
    RedisAnswers,
    RedisAbsent,
    RedisUrlWrong,
    RedisUnreachable,
    RedisRefusesPassword,
    RedisWantsTls,
    RedisWithoutTls,
    RedisUntrusted,
    RedisSilent,
    RelayAnswers,
    RelayRefuses,
    MailInLog,
    MailOff,
    DatabaseAnswers,
    DatabaseUrlWrong,
    DatabaseUnreachable,
    DatabaseHostUnknown,
    DatabaseRefuses,
    DatabaseAbsent,
    DatabaseWantsTls,
    DatabaseWithoutTls,
    DatabaseUntrusted,
    SchemaCurrent,
    SchemaBehind,
    SchemaUnreadable,
    IndexThere,
    IndexMissing,
    ClockShared,
    ClockNear,
    ClockDiffers,
    ProvidersWrong,
    ProvidersWithoutApps,
    ProviderAnswers,
    ProviderLacks,
    ProviderUnreachable,
}

/// How something that can be found is told; `{name}` stands for a value.
struct Words {
    kind: Kind,
    code: &'static str,
    outcome: Outcome,
    found: &'static str,
    fix: Option<&'static str>,
}

/// How each is told, in the order of [`Kind`].
const WORDS: [Words; 44] = [
    failed(Kind::NoAnswer, "no_answer", "no answer in {seconds} s", "Check that this machine may reach it"),
    ok(Kind::KeyUsed, "key_used", "{algorithm} {kid} from {source}"),
    failed(
        Kind::KeyUnusable,
        "key_unusable",
        "{cause}",
        "Check JWT_PRIVATE_KEY_PATH, or JWT_PRIVATE_KEY, or under HS256 JWT_SECRET_KEY, and that JWT_ALGORITHM is of the same kind",
    ),
    ok(Kind::DiskFree, "disk_free", "{free} MiB free in {folder}"),
    failed(Kind::DiskFull, "disk_full", "{free} MiB free in {folder}", "Make room, or writes will fail"),
    failed(Kind::DiskUnreadable, "disk_unreadable", "{folder} cannot be examined: {cause}", "Check DATA_DIR"),
    ok(Kind::CorsListed, "cors_listed", "browsers may call from {origins}"),
    skipped(
        Kind::CorsNobody,
        "cors_nobody",
        "CORS_ALLOWED_ORIGINS is not set: browsers may call from this service's own pages alone",
    ),
    warning(
        Kind::CorsAnybody,
        "cors_anybody",
        "browsers may call from any page, without credentials",
        "List the origins of your apps in CORS_ALLOWED_ORIGINS: production refuses *",
    ),
    ok(Kind::RedisAnswers, "redis_answers", "PONG after {milliseconds} ms"),
    skipped(Kind::RedisAbsent, "redis_absent", "REDIS_URL is not set: counts and announcements stay in each process"),
    failed(Kind::RedisUrlWrong, "redis_url_wrong", "{cause}", "Check REDIS_URL"),
    failed(
        Kind::RedisUnreachable,
        "redis_unreachable",
        "Error connecting to Redis: {cause}",
        "Check host and port in REDIS_URL, the security group (port 6379), and that it begins with rediss:// where the server wants TLS",
    ),
    failed(
        Kind::RedisRefusesPassword,
        "redis_refuses_password",
        "Error connecting to Redis: {cause}",
        "Write the token in REDIS_URL: rediss://:TOKEN@host:6379/0, with special characters percent-encoded",
    ),
    failed(
        Kind::RedisWantsTls,
        "redis_wants_tls",
        "Error connecting to Redis: {cause}",
        "Begin REDIS_URL with rediss:// instead of redis://",
    ),
    failed(
        Kind::RedisWithoutTls,
        "redis_without_tls",
        "Error connecting to Redis: {cause}",
        "Turn on encryption in transit at the server; outside production redis:// will do",
    ),
    failed(
        Kind::RedisUntrusted,
        "redis_untrusted",
        "Error connecting to Redis: {cause}",
        "Name the authority's certificate in SSL_CERT_FILE, and in REDIS_URL the host that the server's certificate names",
    ),
    failed(
        Kind::RedisSilent,
        "redis_silent",
        "it connects, but takes no write: {cause}",
        "Check the server that REDIS_URL names: it must be the primary, have memory left, and have loaded its data",
    ),
    ok(Kind::RelayAnswers, "relay_answers", "{host} takes mail from {from}"),
    failed(
        Kind::RelayRefuses,
        "relay_refuses",
        "{cause}",
        "Check SMTP_URL: host, port, user, password, and smtps:// for port 465",
    ),
    ok(Kind::MailInLog, "mail_in_log", "SMTP_URL is not set: mails stand in the log"),
    warning(
        Kind::MailOff,
        "mail_off",
        "no mail is sent",
        "Set PUBLIC_URL, SMTP_URL and MAIL_FROM for password resets and notices",
    ),
    ok(Kind::DatabaseAnswers, "database_answers", "{version}, answers after {milliseconds} ms"),
    failed(Kind::DatabaseUrlWrong, "database_url_wrong", "{cause}", "Check DB_PRIMARY_DB_URL"),
    failed(
        Kind::DatabaseUnreachable,
        "database_unreachable",
        "{cause}",
        "Check host and port in DB_PRIMARY_DB_URL, that the server runs, and that its security group admits this machine (port 5432)",
    ),
    failed(
        Kind::DatabaseHostUnknown,
        "database_host_unknown",
        "{cause}",
        "Check the host in DB_PRIMARY_DB_URL, and percent-encode special characters in the password: one of them may have ended it",
    ),
    failed(
        Kind::DatabaseRefuses,
        "database_refuses",
        "{cause}",
        "Check user and password in DB_PRIMARY_DB_URL, with special characters percent-encoded",
    ),
    failed(
        Kind::DatabaseAbsent,
        "database_absent",
        "{cause}",
        "Check the name in DB_PRIMARY_DB_URL, or make it: CREATE DATABASE authdb",
    ),
    failed(
        Kind::DatabaseWantsTls,
        "database_wants_tls",
        "{cause}",
        "Take sslmode=disable out of DB_PRIMARY_DB_URL, or write sslmode=verify-full",
    ),
    failed(
        Kind::DatabaseWithoutTls,
        "database_without_tls",
        "{cause}",
        "Turn on TLS at the server; on a trusted network sslmode=disable will do",
    ),
    failed(
        Kind::DatabaseUntrusted,
        "database_untrusted",
        "{cause}",
        "Name the authority's certificate by sslrootcert=FILE in DB_PRIMARY_DB_URL, and the host that the server's certificate names",
    ),
    ok(Kind::SchemaCurrent, "schema_current", "every script is applied"),
    failed(
        Kind::SchemaBehind,
        "schema_behind",
        "the schema is behind: {scripts} are not applied",
        "Run `auth-system migrate` of this release",
    ),
    failed(Kind::SchemaUnreadable, "schema_unreadable", "{cause}", "Run `auth-system migrate` of this release"),
    ok(Kind::IndexThere, "index_there", "idx_users_email_active is there"),
    failed(Kind::IndexMissing, "index_missing", "idx_users_email_active is missing", "Run `auth-system migrate`"),
    ok(Kind::ClockShared, "clock_shared", "the database has this machine's"),
    ok(Kind::ClockNear, "clock_near", "within {milliseconds} ms of the database's"),
    failed(
        Kind::ClockDiffers,
        "clock_differs",
        "differs from the database's by {seconds} s (here {here}, there {there})",
        "Run chrony or ntpd on both",
    ),
    failed(Kind::ProvidersWrong, "providers_wrong", "{cause}", "Correct it in the configuration"),
    failed(
        Kind::ProvidersWithoutApps,
        "providers_without_apps",
        "no app may use any",
        "List the addresses of apps in OAUTH_REDIRECT_URIS",
    ),
    ok(
        Kind::ProviderAnswers,
        "provider_answers",
        "{provider}: people log in at {place}; it must know the redirect URI {callback}",
    ),
    warning(
        Kind::ProviderLacks,
        "provider_lacks",
        "{provider}: people log in at {place}; it must know the redirect URI {callback}",
        "{advice}",
    ),
    failed(
        Kind::ProviderUnreachable,
        "provider_unreachable",
        "{provider}: {cause}",
        "Check its address in the configuration, and that this machine may call it",
    ),
];
const _: () = {
    assert!(WORDS.len() == Kind::ProviderUnreachable as usize + 1, "each is told");
    let mut number = 0;
    while number < WORDS.len() {
        assert!(WORDS[number].kind as usize == number, "each is told as itself");
        number += 1;
    }
};

impl Finding {
    /// Something that was found.
    pub(crate) const fn new(subject: &'static str, kind: Kind) -> Self {
        Self { subject, kind, values: BTreeMap::new() }
    }

    /// The same with a value.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.insert(name, value.to_string());
        self
    }

    /// How the check went.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.kind.words().outcome
    }

    /// What was found, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.words().code
    }

    /// What its sentences tell of, by name.
    #[must_use]
    pub const fn values(&self) -> &BTreeMap<&'static str, String> {
        &self.values
    }

    /// What was found.
    #[must_use]
    pub fn found(&self) -> String {
        self.fill(self.kind.words().found)
    }

    /// What to do about it, where there is anything to do.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        self.kind.words().fix.map(|fix| self.fill(fix))
    }

    /// Puts the values in; what stands in one of them is not looked at again.
    fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, behind)| Some((before, behind.split_once('}')?)))
        {
            filled.push_str(before);
            filled.push_str(self.values.get(name).map_or("", String::as_str));
            rest = after;
        }
        filled + rest
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.found())?;
        self.fix().map_or(Ok(()), |fix| write!(f, ". {fix}"))
    }
}

impl Kind {
    const fn words(self) -> &'static Words {
        &WORDS[self as usize]
    }
}

const fn ok(kind: Kind, code: &'static str, found: &'static str) -> Words {
    Words { kind, code, outcome: Outcome::Ok, found, fix: None }
}

const fn skipped(kind: Kind, code: &'static str, found: &'static str) -> Words {
    Words { kind, code, outcome: Outcome::Skipped, found, fix: None }
}

const fn warning(kind: Kind, code: &'static str, found: &'static str, fix: &'static str) -> Words {
    Words { kind, code, outcome: Outcome::Warning, found, fix: Some(fix) }
}

const fn failed(kind: Kind, code: &'static str, found: &'static str, fix: &'static str) -> Words {
    Words { kind, code, outcome: Outcome::Failed, found, fix: Some(fix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_by_a_code_that_is_listed() {
        assert_eq!(WORDS.map(|words| words.code), auth_sdk::CHECK_CODES);
    }

    /// The console's words, which are of another language.
    const KOREAN: &str = include_str!("../../../auth-admin/locales/api.ko.ftl");

    fn in_korean(prefix: &str, code: &str) -> Option<&'static str> {
        let key = format!("{prefix}-{} = ", code.replace('_', "-"));
        KOREAN.lines().find_map(|line| line.strip_prefix(&key))
    }

    fn names(text: &str) -> Vec<String> {
        let names = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
        names.map(|(name, _)| name.trim_matches([' ', '$']).to_owned()).collect()
    }

    #[test]
    fn each_is_told_in_korean_too_by_the_same_values() {
        for Words { code, found, fix, .. } in WORDS {
            let korean = in_korean("finding", code).unwrap_or_else(|| panic!("{code}"));
            assert!(names(korean).iter().all(|name| names(found).contains(name)), "{korean}");
            let korean = in_korean("fix", code);
            assert_eq!(korean.is_some(), fix.is_some(), "{code}");
            assert_eq!(names(korean.unwrap_or("")), names(fix.unwrap_or("")), "{code}");
        }
    }

    #[test]
    fn values_are_put_in_and_not_looked_at_again() {
        let finding = Finding::new("disk", Kind::DiskUnreadable).with("folder", "{cause}").with("cause", "gone");
        assert_eq!(finding.to_string(), "disk: {cause} cannot be examined: gone. Check DATA_DIR");
    }
}
