//! POST /api/v1/audit-logs/verify

use auth_service::audit::PART;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    audit_chain::verify,
    support::{Answer, Deployment, Engine},
    team::Team,
};

const VERIFY: &str = "/api/v1/audit-logs/verify";
const EVENTS: &str = "SELECT COUNT(*) FROM audit_logs WHERE event = 'audit_verified'";

/// What was found, of a call that succeeded.
fn found(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// A log of a few sealed entries.
async fn team(engine: Engine) -> Team {
    let team = Team::new(engine).await;
    team.deployment.write_entries(6).await;
    team.deployment.is_sealed().await;
    team
}

#[rstest]
#[tokio::test]
async fn the_call_finds_what_the_command_finds(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = team(engine).await;
    let report = verify(&team.api.app).await;
    let head = json!({"seq": report.head.seq, "hash": report.head.hash_in_hex()});
    let expected = json!({
        "ok": true, "entries": report.entries, "erased": 0, "from_seq": 1, "next_seq": null, "head": head,
        "last_seq": report.head.seq, "removed_to": null, "unsealed": 0, "faults": 0, "first_fault": null,
        "proven_until": null,
    });
    assert_eq!(found(team.admin.post(VERIFY, json!({})).await), expected);
    team.deployment.is_sealed().await;
    let again = found(team.admin.post(VERIFY, json!({"expect": report.head.to_string()})).await);
    assert_eq!(again["proven_until"], report.head.seq);
    assert_eq!(again["entries"], report.entries + 1, "and the first look is an entry itself");
}

#[rstest]
#[tokio::test]
async fn a_large_log_is_checked_part_by_part(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    team.deployment.write_entries(usize::try_from(PART).unwrap() + 500).await;
    team.deployment.is_sealed().await;
    let head = verify(&team.api.app).await.head;
    let expect = head.to_string();
    let first = found(team.admin.post(VERIFY, json!({"expect": expect})).await);
    assert_eq!((&first["ok"], &first["entries"], &first["proven_until"]), (&json!(true), &json!(PART), &Value::Null));
    assert_eq!((&first["next_seq"], &first["last_seq"]), (&json!(PART + 1), &json!(head.seq)));
    team.deployment.is_sealed().await;
    let second = found(team.admin.post(VERIFY, json!({"expect": expect, "from_seq": PART + 1})).await);
    let rest = head.seq - i64::try_from(PART).unwrap();
    assert_eq!((&second["ok"], &second["entries"]), (&json!(true), &json!(rest + 1)), "and the first look");
    assert_eq!((&second["next_seq"], &second["proven_until"]), (&Value::Null, &json!(head.seq)));
    assert_eq!(team.deployment.number(EVENTS).await, 1, "one check is one event");

    let (changed, expect) = (PART + 100, format!("{}:{}", 5, "0".repeat(64)));
    let change = format!("UPDATE audit_logs SET event = 'nothing' WHERE seq = {changed}");
    assert_eq!(team.deployment.change(&change).await, 1);
    assert_eq!(found(team.admin.post(VERIFY, json!({"from_seq": 2})).await)["ok"], true, "it is in the second part");
    let second = found(team.admin.post(VERIFY, json!({"from_seq": PART + 1, "expect": expect})).await);
    assert_eq!((&second["faults"], &second["first_fault"]["seq"]), (&json!(1), &json!(changed)), "{second}");
    assert_eq!(team.deployment.number(EVENTS).await, 2, "a fault is an event wherever it is found");
}

#[rstest]
#[case::changed("UPDATE audit_logs SET outcome = 'refused' WHERE seq = 5", 1, ("changed", 5))]
#[case::removed("DELETE FROM audit_logs WHERE seq = 5", 1, ("missing", 5))]
#[case::removed_before_the_part("DELETE FROM audit_logs WHERE seq = 5", 6, ("missing", 5))]
#[case::rehashed(
    "UPDATE audit_logs SET hash = (SELECT other.hash FROM audit_logs AS other WHERE other.seq = 4) WHERE seq = 5",
    6,
    ("changed", 6)
)]
#[case::address("UPDATE audit_logs SET ip_address = '203.0.113.9' WHERE seq = 5", 5, ("personal", 5))]
#[tokio::test]
async fn the_first_fault_is_named(#[case] change: &str, #[case] from: i64, #[case] expected: (&str, i64)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let team = team(engine).await;
        assert_eq!(team.deployment.change(change).await, 1);
        let found = found(team.admin.post(VERIFY, json!({"from_seq": from})).await);
        let fault = &found["first_fault"];
        assert_eq!(
            (found["ok"].as_bool(), &fault["what"], &fault["seq"]),
            (Some(false), &json!(expected.0), &json!(expected.1))
        );
        assert!(fault["detail"].as_str().unwrap().contains(&format!("{}", expected.1)), "{fault}");
    }
}

#[rstest]
#[tokio::test]
async fn a_head_that_was_kept_tells_of_an_end_that_was_cut_off_or_rewritten(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = team(engine).await;
    let head = verify(&team.api.app).await.head;
    let other = format!("{}:{}", head.seq, "0".repeat(64));
    let rewritten = found(team.admin.post(VERIFY, json!({"expect": other})).await);
    assert_eq!(rewritten["first_fault"]["what"], "rewritten");
    assert_eq!(rewritten["proven_until"], Value::Null);
    team.deployment.is_sealed().await;
    let cut = format!("DELETE FROM audit_logs WHERE seq >= {}", head.seq);
    assert_eq!(team.deployment.change(&cut).await, 2, "with the entry of the look before");
    let shortened = found(team.admin.post(VERIFY, json!({"expect": head.to_string()})).await);
    let fault = &shortened["first_fault"];
    assert_eq!((&fault["what"], &fault["seq"]), (&json!("shortened"), &json!(head.seq)), "{shortened}");
    let part = json!({"expect": head.to_string(), "from_seq": head.seq});
    assert_eq!(found(team.admin.post(VERIFY, part).await)["first_fault"]["what"], "shortened", "nothing is there");
}

#[rstest]
#[case(json!({"expect": "5"}), "expect", "invalid_head")]
#[case(json!({"expect": "5:00"}), "expect", "invalid_head")]
#[case(json!({"expect": 5}), "expect", "not_a_string")]
#[case(json!({"from_seq": 0}), "from_seq", "out_of_range")]
#[case(json!({"from_seq": "1"}), "from_seq", "not_a_number")]
#[case(json!({"from_seq": 1.5}), "from_seq", "not_a_number")]
#[case(json!({"to_seq": 1}), "to_seq", "unknown")]
#[tokio::test]
async fn what_is_no_wish_is_refused(#[case] wish: Value, #[case] field: &str, #[case] code: &str) {
    let team = Team::of(Deployment::new(Engine::Sqlite)).await;
    let answer = team.admin.post(VERIFY, wish).await;
    assert_eq!((answer.status, answer.faults()), (422, vec![(field, code)]), "{answer:?}");
}
