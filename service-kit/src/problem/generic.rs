//! What a status alone can tell: for answers that nobody wrote a problem for.

use http::StatusCode;

use super::{Problem, Text};

/// Status, code, English, Korean. The first of a class describes every status of it that is not listed.
const DESCRIPTIONS: [(u16, &str, &str, &str); 14] = [
    (400, "bad_request", "The request cannot be understood.", "요청을 이해할 수 없습니다."),
    (401, "unauthorized", "Authentication is required.", "인증이 필요합니다."),
    (403, "forbidden", "You may not do this.", "권한이 없습니다."),
    (404, "not_found", "There is nothing here.", "요청한 항목을 찾을 수 없습니다."),
    (405, "method_not_allowed", "This method is not allowed; see Allow.", "허용되지 않은 메서드입니다."),
    (408, "request_timeout", "The request took too long to arrive.", "요청 수신 시간이 초과되었습니다."),
    (409, "conflict", "This conflicts with what is there.", "현재 상태와 충돌합니다."),
    (413, "payload_too_large", "The request body is too large.", "요청 본문이 너무 큽니다."),
    (415, "unsupported_media_type", "Send JSON, not encoded.", "인코딩하지 않은 JSON으로 보내세요."),
    (422, "invalid_request", "The request is not valid.", "요청이 올바르지 않습니다."),
    (429, "rate_limited", "Too many requests; try again later.", "요청이 너무 많습니다. 나중에 다시 시도하세요."),
    (431, "headers_too_large", "The request headers are too large.", "요청 헤더가 너무 큽니다."),
    (500, "internal_error", "Something failed on our side.", "서버에서 오류가 발생했습니다."),
    (503, "service_unavailable", "Not available just now; try again shortly.", "잠시 후 다시 시도하세요."),
];

/// The problem of a status, also of an unlisted one.
pub(super) fn of_status(status: StatusCode) -> Problem {
    let number = status.as_u16();
    let exact = DESCRIPTIONS.iter().find(|description| description.0 == number);
    let class = if status.is_server_error() { 500 } else { 400 };
    let of_class = || DESCRIPTIONS.iter().find(|description| description.0 == class);
    let (_, code, en, ko) = exact.or_else(of_class).unwrap_or(&DESCRIPTIONS[0]);
    Problem::new(status, code, Text::new(en, ko))
}

/// Every listed problem, for the table of codes.
pub(super) fn listed() -> impl Iterator<Item = Problem> {
    DESCRIPTIONS.iter().filter_map(|description| StatusCode::from_u16(description.0).ok()).map(of_status)
}
