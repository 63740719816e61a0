//! Which fault it is that keeps the database or Redis away: each has a remedy of its own.

use service_kit::redis::RedisFault;

use super::finding::Kind;

/// What PostgreSQL, and the library that calls it, say of a fault.
const DATABASE: [(&str, Kind); 9] = [
    ("no encryption", Kind::DatabaseWantsTls),
    ("does not support TLS", Kind::DatabaseWithoutTls),
    ("certificate", Kind::DatabaseUntrusted),
    ("password authentication failed", Kind::DatabaseRefuses),
    ("no pg_hba.conf entry", Kind::DatabaseRefuses),
    ("role \"", Kind::DatabaseRefuses),
    ("permission denied for database", Kind::DatabaseRefuses),
    ("database \"", Kind::DatabaseAbsent),
    ("failed to lookup", Kind::DatabaseHostUnknown),
];

/// The fault that a connection ended by; one that is not known is an unreachable server.
pub fn of_database(cause: &str) -> Kind {
    DATABASE.iter().find(|(said, _)| cause.contains(said)).map_or(Kind::DatabaseUnreachable, |(_, kind)| *kind)
}

/// The fault that Redis was tried in vain by.
pub const fn of_redis(fault: &RedisFault) -> Kind {
    match fault {
        RedisFault::Url(_) => Kind::RedisUrlWrong,
        RedisFault::Password => Kind::RedisRefusesPassword,
        RedisFault::WantsTls(_) => Kind::RedisWantsTls,
        RedisFault::SpeaksNoTls(_) => Kind::RedisWithoutTls,
        RedisFault::Untrusted(_) => Kind::RedisUntrusted,
        RedisFault::Unreachable(_) => Kind::RedisUnreachable,
        RedisFault::Refuses(_) => Kind::RedisSilent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_database_are_told_apart() {
        for (cause, kind) in [
            (
                r#"no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", no encryption"#,
                Kind::DatabaseWantsTls,
            ),
            (r#"no pg_hba.conf entry for host "10.0.0.1", user "a", database "b""#, Kind::DatabaseRefuses),
            (r#"password authentication failed for user "a""#, Kind::DatabaseRefuses),
            (r#"database "authdb" does not exist"#, Kind::DatabaseAbsent),
            ("Connection refused (os error 111)", Kind::DatabaseUnreachable),
            ("no connection in time", Kind::DatabaseUnreachable),
        ] {
            assert_eq!(of_database(cause), kind, "{cause}");
        }
    }
}
