//! Why there is no certificate, and what to do.

use instant_acme::{Error, Problem};

const REACH: &str =
    "port 443 of every name must reach tls.listen from the internet, with nothing between that ends TLS";
const ADDRESS: &str = "check tls.acme.directory, and that the gateway may connect to it";
const FOLDER: &str = "give the gateway's user a folder of its own in tls.acme.storage";
const AUTHORITY: &str = "the authority's documentation explains what it refuses";
const ROOTS: &str = "without roots no authority can prove who it is";
const PATIENCE: &str = "the authority wants no more orders for now; the gateway waits";

/// A failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// One sentence, the same as long as nothing changes.
    pub reason: String,
    /// What to do.
    pub advice: &'static str,
    /// What the next attempt must heed.
    pub kind: Kind,
}

/// What the next attempt must heed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Passing,
    /// The authority counted too many orders.
    TooMany,
    /// The authority does not know the account.
    NoAccount,
}

impl Failure {
    /// Of the folder.
    pub fn storage(reason: String) -> Self {
        Self { reason, advice: FOLDER, kind: Kind::Passing }
    }

    /// Of the roots for the authority's own TLS.
    pub fn roots(reason: String) -> Self {
        Self { reason, advice: ROOTS, kind: Kind::Passing }
    }

    /// The authority looked, and did not see what it was to see.
    pub fn unproven(reason: &str) -> Self {
        Self { reason: format!("the authority saw no proof ({reason})"), advice: REACH, kind: Kind::Passing }
    }

    /// Of a library, or of the machine.
    pub fn internal(cause: &impl ToString) -> Self {
        Self { reason: cause.to_string(), advice: AUTHORITY, kind: Kind::Passing }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Api(problem) => {
                let (advice, kind) = judge(&problem);
                Self { reason, advice, kind }
            }
            Error::Other(_) | Error::Json(_) | Error::Http(_) | Error::InvalidUri(_) => {
                Self { reason, advice: ADDRESS, kind: Kind::Passing }
            }
            Error::Crypto
            | Error::KeyRejected
            | Error::Timeout(_)
            | Error::Unsupported(_)
            | Error::Str(_)
            // And whatever the library will add.
            | _ => Self { reason, advice: AUTHORITY, kind: Kind::Passing },
        }
    }
}

/// RFC 8555, section 6.7.
fn judge(problem: &Problem) -> (&'static str, Kind) {
    match problem.r#type.as_deref().and_then(|kind| kind.strip_prefix("urn:ietf:params:acme:error:")) {
        Some("rateLimited") => (PATIENCE, Kind::TooMany),
        Some("accountDoesNotExist") => ("another account is made", Kind::NoAccount),
        Some("connection" | "dns" | "tls" | "unauthorized" | "caa" | "incorrectResponse") => (REACH, Kind::Passing),
        Some(_) | None => (AUTHORITY, Kind::Passing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authoritys_word_decides_what_is_done_next() {
        let kind = |name: &str| {
            let problem = format!(r#"{{"type": "urn:ietf:params:acme:error:{name}", "detail": "why"}}"#);
            let failure = Failure::from(Error::Api(serde_json::from_str(&problem).unwrap()));
            assert!(failure.reason.contains("why") && failure.reason.contains(name), "{failure:?}");
            failure.kind
        };
        assert_eq!(kind("rateLimited"), Kind::TooMany);
        assert_eq!(kind("accountDoesNotExist"), Kind::NoAccount);
        assert_eq!(kind("dns"), Kind::Passing);
        assert_eq!(kind("malformed"), Kind::Passing);
    }
}
