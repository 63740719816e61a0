//! Which tokens a view of the revocations refuses.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use auth_token::{
    AccessClaims, Algorithm, EVERYONE, Revocation, RevocationKind, RevocationView, Revoked, VerifiedToken,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::fixtures::*;

const MICROS: i64 = 1_000_000;

fn verified() -> Arc<VerifiedToken> {
    let key = signing_key(Algorithm::EdDsa);
    verifier(&key).verify(&key.sign(&claims()).unwrap(), NOW).unwrap()
}

fn revocation(kind: RevocationKind, subject: &str, version: i64) -> Revocation {
    let expires_at = claims().exp * MICROS;
    Revocation {
        id: Uuid::from_u128(9),
        kind,
        subject: subject.to_owned(),
        version,
        revoked_at: NOW * MICROS,
        expires_at,
    }
}

/// What a view of these revocations says of the good token.
fn check(revocations: &[Revocation]) -> Result<(), Revoked> {
    let view = RevocationView::new();
    view.replace(revocations);
    view.check(&verified())
}

fn check_one(kind: RevocationKind, subject: &str, version: i64) -> Result<(), Revoked> {
    check(&[revocation(kind, subject, version)])
}

fn sorted(mut revocations: Vec<Revocation>) -> Vec<Revocation> {
    revocations.sort_by(|a, b| (a.kind.as_str(), &a.subject).cmp(&(b.kind.as_str(), &b.subject)));
    revocations
}

#[test]
fn a_token_of_an_ended_session_is_refused() {
    let (mine, other) = (claims().sid.to_string(), Uuid::from_u128(99).to_string());
    assert_eq!(check_one(RevocationKind::Session, &mine, 0), Err(Revoked(RevocationKind::Session)));
    assert_eq!(check_one(RevocationKind::Session, &mine.to_uppercase(), 0), Err(Revoked(RevocationKind::Session)));
    assert_eq!(check_one(RevocationKind::Session, &other, 0), Ok(()));
}

#[test]
fn the_version_of_a_user_and_of_a_role_is_the_highest_that_was_seen() {
    let (user, view) = (claims().sub, RevocationView::new());
    assert_eq!((view.user_version(user), view.role_version("manager")), (None, None));
    for version in [5, 7, 6] {
        view.apply(&revocation(RevocationKind::User, &user.to_string(), version));
        view.apply(&revocation(RevocationKind::Role, "manager", version + 10));
    }
    assert_eq!((view.user_version(user), view.role_version("manager")), (Some(7), Some(17)));
    assert_eq!((view.user_version(claims().sid), view.role_version("user")), (None, None));
}

#[test]
fn a_token_issued_before_the_user_changed_is_refused() {
    let user = claims().sub.to_string();
    assert_eq!(check_one(RevocationKind::User, &user, 5), Err(Revoked(RevocationKind::User)));
    assert_eq!(check_one(RevocationKind::User, &user, 4), Ok(()), "issued after the change");
    assert_eq!(check_one(RevocationKind::User, &Uuid::from_u128(99).to_string(), 5), Ok(()));
}

#[test]
fn a_token_that_lists_a_role_from_before_its_change_is_refused() {
    assert_eq!(check_one(RevocationKind::Role, "manager", 6), Err(Revoked(RevocationKind::Role)));
    assert_eq!(check_one(RevocationKind::Role, "manager", 5), Ok(()), "issued after the change");
    assert_eq!(check_one(RevocationKind::Role, "admin", 6), Ok(()), "a role it does not list");
}

#[test]
fn a_token_of_a_withdrawn_key_is_refused() {
    let kid = signing_key(Algorithm::EdDsa).kid().to_owned();
    assert_eq!(check_one(RevocationKind::Key, &kid, 0), Err(Revoked(RevocationKind::Key)));
    assert_eq!(check_one(RevocationKind::Key, "another", 0), Ok(()));
}

#[test]
fn a_token_from_before_everything_was_revoked_is_refused_whatever_it_says() {
    assert_eq!(check_one(RevocationKind::Everyone, EVERYONE, 6), Err(Revoked(RevocationKind::Everyone)));
    assert_eq!(check_one(RevocationKind::Everyone, EVERYONE, 5), Ok(()), "issued since");
    let key = signing_key(Algorithm::EdDsa);
    let bare = AccessClaims { roles: Vec::new(), sub: Uuid::from_u128(77), ..claims() };
    let token = verifier(&key).verify(&key.sign(&bare).unwrap(), NOW).unwrap();
    let view = RevocationView::new();
    assert_eq!(view.check(&token), Ok(()));
    assert!(view.apply(&revocation(RevocationKind::Everyone, EVERYONE, 6)));
    assert_eq!(view.check(&token), Err(Revoked(RevocationKind::Everyone)));
}

#[test]
fn a_revoked_api_key_is_refused() {
    let view = RevocationView::new();
    assert!(!view.is_api_key_revoked("k1"));
    view.apply(&revocation(RevocationKind::ApiKey, "k1", 0));
    assert!(view.is_api_key_revoked("k1"));
    assert!(!view.is_api_key_revoked("k2"));
}

#[test]
fn a_subject_of_one_kind_is_none_of_another() {
    let view = RevocationView::new();
    for kind in [RevocationKind::User, RevocationKind::Role, RevocationKind::ApiKey, RevocationKind::Key] {
        view.apply(&revocation(kind, &claims().sid.to_string(), 100));
    }
    view.apply(&revocation(RevocationKind::Session, &claims().sub.to_string(), 100));
    assert_eq!(view.check(&verified()), Ok(()));
}

#[test]
fn only_what_is_new_changes_a_view() {
    let view = RevocationView::new();
    let user = claims().sub.to_string();
    assert!(view.apply(&revocation(RevocationKind::User, &user, 7)));
    assert!(!view.apply(&revocation(RevocationKind::User, &user, 7)), "a duplicate");
    assert!(!view.apply(&revocation(RevocationKind::User, &user, 6)), "a late one");
    assert!(view.apply(&revocation(RevocationKind::User, &user, 8)));
    assert!(!view.apply(&revocation(RevocationKind::User, "not an id", 1)), "no token can mean it");
    assert_eq!(view.len(), 1);
}

#[test]
fn a_token_that_was_let_through_is_refused_by_the_next_revocation() {
    let (view, other, token) = (RevocationView::new(), RevocationView::new(), verified());
    let session = revocation(RevocationKind::Session, &claims().sid.to_string(), 0);
    assert_eq!((view.check(&token), view.check(&token)), (Ok(()), Ok(())));
    view.apply(&session);
    assert_eq!(view.check(&token), Err(Revoked(RevocationKind::Session)));
    assert_eq!(other.check(&token), Ok(()), "what one view knows says nothing of another");
    assert_eq!(view.check(&token), Err(Revoked(RevocationKind::Session)));
    view.replace(&[]);
    assert_eq!(view.check(&token), Ok(()));
    view.replace(&[session]);
    assert_eq!(view.check(&token), Err(Revoked(RevocationKind::Session)));
}

#[test]
fn a_snapshot_replaces_what_was_known() {
    let view = RevocationView::new();
    view.apply(&revocation(RevocationKind::Session, &claims().sid.to_string(), 0));
    view.replace(&[]);
    assert_eq!((view.check(&verified()), view.is_empty()), (Ok(()), true));
}

#[test]
fn a_revocation_is_kept_until_its_last_token_has_expired() {
    let view = RevocationView::new();
    for kind in RevocationKind::ALL {
        view.apply(&revocation(kind, &claims().sid.to_string(), 1));
    }
    view.purge(claims().exp * MICROS - 1);
    assert_eq!(view.len(), RevocationKind::ALL.len());
    view.purge(claims().exp * MICROS);
    assert!(view.is_empty());
}

#[test]
fn a_late_row_of_lower_version_still_prolongs_what_it_touches() {
    let view = RevocationView::new();
    let user = claims().sub.to_string();
    view.apply(&revocation(RevocationKind::User, &user, 8));
    view.apply(&Revocation { expires_at: claims().exp * MICROS + 5, ..revocation(RevocationKind::User, &user, 7) });
    view.purge(claims().exp * MICROS);
    assert_eq!(view.check(&verified()), Err(Revoked(RevocationKind::User)));
}

#[test]
fn a_view_says_how_old_it_is() {
    let view = RevocationView::new();
    let start = Instant::now();
    assert_eq!(view.staleness(start), None, "nothing was read yet");
    view.mark_current(start);
    assert_eq!(view.staleness(start + Duration::from_secs(3)), Some(Duration::from_secs(3)));
    view.mark_current(start + Duration::from_secs(3));
    assert_eq!(view.staleness(start), Some(Duration::ZERO), "an instant from before the reading");
}

#[test]
fn revocations_travel_as_json() {
    let text = r#"{"id":"00000000-0000-0000-0000-000000000009","kind":"api_key","subject":"k1","version":0,"revoked_at":1760000000000000,"expires_at":1760001800000000}"#;
    let sent = revocation(RevocationKind::ApiKey, "k1", 0);
    assert_eq!(serde_json::to_string(&sent).unwrap(), text);
    assert_eq!(serde_json::from_str::<Revocation>(text).unwrap(), sent);
}

/// Few subjects and few values, so that revocations meet.
fn any_revocation() -> impl Strategy<Value = Revocation> {
    let claims = claims();
    let subjects = [claims.sid.to_string(), claims.sub.to_string(), "manager".to_owned(), "k1".to_owned()];
    let kind = prop::sample::select(RevocationKind::ALL.to_vec());
    let subject = prop::sample::select(subjects.to_vec());
    let row = (0..6_u128, kind, subject, 0..8_i64, 0..3_i64, 0..3_i64);
    row.prop_map(|(id, kind, subject, version, revoked_at, expires_at)| Revocation {
        id: Uuid::from_u128(id),
        kind,
        subject,
        version,
        revoked_at,
        expires_at,
    })
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_make_the_same_view(
        (one, other) in prop::collection::vec(any_revocation(), 0..30)
            .prop_flat_map(|rows| {
                let repeated = [rows.clone(), rows.iter().step_by(2).cloned().collect()].concat();
                (Just(rows), Just(repeated).prop_shuffle())
            })
    ) {
        let (a, b, snapshot) = (RevocationView::new(), RevocationView::new(), RevocationView::new());
        for row in &one {
            a.apply(row);
        }
        for row in &other {
            b.apply(row);
        }
        snapshot.replace(&a.snapshot());
        prop_assert_eq!(sorted(a.snapshot()), sorted(b.snapshot()));
        prop_assert_eq!(sorted(a.snapshot()), sorted(snapshot.snapshot()));
        prop_assert_eq!(a.check(&verified()), b.check(&verified()));
        prop_assert!(other.iter().all(|row| !a.apply(row)), "everything was known");
    }
}
