//! The mails that a deployment sends, read as their recipients read them.

use std::time::Duration;

use mail_parser::MessageParser;
use test_peers::{ReceivedMail, Security, Smtp};

use crate::{
    support::{Deployment, Engine, Instance},
    waiting::until,
};

pub const IN_TIME: Duration = Duration::from_secs(10);
/// What links begin with.
pub const PUBLIC_URL: &str = "https://auth.example.com";

/// A mail as its recipient sees it.
#[derive(Clone, Debug)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub raw: String,
}

impl Letter {
    fn read(mail: &ReceivedMail) -> Self {
        let parsed = MessageParser::default().parse(mail.raw.as_bytes()).unwrap();
        Self {
            to: mail.to.join(","),
            subject: parsed.subject().unwrap().to_owned(),
            text: parsed.body_text(0).unwrap().into_owned(),
            html: parsed.body_html(0).unwrap().into_owned(),
            raw: mail.raw.clone(),
        }
    }

    /// The token of the link in it, whose page is `path`.
    pub fn token(&self, path: &str) -> String {
        let begin = format!("{PUBLIC_URL}{path}?token=");
        assert!(self.html.contains(&begin), "{self:?}");
        let (_, rest) = self.text.split_once(&begin).unwrap_or_else(|| panic!("no {begin} in {self:?}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

/// A deployment that sends its mail to a relay of this test.
pub fn deployment(engine: Engine, relay: &Smtp) -> Deployment {
    Deployment::new(engine)
        .set("SMTP_URL", &relay.url())
        .set("MAIL_FROM", "Example <no-reply@auth.example.com>")
        .set("PUBLIC_URL", PUBLIC_URL)
}

/// A relay without TLS, and a deployment that sends by it.
pub fn with_relay(engine: Engine) -> (Smtp, Deployment) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let deployment = deployment(engine, &relay);
    (relay, deployment)
}

/// What a person was sent so far.
pub fn letters_to(relay: &Smtp, email: &str) -> Vec<Letter> {
    let letters = relay.mails().iter().map(Letter::read).collect::<Vec<_>>();
    letters.into_iter().filter(|letter| letter.to == email).collect()
}

/// Waits until a person has been sent so many mails with this subject, and gives the last.
pub async fn nth_letter(relay: &Smtp, email: &str, subject: &str, count: usize) -> Letter {
    let matching =
        || -> Vec<Letter> { letters_to(relay, email).into_iter().filter(|letter| letter.subject == subject).collect() };
    until(&format!("{count} of {subject:?} to {email}"), IN_TIME, async || matching().len() >= count).await;
    let mut found = matching();
    assert_eq!(found.len(), count, "{found:?}");
    found.remove(count - 1)
}

/// Waits until a person has been sent the one mail with this subject.
pub async fn letter(relay: &Smtp, email: &str, subject: &str) -> Letter {
    nth_letter(relay, email, subject, 1).await
}

impl Deployment {
    /// Everybody has proven their address: notices go to nobody else.
    pub async fn prove_everybody(&self) {
        self.change("UPDATE users SET email_verified_at = created_at").await;
    }

    /// Waits until nothing waits to be sent.
    pub async fn outbox_is_empty(&self) {
        let waiting = "SELECT COUNT(*) FROM mail_outbox WHERE failed_at IS NULL AND sent_at IS NULL";
        until("the outbox is empty", IN_TIME, async || self.number(waiting).await == 0).await;
    }
}

impl Instance {
    /// Sends a body with the one member `email`.
    pub async fn post_email(&self, path: &str, email: &str) -> crate::support::Answer {
        self.post(path, serde_json::json!({ "email": email })).await
    }

    /// Sends a body with the one member `token`.
    pub async fn post_token(&self, path: &str, token: &str) -> crate::support::Answer {
        self.post(path, serde_json::json!({ "token": token })).await
    }
}
