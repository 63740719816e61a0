//! The units of daily backups, as they are and as the guides change them.

use std::{fs, process::Command};

use rstest::rstest;

use crate::{
    deploy::read,
    support::{Finished, PROGRAM, Workplace},
};

const UNITS: [&str; 2] = ["auth-system-backup.service", "auth-system-backup.timer"];

/// The units in a folder of their own, to be started from a program that is there.
fn units() -> Workplace {
    let place = Workplace::bare();
    for name in UNITS {
        let unit = read(&format!("deploy/systemd/{name}")).replace("/usr/local/bin/auth-system", PROGRAM);
        fs::write(place.path(name), unit).unwrap();
    }
    place
}

/// What systemd has to say about them; nothing on systems that have no use for them either.
fn verify(place: &Workplace) -> Option<Finished> {
    let units = UNITS.map(|name| place.path(name));
    let mut command = Command::new("systemd-analyze");
    let output = command.args(["verify", "--man=no"]).args(units).output();
    output.ok().map(Finished::from)
}

#[test]
fn the_units_are_read_by_systemd_without_a_complaint() {
    if let Some(verified) = verify(&units()) {
        assert_eq!((verified.code, verified.out.as_str(), verified.err.as_str()), (Some(0), "", ""));
    }
}

#[rstest]
fn with_the_change_that_the_guides_show_a_store_is_asked_for_nothing_but_to_store(
    #[values("docs/guides/backup.md", "docs/ko/guides/backup.md")] guide: &str,
) {
    let guide = read(guide);
    let (change, _) = guide[guide.find("[Service]\n").unwrap()..].split_once("```").unwrap();
    // An empty one first: otherwise the command is one more, beside the unit's own.
    let commands: Vec<&str> = change.lines().filter_map(|line| line.strip_prefix("ExecStart=")).collect();
    assert_eq!(commands, ["", "/usr/local/bin/auth-system backup"]);
    let place = units();
    fs::create_dir(place.path("auth-system-backup.service.d")).unwrap();
    let change = change.replace("/usr/local/bin/auth-system", PROGRAM);
    fs::write(place.path("auth-system-backup.service.d/override.conf"), change).unwrap();
    if let Some(verified) = verify(&place) {
        assert_eq!((verified.code, verified.out.as_str(), verified.err.as_str()), (Some(0), "", ""));
    }
}
