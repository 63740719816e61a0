//! Checking the chain, a part at a time: the page goes on by itself, so that no call takes long and progress is seen.

use askama::Template;
use auth_sdk::{AuditFault, AuditVerification, VerifyAuditLogs, client::ClientError};
use axum::response::{Html, IntoResponse, Response};

use crate::{
    failure::Result,
    forms::{Form, Members},
    frame::{Frame, Section},
    session,
    visit::Operator,
};

#[derive(Template)]
#[template(path = "audit/verify.html")]
struct VerifyPage {
    frame: Frame,
    expect: String,
    stage: Stage,
}

#[derive(Template)]
#[template(path = "audit/_verify.html")]
struct VerifyPart {
    frame: Frame,
    expect: String,
    stage: Stage,
}

enum Stage {
    Asked { fault: Option<String> },
    Running { next: i64, last: i64, so_far: Findings },
    Over { head: String, unsealed: u64, so_far: Findings },
}

/// What all parts so far have found; the page carries it from one to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Findings {
    entries: u64,
    erased: u64,
    faults: u64,
    first_fault: Option<AuditFault>,
    proven_until: Option<i64>,
}

/// The form.
pub async fn ask(operator: Operator) -> Result<Response> {
    show(&operator, String::new(), Stage::Asked { fault: None }).await
}

/// Checks the next part.
pub async fn run(operator: Operator, Form(members): Form) -> Result<Response> {
    let expect = members.find("expect").unwrap_or_default().to_owned();
    let part = VerifyAuditLogs {
        expect: members.find("expect").map(str::to_owned),
        from_seq: members.find("from_seq").and_then(|seq| seq.parse().ok()),
    };
    let stage = match operator.api().verify_audit_logs(&part).await {
        Ok(found) => Findings::read(&members).and(found),
        Err(ClientError::Refused(problem)) if problem.status == 422 => {
            Stage::Asked { fault: Some(session::first_fault(ClientError::Refused(problem))?) }
        }
        Err(other) => return Err(other.into()),
    };
    show(&operator, expect, stage).await
}

impl Findings {
    fn read(members: &Members) -> Self {
        let number = |name: &str| members.find(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let seq = |name: &str| members.find(name).and_then(|text| text.parse().ok());
        let text = |name: &str| members.find(name).unwrap_or_default().to_owned();
        let first_fault =
            seq("fault_seq").map(|seq| AuditFault { seq, what: text("fault"), detail: text("fault_detail") });
        Self {
            entries: number("entries"),
            erased: number("erased"),
            faults: number("faults"),
            first_fault,
            proven_until: seq("proven_until"),
        }
    }

    /// With what another part has found.
    fn and(self, part: AuditVerification) -> Stage {
        let so_far = Self {
            entries: self.entries.saturating_add(part.entries),
            erased: self.erased.saturating_add(part.erased),
            faults: self.faults.saturating_add(part.faults),
            first_fault: self.first_fault.or(part.first_fault),
            proven_until: self.proven_until.or(part.proven_until),
        };
        match part.next_seq {
            Some(next) => Stage::Running { next, last: part.last_seq, so_far },
            None => {
                let head = format!("{}:{}", part.head.seq, part.head.hash);
                Stage::Over { head, unsealed: part.unsealed, so_far }
            }
        }
    }

    /// What the next part is sent along with.
    fn carried(&self) -> Vec<(&'static str, String)> {
        let mut carried = vec![
            ("entries", self.entries.to_string()),
            ("erased", self.erased.to_string()),
            ("faults", self.faults.to_string()),
        ];
        if let Some(AuditFault { seq, what, detail }) = &self.first_fault {
            carried.extend([("fault_seq", seq.to_string()), ("fault", what.clone()), ("fault_detail", detail.clone())]);
        }
        carried.extend(self.proven_until.map(|seq| ("proven_until", seq.to_string())));
        carried
    }
}

async fn show(operator: &Operator, expect: String, stage: Stage) -> Result<Response> {
    let html = if operator.wants_part {
        VerifyPart { frame: operator.part(Section::Audit), expect, stage }.render()?
    } else {
        VerifyPage { frame: operator.frame(Section::Audit).await?, expect, stage }.render()?
    };
    Ok(Html(html).into_response())
}

/// The number of an entry, grouped.
fn shown(seq: &i64) -> String {
    crate::frame::number(seq.unsigned_abs())
}

/// A number of entries, grouped.
fn counted(n: &u64) -> String {
    crate::frame::number(*n)
}

#[cfg(test)]
mod tests {
    use auth_sdk::AuditLink;
    use url::form_urlencoded;

    use super::*;

    fn part(next_seq: Option<i64>, first_fault: Option<AuditFault>) -> AuditVerification {
        AuditVerification {
            ok: first_fault.is_none(),
            entries: 20_000,
            erased: 1,
            from_seq: 1,
            next_seq,
            head: AuditLink { seq: 20_000, hash: "0c".to_owned() },
            last_seq: 60_000,
            removed_to: None,
            unsealed: 2,
            faults: first_fault.iter().count() as u64,
            first_fault,
            proven_until: None,
        }
    }

    fn carried(so_far: &Findings) -> Findings {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(so_far.carried()).finish();
        Findings::read(&Members::of_query(&query))
    }

    #[test]
    fn what_parts_have_found_adds_up() {
        let fault = |seq| AuditFault { seq, what: "changed".to_owned(), detail: "it \"was\" & is not".to_owned() };
        let mut so_far = Findings::default();
        for found in [part(Some(20_001), None), part(Some(40_001), Some(fault(20_005)))] {
            let Stage::Running { last: 60_000, so_far: more, .. } = so_far.and(found) else { panic!("it goes on") };
            assert_eq!(carried(&more), more);
            so_far = more;
        }
        let Stage::Over { head, unsealed, so_far } = so_far.and(part(None, Some(fault(50_000)))) else {
            panic!("it is over")
        };
        assert_eq!((head.as_str(), unsealed), ("20000:0c", 2));
        assert_eq!((so_far.entries, so_far.erased, so_far.faults), (60_000, 3, 2));
        assert_eq!(so_far.first_fault, Some(fault(20_005)), "the first of all");
    }
}
