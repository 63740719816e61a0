//! What is kept for so long only: deleted people, login histories, and the beginning of the audit log.

use std::time::Duration;

use auth_service::{
    audit::{self, Fault},
    jobs::Days,
};
use rstest::rstest;

use crate::{
    audit_chain::verify,
    support::{Deployment, Engine, Instance},
    waiting::until,
};

const DAY: Duration = Duration::from_secs(86_400);
/// The jobs run at the start of an instance.
const IN_TIME: Duration = Duration::from_secs(10);

async fn count(deployment: &Deployment, table: &str) -> i64 {
    deployment.number(&format!("SELECT COUNT(*) FROM {table}")).await
}

/// Deletes a new account, as its owner does.
async fn delete(api: &Instance, email: &str) {
    let person = api.person(email).await;
    assert_eq!(api.bearing(&person.access).delete("/api/v1/users/me").await.status, 204);
}

#[rstest]
#[tokio::test]
async fn a_deleted_person_is_erased_after_thirty_days_and_the_chain_still_verifies(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    delete(&api, "kim@example.com").await;
    api.person("lee@example.com").await;
    deployment.is_sealed().await;
    let before = verify(&api.app).await;
    deployment.clock.advance(DAY * 30);
    let early = deployment.start().await;
    assert_eq!(auth_service::jobs::erase_people(&early.app).await.unwrap(), 0, "not a moment too soon");
    deployment.clock.advance(Duration::from_secs(1));
    let api = deployment.start().await;
    until("the person is erased", IN_TIME, async || count(&deployment, "users").await == 1).await;
    assert_eq!(count(&deployment, "users WHERE email = 'lee@example.com'").await, 1, "the other stays");
    for table in ["sessions", "login_histories", "known_devices", "user_roles"] {
        assert_eq!(count(&deployment, table).await, 1, "{table}: only the other's");
    }
    deployment.is_sealed().await;
    let personal = "audit_logs WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL";
    assert_eq!(count(&deployment, personal).await, 2, "the other's registration and login");
    assert_eq!(count(&deployment, "audit_logs WHERE event = 'user_erased' AND actor_id IS NULL").await, 1);
    let report = audit::verify(&api.app.db, Some(&before.head)).await.unwrap();
    assert_eq!((report.faults.as_slice(), report.erased, report.entries), (&[][..], 3, 6));
}

#[rstest]
#[tokio::test]
async fn whoever_was_deleted_is_kept_when_erasure_is_off(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine).set("USER_PURGE_DAYS", "off");
    let api = deployment.start().await;
    delete(&api, "kim@example.com").await;
    deployment.clock.advance(DAY * 10_000);
    assert_eq!(auth_service::jobs::erase_people(&api.app).await.unwrap(), 0);
    assert_eq!(count(&deployment, "users").await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_people_with_long_histories_are_erased_once_each_by_several_instances(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let (a, b) = (deployment.start().await, deployment.start().await);
    for number in 0..8 {
        delete(&a, &format!("person{number}@example.com")).await;
    }
    deployment.write_entries(2_500).await;
    let busy = "UPDATE audit_logs SET actor_id = (SELECT id FROM users WHERE email = 'person3@example.com') WHERE actor_id IS NULL";
    assert_eq!(deployment.change(busy).await, 2_500);
    deployment.clock.advance(DAY * 31);
    let runs = [&a, &b, &a, &b].map(|api| auth_service::jobs::erase_people(&api.app));
    for run in futures_util::future::join_all(runs).await {
        run.unwrap();
    }
    until("all are erased", IN_TIME, async || {
        auth_service::jobs::erase_people(&b.app).await.unwrap();
        count(&deployment, "users").await == 0
    })
    .await;
    assert_eq!(count(&deployment, "audit_logs WHERE event = 'user_erased'").await, 8);
    assert_eq!(count(&deployment, "audit_logs WHERE salt IS NOT NULL AND event <> 'user_erased'").await, 0);
}

#[rstest]
#[tokio::test]
async fn lines_of_a_login_history_go_after_a_year(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.clock.advance(DAY * 200);
    api.log_in("kim@example.com").await;
    deployment.clock.advance(DAY * 166);
    let _restarted = deployment.start().await;
    until("the first login is forgotten", IN_TIME, async || count(&deployment, "login_histories").await == 1).await;
}

#[rstest]
#[tokio::test]
async fn the_beginning_of_the_log_goes_and_the_rest_still_verifies(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine).set("AUDIT_RETENTION_DAYS", "100");
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.write_entries(2_500).await;
    deployment.is_sealed().await;
    let old_head = verify(&api.app).await.head;
    deployment.clock.advance(DAY * 60);
    api.log_in("kim@example.com").await;
    deployment.is_sealed().await;
    let head = verify(&api.app).await.head;
    let kept: Days = "100".parse().unwrap();
    assert_eq!(audit::trim(&api.app, kept).await.unwrap(), 0, "nothing is old enough");
    deployment.clock.advance(DAY * 42);
    let api = deployment.start().await;
    until("the old entries are removed", IN_TIME, async || {
        count(&deployment, "audit_logs WHERE seq <= 2502").await == 0
    })
    .await;
    deployment.is_sealed().await;
    let report = audit::verify(&api.app.db, Some(&head)).await.unwrap();
    assert_eq!((report.faults.as_slice(), report.checkpoint), (&[][..], Some(old_head.clone())));
    assert_eq!(count(&deployment, "audit_checkpoints").await, 1);
    assert_eq!(report.entries, 1 + 3, "the login, and a note of each of three batches");
    assert_eq!(audit::verify(&api.app.db, Some(&old_head)).await.unwrap().faults, []);
    let older = audit::Link { seq: 5, ..old_head.clone() };
    assert_eq!(audit::verify(&api.app.db, Some(&older)).await.unwrap().faults, [Fault::Outdated(older)]);

    let forged = "UPDATE audit_checkpoints SET hash = (SELECT hash FROM audit_logs WHERE seq = 2503)";
    assert_eq!(deployment.change(forged).await, 1);
    let faults = verify(&api.app).await.faults;
    assert!(matches!(faults[..], [Fault::Changed(2_503, _), Fault::Checkpoint(2_502)]), "{faults:?}");
    assert_eq!(deployment.change("DELETE FROM audit_checkpoints").await, 1);
    let faults = verify(&api.app).await.faults;
    assert!(matches!(faults[..], [Fault::Missing(1, 2_502, _)]), "{faults:?}");
}

#[rstest]
#[tokio::test]
async fn a_log_of_which_nothing_is_left_goes_on_behind_its_checkpoint(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine).set("AUDIT_RETENTION_DAYS", "1");
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.is_sealed().await;
    deployment.clock.advance(DAY * 3);
    assert_eq!(audit::trim(&api.app, "1".parse().unwrap()).await.unwrap(), 2);
    api.log_in("kim@example.com").await;
    deployment.is_sealed().await;
    let report = verify(&api.app).await;
    assert_eq!((report.faults.as_slice(), report.entries, report.head.seq), (&[][..], 2, 4));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_verification_beside_all_that_changes_the_log_finds_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine).set("USER_PURGE_DAYS", "1").set("AUDIT_RETENTION_DAYS", "off");
    let api = deployment.start().await;
    let kept: Days = "10".parse().unwrap();
    for round in 0..3 {
        delete(&api, &format!("person{round}@example.com")).await;
        deployment.write_entries(2_500).await;
        deployment.is_sealed().await;
        deployment.clock.advance(DAY * 12);
        deployment.write_entries(1_000).await;
        let verifying = async {
            for _ in 0..5 {
                assert_eq!(verify(&api.app).await.faults.first(), None);
            }
        };
        let (trimmed, erased, ()) =
            tokio::join!(audit::trim(&api.app, kept), auth_service::jobs::erase_people(&api.app), verifying);
        trimmed.unwrap();
        erased.unwrap();
    }
    deployment.is_sealed().await;
    assert_eq!(verify(&api.app).await.faults, []);
}
