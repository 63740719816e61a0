//! Every page, as it looks: free of what keeps people from using it, and drawn to be looked at.

use std::{fs, path::PathBuf};

use rstest::rstest;
use test_peers::{Motion, Outlook, Scheme};

use super::{Console, tongue::Tongue};

/// Where pictures are kept.
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/console-screenshots");
/// The rules of WCAG 2.2 AA.
pub const RULES: [&str; 4] = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
const WIDTHS: [Width; 4] = [
    Width { pixels: 360, draws: true, judges: false },
    Width { pixels: 390, draws: false, judges: true },
    Width { pixels: 1280, draws: true, judges: true },
    Width { pixels: 1920, draws: true, judges: false },
];

/// A page, whose address holds `PERSON` for somebody's id.
struct Look {
    name: &'static str,
    path: &'static str,
    /// The key of a text on it.
    says: &'static str,
    /// What opens a dialog on it.
    opens: Option<&'static str>,
}

struct Width {
    pixels: u16,
    draws: bool,
    judges: bool,
}

const fn page(name: &'static str, path: &'static str, says: &'static str) -> Look {
    Look { name, path, says, opens: None }
}

const fn dialog(name: &'static str, path: &'static str, says: &'static str, opens: &'static str) -> Look {
    Look { name, path, says, opens: Some(opens) }
}

/// What somebody with a session sees.
const INSIDE: &[Look] = &[
    page("overview", "/admin/", "tile-logins"),
    page("overview-30d", "/admin/?window=30d", "chart-title"),
    page("users", "/admin/users", "nav-users"),
    page("users-none-found", "/admin/users?search=nobody-at-all", "users-none-found"),
    page("person", "/admin/users/PERSON", "profile"),
    page("person-new", "/admin/users/STRANGER", "timeline-empty"),
    page("invite-page", "/admin/users/new", "invite"),
    page("delete-page", "/admin/users/PERSON/delete", "act-delete"),
    page("bulk", "/admin/users/bulk?act=disable&id=PERSON&id=STRANGER", "bulk-due"),
    page("roles", "/admin/roles", "matrix-why"),
    page("audit", "/admin/audit", "audit-event-any"),
    page("verify", "/admin/audit/verify", "verify-start"),
    page("api-keys", "/admin/api-keys", "api-key-owner"),
    page("signing-keys", "/admin/signing-keys", "key-signing"),
    page("gateways", "/admin/gateways", "instances"),
    page("providers", "/admin/providers", "redirects"),
    page("mails", "/admin/mails", "mail-recipient"),
    page("settings", "/admin/settings", "settings-why"),
    page("doctor", "/admin/doctor", "doctor-why"),
    page("not-found", "/admin/users/nobody", "failure-not-found"),
    dialog("invite", "/admin/users", "invite-why", "a[href='/admin/users/new']"),
    dialog("disable", "/admin/users/PERSON", "act-disable", "a[href$='/disable']"),
    dialog("profile", "/admin/users/PERSON", "profile-edit", "a[href$='/profile']"),
    dialog("person-roles", "/admin/users/PERSON", "roles-why", "a[href$='/roles'][hx-get]"),
    dialog("new-role", "/admin/roles", "role-make", "a[href='/admin/roles/new']"),
    dialog("permission", "/admin/roles", "permission-holders", ".matrix tbody th a"),
    dialog("new-permission", "/admin/roles", "permission-new", "a[href='/admin/permissions/new']"),
    dialog("revoke-key", "/admin/api-keys", "ask-why-key-revoke", "a[href$='/revoke']"),
    dialog("rotate", "/admin/signing-keys", "ask-why-rotate", "a[href$='/rotate']"),
    dialog("end-session", "/admin/users/PERSON", "act-end-session", "main a[href*='/sessions/']"),
    dialog("keys", "/admin/users", "keys-title", "[data-keys]"),
];

/// What anybody sees.
const OUTSIDE: &[Look] = &[
    page("sign-in", "/admin/sign-in", "sign-in"),
    page("signed-out", "/admin/sign-in?done=signed-out", "done-signed-out"),
    page("no-cookie", "/admin/arrive", "no-cookie-why"),
];

#[rstest]
#[tokio::test]
async fn every_page_can_be_used_by_everybody_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::start(tongue).await;
    let link = console.setup_link().await;
    let setup = link.strip_prefix(&console.base).unwrap();
    let mut found = look_at(&console, &page("setup", "", "setup-why"), setup);
    console.set_up(&link);
    let (person, stranger) = (somebody(&console).await, console.invite_one("new@example.com", "이새롬").await);
    for look in INSIDE {
        found.extend(look_at(&console, look, &look.path.replace("PERSON", &person).replace("STRANGER", &stranger)));
    }
    console.browser.forget_everything(tongue);
    for look in OUTSIDE {
        found.extend(look_at(&console, look, look.path));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

impl Console {
    /// The ids that more than one element of the page has.
    pub fn twice(&self) -> Vec<String> {
        let ids = "[...document.querySelectorAll('[id]')].map((element) => element.id)";
        let twice = format!("{ids}.filter((id, at, all) => all.indexOf(id) !== at)");
        let twice = self.browser.evaluate(&twice).unwrap();
        twice.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn every_line_of_the_navigation_is_looked_at_in_browser() {
    let console = Console::open(Tongue::Korean).await;
    let lines = "[...document.querySelectorAll('nav[aria-label] li a')].map((line) => line.getAttribute('href'))";
    let lines = console.browser.evaluate(lines).unwrap();
    let lines: Vec<_> = lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(lines.len() > 10, "{lines:?}");
    for line in lines {
        assert!(INSIDE.iter().any(|look| look.path == line && look.opens.is_none()), "nobody looks at {line}");
    }
}

#[rstest]
#[case(Motion::Full, true)]
#[case(Motion::Reduced, false)]
#[tokio::test]
async fn nothing_moves_for_whoever_asked_for_less_in_browser(#[case] motion: Motion, #[case] moves: bool) {
    let console = Console::start(Tongue::Korean).await;
    let outlook = Outlook { motion, locale: Tongue::Korean.locale(), ..Outlook::default() };
    console.browser.start_afresh_as(&outlook).unwrap();
    console.set_up(&console.setup_link().await);
    // Each element and what stands before and after it, in every state that a script gives it.
    let moving = "(() => {
        document.querySelectorAll('.busy').forEach((busy) => busy.classList.add('htmx-request'));
        const moves = ({ animationName, transitionDuration }) =>
            animationName !== 'none' || transitionDuration.split(',').some((duration) => parseFloat(duration) > 0);
        const parts = [...document.querySelectorAll('*')].flatMap((element) =>
            [null, '::before', '::after'].map((part) => getComputedStyle(element, part)));
        return parts.filter(moves).length + document.getAnimations().length;
    })()";
    let mut count = 0;
    for look in INSIDE.iter().filter(|look| look.opens.is_none() && !look.path.contains('?')) {
        console.browser.goto(&console.at(look.path)).unwrap();
        count += console.browser.evaluate(moving).unwrap().as_u64().unwrap();
    }
    assert_eq!(count > 0, moves, "{count}");
}

/// Somebody who has been at work, among others; their id.
async fn somebody(console: &Console) -> String {
    let people = (0..12).map(|number| (format!("person-{number:02}@example.com"), format!("사람 {number}")));
    console.invite(&people.collect::<Vec<_>>()).await;
    console.make_api_key("nightly backup").await;
    let client = &console.program.client;
    let person = client.person("minsu.kim@example.com").await;
    let chrome =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
    client.with_header("user-agent", chrome).log_in("minsu.kim@example.com").await;
    client.post("/api/v1/auth/login", serde_json::json!({"email": "minsu.kim@example.com", "password": "wrong"})).await;
    client.me(&person.access).await.text("id")
}

/// What is wrong with a page, in every size and light.
fn look_at(console: &Console, look: &Look, path: &str) -> Vec<String> {
    let browser = &console.browser;
    browser.resize(1280, 800).unwrap();
    browser.goto(&console.at(path)).unwrap();
    if let Some(opens) = look.opens {
        browser.click(opens).unwrap();
        console.sees("dialog[open]");
    }
    console.reads("body", look.says);
    let folder = PathBuf::from(PICTURES).join(console.tongue.tag());
    fs::create_dir_all(&folder).unwrap();
    let mut found = Vec::new();
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme).unwrap();
        for width in &WIDTHS {
            browser.resize(width.pixels, 800).unwrap();
            let place = format!("{}-{}-{}", look.name, width.pixels, scheme.as_str());
            if width.draws {
                browser.screenshot(&folder.join(format!("{place}.png"))).unwrap();
            }
            // The contrast of the dark is the same in both languages.
            if width.judges && (scheme, console.tongue) != (Scheme::Dark, Tongue::English) {
                let violations = browser.violations(&RULES).unwrap();
                found.extend(violations.iter().map(|violation| format!("{place}: {violation}")));
            }
            let too_wide = browser.evaluate("document.documentElement.scrollWidth > innerWidth").unwrap();
            if too_wide == true {
                found.push(format!("{place} is wider than the window"));
            }
        }
    }
    found.extend(console.twice().into_iter().map(|id| format!("{}: #{id} is there twice", look.name)));
    let complaints = browser.take_complaints().unwrap();
    let own = |complaint: &String| !(look.says == "failure-not-found" && complaint.contains(" 404 "));
    found.extend(complaints.into_iter().filter(own).map(|complaint| format!("{}: {complaint}", look.name)));
    found
}
