//! The judgement of a request by its route; policy tests and the pipeline ask the same functions.

use std::borrow::Borrow;

use http::Method;

use super::{Auth, NoRoute, Permissions, Route, Table};
use crate::path;
use crate::refusal::Refusal;

impl<R: Borrow<Route>> Table<R> {
    /// The route of a request, by its raw path; `host` as the client sent it.
    ///
    /// # Errors
    /// [`Refusal::Ambiguous`], [`Refusal::NotFound`], [`Refusal::MethodNotAllowed`].
    pub fn judge(&self, host: &str, path: &str, method: &Method) -> Result<&R, Refusal> {
        path::check(path).map_err(Refusal::Ambiguous)?;
        self.find(host, path, method).map_err(|none| match none {
            NoRoute::NotFound => Refusal::NotFound,
            NoRoute::Method(methods) => Refusal::MethodNotAllowed(methods),
        })
    }
}

impl Route {
    /// Whether a caller may pass who holds these permissions; nothing is nobody.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`], [`Refusal::Forbidden`].
    pub fn admit(&self, held: Option<&[String]>) -> Result<(), Refusal> {
        match (self.auth, held) {
            (Auth::None, _) => Ok(()),
            (Auth::Optional, None) if self.permissions.are_none() => Ok(()),
            (Auth::Required | Auth::Optional, None) => Err(Refusal::Unauthenticated),
            (Auth::Required | Auth::Optional, Some(held)) if self.permissions.admit(held) => Ok(()),
            (Auth::Required | Auth::Optional, Some(_)) => Err(Refusal::Forbidden),
        }
    }
}

impl Permissions {
    /// Whether who holds these permissions holds what is asked for.
    #[must_use]
    pub fn admit(&self, held: &[String]) -> bool {
        self.all.iter().all(|asked| held.contains(asked))
            && (self.any.is_empty() || self.any.iter().any(|asked| held.contains(asked)))
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.all.is_empty() && self.any.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::routes::tests::route;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn asks(all: &str, any: &str) -> Permissions {
        Permissions { all: words(all), any: words(any) }
    }

    #[test]
    fn all_of_the_one_list_and_one_of_the_other_are_asked_for() {
        let both = asks("a:r b:r", "c:r d:r");
        assert!(both.admit(&words("a:r b:r d:r")));
        assert!(!both.admit(&words("a:r b:r")));
        assert!(!both.admit(&words("a:r c:r d:r")));
        assert!(asks("", "").admit(&[]));
        assert!(!asks("", "c:r").admit(&[]));
        assert!(!asks("a:r", "").admit(&words("a:read A:R a:r:x")));
    }

    #[test]
    fn who_passes_depends_on_what_the_route_says() {
        let read = words("orders:read");
        let decide = |auth, permissions: &Permissions, held: Option<&[String]>| {
            let mut route = route("/");
            route.auth = auth;
            route.permissions = permissions.clone();
            match route.admit(held) {
                Ok(()) => "pass",
                Err(Refusal::Unauthenticated) => "who?",
                Err(Refusal::Forbidden) => "no",
                Err(other) => panic!("{other:?}"),
            }
        };
        let (nothing, orders) = (asks("", ""), asks("orders:read", ""));
        for (auth, asked, nobody, stranger, reader) in [
            (Auth::Required, &nothing, "who?", "pass", "pass"),
            (Auth::Required, &orders, "who?", "no", "pass"),
            (Auth::Optional, &nothing, "pass", "pass", "pass"),
            // The configuration refuses this pair; should it come up, nobody is no reader.
            (Auth::Optional, &orders, "who?", "no", "pass"),
            (Auth::None, &nothing, "pass", "pass", "pass"),
        ] {
            let got = [decide(auth, asked, None), decide(auth, asked, Some(&[])), decide(auth, asked, Some(&read))];
            assert_eq!(got, [nobody, stranger, reader], "{auth:?} {asked:?}");
        }
    }

    #[test]
    fn an_ambiguous_path_finds_no_route_whatever_is_served() {
        let table = Table::new(vec![Arc::new(route("/"))]);
        assert!(table.judge("", "/a", &Method::GET).is_ok());
        assert!(matches!(table.judge("", "/a/%2e%2e/b", &Method::GET), Err(Refusal::Ambiguous(_))));
        assert!(matches!(table.judge("", "//a", &Method::GET), Err(Refusal::Ambiguous(_))));
        assert!(matches!(table.judge("", "/internal/v1/revocations", &Method::GET), Err(Refusal::NotFound)));
    }
}
