//! The one table of statuses, codes and sentences.

use axum::http::{StatusCode, StatusCode as S};

/// One line of the table: what an error looks like from outside.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable name.
    pub code: &'static str,
    /// One sentence in English.
    pub en: &'static str,
    /// One sentence in Korean.
    pub ko: &'static str,
}

const fn entry(status: StatusCode, code: &'static str, en: &'static str, ko: &'static str) -> Entry {
    Entry { status, code, en, ko }
}

/// The table, in the order of `docs/errors.md`.
pub const CATALOGUE: [Entry; 41] = [
    entry(S::BAD_REQUEST, "malformed_json", "The body is not valid JSON.", "요청 본문이 올바른 JSON이 아닙니다."),
    entry(
        S::BAD_REQUEST,
        "duplicate_member",
        "A member of the JSON object is given twice.",
        "JSON 객체에 같은 항목이 두 번 들어 있습니다.",
    ),
    entry(
        S::UNPROCESSABLE_ENTITY,
        "not_an_object",
        "The body must be a JSON object.",
        "요청 본문은 JSON 객체여야 합니다.",
    ),
    entry(
        S::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Send the body as application/json, without a content encoding.",
        "요청 본문은 인코딩 없이 application/json으로 보내야 합니다.",
    ),
    entry(
        S::UNPROCESSABLE_ENTITY,
        "invalid_request",
        "Some members are not acceptable; see errors.",
        "올바르지 않은 항목이 있습니다. errors를 확인하세요.",
    ),
    entry(
        S::UNPROCESSABLE_ENTITY,
        "invalid_query",
        "Some parameters of the query are not acceptable; see errors.",
        "쿼리에 올바르지 않은 매개변수가 있습니다. errors를 확인하세요.",
    ),
    entry(
        S::UNPROCESSABLE_ENTITY,
        "weak_password",
        "This password is too easy to guess; see errors.",
        "추측하기 쉬운 비밀번호입니다. errors를 확인하세요.",
    ),
    entry(S::CONFLICT, "email_taken", "An account with this e-mail address exists.", "이미 가입된 이메일 주소입니다."),
    entry(S::CONFLICT, "username_taken", "This username is taken.", "이미 사용 중인 사용자 이름입니다."),
    entry(
        S::UNAUTHORIZED,
        "invalid_credentials",
        "The e-mail address, username or password is wrong.",
        "이메일, 사용자 이름 또는 비밀번호가 올바르지 않습니다.",
    ),
    entry(
        S::UNAUTHORIZED,
        "invalid_grant",
        "The refresh token is not valid any more; log in again.",
        "리프레시 토큰이 더 이상 유효하지 않습니다. 다시 로그인하세요.",
    ),
    entry(S::UNAUTHORIZED, "invalid_token", "Invalid token", "토큰이 유효하지 않습니다."),
    entry(
        S::FORBIDDEN,
        "reauthentication_required",
        "Confirm your password at /api/v1/auth/reauthenticate first.",
        "먼저 /api/v1/auth/reauthenticate에서 비밀번호를 다시 확인하세요.",
    ),
    entry(S::FORBIDDEN, "wrong_password", "The current password is wrong.", "현재 비밀번호가 올바르지 않습니다."),
    entry(S::NOT_FOUND, "not_found", "There is nothing here.", "찾을 수 없습니다."),
    entry(
        S::BAD_REQUEST,
        "invalid_or_expired_token",
        "This link or code is not valid any more; ask for a new one.",
        "이 링크나 코드는 더 이상 유효하지 않습니다. 새로 요청하세요.",
    ),
    entry(S::FORBIDDEN, "forbidden", "You may not do this.", "권한이 없습니다."),
    entry(
        S::FORBIDDEN,
        "session_required",
        "This needs a person's session; an API key cannot do it.",
        "로그인한 세션이 필요합니다. API 키로는 할 수 없습니다.",
    ),
    entry(
        S::FORBIDDEN,
        "beyond_own_rights",
        "Nobody can give, or act on, more rights than they hold.",
        "자신이 가진 권한보다 많은 권한을 주거나 다룰 수 없습니다.",
    ),
    entry(
        S::CONFLICT,
        "last_administrator",
        "This is the last administrator; make another one first.",
        "마지막 관리자입니다. 먼저 다른 관리자를 지정하세요.",
    ),
    entry(S::CONFLICT, "name_taken", "This name is taken.", "이미 사용 중인 이름입니다."),
    entry(
        S::CONFLICT,
        "system_role",
        "What came with the service stays: it cannot be renamed, deleted or emptied.",
        "기본으로 제공되는 역할과 권한은 이름을 바꾸거나 삭제하거나 비울 수 없습니다.",
    ),
    entry(
        S::CONFLICT,
        "role_in_use",
        "People hold this role; send ?force=true to take it from them.",
        "이 역할을 가진 사용자가 있습니다. ?force=true를 보내면 회수하고 삭제합니다.",
    ),
    entry(
        S::CONFLICT,
        "too_many",
        "The most there can be of these exist already; remove some first.",
        "더 만들 수 없습니다. 먼저 일부를 삭제하세요.",
    ),
    entry(
        S::CONFLICT,
        "shown_once",
        "The key was made by the first of these requests and shown then; see its Location.",
        "키는 첫 요청에서 만들어져 그때 한 번만 표시되었습니다. Location을 확인하세요.",
    ),
    entry(
        S::CONFLICT,
        "request_in_progress",
        "A request with this Idempotency-Key is still being answered.",
        "같은 Idempotency-Key의 요청을 아직 처리하고 있습니다.",
    ),
    entry(
        S::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "This Idempotency-Key was sent with another body.",
        "이 Idempotency-Key는 다른 본문과 함께 이미 사용되었습니다.",
    ),
    entry(
        S::SERVICE_UNAVAILABLE,
        "mail_not_configured",
        "This service cannot send mail: its operator has to set PUBLIC_URL, SMTP_URL and MAIL_FROM.",
        "메일을 보낼 수 없습니다. 운영자가 PUBLIC_URL, SMTP_URL, MAIL_FROM을 설정해야 합니다.",
    ),
    entry(
        S::SERVICE_UNAVAILABLE,
        "secrets_key_missing",
        "This service cannot keep a new key: its operator has to set SECRETS_KEY on every instance.",
        "새 키를 보관할 수 없습니다. 운영자가 모든 인스턴스에 SECRETS_KEY를 설정해야 합니다.",
    ),
    entry(
        S::CONFLICT,
        "no_email",
        "This account has no e-mail address that a mail could go to.",
        "이 계정에는 메일을 받을 이메일 주소가 없습니다.",
    ),
    entry(
        S::CONFLICT,
        "mail_handed_over",
        "This mail was handed over to the relay already; no mail is sent twice.",
        "이미 메일 서버로 넘긴 메일입니다. 같은 메일은 두 번 보내지 않습니다.",
    ),
    entry(
        S::UNAUTHORIZED,
        "invalid_id_token",
        "The provider's token is not valid here; sign in there again.",
        "제공자의 토큰이 유효하지 않습니다. 제공자에서 다시 로그인하세요.",
    ),
    entry(
        S::FORBIDDEN,
        "account_closed",
        "This account cannot be used; ask whoever runs the service.",
        "사용할 수 없는 계정입니다. 서비스 운영자에게 문의하세요.",
    ),
    entry(
        S::CONFLICT,
        "identity_taken",
        "This identity is linked to another account, or another one of this provider to yours.",
        "이미 다른 계정에 연결된 로그인 수단이거나, 같은 제공자의 다른 계정이 이미 연결되어 있습니다.",
    ),
    entry(
        S::CONFLICT,
        "last_way_in",
        "This is the only way into the account; set a password or link another provider first.",
        "이 계정의 유일한 로그인 수단입니다. 먼저 비밀번호를 설정하거나 다른 제공자를 연결하세요.",
    ),
    entry(
        S::SERVICE_UNAVAILABLE,
        "provider_unavailable",
        "The sign-in provider does not answer; try again shortly, or log in another way.",
        "로그인 제공자가 응답하지 않습니다. 잠시 후 다시 시도하거나 다른 방법으로 로그인하세요.",
    ),
    entry(
        S::CONFLICT,
        "provider_login_required",
        "The sign-in provider gives no new token; log in through it again.",
        "로그인 제공자가 새 토큰을 내주지 않습니다. 해당 제공자로 다시 로그인하세요.",
    ),
    entry(
        S::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many requests; wait as long as Retry-After says.",
        "요청이 너무 많습니다. Retry-After만큼 기다린 뒤 다시 시도하세요.",
    ),
    entry(
        S::SERVICE_UNAVAILABLE,
        "busy",
        "The service is busy; try again shortly.",
        "지금은 요청이 많습니다. 잠시 후 다시 시도하세요.",
    ),
    entry(
        S::SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        "The service cannot answer right now; try again shortly.",
        "일시적으로 응답할 수 없습니다. 잠시 후 다시 시도하세요.",
    ),
    entry(
        S::INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong on our side.",
        "서버에 문제가 발생했습니다.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_english_and_in_korean_and_has_a_code_of_its_own() {
        let mut codes: Vec<_> = CATALOGUE.iter().map(|entry| entry.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CATALOGUE.len());
        for Entry { code, en, ko, .. } in CATALOGUE {
            assert!(!en.is_empty() && en.is_ascii(), "{code}");
            assert!(ko.chars().any(|c| ('가'..='힣').contains(&c)), "{code}");
        }
    }
}
