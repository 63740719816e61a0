//! The mail relay, by a client that speaks SMTP by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use test_peers::{Security, Smtp, Stage, Trouble};

struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects; the greeting's code.
    fn connect(relay: &Smtp) -> (Self, String) {
        let mut client = Self(BufReader::new(TcpStream::connect(relay.address()).unwrap()));
        let code = client.answer();
        (client, code)
    }

    fn say(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.answer()
    }

    /// The code of the next answer; nothing when the relay has hung up.
    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 {
                return String::new();
            }
            if line.as_bytes()[3] == b' ' {
                return line[..3].to_owned();
            }
        }
    }

    /// Sends one mail; the code after each step.
    fn send(&mut self) -> Vec<String> {
        ["EHLO me", "MAIL FROM:<a@b.co>", "RCPT TO:<c@d.co>", "DATA", "Subject: x\r\n\r\n..dot\r\n."]
            .map(|line| self.say(line))
            .to_vec()
    }
}

#[test]
fn what_is_sent_is_kept() {
    let relay = Smtp::start(Security::Plain).unwrap();
    let (mut client, greeting) = Client::connect(&relay);
    assert_eq!(
        (greeting.as_str(), client.send()),
        ("220", ["250", "250", "250", "354", "250"].map(String::from).to_vec())
    );
    assert_eq!(client.say("QUIT"), "221");
    let mails = relay.mails();
    assert_eq!((mails.len(), mails[0].from.as_str(), &mails[0].to[..]), (1, "a@b.co", &["c@d.co".to_owned()][..]));
    assert_eq!(mails[0].raw, "Subject: x\r\n\r\n.dot\r\n");
    assert_eq!(relay.connections(), 1);
}

#[test]
fn trouble_comes_at_its_stage() {
    let relay = Smtp::start(Security::Plain).unwrap();
    relay.set(Some(Trouble::Answer(Stage::Recipient, "450 Later")));
    assert_eq!(Client::connect(&relay).0.send()[2], "450");
    relay.set(Some(Trouble::HangUp(Stage::Message)));
    assert_eq!(Client::connect(&relay).0.send()[3..], ["354".to_owned(), String::new()]);
    assert_eq!(relay.mails().len(), 1, "it has the mail nevertheless");
    relay.set(Some(Trouble::Answer(Stage::Message, "554 Never")));
    assert_eq!(Client::connect(&relay).0.send()[4], "554");
    assert_eq!(relay.mails().len(), 1);
    relay.set(Some(Trouble::Hang(Stage::Greeting)));
    let mut silent = TcpStream::connect(relay.address()).unwrap();
    silent.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    assert!(silent.read(&mut [0]).is_err(), "nothing comes");
}

#[test]
fn a_relay_with_tls_takes_nothing_before_it() {
    let relay = Smtp::start(Security::StartTls).unwrap();
    let (mut client, _) = Client::connect(&relay);
    assert_eq!(client.say("EHLO me"), "250");
    assert_eq!(client.say("MAIL FROM:<a@b.co>"), "530");
    assert_eq!(client.say("AUTH PLAIN AHJlbGF5IHVzZXIAcEBzczp3b3JkLzE="), "535", "not in the clear");
    assert!(relay.mails().is_empty());
}
