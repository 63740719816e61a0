//! What the log tells of, as the filter offers it: the API's words, in groups.

/// The events by what they are about; each has a name (`event-…`) and a sentence (`told-…`).
pub const GROUPS: [(&str, &[&str]); 5] = [
    (
        "audit-group-sign-in",
        &[
            "logged_in",
            "login_failed",
            "password_expired",
            "sessions_ended",
            "session_disowned",
            "refresh_reuse",
            "reauthenticated",
            "confirmation_failed",
            "identity_linked",
            "identity_proposed",
            "identity_unlinked",
            "identity_revoked",
        ],
    ),
    (
        "audit-group-account",
        &[
            "user_registered",
            "registration_repeated",
            "user_created",
            "user_claimed",
            "user_updated",
            "user_roles_changed",
            "user_disabled",
            "user_enabled",
            "user_unlocked",
            "user_dormant",
            "user_deleted",
            "user_restored",
            "user_erased",
            "password_changed",
            "password_reset_requested",
            "password_reset",
            "email_verification_requested",
            "email_verified",
            "email_change_requested",
            "email_changed",
        ],
    ),
    (
        "audit-group-looks",
        &[
            "user_viewed",
            "users_listed",
            "user_exported",
            "users_exported",
            "users_imported",
            "api_keys_listed",
            "mails_listed",
            "audit_read",
            "audit_exported",
        ],
    ),
    (
        "audit-group-rights",
        &[
            "role_created",
            "role_updated",
            "role_deleted",
            "permission_created",
            "permission_deleted",
            "api_key_created",
            "api_key_rotated",
            "api_key_revoked",
        ],
    ),
    (
        "audit-group-system",
        &[
            "signing_key_rotated",
            "signing_key_withdrawn",
            "mail_retried",
            "system_examined",
            "audit_verified",
            "audit_trimmed",
            "backup_made",
            "database_restored",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use service_kit::language::Language;

    use super::*;
    use crate::texts::Texts;

    #[test]
    fn every_event_of_the_api_is_offered_and_told() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../auth-service/src/audit/event.rs");
        let source = fs::read_to_string(source).unwrap();
        let words = source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""));
        let recorded: BTreeSet<&str> = words.map(|(_, word)| word.trim_end_matches("\",")).collect();
        let offered: BTreeSet<&str> = GROUPS.iter().flat_map(|(_, events)| *events).copied().collect();
        assert!(recorded.len() > 50, "{recorded:?}");
        assert_eq!(recorded, offered);
        for language in [Language::English, Language::Korean] {
            let texts = Texts::read(language).unwrap();
            for word in &offered {
                let key = word.replace('_', "-");
                assert!(texts.has(&format!("event-{key}")) && texts.has(&format!("told-{key}")), "{word}");
            }
        }
    }
}
