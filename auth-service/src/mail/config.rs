//! Where mail goes out, and as whom.

use std::net::SocketAddr;

use lettre::{Address, message::Mailbox};
use service_kit::config::{Env, Environment, Secret, is_loopback};
use url::Url;

/// How mail is sent.
#[derive(Clone)]
pub struct MailConfig {
    /// By what.
    pub delivery: Delivery,
    /// Who it is from.
    pub from: Mailbox,
    /// What links begin with, without the slash at its end.
    pub link_base: String,
    /// Whether an account can be used only after its address was proven.
    pub requires_verification: bool,
}

/// What mail is sent by.
#[derive(Clone)]
pub enum Delivery {
    /// By a relay.
    Relay(Relay),
    /// It is written to the log with its link, for developers.
    Log,
    /// Not at all: nothing was configured.
    Nowhere,
}

/// An SMTP server that takes our mail.
#[derive(Clone)]
pub struct Relay {
    /// Its name, as its certificate says.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// User and password.
    pub credentials: Option<(String, Secret)>,
}

/// How the connection to a relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte (RFC 8314 section 3.3).
    Tls,
    /// STARTTLS, or no mail.
    StartTls,
    /// STARTTLS where the relay offers it.
    StartTlsIfOffered,
    /// None.
    Plain,
}

impl MailConfig {
    /// Reads the configuration; `addr` is where this service listens, for links in development.
    pub fn read(env: &mut Env, public_url: Option<&Url>, addr: SocketAddr) -> Self {
        let is_production = env.environment() == Environment::Production;
        let url = env.secret_address(
            "SMTP_URL",
            "Relay for mail: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 (TLS).",
        );
        let from = env.optional::<Mailbox>("MAIL_FROM", "Who mail is from, such as Example <no-reply@example.com>.");
        let requires_verification = env.parse(
            "REQUIRE_EMAIL_VERIFICATION",
            "false",
            "Whether an account can be used only after its address was proven by a mail.",
        );
        let relay = url.and_then(|url| match Relay::parse(url.expose(), env.environment()) {
            Ok(relay) => Some(relay),
            Err(reason) => {
                env.refuse(format!("SMTP_URL: {reason}"));
                None
            }
        });
        if is_production {
            let all = public_url.is_some() && relay.is_some() && from.is_some();
            if requires_verification && !all {
                env.refuse("REQUIRE_EMAIL_VERIFICATION: production needs PUBLIC_URL, SMTP_URL and MAIL_FROM for it");
            } else if !all {
                env.warn("no mail is sent: set PUBLIC_URL, SMTP_URL and MAIL_FROM for password resets and notices");
            }
        }
        let delivery = match relay {
            Some(relay) if !is_production || (from.is_some() && public_url.is_some()) => Delivery::Relay(relay),
            None if !is_production => Delivery::Log,
            Some(_) | None => Delivery::Nowhere,
        };
        let link_base = match public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", addr.port()),
        };
        Self { delivery, from: from.unwrap_or_else(nobody), link_base, requires_verification }
    }

    /// Whether mail can be sent, with links in it.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        match self.delivery {
            Delivery::Relay(_) | Delivery::Log => true,
            Delivery::Nowhere => false,
        }
    }
}

impl Relay {
    fn parse(text: &str, environment: Environment) -> Result<Self, &'static str> {
        const FORM: &str = "write smtp://user:password@host:587 or smtps://user:password@host:465";
        let url = Url::parse(text).map_err(|_| FORM)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?.trim_matches(['[', ']']).to_owned();
        let is_near = is_loopback(&host);
        let (encryption, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Encryption::Tls, 465),
            ("smtp", None) if is_near && environment != Environment::Production => (Encryption::StartTlsIfOffered, 587),
            ("smtp", None) => (Encryption::StartTls, 587),
            ("smtp", Some("tls=none")) if is_near || environment != Environment::Production => (Encryption::Plain, 587),
            ("smtp", Some("tls=none")) => return Err("production needs TLS to anything but loopback"),
            (_, _) => return Err(FORM),
        };
        let part = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = (!url.username().is_empty())
            .then(|| (part(url.username()), Secret::new(part(url.password().unwrap_or_default()))));
        Ok(Self { host, port: url.port().unwrap_or(port), encryption, credentials })
    }
}

/// Who development mails are from.
fn nobody() -> Mailbox {
    let address = Address::new("no-reply", "localhost");
    Mailbox::new(Some("auth-system".to_owned()), address.unwrap_or_else(|_| unreachable!("a fixed address")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_read_from_its_url() {
        let relay = Relay::parse("smtp://a%40b:p%3A%2Fw@mail.example.com", Environment::Production).unwrap();
        assert_eq!(
            (relay.host.as_str(), relay.port, relay.encryption),
            ("mail.example.com", 587, Encryption::StartTls)
        );
        let (user, password) = relay.credentials.unwrap();
        assert_eq!((user.as_str(), password.expose()), ("a@b", "p:/w"));
        let relay = Relay::parse("smtps://mail.example.com", Environment::Production).unwrap();
        assert_eq!((relay.port, relay.encryption), (465, Encryption::Tls));
        assert!(relay.credentials.is_none());
    }

    #[test]
    fn passwords_never_leave_production_unencrypted() {
        let encryption = |url, environment| Relay::parse(url, environment).map(|relay| relay.encryption).ok();
        for (url, development, production) in [
            ("smtp://mail.example.com", Some(Encryption::StartTls), Some(Encryption::StartTls)),
            ("smtp://localhost:1025", Some(Encryption::StartTlsIfOffered), Some(Encryption::StartTls)),
            ("smtp://mail.example.com?tls=none", Some(Encryption::Plain), None),
            ("smtp://127.0.0.1:25?tls=none", Some(Encryption::Plain), Some(Encryption::Plain)),
            ("smtp://[::1]:25?tls=none", Some(Encryption::Plain), Some(Encryption::Plain)),
            ("smtps://mail.example.com?tls=none", None, None),
            ("http://mail.example.com", None, None),
            ("mail.example.com:25", None, None),
        ] {
            assert_eq!(encryption(url, Environment::Development), development, "{url}");
            assert_eq!(encryption(url, Environment::Production), production, "{url}");
        }
    }

    #[test]
    fn production_needs_all_of_it_or_none() {
        let all = [
            ("ENV", "production"),
            ("SMTP_URL", "smtps://mail.example.com"),
            ("MAIL_FROM", "Example <no-reply@example.com>"),
            ("REQUIRE_EMAIL_VERIFICATION", "true"),
        ];
        let public = Url::parse("https://auth.example.com/").unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], 8000));
        let read = |variables: &[(&str, &str)], public: Option<&Url>| {
            let mut env = Env::from_pairs(variables.iter().copied());
            let config = MailConfig::read(&mut env, public, addr);
            (config, env.finish().is_ok())
        };
        let (config, is_accepted) = read(&all, Some(&public));
        assert!(is_accepted && config.is_configured());
        assert_eq!(config.link_base, "https://auth.example.com");
        assert!(!read(&all, None).1, "without PUBLIC_URL");
        for missing in [1, 2] {
            let some: Vec<_> = (0..4).filter(|&index| index != missing).map(|index| all[index]).collect();
            assert!(!read(&some, Some(&public)).1, "without {}", all[missing].0);
            let (config, is_accepted) = read(&some[..2], Some(&public));
            assert!(is_accepted && !config.is_configured(), "without {} and verification", all[missing].0);
        }
        assert!(!read(&[("MAIL_FROM", "a@b.co\r\nBcc: c@d.co")], None).1, "no header is smuggled in");
    }
}
