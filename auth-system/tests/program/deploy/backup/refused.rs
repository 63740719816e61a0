//! Backups that are refused: cut off, changed, of a newer release, sealed for somebody else, or under another's name.

use std::fs;

use rstest::rstest;

use super::{elsewhere, files, live, place};
use crate::support::Engine;

#[rstest]
#[tokio::test]
async fn a_backup_that_is_not_whole_or_not_ours_to_open_is_refused_and_changes_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(true, false)] is_sealed: bool,
) {
    let place = place(engine);
    let program = place.start().await;
    live(&place, &program).await;
    program.stop().await;
    let plain = ["backup", "--to", "backups", "--unencrypted"];
    let made = place.run(&plain[..if is_sealed { 3 } else { 4 }]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let file = place.path("backups").join(&files(&place)[0]);
    let whole = fs::read(&file).unwrap();
    let holds = |text: &str| whole.windows(text.len()).any(|window| window == text.as_bytes());
    assert_eq!(holds("kim@example.com"), !is_sealed && engine == Engine::Sqlite, "or it is compressed");

    let other = elsewhere(&place, engine);
    let refuse = |bytes: &[u8], arguments: &[&str], reason: &str| {
        fs::write(place.path("broken.backup"), bytes).unwrap();
        let refused = other.run(&[&["restore", "--from", "broken.backup"], arguments].concat());
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(reason) && refused.err.lines().count() == 1, "{reason}: {refused:?}");
    };
    let ours: &[&str] = if is_sealed { &["--identity", "key"] } else { &[] };
    for cut in [1, 40, whole.len() / 2] {
        refuse(&whole[..whole.len() - cut], ours, "the backup cannot be used");
    }
    for place in [whole.len() / 2, whole.len() - 100, whole.len() - 20] {
        let mut flipped = whole.clone();
        flipped[place] ^= 1;
        refuse(&flipped, ours, "the backup cannot be used");
    }
    refuse(&whole[..1], &[], "the backup cannot be used");
    refuse(b"", &[], "the backup cannot be used");
    refuse(b"SQLite format 3\0", &[], "no backup of auth-system");
    refuse(b"SQLite format 3\0", &["--identity", "key"], "not sealed");
    if is_sealed {
        refuse(&whole, &[], "--identity");
        refuse(&whole, &["--identity", "other"], "does not open this backup");
        refuse(&whole, &["--identity", "absent"], "absent");
        refuse(&whole, &["--identity", "broken.backup"], "broken.backup");
    } else {
        let newer = String::from_utf8_lossy(&whole[..400]).find(r#""schema_version":1"#).unwrap();
        let mut from_the_future = whole.clone();
        from_the_future[newer + r#""schema_version":"#.len()] = b'7';
        refuse(&from_the_future, &[], "has schema 007");
    }
    // An old backup that poses as the newest would bring back what was revoked since.
    let name = &files(&place)[0];
    let posing = format!("{}20991231T000000000Z{}", &name[..12], &name[31..]);
    fs::write(place.path(&posing), &whole).unwrap();
    let refused = other.run(&[&["restore", "--from", &posing], ours].concat());
    assert!(refused.code == Some(1) && refused.err.contains("under another's name"), "{refused:?}");
    // After all that the database is as empty as it was.
    let restored = other.run(&[&["restore", "--from", file.to_str().unwrap()], ours].concat());
    assert_eq!(restored.code, Some(0), "{restored:?}");
}
