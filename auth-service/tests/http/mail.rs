//! How mails go out: in two forms and two languages, at most once, whatever the relay does.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use test_peers::{Fault, FaultProxy, Security, Smtp, Stage, Trouble};

use crate::{
    mailbox::{IN_TIME, deployment, letter, letters_to, with_relay},
    support::{Deployment, Engine, PASSWORD},
    waiting::until,
};

const VERIFY: &str = "Confirm your e-mail address";
const WAITING: &str = "SELECT COUNT(*) FROM mail_outbox WHERE failed_at IS NULL AND handed_over_at IS NULL";

#[rstest]
#[tokio::test]
async fn a_mail_arrives_as_text_and_as_html(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let letter = letter(&relay, "kim@example.com", VERIFY).await;
    assert!(letter.text.contains("registered at Example with this address"), "{letter:?}");
    assert!(letter.html.contains("registered at Example with this address"), "{letter:?}");
    assert!(letter.html.contains("lang=\"en\"") && !letter.html.contains("<script"), "{letter:?}");
    letter.token("/verify-email");
    let raw = letter.raw.as_str();
    for header in ["From: Example <no-reply@auth.example.com>\r\n", "To: kim@example.com\r\n", "Date: Thu, 01 Jan 2026"]
    {
        assert!(raw.contains(header), "{header} in {raw}");
    }
    assert!(raw.contains("multipart/alternative") && raw.contains("Auto-Submitted: auto-generated"), "{raw}");
    let ids: Vec<uuid::Uuid> = deployment.column("SELECT id FROM mail_outbox").await;
    assert!(raw.contains(&format!("Message-ID: <{}@auth.example.com>\r\n", ids[0])), "{raw}");
    assert_eq!(relay.mails()[0].from, "no-reply@auth.example.com");
}

#[rstest]
#[tokio::test]
async fn a_korean_is_written_to_in_korean(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await.with_header("accept-language", "ko-KR");
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let letter = letter(&relay, "kim@example.com", "이메일 주소를 확인해 주세요").await;
    assert!(letter.text.contains("이 주소로 Example에 가입 신청이 접수되었습니다."), "{letter:?}");
    assert!(letter.html.contains("lang=\"ko\"") && letter.html.contains("이메일 주소 확인</a>"), "{letter:?}");
}

#[rstest]
#[tokio::test]
async fn nothing_that_a_stranger_wrote_is_in_a_mail(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api =
        deployment.start().await.with_header("user-agent", "Mozilla/5.0 <b>EVIL</b> Chrome/120.0 Windows NT 10.0");
    let name = "\"EVIL\" <evil@example.org>, =?utf-8?q?EVIL?=";
    let account = json!({"email": "kim@example.com", "password": PASSWORD, "display_name": name});
    assert_eq!(api.post("/api/v1/auth/register", account).await.status, 201);
    deployment.prove_everybody().await;
    for _ in 0..2 {
        let login = json!({"email": "kim@example.com", "password": PASSWORD, "device_name": "EVIL"});
        assert_eq!(api.post("/api/v1/auth/login", login).await.status, 200);
    }
    letter(&relay, "kim@example.com", "New login to your account").await;
    let broken =
        json!({"email": "lee@example.com", "password": PASSWORD, "display_name": "a\r\nBcc: evil@example.org"});
    assert_eq!(api.post("/api/v1/auth/register", broken).await.status, 422);
    for email in ["lee@example.com\r\nBcc: evil@example.org", "lee@example.com, evil@example.org", "<lee@example.com>"]
    {
        assert_eq!(api.register(email).await.status, 422, "{email}");
    }
    deployment.outbox_is_empty().await;
    let mails = relay.mails();
    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert_eq!(mail.to, ["kim@example.com"]);
        let letter = letters_to(&relay, "kim@example.com").pop().unwrap();
        assert!(![&mail.raw, &letter.text, &letter.html].iter().any(|text| text.contains("EVIL")), "{}", mail.raw);
    }
}

#[rstest]
#[tokio::test]
async fn mail_goes_by_starttls_or_tls_to_a_relay_that_wants_a_password(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Security::StartTls, Security::Tls)] security: Security,
) {
    let relay = Smtp::start(security).unwrap();
    let roots = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(roots.path(), relay.ca_pem()).unwrap();
    let deployment = deployment(engine, &relay).set("SSL_CERT_FILE", roots.path().to_str().unwrap());
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    letter(&relay, "kim@example.com", VERIFY).await;
    assert!(relay.mails()[0].was_encrypted);
}

#[rstest]
#[tokio::test]
async fn a_relay_that_cannot_prove_itself_is_given_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Security::StartTls, Security::Tls)] security: Security,
) {
    let relay = Smtp::start(security).unwrap();
    let deployment = deployment(engine, &relay);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let refused = "SELECT COUNT(*) FROM mail_outbox WHERE attempts = 1 AND last_error IS NOT NULL AND sent_at IS NULL";
    until("it was tried", IN_TIME, async || deployment.number(refused).await == 1).await;
    assert!(relay.mails().is_empty());
    assert_eq!(deployment.number(WAITING).await, 1, "it waits for the next try");
}

#[rstest]
#[case::greeting(Trouble::Hang(Stage::Greeting))]
#[case::hello(Trouble::HangUp(Stage::Hello))]
#[case::sender(Trouble::Hang(Stage::Sender))]
#[case::sender_refused(Trouble::Answer(Stage::Sender, "550 5.7.1 Sender refused"))]
#[case::recipient(Trouble::HangUp(Stage::Recipient))]
#[case::data(Trouble::Hang(Stage::Data))]
#[case::greylisted(Trouble::Answer(Stage::Recipient, "451 4.7.1 Try again later"))]
#[case::busy(Trouble::Answer(Stage::Message, "452 4.3.1 Too much mail"))]
#[tokio::test]
async fn a_mail_that_did_not_go_out_is_tried_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] trouble: Trouble,
) {
    let (relay, deployment) = with_relay(engine);
    relay.set(Some(trouble));
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let tried = "SELECT COUNT(*) FROM mail_outbox
                 WHERE attempts = 1 AND last_error IS NOT NULL AND handed_over_at IS NULL AND failed_at IS NULL";
    until("it was tried", IN_TIME, async || deployment.number(tried).await == 1).await;
    assert!(relay.mails().is_empty());
    relay.set(None);
    deployment.clock.advance(Duration::from_secs(30));
    let letter = letter(&relay, "kim@example.com", VERIFY).await;
    deployment.outbox_is_empty().await;
    assert_eq!(api.post_token("/api/v1/auth/email/verify", &letter.token("/verify-email")).await.status, 204);
}

#[rstest]
#[case::hang(Trouble::Hang(Stage::Message))]
#[case::hang_up(Trouble::HangUp(Stage::Message))]
#[tokio::test]
async fn a_mail_of_which_nobody_knows_whether_it_went_out_is_not_sent_twice(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] trouble: Trouble,
) {
    let (relay, deployment) = with_relay(engine);
    relay.set(Some(trouble));
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    letter(&relay, "kim@example.com", VERIFY).await;
    relay.set(None);
    deployment.clock.advance(Duration::from_secs(5 * 3_600));
    // Another instance, as after a restart, finds nothing to do but the next mail.
    let other = deployment.start().await;
    assert_eq!(other.register("lee@example.com").await.status, 201);
    letter(&relay, "lee@example.com", VERIFY).await;
    assert_eq!(letters_to(&relay, "kim@example.com").len(), 1);
    assert_eq!(deployment.number(WAITING).await, 0);
}

#[rstest]
#[tokio::test]
async fn a_mail_that_the_relay_will_never_take_is_given_up(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    relay.set(Some(Trouble::Answer(Stage::Recipient, "550 5.1.1 No such user")));
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let failed = "SELECT COUNT(*) FROM mail_outbox WHERE failed_at IS NOT NULL AND attempts = 1";
    until("it was given up", IN_TIME, async || deployment.number(failed).await == 1).await;
    let errors: Vec<String> = deployment.column("SELECT last_error FROM mail_outbox").await;
    assert!(errors[0].contains("550") && errors[0].contains("No such user"), "{errors:?}");
}

#[rstest]
#[tokio::test]
async fn a_mail_is_tried_for_a_day_and_then_given_up(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    relay.set(Some(Trouble::Answer(Stage::Greeting, "421 Closing")));
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let attempts = async || deployment.number("SELECT attempts FROM mail_outbox WHERE last_error IS NOT NULL").await;
    let mut waited = 0;
    for (tries, wait) in (1..).zip([30, 120, 600, 3_600, 14_400, 14_400, 14_400, 14_400, 14_400]) {
        let noted = format!("SELECT COUNT(*) FROM mail_outbox WHERE attempts = {tries} AND last_error IS NOT NULL");
        until("it was tried", IN_TIME, async || deployment.number(&noted).await == 1).await;
        let due = "SELECT COUNT(*) FROM mail_outbox WHERE failed_at IS NOT NULL";
        if deployment.number(due).await == 1 {
            break;
        }
        waited += wait;
        deployment.clock.advance(Duration::from_secs(wait));
    }
    let failed = "SELECT COUNT(*) FROM mail_outbox WHERE failed_at IS NOT NULL";
    until("it was given up", IN_TIME, async || deployment.number(failed).await == 1).await;
    assert!(attempts().await >= 8 && waited > 60_000, "{waited}");
    assert!(relay.mails().is_empty());
}

#[rstest]
#[tokio::test]
async fn mails_wait_while_the_relay_is_away_and_outlive_a_restart(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let proxy = FaultProxy::start(relay.address()).unwrap();
    proxy.set(Fault::Refuse);
    let away = format!("smtp://127.0.0.1:{}?tls=none", proxy.address().port());
    let deployment = deployment(engine, &relay).set("SMTP_URL", &away);
    let api = deployment.start().await;
    for name in ["kim", "lee", "park"] {
        assert_eq!(api.register(&format!("{name}@example.com")).await.status, 201);
    }
    let tried = "SELECT COUNT(*) FROM mail_outbox WHERE last_error IS NOT NULL";
    until("all were tried", IN_TIME, async || deployment.number(tried).await == 3).await;
    api.stop();
    proxy.set(Fault::Pass);
    deployment.clock.advance(Duration::from_secs(60));
    let _next = deployment.start().await;
    for name in ["kim", "lee", "park"] {
        letter(&relay, &format!("{name}@example.com"), VERIFY).await;
    }
}

#[rstest]
#[tokio::test]
async fn two_instances_send_one_copy_of_each_mail(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let deployment = deployment.set("RATE_LIMIT_REGISTER_PER_ADDRESS", "off");
    let instances = [deployment.start().await, deployment.start().await];
    for number in 0..20 {
        let email = format!("person{number}@example.com");
        assert_eq!(instances[number % 2].register(&email).await.status, 201);
    }
    until("all have arrived", IN_TIME, async || relay.mails().len() >= 20).await;
    deployment.outbox_is_empty().await;
    let mut to: Vec<_> = relay.mails().into_iter().flat_map(|mail| mail.to).collect();
    to.sort_unstable();
    to.dedup();
    assert_eq!((relay.mails().len(), to.len()), (20, 20));
}

#[rstest]
#[tokio::test]
async fn without_a_relay_a_developer_finds_mails_done(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    deployment.outbox_is_empty().await;
    assert_eq!(deployment.number("SELECT COUNT(*) FROM mail_outbox WHERE sent_at IS NOT NULL").await, 1);
}

#[rstest]
#[tokio::test]
async fn the_outbox_holds_no_secret_and_the_database_only_hashes(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let token = letter(&relay, "kim@example.com", VERIFY).await.token("/verify-email");
    deployment.outbox_is_empty().await;
    let rows: Vec<String> = deployment.column("SELECT details FROM mail_outbox").await;
    assert_eq!(rows, [r#"{"kind":"verify_email"}"#]);
    assert_eq!(token.len(), 43, "256 bits");
    let hashes: Vec<Vec<u8>> = deployment.column("SELECT token_hash FROM one_time_tokens").await;
    assert_eq!(hashes, [auth_service::ids::OpaqueToken::parse(&token).unwrap().hash().as_bytes()]);
}

#[rstest]
#[tokio::test]
async fn what_waited_for_more_than_a_day_is_not_sent_any_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    relay.set(Some(Trouble::Answer(Stage::Greeting, "421 Closing")));
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let tried = "SELECT COUNT(*) FROM mail_outbox WHERE last_error LIKE '%421%'";
    until("it was tried", IN_TIME, async || deployment.number(tried).await == 1).await;
    api.stop();
    relay.set(None);
    deployment.clock.advance(Duration::from_secs(86_401));
    let _next = deployment.start().await;
    let failed = "SELECT COUNT(*) FROM mail_outbox WHERE failed_at IS NOT NULL";
    until("it was given up", IN_TIME, async || deployment.number(failed).await == 1).await;
    assert!(relay.mails().is_empty());
}
