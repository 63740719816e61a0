//! Mail as an operator sets it up, and what a crash does to it.

use rstest::rstest;
use test_peers::{Security, Smtp, Stage, Trouble, free_port};

use crate::{
    configuration::production,
    support::{Engine, Workplace},
};

/// A place that sends its mail to this relay.
fn place(engine: Engine, relay: &Smtp) -> Workplace {
    Workplace::on(engine)
        .set("SMTP_URL", &relay.url())
        .set("MAIL_FROM", "Example <no-reply@example.com>")
        .set("PUBLIC_URL", "https://auth.example.com")
}

#[rstest]
#[tokio::test]
async fn a_crash_while_a_mail_goes_out_sends_no_second_copy(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let place = place(engine, &relay);
    relay.set(Some(Trouble::Hang(Stage::Message)));
    let mut program = place.start().await;
    assert_eq!(program.client.register("kim@example.com").await.status, 201);
    let to = |email: &str| relay.mails().iter().filter(|mail| mail.to == [email]).count();
    program.until("the mail is with the relay", async || to("kim@example.com") == 1).await;
    program.kill();
    relay.set(None);
    let program = place.start().await;
    assert_eq!(program.client.register("lee@example.com").await.status, 201);
    program.until("the next mail arrives", async || to("lee@example.com") == 1).await;
    assert_eq!(to("kim@example.com"), 1);
}

#[tokio::test]
async fn a_developer_without_a_relay_reads_mails_in_the_log() {
    let program = Workplace::on(Engine::Sqlite).start().await;
    assert_eq!(program.client.register("kim@example.com").await.status, 201);
    program.until_logged("/verify-email?token=").await;
    let out = program.out();
    assert!(out.contains("To: kim@example.com") && out.contains("Subject: Confirm your e-mail address"), "{out}");
}

#[test]
fn production_that_must_verify_addresses_has_to_be_able_to() {
    let finished = production().set("REQUIRE_EMAIL_VERIFICATION", "true").run(&[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.err.contains("production needs PUBLIC_URL, SMTP_URL and MAIL_FROM"), "{finished:?}");
    let finished = production().set("SMTP_URL", "smtp://user:pass-of-relay@mail.example.com?tls=none").run(&[]);
    assert!(finished.err.contains("SMTP_URL: production needs TLS"), "{finished:?}");
    assert!(!finished.err.contains("pass-of-relay"), "{finished:?}");
}

#[test]
fn the_doctor_tries_the_relay() {
    let relay = Smtp::start(Security::Plain).unwrap();
    let line = |place: &Workplace| {
        let finished = place.run(&["doctor"]);
        let line = finished.out.lines().find(|line| line.contains(" mail: ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{finished:?}"))
    };
    let good = place(Engine::Sqlite, &relay);
    assert!(line(&good).starts_with("ok ") && line(&good).contains("127.0.0.1 takes mail"), "{}", line(&good));
    let away = good.set("SMTP_URL", &format!("smtp://127.0.0.1:{}?tls=none", free_port().unwrap()));
    assert!(line(&away).starts_with("FAILED") && line(&away).contains("Check SMTP_URL"), "{}", line(&away));
}
