//! What upstreams are told of the caller, and what no client can tell them.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use uuid::Uuid;

use super::caller::Caller;

const USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const USER_ROLES: HeaderName = HeaderName::from_static("x-user-roles");
const USER_PERMISSIONS: HeaderName = HeaderName::from_static("x-user-permissions");
const SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
const AUTH_METHOD: HeaderName = HeaderName::from_static("x-auth-method");
/// What a name in a list must not hold: the comma between names, and whatever could end a line or mean another escape.
const NAME: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',');

/// What upstreams are told of one caller: made once, for it is the same at every request.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    user_id: HeaderValue,
    roles: HeaderValue,
    permissions: HeaderValue,
    session_id: Option<HeaderValue>,
}

/// Whether this header, in whatever spelling, would say who calls. Many servers take `X_User_Id` and `X.User.Id` for
/// `X-User-Id`, so every byte that is no letter or digit counts as a hyphen.
#[must_use]
pub fn is_identity(name: &HeaderName) -> bool {
    let name = name.as_str().as_bytes();
    // Nearly every header is known from its first letter; a `HeaderName` is in lower case.
    name.first() == Some(&b'x')
        && (begins_like(name, b"x-user-")
            || is_like(name, SESSION_ID.as_str().as_bytes())
            || is_like(name, AUTH_METHOD.as_str().as_bytes())
            || is_like(name, super::assertion::HEADER.as_str().as_bytes()))
}

/// Removes every header by which the client says who it is. Trailers need the same.
pub fn strip(headers: &mut HeaderMap) {
    // Almost always there are none, and nothing is allocated.
    let claimed: Vec<HeaderName> = headers.keys().filter(|name| is_identity(name)).cloned().collect();
    for name in claimed {
        headers.remove(name);
    }
}

/// Says who calls. Call it after [`strip`], and after the headers that `Connection` names were removed: a client could
/// name these.
pub fn set(headers: &mut HeaderMap, caller: &Caller) {
    let remembered = match caller {
        Caller::Session(token) => token.derived(|| Values::of(caller)),
        Caller::ApiKey(grant) => Some(grant.headers.get_or_init(|| Values::of(caller))),
    };
    let Values { user_id, roles, permissions, session_id } = remembered.cloned().unwrap_or_else(|| Values::of(caller));
    headers.insert(USER_ID, user_id);
    headers.insert(USER_ROLES, roles);
    headers.insert(USER_PERMISSIONS, permissions);
    if let Some(session_id) = session_id {
        headers.insert(SESSION_ID, session_id);
    }
    headers.insert(AUTH_METHOD, HeaderValue::from_static(caller.auth_method()));
}

impl Values {
    fn of(caller: &Caller) -> Self {
        Self {
            user_id: id(caller.user_id()),
            roles: list(caller.roles()),
            permissions: list(caller.permissions()),
            session_id: caller.session_id().map(id),
        }
    }
}

fn id(id: Uuid) -> HeaderValue {
    value(id.hyphenated().to_string())
}

fn list(names: &[String]) -> HeaderValue {
    let mut list = String::with_capacity(names.iter().map(|name| name.len() + 1).sum());
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            list.push(',');
        }
        list.extend(utf8_percent_encode(name, NAME));
    }
    value(list)
}

/// What goes in is encoded, so nothing is ever left out here; if it were, upstreams would see less, not more.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn is_like(name: &[u8], wanted: &[u8]) -> bool {
    name.len() == wanted.len() && begins_like(name, wanted)
}

fn begins_like(name: &[u8], wanted: &[u8]) -> bool {
    let plain = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    name.len() >= wanted.len() && name.iter().map(plain).zip(wanted).all(|(byte, wanted)| byte == *wanted)
}
