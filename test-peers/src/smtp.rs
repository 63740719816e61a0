//! A mail relay that keeps what it is sent, and that hangs, refuses or hangs up wherever it is told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

use crate::tls::Certified;
use crate::{PeerError, free_port};

/// What a client of a relay with TLS must prove itself by; the password needs escaping in a URL.
const USER: &str = "relay user";
const PASSWORD: &str = "p@ss:word/1";

/// How a relay protects its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all; anybody may send.
    Plain,
    /// STARTTLS (RFC 3207), and no mail before that and AUTH.
    StartTls,
    /// TLS from the first byte, and no mail before AUTH.
    Tls,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before the greeting.
    Greeting,
    /// After EHLO.
    Hello,
    /// After AUTH.
    Auth,
    /// After MAIL.
    Sender,
    /// After RCPT.
    Recipient,
    /// After DATA.
    Data,
    /// After a whole mail.
    Message,
}

/// What a relay does at one stage, in place of what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It says nothing more. A whole mail it keeps.
    Hang(Stage),
    /// It hangs up. A whole mail it keeps.
    HangUp(Stage),
    /// It answers with this.
    Answer(Stage, &'static str),
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct ReceivedMail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Headers and body.
    pub raw: String,
    /// Whether it came through TLS.
    pub was_encrypted: bool,
}

/// A relay on a port of 127.0.0.1, ended with this value.
pub struct Smtp {
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    security: Security,
    tls: Arc<ServerConfig>,
    authority: String,
    ended: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    trouble: Option<Trouble>,
    mails: Vec<ReceivedMail>,
    connections: usize,
}

impl Smtp {
    /// Starts a relay.
    ///
    /// # Errors
    /// [`PeerError`] if no port is free, or no certificate can be made.
    pub fn start(security: Security) -> Result<Self, PeerError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listener = TcpListener::bind(address).map_err(PeerError::io("listen"))?;
        let certified = Certified::issue()?;
        let shared = Arc::new(Shared {
            address,
            security,
            tls: Arc::new(server_config(&certified)?),
            authority: certified.authority,
            ended: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let acceptor = Arc::clone(&shared);
        std::thread::spawn(move || acceptor.accept_all(&listener));
        Ok(Self { shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Its URL, with user and password where it wants them.
    #[must_use]
    pub fn url(&self) -> String {
        let port = self.shared.address.port();
        match self.shared.security {
            Security::Plain => format!("smtp://127.0.0.1:{port}?tls=none"),
            Security::StartTls => format!("smtp://relay%20user:p%40ss%3Aword%2F1@localhost:{port}"),
            Security::Tls => format!("smtps://relay%20user:p%40ss%3Aword%2F1@localhost:{port}"),
        }
    }

    /// The certificate of its authority, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.shared.authority
    }

    /// Changes what happens from the next stage on, on connections old and new.
    pub fn set(&self, trouble: Option<Trouble>) {
        self.shared.state().trouble = trouble;
    }

    /// What came, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.state().mails.clone()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // The acceptor sleeps in accept(2) and sees the change when somebody calls.
        let _ = TcpStream::connect(self.shared.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept_all(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            self.state().connections += 1;
            let shared = Arc::clone(self);
            // A client that hangs up or talks nonsense ends its own conversation.
            std::thread::spawn(move || drop(shared.converse(stream)));
        }
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        if self.security == Security::Tls {
            let stream = StreamOwned::new(self.tls()?, stream);
            return Conversation::new(self, stream, true).run().map(drop);
        }
        let ended = Conversation::new(self, stream, false).run()?;
        match ended {
            Ended::Quit => Ok(()),
            Ended::WantsTls(stream) => {
                let stream = StreamOwned::new(self.tls()?, stream);
                let mut conversation = Conversation::new(self, stream, true);
                conversation.has_greeted = true;
                conversation.run().map(drop)
            }
        }
    }

    fn tls(&self) -> io::Result<ServerConnection> {
        ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)
    }
}

/// One client's conversation (RFC 5321).
struct Conversation<'a, S> {
    shared: &'a Shared,
    stream: BufReader<S>,
    is_encrypted: bool,
    has_greeted: bool,
    may_send: bool,
    from: Option<String>,
    to: Vec<String>,
}

enum Ended<S> {
    Quit,
    WantsTls(S),
}

impl<'a, S: Read + Write> Conversation<'a, S> {
    fn new(shared: &'a Shared, stream: S, is_encrypted: bool) -> Self {
        let may_send = shared.security == Security::Plain;
        let stream = BufReader::new(stream);
        Self { shared, stream, is_encrypted, has_greeted: false, may_send, from: None, to: Vec::new() }
    }

    fn run(mut self) -> io::Result<Ended<S>> {
        if !self.has_greeted {
            self.answer(Stage::Greeting, "220 relay.test ESMTP")?;
        }
        loop {
            let line = self.line()?;
            let (verb, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => {
                    let hello = self.hello();
                    self.answer(Stage::Hello, &hello)?;
                }
                "STARTTLS" if self.shared.security == Security::StartTls && !self.is_encrypted => {
                    self.say("220 Go ahead")?;
                    return Ok(Ended::WantsTls(self.stream.into_inner()));
                }
                "AUTH" => self.authenticate(rest)?,
                "MAIL" if !self.may_send => self.say("530 5.7.0 Authentication required")?,
                "MAIL" => {
                    self.to.clear();
                    self.from = self.answer(Stage::Sender, "250 OK")?.then(|| path(&line));
                }
                "RCPT" if self.from.is_some() => {
                    let is_taken = self.answer(Stage::Recipient, "250 OK")?;
                    self.to.extend(is_taken.then(|| path(&line)));
                }
                "DATA" if !self.to.is_empty() => self.take()?,
                "RSET" | "NOOP" => self.say("250 OK")?,
                "QUIT" => {
                    self.say("221 Bye")?;
                    return Ok(Ended::Quit);
                }
                _ => self.say("503 Bad sequence of commands")?,
            }
        }
    }

    fn hello(&self) -> String {
        match (self.shared.security, self.is_encrypted) {
            (Security::Plain, _) => "250-relay.test\r\n250-8BITMIME\r\n250 SMTPUTF8",
            (Security::StartTls, false) => "250-relay.test\r\n250 STARTTLS",
            (Security::StartTls | Security::Tls, _) => "250-relay.test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
        }
        .to_owned()
    }

    /// AUTH PLAIN with an initial response (RFC 4616).
    fn authenticate(&mut self, rest: &str) -> io::Result<()> {
        let expected = base64(format!("\0{USER}\0{PASSWORD}").as_bytes());
        let is_right = self.is_encrypted && rest == format!("PLAIN {expected}");
        self.may_send |= is_right;
        let answer = if is_right { "235 2.7.0 Accepted" } else { "535 5.7.8 Not accepted" };
        self.answer(Stage::Auth, answer).map(drop)
    }

    fn take(&mut self) -> io::Result<()> {
        if !self.answer(Stage::Data, "354 Go ahead")? {
            return Ok(());
        }
        let mut raw = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                break;
            }
            raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            raw.push_str("\r\n");
        }
        let from = self.from.take().unwrap_or_default();
        let mail = ReceivedMail { from, to: std::mem::take(&mut self.to), raw, was_encrypted: self.is_encrypted };
        let mut state = self.shared.state();
        if !matches!(state.trouble, Some(Trouble::Answer(Stage::Message, _))) {
            state.mails.push(mail);
        }
        drop(state);
        self.answer(Stage::Message, "250 OK").map(drop)
    }

    /// Answers, unless there is trouble at this stage; says whether it answered as it should.
    fn answer(&mut self, stage: Stage, usual: &str) -> io::Result<bool> {
        let trouble = self.shared.state().trouble;
        match trouble {
            Some(Trouble::Hang(at)) if at == stage => {
                // Until the client hangs up.
                io::copy(&mut self.stream, &mut io::sink())?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Some(Trouble::HangUp(at)) if at == stage => Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Trouble::Answer(at, other)) if at == stage => self.say(other).map(|()| false),
            Some(Trouble::Hang(_) | Trouble::HangUp(_) | Trouble::Answer(..)) | None => self.say(usual).map(|()| true),
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// What stands between angle brackets.
fn path(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(path, _)| path.to_owned()).unwrap_or_default()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(ALPHABET[(bits & 63) as usize]);
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0_u32, |bits, (i, &byte)| bits | (u32::from(byte) << (16 - 8 * i)));
        let letters: String = [18, 12, 6, 0].map(|shift| letter(bits >> shift)).iter().take(chunk.len() + 1).collect();
        text.push_str(&format!("{letters:=<4}"));
    }
    text
}

fn server_config(certified: &Certified) -> Result<ServerConfig, PeerError> {
    let failed = |cause: &dyn std::fmt::Display| io::Error::other(cause.to_string());
    let make = || {
        let chain = rustls_pki_types::CertificateDer::pem_slice_iter(certified.certificate.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|cause| failed(&cause))?;
        let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).map_err(|cause| failed(&cause))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|cause| failed(&cause))?.with_no_client_auth();
        config.with_single_cert(chain, key).map_err(|cause| failed(&cause))
    };
    make().map_err(PeerError::io("set TLS up"))
}
