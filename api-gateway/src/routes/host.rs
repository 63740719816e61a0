//! Host names as routes compare them: lower case, without a port and without the dot of a rooted name.

use std::borrow::Cow;

/// The name in a `Host` header or an authority.
pub(super) fn name(host: &str) -> Cow<'_, str> {
    let end = match host.find(']') {
        // An IPv6 address in brackets is full of colons.
        Some(bracket) if host.starts_with('[') => bracket + 1,
        _ => host.find(':').unwrap_or(host.len()),
    };
    let name = &host[..end];
    // `example.com.` is the same name to whoever answers: another spelling must not find another route.
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The domains above a name, nearest first: what the patterns `*.DOMAIN` that match it are made of.
pub(super) fn domains_above(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, domain)| domain)).skip(1)
}

/// A pattern of the configuration: a name, or `*.` and a domain.
pub(super) fn parse_pattern(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if text == "*" {
        return Err("leave host out to match every one".to_owned());
    }
    check_name(name)?;
    Ok(text.to_ascii_lowercase())
}

/// A name without scheme, port or path; underscores, for container names have them.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(plain);
    if name.len() <= 253 && name.split('.').all(label) {
        Ok(())
    } else {
        Err(format!("{name:?} is no host name: write it without scheme, port and path, such as api.example.com"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_host_are_one_name() {
        for host in
            ["api.example.com", "API.Example.COM", "api.example.com:8080", "api.example.com.", "API.example.com.:1"]
        {
            assert_eq!(name(host), "api.example.com", "{host}");
        }
        assert_eq!(name("[::1]:8080"), "[::1]");
        assert_eq!(name("127.0.0.1:80"), "127.0.0.1");
        assert_eq!(name(""), "");
    }

    #[test]
    fn domains_come_nearest_first_and_never_the_name_itself() {
        assert_eq!(domains_above("a.b.example.com").collect::<Vec<_>>(), ["b.example.com", "example.com", "com"]);
        assert_eq!(domains_above("com").count(), 0);
    }

    #[test]
    fn patterns_are_names_with_a_star_at_most_in_front() {
        assert_eq!(parse_pattern("*.Example.com").as_deref(), Ok("*.example.com"));
        assert_eq!(parse_pattern("order_db").as_deref(), Ok("order_db"));
        let long = "a.".repeat(127) + "a";
        for text in [
            "", "*", "*.", "a.*", "*a.com", "*.*.com", "http://a", "a:80", "a/b", "a..b", "a.", ".a", "예.kr", "[::1]",
            &long,
        ] {
            assert!(parse_pattern(text).is_err(), "{text}");
        }
    }
}
