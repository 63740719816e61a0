//! The path that the upstream sees.

use http::uri::{InvalidUri, PathAndQuery};

use super::table::{is_at_or_below, slashes};
use super::{Match, Rewrite, Route};

impl Route {
    /// What the upstream is asked for. A path that is kept is shared, not copied.
    ///
    /// # Errors
    /// When the path would be longer than a URI may be.
    pub fn upstream_path(&self, original: &PathAndQuery) -> Result<PathAndQuery, InvalidUri> {
        let Rewrite::Replace(replacement) = &self.rewrite else { return Ok(original.clone()) };
        let rest = below(&self.matches, original.path());
        let beginning = if rest.is_empty() { replacement } else { replacement.trim_end_matches('/') };
        let (mark, query) = original.query().map_or(("", ""), |query| ("?", query));
        PathAndQuery::from_maybe_shared(bytes::Bytes::from([beginning, rest, mark, query].concat()))
    }
}

impl Rewrite {
    /// Whether some path that `matches` comes out as `target` or below.
    pub(super) fn may_reach(&self, matches: &Match, target: &str) -> bool {
        match self {
            Self::Keep => is_at_or_below(&super::table::decode(&matches.path), target),
            Self::Replace(replacement) => {
                let beginning = super::table::decode(replacement);
                let opens_all = !matches.exact && beginning.trim_end_matches('/').is_empty();
                opens_all || is_at_or_below(&beginning, target)
            }
        }
    }
}

/// What stands below the matched part: nothing, or a slash and more. Segments are counted, for the path may be
/// encoded where the route's is not.
fn below<'a>(matches: &Match, path: &'a str) -> &'a str {
    if matches.exact {
        return "";
    }
    let segments = slashes(matches.path.trim_end_matches('/')).count();
    slashes(path).nth(segments).map_or("", |slash| &path[slash..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::tests::route;
    use proptest::prelude::*;

    fn rewritten(matched: &str, rewrite: &str, path: &str) -> String {
        let mut route = route(matched);
        route.rewrite = Rewrite::Replace(rewrite.to_owned());
        route.upstream_path(&path.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_kept_path_is_the_same_memory() {
        let original: PathAndQuery = "/orders/7?a=b".parse().unwrap();
        let kept = route("/orders/").upstream_path(&original).unwrap();
        assert_eq!(kept.as_str().as_ptr(), original.as_str().as_ptr());
    }

    #[test]
    fn stripping_leaves_a_path_that_begins_with_a_slash() {
        for matched in ["/orders", "/orders/"] {
            assert_eq!(rewritten(matched, "/", "/orders"), "/");
            assert_eq!(rewritten(matched, "/", "/orders/"), "/");
            assert_eq!(rewritten(matched, "/", "/orders/7/a?x=/orders/"), "/7/a?x=/orders/");
            assert_eq!(rewritten(matched, "/", "/orders?"), "/?");
        }
        assert_eq!(rewritten("/", "/", "/orders/7"), "/orders/7");
    }

    #[test]
    fn a_rewrite_takes_the_place_of_the_matched_part_only() {
        assert_eq!(rewritten("/health", "/api/v1/health", "/health"), "/api/v1/health");
        assert_eq!(rewritten("/health", "/api/v1/health", "/health/ready"), "/api/v1/health/ready");
        assert_eq!(rewritten("/orders/", "/other/", "/orders/7/"), "/other/7/");
        assert_eq!(rewritten("/orders/", "/other/", "/orders"), "/other/");
        assert_eq!(rewritten("/", "/v2", "/orders"), "/v2/orders");
        assert_eq!(rewritten("/", "/v2", "/"), "/v2/");
    }

    #[test]
    fn an_encoded_spelling_of_the_matched_part_is_replaced_as_well() {
        assert_eq!(rewritten("/orders/", "/", "/%6Frders/a%20b"), "/a%20b");
    }

    #[test]
    fn an_exact_route_is_replaced_whole() {
        let mut route = route("/openapi.json");
        route.matches.exact = true;
        route.rewrite = Rewrite::Replace("/spec".to_owned());
        let path = route.upstream_path(&"/openapi.json?v=3".parse().unwrap()).unwrap();
        assert_eq!(path, "/spec?v=3");
    }

    #[test]
    fn a_rewrite_longer_than_a_uri_may_be_is_an_error() {
        let mut route = route("/a/");
        route.rewrite = Rewrite::Replace("/b".repeat(100));
        let path: PathAndQuery = format!("/a/{}", "c".repeat(65_400)).parse().unwrap();
        assert!(route.upstream_path(&path).is_err());
    }

    fn paths() -> impl Strategy<Value = String> {
        prop::collection::vec("[a-c%][a-c0-9.]{0,3}|%41|%61", 0..5)
            .prop_map(|segments| format!("/{}", segments.join("/")))
    }

    proptest! {
        #[test]
        fn a_rewritten_path_has_one_reading_whenever_the_original_has(
            path in paths(), slash in "/?", replacement in paths(), exact: bool, cut in 0_usize..5,
        ) {
            let path = format!("{path}{slash}");
            prop_assume!(crate::path::check(&path).is_ok() && crate::path::check(&replacement).is_ok());
            let cut = slashes(&path).nth(cut).unwrap_or(path.len()).max(1);
            let mut route = route(if exact { &path } else { &path[..cut] });
            route.matches.exact = exact;
            route.rewrite = Rewrite::Replace(replacement.clone());
            let rewritten = route.upstream_path(&path.parse().unwrap()).unwrap();
            prop_assert!(rewritten.path().starts_with('/'));
            prop_assert_eq!(crate::path::check(rewritten.path()), Ok(()), "{}", rewritten);
            prop_assert!(rewritten.path().starts_with(replacement.trim_end_matches('/')));
        }
    }
}
