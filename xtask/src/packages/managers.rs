//! The package managers that we know, with their names for what the tests need.

use super::{Chromium, PackageManager, Rights};

pub(super) const DEBIAN: PackageManager = PackageManager {
    program: "apt-get",
    refresh: &["update"],
    install: &["install", "--yes", "--no-install-recommends"],
    rights: Rights::Root,
    postgres: &["postgresql"],
    second_postgres: &[],
    psql: &["postgresql-client"],
    redis: &["redis-server"],
    pebble: &["pebble"],
    npm: &["npm"],
    chromium: Chromium::System(&["chromium", "fonts-liberation"]),
};

/// Ubuntu's browser is a snap: its package only asks for a service that containers do not have.
pub(super) const UBUNTU: PackageManager = PackageManager { chromium: Chromium::Npm, ..DEBIAN };

pub(super) const MANAGERS: [PackageManager; 6] = [
    DEBIAN,
    PackageManager {
        program: "dnf",
        refresh: &[],
        install: &["install", "--assumeyes"],
        rights: Rights::Root,
        postgres: &["postgresql-server"],
        second_postgres: &[],
        psql: &["postgresql"],
        redis: &["redis"],
        pebble: &[],
        npm: &["npm"],
        chromium: Chromium::Npm,
    },
    PackageManager {
        program: "yum",
        refresh: &[],
        install: &["install", "--assumeyes"],
        rights: Rights::Root,
        postgres: &["postgresql-server"],
        second_postgres: &[],
        psql: &["postgresql"],
        redis: &["redis"],
        pebble: &[],
        npm: &["npm"],
        chromium: Chromium::Npm,
    },
    PackageManager {
        program: "apk",
        refresh: &["update"],
        install: &["add"],
        rights: Rights::Root,
        postgres: &["postgresql"],
        // npm's programs are linked to glibc, which Alpine has not.
        second_postgres: &["postgresql16"],
        psql: &["postgresql-client"],
        redis: &["redis"],
        pebble: &[],
        npm: &["npm"],
        chromium: Chromium::System(&["chromium", "font-liberation"]),
    },
    PackageManager {
        program: "pacman",
        refresh: &["--sync", "--refresh"],
        install: &["--sync", "--noconfirm", "--needed"],
        rights: Rights::Root,
        postgres: &["postgresql"],
        second_postgres: &[],
        psql: &["postgresql-libs"],
        redis: &["valkey"],
        pebble: &[],
        npm: &["npm"],
        chromium: Chromium::System(&["chromium", "ttf-liberation"]),
    },
    PackageManager {
        program: "brew",
        refresh: &[],
        install: &["install"],
        rights: Rights::Own,
        postgres: &["postgresql@15"],
        second_postgres: &["postgresql@16"],
        psql: &["postgresql@15"],
        redis: &["redis"],
        pebble: &[],
        npm: &["node"],
        chromium: Chromium::Nowhere,
    },
];
