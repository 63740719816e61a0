//! Configuration from the environment: reading a variable documents it, and all that is wrong is said at once.

mod render;
mod setting;
mod shared;
mod typo;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub use render::{render_env_example, render_markdown};
pub use setting::{Setting, Value};
pub use shared::{
    FeedConfig, PERCENT_ENCODE, TokenNames, is_cut_by_its_password, is_loopback, read_extra_roots, read_public_url,
    read_redis_url,
};
pub use value::{Environment, Period, Secret};

const GENERAL: &str = "General";

/// A snapshot of the variables, read by the configuration structs and then finished.
pub struct Env {
    values: BTreeMap<String, String>,
    environment: Environment,
    section: &'static str,
    documented: Vec<Documented>,
    warnings: Vec<String>,
    refusals: Vec<String>,
    elsewhere: Vec<&'static str>,
}

/// One variable as the generated documents describe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Documented {
    /// The heading it stands under.
    pub section: &'static str,
    /// The variable, or a pattern such as `OIDC_<NAME>_ISSUER`.
    pub name: &'static str,
    /// What holds when it is unset; `None` when nothing does.
    pub default: Option<&'static str>,
    /// What it does, one sentence.
    pub help: &'static str,
    /// How much of its value may be shown.
    pub secrecy: Secrecy,
}

/// How much of a variable's value may be shown, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secrecy {
    /// All of it; of an address in it, all but who logs in there.
    Public,
    /// Of an address, where it leads, and not by what credentials.
    Address,
    /// Nothing but whether it is set.
    Secret,
}

/// What remains of a configuration that was accepted.
#[derive(Debug)]
pub struct Loaded {
    /// For the log at start-up.
    pub warnings: Vec<String>,
    /// Every variable that was read, in reading order.
    pub documented: Vec<Documented>,
}

/// Everything that keeps the program from starting, one line each.
#[derive(Debug)]
pub struct Refusals(pub Vec<String>);

impl Env {
    /// The process's variables: the one place that reads them.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn from_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_pairs(std::env::vars_os().filter_map(text))
    }

    /// A snapshot for tests. Empty and blank values count as unset, here as from the process.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        let mut env = Self {
            values: pairs.filter(|(_, value)| !value.trim().is_empty()).collect(),
            environment: Environment::Development,
            section: GENERAL,
            documented: Vec::new(),
            warnings: Vec::new(),
            refusals: Vec::new(),
            elsewhere: Vec::new(),
        };
        env.environment = env.parse("ENV", "development", "`development`, `test` or `production`.");
        env
    }

    /// Starts a section of the generated documents.
    pub fn section(&mut self, title: &'static str) {
        self.section = title;
    }

    /// `ENV`.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// A variable with a default; a value that does not parse is refused. The default must parse.
    pub fn parse<T>(&mut self, name: &'static str, default: &'static str, help: &'static str) -> T
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.document(name, Some(default), help, Secrecy::Public);
        self.read(name, help)
            .unwrap_or_else(|| default.parse().unwrap_or_else(|_| unreachable!("the default of {name} does not parse")))
    }

    /// A variable that may be absent; a value that does not parse is refused.
    pub fn optional<T>(&mut self, name: &'static str, help: &'static str) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.document(name, None, help, Secrecy::Public);
        self.read(name, help)
    }

    /// A secret that may be absent; kept as it was written, but for white space around it.
    pub fn secret(&mut self, name: &'static str, help: &'static str) -> Option<Secret> {
        self.document(name, None, help, Secrecy::Secret);
        self.values.get(name).map(|value| Secret::new(value.trim()))
    }

    /// An address that may hold credentials, and may be absent; kept as [`Self::secret`] does.
    pub fn secret_address(&mut self, name: &'static str, help: &'static str) -> Option<Secret> {
        self.document(name, None, help, Secrecy::Address);
        self.values.get(name).map(|value| Secret::new(value.trim()))
    }

    /// A comma-separated list, empty when unset; each part that does not parse is refused.
    pub fn list<T>(&mut self, name: &'static str, help: &'static str) -> Vec<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.document(name, None, help, Secrecy::Public);
        let value = self.values.get(name).cloned().unwrap_or_default();
        let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.filter_map(|part| self.accept(name, part, help)).collect()
    }

    /// Every variable whose name fits a pattern with one `<…>` part, as that part and the value's secret.
    pub fn pattern(&mut self, pattern: &'static str, help: &'static str) -> Vec<(String, Secret)> {
        self.document(pattern, None, help, Secrecy::Public);
        self.fitting(pattern)
    }

    /// The same of secrets.
    pub fn secret_pattern(&mut self, pattern: &'static str, help: &'static str) -> Vec<(String, Secret)> {
        self.document(pattern, None, help, Secrecy::Secret);
        self.fitting(pattern)
    }

    /// Keeps the program from starting; `reason` names the variable and what to do.
    pub fn refuse(&mut self, reason: impl Into<String>) {
        say_once(&mut self.refusals, reason.into());
    }

    /// Starts nevertheless, and says so in the log.
    pub fn warn(&mut self, text: impl Into<String>) {
        say_once(&mut self.warnings, text.into());
    }

    /// Names that other roles of the same program read: a variable for one of them is no misspelling of one of ours.
    pub fn also_known(&mut self, names: impl IntoIterator<Item = &'static str>) {
        self.elsewhere.extend(names);
    }

    /// Every variable that was read so far, as it is in force.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        self.documented.iter().flat_map(|variable| setting::of(variable, &self.values)).collect()
    }

    /// Accepts what was read, or says everything that is wrong, misspelt names included.
    ///
    /// # Errors
    /// All refusals together.
    pub fn finish(mut self) -> Result<Loaded, Refusals> {
        let own = self.documented.iter().map(|variable| variable.name);
        let names = own.chain(self.elsewhere.iter().copied()).collect::<Vec<_>>();
        for unknown in self.values.keys() {
            if let Some(meant) = typo::meant(unknown, &names) {
                self.refusals.push(format!("{unknown}: no such variable; did you mean {meant}?"));
            }
        }
        if self.refusals.is_empty() {
            Ok(Loaded { warnings: self.warnings, documented: self.documented })
        } else {
            Err(Refusals(self.refusals))
        }
    }

    fn document(&mut self, name: &'static str, default: Option<&'static str>, help: &'static str, secrecy: Secrecy) {
        match self.documented.iter_mut().find(|known| known.name == name) {
            // What one reader keeps to itself, no other may show.
            Some(known) => known.secrecy = known.secrecy.max(secrecy),
            None => self.documented.push(Documented { section: self.section, name, default, help, secrecy }),
        }
    }

    fn fitting(&self, pattern: &str) -> Vec<(String, Secret)> {
        let part = |(name, value): (&String, &String)| {
            Some((typo::variable_part(pattern, name)?.to_owned(), Secret::new(value.trim())))
        };
        self.values.iter().filter_map(part).collect()
    }

    fn read<T: FromStr<Err: fmt::Display>>(&mut self, name: &str, help: &str) -> Option<T> {
        let value = self.values.get(name)?.trim().to_owned();
        self.accept(name, &value, help)
    }

    fn accept<T>(&mut self, name: &str, value: &str, help: &str) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        // The value is not repeated: a password may have been pasted into the wrong line.
        value.parse().map_err(|error| self.refuse(format!("{name}: {error} ({help})"))).ok()
    }
}

/// Two servers of one process may read the same variable.
fn say_once(said: &mut Vec<String>, text: String) {
    if !said.contains(&text) {
        said.push(text);
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is refused:")?;
        self.0.iter().try_for_each(|reason| write!(f, "\n  - {reason}"))
    }
}

impl std::error::Error for Refusals {}

#[cfg(test)]
mod tests;
