//! The rules of `deny.toml` about dependencies, checked without another tool.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::licence;
use crate::process::output;

/// What of `deny.toml` we read; cargo-deny reads the rest.
#[derive(Deserialize)]
struct Policy {
    bans: Bans,
    licenses: Licences,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    name: String,
    #[serde(default)]
    version: VersionReq,
    reason: String,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: Version,
    licence: String,
}

/// No package is built that `deny.toml` bans.
pub(crate) fn check_bans() -> Result<String> {
    let (policy, packages) = (policy()?, packages()?);
    verdict(banned(&policy.bans.deny, &packages), &packages)
}

/// Every package may be used under licences that `deny.toml` allows.
pub(crate) fn check_licences() -> Result<String> {
    let (policy, packages) = (policy()?, packages()?);
    verdict(unlicensed(&policy.licenses.allow, &packages), &packages)
}

fn policy() -> Result<Policy> {
    toml::from_str(&fs::read_to_string("deny.toml")?).context("deny.toml")
}

/// What is built on any platform, tests and build scripts included. Cargo.lock alone would say too much: it also lists
/// packages behind features that nobody turns on, such as rustls's ring.
fn packages() -> Result<BTreeSet<Package>> {
    let tree = "tree --locked --workspace --all-features --target all --edges normal,build,dev --prefix none --format";
    let arguments: Vec<_> = tree.split(' ').chain(["{p}|{l}"]).collect();
    let tree = output("cargo", &arguments)?;
    tree.lines().filter(|line| !line.is_empty()).map(parse_package).collect()
}

/// Reads `name v1.2.3 (where it is from)|licence (*)`.
fn parse_package(line: &str) -> Result<Package> {
    let parts = line.split_once('|').and_then(|(package, licence)| {
        let mut words = package.split(' ');
        Some((words.next()?, words.next()?.strip_prefix('v')?, licence.trim_end_matches(" (*)")))
    });
    let (name, version, licence) = parts.with_context(|| format!("cargo tree prints `{line}`"))?;
    Ok(Package { name: name.into(), version: version.parse()?, licence: licence.into() })
}

fn banned(bans: &[Ban], packages: &BTreeSet<Package>) -> Vec<String> {
    let matches = |ban: &Ban, package: &Package| ban.name == package.name && ban.version.matches(&package.version);
    packages
        .iter()
        .flat_map(|package| bans.iter().filter(move |ban| matches(ban, package)).map(move |ban| (package, ban)))
        .map(|(Package { name, version, .. }, ban)| {
            format!("{name} {version}: {}; see cargo tree -i {name}", ban.reason)
        })
        .collect()
}

fn unlicensed(allowed: &[String], packages: &BTreeSet<Package>) -> Vec<String> {
    let refused = packages.iter().filter(|package| !licence::permits(&package.licence, allowed));
    refused.map(|Package { name, version, licence }| format!("{name} {version}: `{licence}` is not allowed")).collect()
}

fn verdict(findings: Vec<String>, packages: &BTreeSet<Package>) -> Result<String> {
    if !findings.is_empty() {
        bail!("{} of {} packages\n  {}", findings.len(), packages.len(), findings.join("\n  "));
    }
    Ok(format!("{} packages", packages.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(lines: &[&str]) -> BTreeSet<Package> {
        lines.iter().map(|line| parse_package(line).unwrap()).collect()
    }

    fn bans(toml: &str) -> Vec<Ban> {
        toml::from_str::<Bans>(toml).unwrap().deny
    }

    #[test]
    fn packages_are_read_off_the_tree_once_each() {
        let packages = built(&[
            "h2 v0.4.20|MIT",
            "h2 v0.4.20|MIT (*)",
            "derive v2.0.0 (proc-macro)|MIT OR Apache-2.0",
            "xtask v1.0.0 (/src/xtask)|Apache-2.0",
        ]);
        let names: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["derive", "h2", "xtask"]);
        assert!(parse_package("warning: something").is_err());
    }

    #[test]
    fn ban_without_a_version_forbids_all() {
        let bans = bans(r#"deny = [{ name = "ring", reason = "one library" }]"#);
        let findings = banned(&bans, &built(&["ring v0.17.14|ISC", "rings v1.0.0|MIT"]));
        assert_eq!(findings, ["ring 0.17.14: one library; see cargo tree -i ring"]);
    }

    #[test]
    fn floor_compares_versions_as_numbers() {
        let bans = bans(r#"deny = [{ name = "h2", version = "<0.4.16", reason = "flood" }]"#);
        assert_eq!(banned(&bans, &built(&["h2 v0.4.9|MIT"])).len(), 1);
        assert!(banned(&bans, &built(&["h2 v0.4.16|MIT", "h2 v0.4.20|MIT", "h2 v1.0.0|MIT"])).is_empty());
    }

    #[test]
    fn each_series_has_its_own_floor() {
        let bans = bans(r#"deny = [{ name = "rand", version = ">=0.9.0, <0.9.3", reason = "old" }]"#);
        assert_eq!(banned(&bans, &built(&["rand v0.8.6|MIT", "rand v0.9.2|MIT", "rand v0.10.1|MIT"])).len(), 1);
    }

    #[test]
    fn licence_outside_the_list_is_refused() {
        let allowed = ["MIT".to_owned()];
        let findings = unlicensed(&allowed, &built(&["a v1.0.0|AGPL-3.0", "b v1.0.0|MIT OR AGPL-3.0", "c v1.0.0|"]));
        assert_eq!(findings, ["a 1.0.0: `AGPL-3.0` is not allowed", "c 1.0.0: `` is not allowed"]);
    }
}
