//! What a run that was killed leaves behind, and who removes it.

use std::{
    fs::{self, File},
    os::unix::fs::DirBuilderExt,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{backup, place, restore};
use crate::support::{Engine, Workplace};

/// Leaves a folder of a database behind.
fn leave(place: &Workplace, name: &str) {
    let folder = place.path("data").join(name);
    fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    fs::write(folder.join("auth.db"), "people").unwrap();
}

/// The same, long ago.
fn leave_old(place: &Workplace, name: &str) {
    leave(place, name);
    age(&place.path("data").join(name).join("auth.db"));
    age(&place.path("data").join(name));
}

fn age(path: &Path) {
    File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
}

fn there(place: &Workplace, name: &str) -> bool {
    place.path(name).exists()
}

#[test]
fn the_next_run_removes_what_a_killed_one_has_left_a_day_ago() {
    let place = place(Engine::Sqlite);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    leave_old(&place, ".backup-a1B2c3");
    leave_old(&place, ".restore-a1B2c3");
    leave(&place, ".backup-young1");
    leave_old(&place, ".backup-of-mine");
    for name in [".auth-system-backup-a1B2c3", ".auth-system-backup-young1"] {
        fs::write(place.path("backups").join(name), "half").unwrap();
    }
    age(&place.path("backups/.auth-system-backup-a1B2c3"));
    let file = backup(&place);
    assert!(!there(&place, "data/.backup-a1B2c3") && !there(&place, "data/.restore-a1B2c3"));
    assert!(there(&place, "data/.backup-young1") && there(&place, "data/.backup-of-mine/auth.db"));
    assert!(
        !there(&place, "backups/.auth-system-backup-a1B2c3") && there(&place, "backups/.auth-system-backup-young1")
    );

    leave_old(&place, ".restore-a1B2c3");
    assert_eq!(restore(&place, &file, &["--replace"]).code, Some(0));
    assert!(!there(&place, "data/.restore-a1B2c3") && there(&place, "data/.backup-young1"));
}
