//! The server machine without sockets, among users and domains that the cases know.

use sansmtp::capability::{Extension, Mechanism, Mechanisms};
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{Config, Event, Query, Server};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::param::Body;
use sansmtp::wire::path::ForwardPath;
use sansmtp::wire::reply::Reply;
use sansmtp::{Error, Instant, Machine};

/// The domain that the server takes mail for.
pub const DOMAIN: &str = "example.org";
/// The user that can authenticate.
pub const USER: &str = "user";
/// The user's password.
pub const PASSWORD: &str = "s3cret-pw";
/// The longest command line that the server takes, in octets without its CR LF.
pub const LINE: usize = 4096;

const NOW: Instant = Instant::from_millis(1_000);

/// What a client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sends octets.
    Send(Vec<u8>),
    /// Does the TLS handshake that the server agreed to.
    Tls,
    /// Sends nothing more.
    HalfClose,
}

impl Step {
    /// Sends this text.
    pub fn send(text: impl AsRef<[u8]>) -> Self {
        Self::Send(text.as_ref().to_vec())
    }
}

/// A message that the server took the responsibility for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The reverse-path.
    pub from: String,
    /// The forward-paths that were accepted.
    pub to: Vec<String>,
    /// The content.
    pub content: Vec<u8>,
}

/// All that was seen of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// What the server said, the greeting included.
    pub said: String,
    /// The code of each reply, by step of the client; the first entry is the greeting.
    pub codes: Vec<Vec<u16>>,
    /// The messages that were taken.
    pub taken: Vec<Taken>,
    /// Whether BINARYMIME was declared for a message, whose octets are then any.
    pub binary: bool,
    /// The error that the machine failed with.
    pub error: Option<Error>,
    /// Whether the server closed the connection.
    pub closed: bool,
    /// Whether the client has authenticated.
    pub authenticated: bool,
    /// How often the machine was called: what a session costs.
    pub calls: usize,
}

impl Played {
    /// The codes of all replies behind the greeting.
    pub fn all_codes(&self) -> Vec<u16> {
        self.codes.iter().skip(1).flatten().copied().collect()
    }

    /// The codes of the replies to the last step.
    pub fn last_codes(&self) -> &[u16] {
        self.codes.last().map_or(&[], Vec::as_slice)
    }
}

/// The configuration that the cases know: 1 MiB, all extensions that are carried out, AUTH, no limit of
/// errors.
pub fn config(security: Security) -> Config<'static> {
    let hostname = EhloName::parse("mx.example.org").unwrap_or(EhloName::LOOPBACK);
    let mechanisms = Mechanisms::NONE
        .with(Mechanism::Plain)
        .with(Mechanism::Login);
    let mut config = Config::new(hostname, security)
        .max_size(1 << 20)
        .mechanisms(mechanisms);
    config.capabilities = config.capabilities.with(Extension::Dsn);
    config.limits.errors = 0;
    config
}

/// Plays `steps` against a server machine; octets arrive in pieces of `piece`.
///
/// # Panics
/// If the machine breaks a promise that holds in every dialogue: its replies are well formed, it comes to
/// rest, and it takes no message with a CR or LF alone in it, unless that is BINARYMIME.
pub fn play(config: &Config<'_>, steps: &[Step], piece: usize) -> Played {
    play_answering(config, steps, piece, |_| None)
}

/// The same, where `answer` may answer a question of the machine instead of the usual driver.
///
/// # Panics
/// As [`play`].
pub fn play_answering<'a>(
    config: &Config<'_>,
    steps: &[Step],
    piece: usize,
    mut answer: impl FnMut(&Query<'_>) -> Option<Reply<'a>>,
) -> Played {
    let mut line = vec![0; LINE];
    let mut reply = vec![0; 1024];
    let mut driver = Driver {
        machine: Server::new(config, &mut line, &mut reply, NOW),
        played: Played::default(),
        open: Taken {
            from: String::new(),
            to: Vec::new(),
            content: Vec::new(),
        },
        told: 0,
        piece: piece.max(1),
        answer: &mut answer,
    };
    driver.feed(b"");
    driver.end_step();
    for step in steps {
        match step {
            Step::Send(octets) => driver.feed(octets),
            Step::Tls => driver.tls(),
            Step::HalfClose => driver.half_close(),
        }
        driver.end_step();
    }
    driver.finish()
}

struct Driver<'c, 'a> {
    machine: Server<'c>,
    played: Played,
    open: Taken,
    /// Octets of what was said that were told by earlier steps.
    told: usize,
    piece: usize,
    answer: &'c mut dyn FnMut(&Query<'_>) -> Option<Reply<'a>>,
}

impl Driver<'_, '_> {
    fn feed(&mut self, octets: &[u8]) {
        let mut at = 0;
        let mut end = octets.len().min(self.piece);
        let mut idle = 0;
        loop {
            self.transmit();
            if self.played.error.is_some() || self.machine.is_closed() {
                break;
            }
            self.played.calls += 1;
            let received = self.machine.receive(NOW, &octets[at..end]);
            let (used, event) = match received {
                Ok(received) => received,
                Err(error) => {
                    self.played.error = Some(error);
                    self.transmit();
                    break;
                }
            };
            let quiet = used == 0 && event.is_none();
            if let Some(event) = event {
                take(event, &mut self.open, &mut self.played, self.answer);
            }
            at += used;
            if !quiet {
                idle = 0;
                continue;
            }
            idle += 1;
            assert!(at == end || idle < 3, "the machine is stuck");
            if at == end && end == octets.len() {
                break;
            }
            if at == end {
                end = octets.len().min(end + self.piece);
                idle = 0;
            }
        }
        self.transmit();
    }

    fn transmit(&mut self) {
        let mut out = [0; 512];
        loop {
            let written = self.machine.transmit(NOW, &mut out);
            if written == 0 {
                return;
            }
            let text = std::str::from_utf8(&out[..written]).expect("replies are text");
            self.played.said.push_str(text);
        }
    }

    fn tls(&mut self) {
        if self.machine.wants_tls() {
            self.machine.tls_established(NOW).expect("TLS is wanted");
            self.transmit();
        }
    }

    fn half_close(&mut self) {
        if let Err(error) = self.machine.receive_eof() {
            self.played.error = Some(error);
        }
        self.transmit();
    }

    fn end_step(&mut self) {
        let said = &self.played.said[self.told..];
        assert!(
            said.is_empty() || said.ends_with("\r\n"),
            "half a line: {said:?}"
        );
        let mut codes = Vec::new();
        for line in said.split_terminator("\r\n") {
            let clean = !line.bytes().any(|b| b.is_ascii_control());
            assert!(clean && line.len() <= 510, "a bad reply line: {line:?}");
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code: u16 = code.unwrap_or_else(|| panic!("no reply: {line:?}"));
            match line.as_bytes().get(3) {
                Some(b'-') => {}
                Some(b' ') => codes.push(code),
                _ => panic!("no reply: {line:?}"),
            }
        }
        self.told = self.played.said.len();
        self.played.codes.push(codes);
    }

    fn finish(mut self) -> Played {
        self.played.closed = self.machine.is_closed();
        self.played.authenticated = self.machine.is_authenticated();
        for taken in &self.played.taken {
            assert!(
                self.played.binary || !has_bare_line_end(&taken.content),
                "a CR or LF alone was taken: {taken:?}"
            );
        }
        self.played
    }
}

/// Whether a CR without LF, or an LF without CR, is among these octets.
pub fn has_bare_line_end(octets: &[u8]) -> bool {
    octets.iter().enumerate().any(|(at, octet)| match octet {
        b'\r' => octets.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || octets[at - 1] != b'\r',
        _ => false,
    })
}

fn take<'a>(
    event: Event<'_>,
    open: &mut Taken,
    played: &mut Played,
    answer: &mut dyn FnMut(&Query<'_>) -> Option<Reply<'a>>,
) {
    let request = match event {
        Event::Request(request) => request,
        Event::Content(stretch) => {
            open.content.extend_from_slice(stretch);
            return;
        }
        Event::Reset | Event::Hello { .. } => {
            open.to.clear();
            open.content.clear();
            return;
        }
        _ => return,
    };
    if let Some(reply) = answer(&request.query()) {
        request.answer(&reply);
        return;
    }
    match request.query() {
        Query::Authenticate(login) => {
            let right = login.user == USER
                && login.password.reveal() == PASSWORD
                && (login.authorization.is_empty() || login.authorization == USER);
            if right {
                request.accept();
            } else {
                request.answer(&refusal(535, (5, 7, 8), "Credentials are wrong"));
            }
        }
        Query::Mail {
            reverse_path,
            parameters,
        } => {
            played.binary |= parameters.body == Some(Body::BinaryMime);
            open.from = reverse_path.as_str().to_owned();
            open.to.clear();
            open.content.clear();
            request.accept();
        }
        Query::Recipient { forward_path, .. } => {
            let ours = match forward_path {
                ForwardPath::Postmaster => true,
                ForwardPath::Mailbox(mailbox) => mailbox.domain().eq_ignore_ascii_case(DOMAIN),
            };
            if ours {
                open.to.push(forward_path.as_str().to_owned());
                request.accept();
            } else {
                request.answer(&refusal(550, (5, 7, 1), "Relaying is denied"));
            }
        }
        Query::Data => {
            open.content.clear();
            request.accept();
        }
        Query::Message { size } => {
            assert_eq!(size, open.content.len() as u64, "the size that was told");
            played.taken.push(open.clone());
            open.to.clear();
            open.content.clear();
            request.accept();
        }
        _ => request.accept(),
    }
}

fn refusal(code: u16, enhanced: (u8, u16, u16), text: &'static str) -> Reply<'static> {
    let (class, subject, detail) = enhanced;
    let enhanced = EnhancedCode::new(class, subject, detail);
    Reply::new(code, enhanced, text).expect("a code of the test's own")
}
