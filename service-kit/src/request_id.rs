//! The request's id: taken from the caller when sane, else made; echoed, and on every log line of the request.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the id both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// At most 64 of `[A-Za-z0-9_-]`; found in the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id as the value of `X-Request-Id`.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    fn parse(value: &HeaderValue) -> Option<Self> {
        let sane = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let text = value.as_bytes();
        (1..=LONGEST).contains(&text.len()).then_some(())?;
        text.iter().all(sane).then(|| Self(value.clone()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes ids: a number drawn at start, which tells instances apart, and a count. They identify, they protect nothing.
#[derive(Clone, Debug)]
pub struct RequestIds {
    instance: u64,
    made: Arc<AtomicU64>,
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestIds {
    /// Ids of an instance of its own.
    #[must_use]
    pub fn new() -> Self {
        // `RandomState` is seeded by the operating system: enough for a number that is merely unlikely to repeat.
        Self { instance: RandomState::new().hash_one(()), made: Arc::default() }
    }

    /// The caller's id when it is sane, else a new one.
    #[must_use]
    pub fn accept_or_make(&self, headers: &HeaderMap) -> RequestId {
        headers.get(X_REQUEST_ID).and_then(RequestId::parse).unwrap_or_else(|| self.make())
    }

    /// A new id.
    #[must_use]
    pub fn make(&self) -> RequestId {
        let mut text = *b"0000000000000000-0000000000";
        let (instance, count) = text.split_at_mut(16);
        write_hex(self.instance, instance);
        write_hex(self.made.fetch_add(1, Ordering::Relaxed), &mut count[1..]);
        RequestId(HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("unknown")))
    }
}

/// Runs the request's future so that its log lines find the id; a task spawned inside does not inherit it.
pub fn scope<F: Future>(id: RequestId, request: F) -> impl Future<Output = F::Output> {
    // No `async fn`: that would hold, and move, the request's future twice.
    CURRENT.scope(id, request)
}

/// Calls `use_id` with the id of the request being served, when there is one.
pub(crate) fn with_current(use_id: impl FnOnce(&RequestId)) {
    // Outside a request there is no id, and that is no error.
    let _ = CURRENT.try_with(use_id);
}

/// The lowest digits that fit, as `{:x}` writes them; on every request, where formatting machinery is dear.
fn write_hex(mut number: u64, to: &mut [u8]) {
    for digit in to.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 0xf) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(sent: &'static str) -> String {
        let headers = HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static(sent))]);
        RequestIds::new().accept_or_make(&headers).to_string()
    }

    #[test]
    fn sane_ids_are_kept_and_others_replaced() {
        assert_eq!(accepted("abc-DEF_123"), "abc-DEF_123");
        let long: &'static str = "a".repeat(64).leak();
        assert_eq!(accepted(long), long);
        for insane in ["", "a b", "a\"b", "a.b", "<script>", "a".repeat(65).leak()] {
            assert_ne!(accepted(insane), insane);
        }
    }

    #[test]
    fn made_ids_differ_and_are_sane_themselves() {
        let ids = RequestIds::new();
        let (first, second) = (ids.make(), ids.make());
        assert_ne!(first, second);
        assert_eq!(first.as_str(), format!("{:016x}-{:010x}", ids.instance, 0));
        assert!(second.as_str().ends_with("-0000000001"));
        assert_ne!(first, RequestIds::new().make());
        assert_eq!(RequestId::parse(&first.header()), Some(first));
    }
}
