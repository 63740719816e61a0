//! What the doctor finds: asked for, as it connects to everything that the system leans on.

use askama::Template;
use auth_sdk::{CheckOutcome, SystemCheck};
use axum::response::{Html, IntoResponse, Response};

use super::said::{self, Said};
use crate::{
    failure::Result,
    forms::Form,
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "system/doctor.html")]
struct DoctorPage {
    frame: Frame,
    /// Nothing before it was asked for.
    checks: Option<Vec<SystemCheck>>,
}

/// The page.
pub async fn ask(operator: Operator) -> Result<Response> {
    let page = DoctorPage { frame: operator.frame(Section::Doctor).await?, checks: None };
    Ok(Html(page.render()?).into_response())
}

/// The page with what was found.
pub async fn run(operator: Operator, Form(_): Form) -> Result<Response> {
    let api = operator.api();
    let (frame, found) = tokio::join!(operator.frame(Section::Doctor), api.examine());
    Ok(Html(DoctorPage { frame: frame?, checks: Some(found?.checks) }.render()?).into_response())
}

impl DoctorPage {
    /// How a check looks: its class and its text's key.
    fn state(&self, outcome: &CheckOutcome) -> (&'static str, &'static str) {
        match outcome {
            CheckOutcome::Ok => ("ok", "check-ok"),
            CheckOutcome::Warning => ("warn", "check-warning"),
            CheckOutcome::Failed => ("bad", "check-failed"),
            CheckOutcome::Skipped => ("", "check-skipped"),
        }
    }

    /// What was tried.
    fn subject(&self, check: &SystemCheck) -> Said {
        Said::new(&self.frame, &said::subject(&check.name), &[], &check.name)
    }

    /// What was found.
    fn found(&self, check: &SystemCheck) -> Said {
        Said::new(&self.frame, &said::finding(&check.code), &values(check), &check.summary)
    }

    /// What to do about it.
    fn fix(&self, check: &SystemCheck) -> Option<Said> {
        let english = check.fix.as_deref()?;
        let mut values = values(check);
        // What a provider lacks is said in full: a sentence for each code.
        let lacks = check.values.get("lacks").and_then(|codes| self.advise(codes));
        if let Some(advice) = &lacks {
            values.retain(|(name, _)| *name != "advice");
            values.push(("advice", advice));
        }
        Some(Said::new(&self.frame, &said::fix(&check.code), &values, english))
    }

    fn advise(&self, codes: &str) -> Option<String> {
        let sentences = codes.split(' ').map(|code| self.frame.told(&said::lack(code), &[]));
        Some(sentences.collect::<Option<Vec<_>>>()?.join(" "))
    }
}

fn values(check: &SystemCheck) -> Vec<(&str, &str)> {
    check.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use service_kit::language::Language;

    use super::*;

    fn check(code: &str, values: &[(&str, &str)]) -> SystemCheck {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        SystemCheck {
            name: "login provider".to_owned(),
            outcome: CheckOutcome::Warning,
            code: code.to_owned(),
            values: values.iter().map(owned).collect::<BTreeMap<_, _>>(),
            summary: "the summary".to_owned(),
            fix: Some("the fix".to_owned()),
        }
    }

    fn page(language: Language) -> DoctorPage {
        DoctorPage { frame: Frame::for_tests(language), checks: None }
    }

    #[test]
    fn what_the_api_found_is_told_in_the_language_of_the_page() {
        let (korean, english) = (page(Language::Korean), page(Language::English));
        let slow = check("no_answer", &[("seconds", "9")]);
        let found = korean.found(&slow);
        assert_eq!((found.text.as_str(), found.lang), ("9초 동안 응답이 없습니다.", "ko"));
        assert_eq!(korean.subject(&slow).text, "소셜 로그인");
        let found = english.found(&slow);
        assert_eq!((found.text.as_str(), found.lang), ("the summary", "en"));
        let newer = korean.found(&check("of_a_newer_api", &[]));
        assert_eq!((newer.text.as_str(), newer.lang), ("the summary", "en"));
    }

    #[test]
    fn each_thing_that_a_provider_lacks_is_told() {
        let lacking =
            check("provider_lacks", &[("advice", "in English"), ("lacks", "no_public_url no_kakao_admin_key")]);
        let fix = page(Language::Korean).fix(&lacking).unwrap().text;
        assert!(fix.contains("PUBLIC_URL을") && fix.contains("KAKAO_ADMIN_KEY를"), "{fix}");
        assert_eq!(page(Language::English).fix(&lacking).unwrap().text, "the fix");
        let unknown = check("provider_lacks", &[("advice", "in English"), ("lacks", "no_luck")]);
        assert_eq!(page(Language::Korean).fix(&unknown).unwrap().text, "in English");
    }
}
