//! GET /api/v1/users: search, filters, order and pages.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Engine, Instance},
    team::Team,
};

const USERS: &str = "/api/v1/users";

/// The addresses on a page, without their domain.
fn names(page: &Answer) -> Vec<String> {
    assert_eq!(page.status, 200, "{page:?}");
    let items = page.body["items"].as_array().unwrap();
    items.iter().map(|user| user["email"].as_str().unwrap().split('@').next().unwrap().to_owned()).collect()
}

async fn find(admin: &Instance, query: &str) -> Vec<String> {
    let mut found = names(&admin.get(&format!("{USERS}?{query}")).await);
    found.sort();
    found
}

/// A team and some people, a second apart: address, username, name.
async fn crowd(engine: Engine) -> Team {
    let team = Team::new(engine).await;
    let items: Vec<Value> = [
        ("minsu.kim", "minsu", "김민수"),
        ("dalrae", "dal", "김달래"),
        ("minsu2", "ms2", "민수 박"),
        ("percent", "per", "50%_off \\ x"),
        ("quote", "quo", "She said \"hi\" OR *"),
        ("zoe", "zoe", "Zoë Ångström"),
    ]
    .into_iter()
    .map(|(email, username, name)| {
        json!({"email": format!("{email}@people.example"), "username": username, "display_name": name})
    })
    .collect();
    for item in items {
        team.deployment.clock.advance(Duration::from_secs(1));
        assert_eq!(team.admin.post(USERS, item).await.status, 201);
    }
    team
}

#[rstest]
#[tokio::test]
async fn people_are_found_by_any_part_of_an_address_or_name(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = crowd(engine).await;
    for (search, expected) in [
        ("insu", vec!["minsu.kim", "minsu2"]),
        ("MINSU", vec!["minsu.kim", "minsu2"]),
        ("김민수", vec!["minsu.kim"]),
        ("%EA%B9%80", vec!["dalrae", "minsu.kim"]),
        ("민수", vec!["minsu2"]),
        ("people.example", vec!["dalrae", "minsu.kim", "minsu2", "percent", "quote", "zoe"]),
        ("50%25_off", vec!["percent"]),
        ("%25", vec![]),
        ("%25%25%25", vec![]),
        ("off \\ x", vec!["percent"]),
        ("said %22hi%22", vec!["quote"]),
        ("OR *", vec!["quote"]),
        ("zoe%CC%88", vec!["zoe"]),
        ("ZOË", vec!["zoe"]),
        ("ＺＯＥ", vec!["zoe"]),
        ("z", vec!["zoe"]),
        ("dal", vec!["dalrae"]),
        ("nobody at all", vec![]),
        ("%20%20", vec!["admin", "dalrae", "manager", "minsu.kim", "minsu2", "percent", "quote", "user", "zoe"]),
    ] {
        assert_eq!(find(&team.admin, &format!("search={search}")).await, expected, "{search}");
    }
}

#[rstest]
#[tokio::test]
async fn filters_narrow_and_go_together(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = crowd(engine).await;
    let filter = async |query: &str| find(&team.admin, query).await;
    assert_eq!(filter("status=active").await, ["admin", "manager", "user"]);
    assert_eq!(filter("status=pending&search=minsu").await, ["minsu.kim", "minsu2"]);
    assert_eq!(filter("role=admin").await, ["admin"]);
    assert_eq!(filter("role=user&status=active").await, ["admin", "manager", "user"]);
    assert_eq!(filter("role=manager&search=admin").await, Vec::<String>::new());
    assert_eq!(filter("role=nobody").await, Vec::<String>::new());
    assert_eq!(filter("created_after=2026-01-01T00:00:04Z").await, ["quote", "zoe"]);
    assert_eq!(filter("last_login_before=2026-01-01T00:00:00Z&search=people").await.len(), 6, "who never came");
    assert_eq!(filter("last_login_before=2025-01-01T00:00:00Z&status=active").await, Vec::<String>::new());
    let path = format!("{USERS}/{}", team.user_id);
    assert_eq!(team.admin.delete(&path).await.status, 204);
    assert_eq!(filter("status=active").await, ["admin", "manager"]);
    assert_eq!(filter("deleted=true").await, ["user"]);
    assert_eq!(filter("deleted=true&search=people").await, Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn pages_follow_each_other_in_every_order(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = crowd(engine).await;
    let by_time = ["admin", "manager", "user", "minsu.kim", "dalrae", "minsu2", "percent", "quote", "zoe"];
    let mut by_email = by_time;
    by_email.sort_unstable();
    for (sort, ascending, expected) in [
        ("created_at", true, by_time),
        ("-created_at", false, by_time),
        ("email", true, by_email),
        ("-email", false, by_email),
    ] {
        for search in ["", "&search=e.", "&role=user"] {
            let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let page = team.admin.get(&format!("{USERS}?limit=2&sort={sort}{search}{cursor}")).await;
                seen.extend(names(&page));
                pages += 1;
                let Some(next) = page.body["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            let mut expected: Vec<_> = expected.iter().map(|name| (*name).to_owned()).collect();
            if search.starts_with("&search") {
                expected.clear();
            }
            if !ascending {
                expected.reverse();
            }
            // Three accounts are of one instant, so their ids decide.
            assert_eq!(seen.len(), expected.len(), "{sort}{search}");
            if sort.ends_with("email") {
                assert_eq!(seen, expected, "{sort}{search}");
            } else {
                let later = |names: &[String]| {
                    names
                        .iter()
                        .filter(|name| !["admin", "manager", "user"].contains(&name.as_str()))
                        .cloned()
                        .collect::<Vec<_>>()
                };
                assert_eq!(later(&seen), later(&expected), "{sort}{search}");
            }
            assert_eq!(pages, seen.len().div_ceil(2).max(1), "{sort}{search}");
        }
    }
}

/// Everybody on the pages of a list, two a page.
async fn walk(admin: &Instance, query: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{USERS}?limit=2&{query}{cursor}")).await;
        let on_page = names(&page);
        assert!((1..=2).contains(&on_page.len()), "{page:?}");
        seen.extend(on_page);
        let Some(next) = page.body["next_cursor"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
    }
}

#[rstest]
#[tokio::test]
async fn whoever_never_logged_in_comes_last_either_way(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = crowd(engine).await;
    for email in ["user@example.com", "admin@example.com", "manager@example.com"] {
        team.deployment.clock.advance(Duration::from_secs(1));
        team.api.log_in(email).await;
    }
    let never = walk(&team.admin, "sort=last_login_at&search=people").await;
    let mut sorted = never.clone();
    sorted.sort();
    assert_eq!(sorted, ["dalrae", "minsu.kim", "minsu2", "percent", "quote", "zoe"]);
    for (sort, logged_in) in
        [("last_login_at", ["user", "admin", "manager"]), ("-last_login_at", ["manager", "admin", "user"])]
    {
        let expected: Vec<String> = logged_in.map(str::to_owned).into_iter().chain(never.clone()).collect();
        assert_eq!(walk(&team.admin, &format!("sort={sort}")).await, expected, "{sort}");
        assert_eq!(walk(&team.admin, &format!("sort={sort}&role=user&status=active")).await, logged_in, "{sort}");
        assert_eq!(walk(&team.admin, &format!("sort={sort}&search=people")).await, never, "{sort}");
    }
    for (sort, expected) in [("last_login_at", ["user", "admin"]), ("-last_login_at", ["admin", "user"])] {
        // The third of them came at that very instant.
        let query = format!("sort={sort}&last_login_before=2026-01-01T00:00:09Z");
        let expected: Vec<String> = expected.map(str::to_owned).into_iter().chain(never.clone()).collect();
        assert_eq!(walk(&team.admin, &query).await, expected, "{sort}");
    }
    // At the same instant ids decide, and a page may end among them.
    let same = "UPDATE users SET last_login_at = created_at WHERE status = 'active'";
    assert_eq!(team.deployment.change(same).await, 3);
    let (up, down) = (walk(&team.admin, "sort=last_login_at").await, walk(&team.admin, "sort=-last_login_at").await);
    assert_eq!(up[..3].iter().rev().collect::<Vec<_>>(), down[..3].iter().collect::<Vec<_>>());
    assert_eq!((&up[3..], &down[3..]), (&never[..], &never[..]));
    let page = team.admin.get(&format!("{USERS}?sort=last_login_at&limit=1")).await;
    for sort in ["-last_login_at", "created_at", "email"] {
        let wrong = team.admin.get(&format!("{USERS}?sort={sort}&cursor={}", page.text("next_cursor"))).await;
        assert_eq!(wrong.faults(), [("cursor", "invalid_cursor")], "{sort}");
    }
}

#[rstest]
#[tokio::test]
async fn people_are_told_apart_by_whether_their_address_is_proven(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = crowd(engine).await;
    let proven = "UPDATE users SET email_verified_at = created_at WHERE email LIKE 'minsu%' OR email LIKE 'admin%'";
    assert_eq!(team.deployment.change(proven).await, 3);
    for (query, expected) in [
        ("verified=true", vec!["admin", "minsu.kim", "minsu2"]),
        ("verified=true&status=pending", vec!["minsu.kim", "minsu2"]),
        ("verified=true&search=minsu2", vec!["minsu2"]),
        ("verified=true&role=admin", vec!["admin"]),
        ("verified=false", vec!["dalrae", "manager", "percent", "quote", "user", "zoe"]),
        ("verified=false&status=active", vec!["manager", "user"]),
        ("verified=false&status=disabled", vec![]),
        ("verified=false&deleted=true", vec![]),
    ] {
        assert_eq!(find(&team.admin, query).await, expected, "{query}");
    }
    for sort in ["created_at", "-created_at", "email", "-email", "last_login_at", "-last_login_at"] {
        let mut seen = walk(&team.admin, &format!("verified=true&sort={sort}")).await;
        seen.sort();
        assert_eq!(seen, ["admin", "minsu.kim", "minsu2"], "{sort}");
    }
    assert_eq!(team.admin.get(&format!("{USERS}?verified=false")).await.body["total"], 6);
}

#[rstest]
#[tokio::test]
async fn a_page_says_how_many_there_are_and_what_each_may_do(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = crowd(engine).await;
    let page = team.admin.get(&format!("{USERS}?sort=email&limit=1")).await;
    assert_eq!(page.body["total"], 9);
    assert_eq!(page.members(), ["items", "next_cursor", "total"]);
    let first = &page.body["items"][0];
    assert_eq!((first["email"].as_str(), &first["roles"]), (Some("admin@example.com"), &json!(["admin", "user"])));
    assert_eq!(first["permissions"].as_array().unwrap().len(), 10);
    assert!(first.get("password_hash").is_none());
    let looked = team.deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'users_listed'").await;
    assert_eq!(looked, 1, "to look at people is an event");
}

#[rstest]
#[tokio::test]
async fn a_query_that_was_tampered_with_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = crowd(engine).await;
    let first = team.admin.get(&format!("{USERS}?limit=1&sort=email")).await;
    let cursor = first.text("next_cursor");
    for (query, field, code) in [
        (format!("sort=created_at&cursor={cursor}"), "cursor", "invalid_cursor"),
        (format!("sort=-email&cursor={cursor}"), "cursor", "invalid_cursor"),
        (format!("sort=email&cursor={cursor}x"), "cursor", "invalid_cursor"),
        ("cursor=".to_owned(), "cursor", "invalid_cursor"),
        ("limit=0".to_owned(), "limit", "out_of_range"),
        ("limit=101".to_owned(), "limit", "out_of_range"),
        ("limit=1;DROP TABLE users".to_owned(), "limit", "out_of_range"),
        ("sort=password_hash".to_owned(), "sort", "unknown_value"),
        ("sort=email desc".to_owned(), "sort", "unknown_value"),
        ("status=deleted".to_owned(), "status", "unknown_value"),
        ("role=Admin'--".to_owned(), "role", "invalid_role_name"),
        ("created_after=yesterday".to_owned(), "created_after", "invalid_time"),
        ("deleted=1".to_owned(), "deleted", "not_a_boolean"),
        ("verified=1".to_owned(), "verified", "not_a_boolean"),
        ("sort=last_login_at&cursor=x".to_owned(), "cursor", "invalid_cursor"),
        ("search=a&search=b".to_owned(), "search", "duplicate"),
        ("search=a%00b".to_owned(), "search", "invalid_characters"),
        (format!("search={}", "x".repeat(1_001)), "search", "too_long"),
        ("password_hash=x".to_owned(), "password_hash", "unknown"),
    ] {
        let refused = team.admin.get(&format!("{USERS}?{query}")).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid_query"), "{query}: {refused:?}");
        assert_eq!(refused.faults(), [(field, code)], "{query}");
    }
    let huge = team.admin.get(&format!("{USERS}?search={}", "x".repeat(60_000))).await;
    assert!([414, 422, 431].contains(&huge.status), "{}", huge.status);
}
