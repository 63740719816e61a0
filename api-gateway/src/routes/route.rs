//! `[[route]]`: what a team writes about one route.

use std::sync::Arc;

use http::HeaderValue;

use super::values::{self, HOUR, MOMENT};
use super::{AUTH_API, Auth, Match, Permissions, Rewrite, Route, host};
use crate::identity::Stale;

use super::members::{Members, did_you_mean};

/// Answers of a team's service that say nothing themselves load from their own origin only and are framed by nobody.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
);
const MAX_RETRIES: u32 = 5;

/// A route and where it stands.
pub(super) struct Entry {
    pub(super) route: Route,
    /// As messages call it.
    pub(super) owner: String,
    pub(super) at: usize,
}

/// Who may pass, and whose tokens count.
struct Guard {
    auth: Auth,
    permissions: Permissions,
    issuer: Option<String>,
    audience: Option<String>,
    stale: Stale,
}

/// Reads one route, whose upstream is one of these.
pub(super) fn read(mut members: Members<'_>, upstreams: &[&str]) -> Option<Entry> {
    let name = members.text("name", values::label);
    let matches = read_match(&mut members, name.as_deref());
    let upstream = read_upstream(&mut members, upstreams);
    let guard = read_guard(&mut members);
    let rewrite = read_rewrite(&mut members);
    let rate_limit = members.text("rate_limit", values::quota).flatten();
    let timeout = members.period("timeout", MOMENT..=HOUR).unwrap_or(Route::TIMEOUT);
    let body_limit = members.text("body_limit", values::size).unwrap_or(Some(Route::BODY_LIMIT));
    let host = members.text("host", values::host_header);
    let retries = members.number("retries", 0..=MAX_RETRIES).unwrap_or(1);
    let forward_credentials = members.flag("forward_credentials").unwrap_or(true);
    let content_security_policy = members.text("content_security_policy", values::content_security_policy);
    if let (Some(matches), Some(AUTH_API)) = (&matches, upstream.as_deref())
        && rewrite.may_reach(matches, "/internal")
    {
        let member = if members.has("rewrite") { "rewrite" } else { "strip_prefix" };
        members.fault(member, format!("{member} would open /internal of {AUTH_API} to everybody: keep the path"));
    }
    let (owner, at) = (members.owner().to_owned(), members.at());
    members.finish();
    let matches = matches?;
    let route = Route {
        name: name.unwrap_or_else(|| matches.to_string()).into(),
        matches,
        upstream: upstream?,
        auth: guard.auth,
        permissions: guard.permissions,
        issuer: guard.issuer,
        audience: guard.audience,
        stale: guard.stale,
        rate_limit,
        timeout,
        body_limit,
        rewrite,
        host,
        retries,
        forward_credentials,
        content_security_policy: content_security_policy.unwrap_or(Some(CONTENT_SECURITY_POLICY)),
    };
    Some(Entry { route, owner, at })
}

fn read_match(members: &mut Members<'_>, name: Option<&str>) -> Option<Match> {
    let table = members.table("match");
    members.need("match", "match = { path = \"/orders/\" }");
    let mut table = table?;
    let path = table.text("path", values::route_path);
    if let Some(name) = name.or(path.as_deref()) {
        members.call(name);
        table.call(name);
    }
    table.need("path", "path = \"/orders/\"");
    let exact = table.flag("exact").unwrap_or(false);
    let host = table.text("host", host::parse_pattern);
    let methods = table.filled_list("methods", values::method);
    table.finish();
    Some(Match { path: path?, exact, host, methods })
}

fn read_upstream(members: &mut Members<'_>, upstreams: &[&str]) -> Option<Arc<str>> {
    let upstream = members.text("upstream", values::identifier);
    members.need("upstream", "upstream = \"NAME\"");
    let upstream = upstream?;
    if !upstreams.contains(&upstream.as_str()) {
        let meant = did_you_mean(&upstream, upstreams.iter().copied());
        members.fault("upstream", format!("upstream {upstream:?} is not defined{meant}"));
    }
    Some(upstream.into())
}

fn read_guard(members: &mut Members<'_>) -> Guard {
    let auths = [("required", Auth::Required), ("optional", Auth::Optional), ("none", Auth::None)];
    let auth = members.choice("auth", &auths).unwrap_or(Auth::Required);
    let guard = Guard {
        auth,
        permissions: Permissions {
            all: members.filled_list("permissions", values::permission),
            any: members.filled_list("any_permission", values::permission),
        },
        issuer: members.text("issuer", values::filled),
        audience: members.text("audience", values::filled),
        stale: members.choice("stale", &[("allow", Stale::Allow), ("deny", Stale::Deny)]).unwrap_or(Stale::Allow),
    };
    let (meaningless, because): (&[&str], _) = match auth {
        Auth::Required => (&[], ""),
        Auth::Optional => (&["permissions", "any_permission"], "auth = \"optional\" lets in callers who hold nothing"),
        Auth::None => (
            &["permissions", "any_permission", "issuer", "audience", "stale"],
            "auth = \"none\" looks at no credential",
        ),
    };
    for member in meaningless.iter().filter(|member| members.has(member)) {
        members
            .fault(member, format!("{because}, so {member} contradicts it: write auth = \"required\" or remove one"));
    }
    guard
}

fn read_rewrite(members: &mut Members<'_>) -> Rewrite {
    let strips = members.flag("strip_prefix").unwrap_or(false);
    let replacement = members.text("rewrite", values::plain_path);
    if strips && members.has("rewrite") {
        members.fault("rewrite", "strip_prefix = true and rewrite exclude each other: remove one");
    }
    match replacement {
        Some(replacement) => Rewrite::Replace(replacement),
        None if strips => Rewrite::Replace("/".to_owned()),
        None => Rewrite::Keep,
    }
}
