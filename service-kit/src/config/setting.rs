//! Variables as they are in force, for operators to look at: without what must not be shown.

use std::collections::BTreeMap;

use url::Url;

use super::{Documented, Secrecy, typo};

/// Stands for credentials.
const MASK: &str = "***";
/// Parameters of an address that tell how it is connected to. Others may be secrets, so they are left out.
const SHOWN_PARAMETERS: [&str; 3] = ["sslmode", "sslrootcert", "tls"];

/// A variable as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The heading it stands under.
    pub section: &'static str,
    /// The variable; a pattern such as `OIDC_<NAME>_ISSUER` where no variable fits it.
    pub name: String,
    /// The variable or pattern that it is documented as.
    pub documented_as: &'static str,
    /// What holds when it is unset.
    pub default: Option<&'static str>,
    /// What it does, one sentence.
    pub help: &'static str,
    /// How much of its value may be shown.
    pub secrecy: Secrecy,
    /// Its value.
    pub value: Value,
}

/// What a variable was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: its default holds.
    Unset,
    /// This, less any credentials in it.
    Set(String),
    /// Something that is not shown.
    Hidden,
}

/// A variable, or all that fit a pattern.
pub(super) fn of(variable: &Documented, values: &BTreeMap<String, String>) -> Vec<Setting> {
    let fits = |name: &&String| name.as_str() == variable.name || typo::variable_part(variable.name, name).is_some();
    let setting = |name: &str, value: Value| {
        let Documented { section, name: documented_as, default, help, secrecy } = *variable;
        Setting { section, name: name.to_owned(), documented_as, default, help, secrecy, value }
    };
    let set = values.iter().filter(|(name, _)| fits(name));
    let set: Vec<_> = set.map(|(name, value)| setting(name, show(value.trim(), variable.secrecy))).collect();
    if set.is_empty() { vec![setting(variable.name, Value::Unset)] } else { set }
}

fn show(value: &str, secrecy: Secrecy) -> Value {
    match secrecy {
        Secrecy::Public => Value::Set(value.split(',').map(show_part).collect::<Vec<_>>().join(",")),
        Secrecy::Address => show_address(value).map_or(Value::Hidden, Value::Set),
        Secrecy::Secret => Value::Hidden,
    }
}

/// A part of a list. It may be an address with credentials in it, where nobody expected any.
fn show_part(part: &str) -> String {
    match Url::parse(part.trim()) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            show_address(part.trim()).unwrap_or_else(|| MASK.to_owned())
        }
        Ok(_) | Err(_) => part.to_owned(),
    }
}

/// Where an address leads. The name is left out with the password: some relays take the same token for both.
fn show_address(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| !url.cannot_be_a_base())?;
    let mut shown = format!("{}://", url.scheme());
    if !url.username().is_empty() || url.password().is_some() {
        shown.push_str(MASK);
        shown.push('@');
    }
    shown.push_str(url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        shown.push_str(&format!(":{port}"));
    }
    shown.push_str(url.path());
    let is_shown = |(name, _): &(_, _)| SHOWN_PARAMETERS.contains(&AsRef::<str>::as_ref(name));
    let parameters: Vec<String> =
        url.query_pairs().filter(is_shown).map(|(name, value)| format!("{name}={value}")).collect();
    if !parameters.is_empty() {
        shown.push('?');
        shown.push_str(&parameters.join("&"));
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::super::Env;
    use super::*;

    #[test]
    fn credentials_are_left_out_of_addresses() {
        for (address, shown) in [
            ("postgresql://admin:p%40ss@db.example.com:5432/authdb", "postgresql://***@db.example.com:5432/authdb"),
            ("postgres://db/auth?sslmode=verify-full&password=hunter2", "postgres://db/auth?sslmode=verify-full"),
            ("rediss://:hunter2@cache.example.com:6379/0", "rediss://***@cache.example.com:6379/0"),
            ("smtp://token@mail.example.com", "smtp://***@mail.example.com"),
            ("smtp://[::1]:25?tls=none", "smtp://[::1]:25?tls=none"),
            ("postgresql:///auth?host=/run/hunter2", "postgresql:///auth"),
        ] {
            assert_eq!(show(address, Secrecy::Address), Value::Set(shown.to_owned()), "{address}");
        }
        for address in ["hunter2", "mailto:hunter2@example.com", "smtp:hunter2", ""] {
            assert_eq!(show(address, Secrecy::Address), Value::Hidden, "{address}");
        }
    }

    #[test]
    fn what_is_no_secret_is_shown_as_it_was_written_less_credentials() {
        for (value, shown) in [
            ("info", "info"),
            ("https://a.example.com, https://b.example.com", "https://a.example.com, https://b.example.com"),
            ("http://a:b@collector:4318/x", "http://***@collector:4318/x"),
            ("http://a,http://:b@c", "http://a,http://***@c/"),
            ("prompt=login&hd=example.com", "prompt=login&hd=example.com"),
        ] {
            assert_eq!(show(value, Secrecy::Public), Value::Set(shown.to_owned()));
        }
    }

    #[test]
    fn settings_say_what_is_in_force() {
        let pairs = [("COUNT", "3"), ("TOKEN", "hunter2"), ("A_X_ID", "x"), ("A_Y_ID", "y"), ("A_X_SECRET", "hunter3")];
        let mut env = Env::from_pairs(pairs);
        env.section("Limits");
        let _: u32 = env.parse("COUNT", "7", "How many.");
        let _: u32 = env.parse("OTHER", "8", "How many others.");
        let _: Option<String> = env.optional("TOKEN", "Read by one as a text,");
        env.secret("TOKEN", "by another as a secret.");
        env.pattern("A_<NAME>_ID", "An id.");
        env.secret_pattern("A_<NAME>_SECRET", "Its secret.");
        env.secret_pattern("B_<NAME>_SECRET", "Its secret.");
        let settings = env.settings();
        let lines: Vec<_> = settings.iter().map(|one| (one.name.as_str(), one.value.clone())).collect();
        let set = |text: &str| Value::Set(text.to_owned());
        assert_eq!(
            lines,
            [
                ("ENV", Value::Unset),
                ("COUNT", set("3")),
                ("OTHER", Value::Unset),
                ("TOKEN", Value::Hidden),
                ("A_X_ID", set("x")),
                ("A_Y_ID", set("y")),
                ("A_X_SECRET", Value::Hidden),
                ("B_<NAME>_SECRET", Value::Unset),
            ]
        );
        assert_eq!((settings[1].section, settings[1].default, settings[1].help), ("Limits", Some("7"), "How many."));
        assert!(!format!("{settings:?}").contains("hunter"), "{settings:?}");
    }
}
