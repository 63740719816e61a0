//! /api/v1/system/mails

use std::time::Duration;

use auth_service::config::Delivery;
use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Smtp, Stage, Trouble};

use crate::{
    mailbox::{IN_TIME, letter, letters_to, with_relay},
    support::{Answer, Deployment, Engine, Instance},
    team::{ADMIN, MANAGER, Team, USER},
    waiting::until,
};

const MAILS: &str = "/api/v1/system/mails";
const VERIFY: &str = "Confirm your e-mail address";

/// A team whose registrations were mailed to a relay that is in this trouble.
async fn team(engine: Engine, trouble: Option<Trouble>) -> (Smtp, Team) {
    let (relay, deployment) = with_relay(engine);
    relay.set(trouble);
    (relay, Team::of(deployment).await)
}

fn items(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

async fn mail_to(admin: &Instance, email: &str) -> Value {
    let mails = items(&admin.get(MAILS).await);
    mails.into_iter().find(|mail| mail["recipient"] == email).unwrap()
}

async fn retry(admin: &Instance, mail: &Value) -> Answer {
    admin.post(&format!("{MAILS}/{}/retry", mail["id"].as_str().unwrap()), json!({})).await
}

/// Waits until every mail of the team was tried once, and refused.
async fn were_refused(team: &Team) {
    let refused = "SELECT COUNT(*) FROM mail_outbox WHERE attempts = 1 AND last_error IS NOT NULL";
    until("all were tried", IN_TIME, async || team.deployment.number(refused).await == 3).await;
}

/// The details of the events of this name.
async fn recorded(deployment: &Deployment, event: &str) -> Vec<Value> {
    let sql = format!("SELECT details FROM audit_logs WHERE event = '{event}' ORDER BY at, id");
    let details: Vec<String> = deployment.column(&sql).await;
    details.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn a_mail_is_shown_without_what_is_in_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (_relay, team) = team(engine, None).await;
    team.deployment.outbox_is_empty().await;
    let answer = team.admin.get(MAILS).await;
    assert_eq!(
        (items(&answer).len(), &answer.body["total"], &answer.body["next_cursor"]),
        (3, &json!(3), &Value::Null)
    );
    let mail = mail_to(&team.admin, USER).await;
    let at = "2026-01-01T00:00:00Z";
    let expected = json!({
        "id": mail["id"], "kind": "verify_email", "user_id": team.user_id, "recipient": USER, "locale": "en",
        "state": "sent", "created_at": at, "attempts": 1, "next_attempt_at": null, "handed_over_at": at,
        "sent_at": at, "failed_at": null, "last_error": null,
    });
    assert_eq!(mail, expected);
    assert_eq!(recorded(&team.deployment, "mails_listed").await, [json!({"count": 3}), json!({"count": 3})]);
}

#[rstest]
#[tokio::test]
async fn each_state_is_a_list_of_its_own_newest_first(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (_relay, team) = team(engine, None).await;
    for number in 0..6 {
        team.deployment.clock.advance(Duration::from_secs(1));
        assert_eq!(team.api.register(&format!("person{number}@example.com")).await.status, 201);
    }
    team.deployment.outbox_is_empty().await;
    let later = "(SELECT MAX(absolute_expires_at) FROM sessions)";
    for (person, change) in [
        (0, "sent_at = NULL, handed_over_at = NULL, failed_at = created_at".to_owned()),
        (1, "sent_at = NULL, handed_over_at = NULL, failed_at = created_at".to_owned()),
        (2, "sent_at = NULL".to_owned()),
        (3, format!("sent_at = NULL, handed_over_at = NULL, next_attempt_at = {later}")),
        (4, format!("sent_at = NULL, handed_over_at = NULL, next_attempt_at = {later}, user_id = NULL")),
    ] {
        let sql = format!("UPDATE mail_outbox SET {change} WHERE recipient = 'person{person}@example.com'");
        assert_eq!(team.deployment.change(&sql).await, 1);
    }
    let in_state = async |query: &str| {
        let mails = items(&team.admin.get(&format!("{MAILS}{query}")).await);
        mails.iter().map(|mail| mail["recipient"].as_str().unwrap().replace("@example.com", "")).collect::<Vec<_>>()
    };
    assert_eq!(in_state("?state=failed").await, ["person1", "person0"]);
    assert_eq!(in_state("?state=handed_over").await, ["person2"]);
    assert_eq!(in_state("?state=waiting").await, ["person3"], "and not the one that is nobody's");
    assert_eq!(in_state("?state=sent").await.len(), 4);
    assert_eq!(in_state("?state=sent&limit=1").await, ["person5"]);
    assert_eq!(in_state("").await[..5], ["person5", "person3", "person2", "person1", "person0"]);

    let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
    loop {
        let page = team.admin.get(&format!("{MAILS}{query}")).await;
        seen.extend(items(&page));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        query = format!("?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, items(&team.admin.get(MAILS).await), "page by page");
    let wrong = team.admin.get(&format!("{MAILS}?state=lost")).await;
    assert_eq!((wrong.status, wrong.faults()), (422, vec![("state", "unknown_state")]));
}

#[rstest]
#[tokio::test]
async fn a_mail_that_was_given_up_is_sent_when_the_relay_is_mended_and_never_twice(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, team) = team(engine, Some(Trouble::Answer(Stage::Recipient, "550 5.7.1 Relaying denied"))).await;
    were_refused(&team).await;
    relay.set(None);
    team.deployment.clock.advance(Duration::from_secs(2 * 86_400));
    let admin = team.api.bearing_as(ADMIN).await;
    let failed = mail_to(&admin, USER).await;
    assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(1)));
    assert!(failed["last_error"].as_str().unwrap().contains("Relaying denied"), "{failed}");
    let retried = retry(&admin, &failed).await;
    let members = (&retried.body["state"], &retried.body["next_attempt_at"], &retried.body["failed_at"]);
    assert_eq!((retried.status, members), (200, (&json!("waiting"), &json!("2026-01-03T00:00:00Z"), &Value::Null)));
    let token = letter(&relay, USER, VERIFY).await.token("/verify-email");
    assert_eq!(team.api.post_token("/api/v1/auth/email/verify", &token).await.status, 204, "its link is new");
    until("it is noted", IN_TIME, async || mail_to(&admin, USER).await["state"] == "sent").await;
    let again = retry(&admin, &failed).await;
    assert_eq!((again.status, again.code()), (409, "mail_handed_over"));
    assert_eq!((letters_to(&relay, USER).len(), letters_to(&relay, MANAGER).len()), (1, 0));
    let details = json!({"mail_id": failed["id"], "kind": "verify_email"});
    assert_eq!(recorded(&team.deployment, "mail_retried").await, [details]);
}

#[rstest]
#[tokio::test]
async fn a_mail_that_waits_for_its_next_try_goes_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, team) = team(engine, Some(Trouble::Answer(Stage::Greeting, "421 Closing"))).await;
    were_refused(&team).await;
    relay.set(None);
    let mail = mail_to(&team.admin, USER).await;
    assert_eq!((&mail["state"], &mail["next_attempt_at"]), (&json!("waiting"), &json!("2026-01-01T00:00:30Z")));
    assert_eq!(retry(&team.admin, &mail).await.body["next_attempt_at"], "2026-01-01T00:00:00Z");
    letter(&relay, USER, VERIFY).await;
    assert!(letters_to(&relay, MANAGER).is_empty(), "the others wait for their time");
}

#[rstest]
#[tokio::test]
async fn a_mail_that_may_have_arrived_is_not_sent_again(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, team) = team(engine, Some(Trouble::HangUp(Stage::Message))).await;
    letter(&relay, USER, VERIFY).await;
    until("it is noted", IN_TIME, async || mail_to(&team.admin, USER).await["last_error"].is_string()).await;
    relay.set(None);
    let mail = mail_to(&team.admin, USER).await;
    assert_eq!(mail["state"], "handed_over");
    let refused = retry(&team.admin, &mail).await;
    assert_eq!((refused.status, refused.code()), (409, "mail_handed_over"));
    assert_eq!(mail_to(&team.admin, USER).await, mail);
}

#[rstest]
#[tokio::test]
async fn a_mail_in_a_senders_hands_is_left_there_until_the_lease_is_over(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, team) = team(engine, Some(Trouble::Hang(Stage::Recipient))).await;
    let taken =
        format!("SELECT COUNT(*) FROM mail_outbox WHERE recipient = '{USER}' AND attempts = 1 AND last_error IS NULL");
    until("a sender has it", IN_TIME, async || team.deployment.number(&taken).await == 1).await;
    let mail = mail_to(&team.admin, USER).await;
    let lease = json!("2026-01-01T00:01:00Z");
    assert_eq!(retry(&team.admin, &mail).await.body["next_attempt_at"], lease);
    let dropped = format!(
        "UPDATE mail_outbox SET failed_at = created_at, last_error = 'a newer one took its place'
         WHERE recipient = '{USER}'"
    );
    assert_eq!(team.deployment.change(&dropped).await, 1);
    for _ in 0..2 {
        assert_eq!(retry(&team.admin, &mail).await.body["next_attempt_at"], lease);
    }
    relay.set(None);
    team.deployment.clock.advance(Duration::from_secs(60));
    letter(&relay, USER, VERIFY).await;
}

#[rstest]
#[tokio::test]
async fn what_is_no_mail_cannot_be_retried(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (_relay, team) = team(engine, None).await;
    team.deployment.outbox_is_empty().await;
    let mail = mail_to(&team.admin, USER).await;
    let nobodys = format!(
        "UPDATE mail_outbox SET sent_at = NULL, handed_over_at = NULL, user_id = NULL,
             next_attempt_at = (SELECT MAX(absolute_expires_at) FROM sessions) WHERE recipient = '{USER}'"
    );
    assert_eq!(team.deployment.change(&nobodys).await, 1);
    for id in [&mail["id"], &json!("01900000-0000-7000-8000-000000000000"), &json!("x")] {
        let answer = retry(&team.admin, &json!({ "id": id })).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{id}");
    }
    let mut config = team.deployment.config();
    config.mail.delivery = Delivery::Nowhere;
    let silent = team.deployment.start_with(config).await.bearing_as(ADMIN).await;
    let answer = retry(&silent, &mail).await;
    assert_eq!((answer.status, answer.code()), (503, "mail_not_configured"));
}
