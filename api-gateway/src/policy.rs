//! Policy tests: a team writes down who may do what, and is told where the routes say something else. The judgement is
//! that of the pipeline, [`Table::judge`] and [`Route::admit`]; only who calls is given instead of proven.

mod cases;
mod report;

use std::sync::Arc;

pub use report::{Report, Verdict};

use self::cases::{Caller, Case, Request};
use crate::refusal::Refusal;
use crate::routes::{Auth, File, Route, Table};

/// Runs the cases of a text in TOML against the routes in force.
///
/// # Errors
/// Everything that is wrong in the text, each with its line.
pub fn run(file: &File, cases: &str) -> Result<Report, Vec<String>> {
    let routes = file.routes_in_force();
    let cases = cases::read(cases, &routes)?;
    let table = Table::new(routes);
    Ok(Report { verdicts: cases.into_iter().map(|case| judge(&table, case)).collect() })
}

/// What becomes of a request.
struct Outcome<'t> {
    decision: &'static str,
    route: Option<&'t Arc<Route>>,
    /// What the upstream would be asked for.
    sent: Option<String>,
}

fn judge(table: &Table<Arc<Route>>, case: Case) -> Verdict {
    let outcome = decide(table, &case.request, case.caller.as_ref());
    let expected = case.expect;
    let route = outcome.route.map(|route| &*route.name);
    let upstream = outcome.route.map(|route| &*route.upstream);
    let members = [
        ("decision", Some(expected.decision), Some(outcome.decision)),
        ("route", expected.route.as_deref(), route),
        ("upstream", expected.upstream.as_deref(), upstream),
        ("path", expected.path.as_deref(), outcome.sent.as_deref()),
    ];
    let differences = members.into_iter().filter_map(|(member, expected, got)| {
        let expected = expected.filter(|expected| Some(*expected) != got)?;
        Some(format!("{member}: expected {expected}, got {}", got.unwrap_or("none")))
    });
    let differences: Vec<String> = differences.collect();
    Verdict { name: case.name, request: case.request.to_string(), differences }
}

fn decide<'t>(table: &'t Table<Arc<Route>>, request: &Request, caller: Option<&Caller>) -> Outcome<'t> {
    let path = request.target.path();
    let route = match table.judge(&request.host, path, &request.method) {
        Ok(route) => route,
        Err(refusal) => return Outcome { decision: spell(&refusal), route: None, sent: None },
    };
    let Ok(sent) = route.upstream_path(&request.target) else {
        return Outcome { decision: spell(&Refusal::Ambiguous("")), route: Some(route), sent: None };
    };
    let decision = admit(route, caller).err().as_ref().map_or(cases::ALLOW, spell);
    Outcome { decision, route: Some(route), sent: Some(sent.to_string()) }
}

/// As the pipeline: who brings a credential is identified first, unless the route looks at none.
fn admit(route: &Route, caller: Option<&Caller>) -> Result<(), Refusal> {
    match (route.auth, caller) {
        (Auth::Required | Auth::Optional, Some(caller)) if !caller.is_for(route) => Err(Refusal::InvalidToken),
        (Auth::Required | Auth::Optional, Some(caller)) => route.admit(Some(&caller.permissions)),
        (Auth::None, _) | (_, None) => route.admit(None),
    }
}

/// As cases name it.
const fn spell(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Ambiguous(_) => "bad_request",
        Refusal::NotFound => "not_found",
        Refusal::MethodNotAllowed(_) => "method_not_allowed",
        Refusal::Unauthenticated => "unauthenticated",
        Refusal::InvalidToken => "invalid_token",
        Refusal::Forbidden => "forbidden",
        // None of these depends on the routes alone, so none comes up here.
        Refusal::RevocationsUnknown => "revocations_unknown",
        Refusal::KeyUnknown => "key_unknown",
        Refusal::TooManyRequests(_) | Refusal::TooManyAtOnce => "too_many_requests",
        Refusal::InvalidHost => "invalid_host",
        Refusal::ForeignOrigin => "foreign_origin",
        Refusal::HeadTooLarge | Refusal::BodyTooLarge => "too_large",
        Refusal::BodyTooSlow | Refusal::BodyBroken => "body_broken",
        Refusal::Upstream(_) | Refusal::TimedOut | Refusal::NotReady | Refusal::Overloaded | Refusal::Internal => {
            "unavailable"
        }
    }
}

#[cfg(test)]
mod tests;
