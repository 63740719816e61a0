//! A letter as it goes out: plain text and HTML in one message, without scripts and without anything from elsewhere.

use std::{fmt::Write as _, time::SystemTime};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::letter::Letter;

/// Tells programs that answer mail not to answer this (RFC 3834 section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// What goes on the outside of a letter.
pub struct Envelope {
    /// The outbox row; the message's id is made of it, so it stays the same whenever it is sent.
    pub id: Uuid,
    /// Who it is from.
    pub from: Mailbox,
    /// Who it is for.
    pub to: Address,
    /// When it is sent.
    pub at: SystemTime,
}

/// An address as SMTP has it: its domain in ASCII (RFC 5891), so that only a name beyond ASCII needs a modern relay.
pub fn address(email: &str) -> Option<Address> {
    let (local, domain) = email.rsplit_once('@')?;
    let domain = match url::Host::parse(domain).ok()? {
        url::Host::Domain(domain) => domain,
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => return None,
    };
    Address::new(local, domain).ok()
}

/// The bytes of a message.
///
/// # Errors
/// When the message cannot be put together.
pub fn message(envelope: Envelope, letter: &Letter, link: Option<&str>) -> Result<Vec<u8>, lettre::error::Error> {
    let message_id = format!("<{}@{}>", envelope.id, envelope.from.email.domain());
    let message = Message::builder()
        .from(envelope.from)
        .to(Mailbox::new(None, envelope.to))
        .subject(letter.subject.as_str())
        .date(envelope.at)
        .message_id(Some(message_id))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(text(letter, link), html(letter, link)))?;
    Ok(message.formatted())
}

/// The letter as plain text.
pub fn text(letter: &Letter, link: Option<&str>) -> String {
    let paragraphs =
        letter.before.iter().map(String::as_str).chain(link).chain(letter.after.iter().map(String::as_str));
    let mut text = paragraphs.collect::<Vec<_>>().join("\r\n\r\n");
    text.push_str("\r\n");
    text
}

fn html(letter: &Letter, link: Option<&str>) -> String {
    let mut body = String::new();
    let paragraph = |body: &mut String, text: &str| {
        // Writing to a text cannot fail.
        let _ = writeln!(body, "<p>{}</p>", escape(text));
    };
    letter.before.iter().for_each(|text| paragraph(&mut body, text));
    if let (Some(link), Some(action)) = (link, &letter.action) {
        let (link, action) = (escape(link), escape(action));
        let _ = writeln!(body, "<p><a href=\"{link}\" style=\"{BUTTON}\">{action}</a></p>\n<p>{link}</p>");
    }
    letter.after.iter().for_each(|text| paragraph(&mut body, text));
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body style=\"{PAGE}\">\n{body}</body>\n</html>\n",
        letter.language,
        escape(&letter.subject),
    )
}

const PAGE: &str =
    "font:16px/1.5 sans-serif;color:#1a1a1a;max-width:36em;margin:2em auto;padding:0 1em;overflow-wrap:anywhere";
const BUTTON: &str =
    "display:inline-block;padding:.6em 1.2em;border-radius:.4em;background:#1a56db;color:#fff;text-decoration:none";

/// A text that stays text in HTML.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_letter_becomes_markup() {
        let letter = Letter {
            language: "en",
            subject: "<b>&".to_owned(),
            before: vec!["<script>\"x\"</script>".to_owned()],
            action: Some("'go'".to_owned()),
            after: Vec::new(),
        };
        let html = html(&letter, Some("https://a.example/?x=\"><b>"));
        assert!(!html.contains("<script") && !html.contains("<b>") && html.contains("&#39;go&#39;"), "{html}");
    }

    #[test]
    fn an_address_goes_out_in_the_form_that_relays_know() {
        assert_eq!(address("kim@예시.한국").unwrap().as_ref() as &str, "kim@xn--vv4b11d.xn--3e0b707e");
        assert!(address("김민수@example.com").is_some());
        for text in ["", "a", "a@127.0.0.1", "a@[::1]", "a\r\nb@example.com", "<a>@example.com"] {
            assert!(address(text).is_none(), "{text:?}");
        }
    }
}
