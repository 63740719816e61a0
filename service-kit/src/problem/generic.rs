//! What a status alone can tell: for answers that nobody wrote a problem for.

use http::StatusCode;

use super::Text;

/// The code and sentence of a status; an unlisted one is described by its class.
pub(super) fn describe(status: StatusCode) -> (&'static str, Text) {
    match status {
        StatusCode::UNAUTHORIZED => (
            "unauthorized",
            Text::new("Authentication is required.", "인증이 필요합니다."),
        ),
        StatusCode::FORBIDDEN => ("forbidden", Text::new("You may not do this.", "권한이 없습니다.")),
        StatusCode::NOT_FOUND => (
            "not_found",
            Text::new("There is nothing here.", "요청한 항목을 찾을 수 없습니다."),
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            Text::new(
                "This method is not allowed here; see Allow.",
                "허용되지 않은 메서드입니다. Allow 헤더를 확인하세요.",
            ),
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "request_timeout",
            Text::new(
                "The request took too long to arrive.",
                "요청 수신 시간이 초과되었습니다.",
            ),
        ),
        StatusCode::CONFLICT => (
            "conflict",
            Text::new("This conflicts with what is there.", "현재 상태와 충돌합니다."),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "payload_too_large",
            Text::new("The request body is too large.", "요청 본문이 너무 큽니다."),
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "unsupported_media_type",
            Text::new(
                "Send JSON, without a content encoding.",
                "인코딩하지 않은 JSON으로 보내세요.",
            ),
        ),
        StatusCode::UNPROCESSABLE_ENTITY => (
            "invalid_request",
            Text::new("The request is not valid.", "요청이 올바르지 않습니다."),
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "rate_limited",
            Text::new(
                "Too many requests; try again later.",
                "요청이 너무 많습니다. 잠시 후 다시 시도하세요.",
            ),
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
            "headers_too_large",
            Text::new("The request headers are too large.", "요청 헤더가 너무 큽니다."),
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "service_unavailable",
            Text::new(
                "The service is busy or being restored; try again shortly.",
                "일시적으로 이용할 수 없습니다. 잠시 후 다시 시도하세요.",
            ),
        ),
        status if status.is_server_error() => (
            "internal_error",
            Text::new("Something failed on our side.", "서버에서 오류가 발생했습니다."),
        ),
        _ => (
            "bad_request",
            Text::new("The request cannot be understood.", "요청을 이해할 수 없습니다."),
        ),
    }
}
