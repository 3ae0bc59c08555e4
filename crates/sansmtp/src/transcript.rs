//! A transcript of a dialogue that can be shown: line by line, credentials
//! masked, content left out.
//!
//! A driver hands over the octets of both directions as they pass, in pieces
//! of any size, and gets [`Entry`] after entry. What is masked does not depend
//! on the pieces. In doubt more is masked than necessary, never less:
//!
//! - the initial response of AUTH, also if the line breaks the grammar;
//! - every client line between AUTH and the first reply to it that is not 334,
//!   and every one behind any 334;
//! - once AUTH was seen, every client line that is no known command: it may be
//!   the response to an AUTH that the server had refused already;
//! - the text of a challenge, unless it is one of the usual prompts of LOGIN,
//!   and of syntax errors that could repeat a masked line.
//!
//! Passwords in other places, such as the text of other replies or the content,
//! are not found.

use crate::capability::Mechanism;
use crate::wire::dot;
use crate::wire::enhanced::EnhancedCode;
use crate::wire::param::decimal;
use crate::wire::reply::Escaped;
use crate::wire::window::Window;
use core::fmt;
use zeroize::Zeroize;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Nobody: something happened to the connection.
    Neither,
}

/// One line of the transcript. `Display` shows it as `C: QUIT` or
/// `S: 221 goodbye`, control characters escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub said: Said<'a>,
}

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Said<'a> {
    /// A line without its CR LF. A CR or LF that stood alone, and so ended the
    /// line only for careless readers, is shown.
    Line {
        /// The octets, as a stranger sent them: show them through [`Entry`]'s
        /// `Display` or [`Escaped`].
        text: &'a [u8],
        /// Octets that did not fit into the line buffer.
        left_out: u64,
    },
    /// A line that holds a secret.
    Masked {
        /// What may be shown of it, such as `AUTH PLAIN`; may be empty.
        shown: &'a [u8],
    },
    /// Content of a message, or one chunk of it.
    Content {
        /// Its length in octets, without the dots that were added on the way.
        octets: u64,
    },
    /// Everything goes through TLS from here on.
    Tls,
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.speaker {
            Speaker::Client => "C: ",
            Speaker::Server => "S: ",
            Speaker::Neither => "",
        })?;
        fmt::Display::fmt(&self.said, f)
    }
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Line { text, left_out } => {
                fmt::Display::fmt(&Escaped(text), f)?;
                if left_out > 0 {
                    f.write_str(" [")?;
                    grouped(left_out, f)?;
                    f.write_str(" octets more]")?;
                }
                Ok(())
            }
            Self::Masked { shown: [] } => f.write_str("****"),
            Self::Masked { shown } => {
                fmt::Display::fmt(&Escaped(shown), f)?;
                f.write_str(" ****")
            }
            Self::Content { octets } => {
                f.write_str("[")?;
                grouped(octets, f)?;
                f.write_str(" octets of content]")
            }
            Self::Tls => f.write_str("-- TLS --"),
        }
    }
}

/// Writes a number with commas between groups of three digits.
fn grouped(number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    let mut digits = [0; 20];
    let mut window = Window::new(0, &mut digits);
    window.put_decimal(number);
    let count = window.written();
    for (at, digit) in digits.iter().take(count).enumerate() {
        if at > 0 && count.wrapping_sub(at) % 3 == 0 {
            f.write_char(',')?;
        }
        f.write_char(char::from(*digit))?;
    }
    Ok(())
}

/// Makes a transcript of one connection. Of each line up to `LINE` octets are
/// shown; it holds a buffer of this size for each direction.
///
/// ```
/// use sansmtp::transcript::Transcript;
/// let mut transcript = Transcript::new();
/// let mut lines = Vec::new();
/// transcript.client(b"AUTH PLAIN AHVzZXI", |entry| lines.push(entry.to_string()));
/// transcript.client(b"AcGFzcw==\r\n", |entry| lines.push(entry.to_string()));
/// transcript.server(b"235 welcome\r\n", |entry| lines.push(entry.to_string()));
/// assert_eq!(lines, ["C: AUTH PLAIN ****", "S: 235 welcome"]);
/// ```
pub struct Transcript<const LINE: usize = 512> {
    client: LineBuffer<LINE>,
    server: LineBuffer<LINE>,
    show_content: bool,
    expects: Expects,
    /// Client lines without a reply so far. The greeting counts as one.
    unanswered: u32,
    greeted: bool,
    /// An AUTH exchange is open, and its reply comes behind this many others.
    exchange: Option<u32>,
    /// DATA waits for its reply.
    data: bool,
    /// An AUTH command was seen.
    auth_seen: bool,
    /// Replies that may repeat a masked line.
    suspicious: u32,
}

/// What the client's next octets are.
#[derive(Clone, Copy)]
enum Expects {
    Line,
    /// Content up to its dot, and octets of it so far.
    Content(dot::Decoder, u64),
    /// A chunk: octets left, and octets in all.
    Chunk(u64, u64),
}

impl Transcript {
    /// A transcript of a connection that has just been made, with lines of up to
    /// 512 octets.
    pub const fn new() -> Self {
        Self::with_lines()
    }
}

impl Default for Transcript {
    fn default() -> Self {
        Self::new()
    }
}

impl<const LINE: usize> Transcript<LINE> {
    /// The same with lines of another length, at least 32 octets.
    pub const fn with_lines() -> Self {
        const { assert!(LINE >= 32, "AUTH must be recognized") };
        Self {
            client: LineBuffer::new(),
            server: LineBuffer::new(),
            show_content: false,
            expects: Expects::Line,
            unanswered: 1,
            greeted: false,
            exchange: None,
            data: false,
            auth_seen: false,
            suspicious: 0,
        }
    }

    /// The same, but the content that follows DATA is shown line by line. Chunks
    /// of BDAT stay left out.
    #[must_use]
    pub const fn show_content(mut self) -> Self {
        self.show_content = true;
        self
    }

    /// Takes octets that the client sends.
    pub fn client(&mut self, octets: &[u8], mut sink: impl FnMut(Entry<'_>)) {
        let mut rest = octets;
        while let Some((&octet, tail)) = rest.split_first() {
            rest = match self.expects {
                Expects::Line => match self.client.push(octet) {
                    Pushed::Taken => tail,
                    Pushed::Ended => {
                        self.client_line(&mut sink);
                        tail
                    }
                    Pushed::EndedBefore => {
                        self.client_line(&mut sink);
                        rest
                    }
                },
                Expects::Content(decoder, total) => {
                    self.take_content(rest, decoder, total, &mut sink)
                }
                Expects::Chunk(left, total) => {
                    let taken = usize::try_from(left).map_or(rest.len(), |n| n.min(rest.len()));
                    let left = left.saturating_sub(taken as u64);
                    self.expects = Expects::Chunk(left, total);
                    if left == 0 {
                        self.end_content(total, &mut sink);
                    }
                    rest.get(taken..).unwrap_or_default()
                }
            };
        }
    }

    /// Takes octets that the server sends.
    pub fn server(&mut self, octets: &[u8], mut sink: impl FnMut(Entry<'_>)) {
        let mut rest = octets;
        while let Some((&octet, tail)) = rest.split_first() {
            rest = match self.server.push(octet) {
                Pushed::Taken => tail,
                Pushed::Ended => {
                    self.server_line(&mut sink);
                    tail
                }
                Pushed::EndedBefore => {
                    self.server_line(&mut sink);
                    rest
                }
            };
        }
    }

    /// Notes that TLS has come up. Hand over the octets inside of TLS from here
    /// on.
    pub fn tls(&mut self, mut sink: impl FnMut(Entry<'_>)) {
        self.finish(&mut sink);
        self.expects = Expects::Line;
        self.exchange = None;
        self.data = false;
        self.suspicious = 0;
        self.unanswered = u32::from(!self.greeted);
        sink(Entry {
            speaker: Speaker::Neither,
            said: Said::Tls,
        });
    }

    /// Gives what is left when the connection ends: lines that lack their end,
    /// content that lacks its dot.
    pub fn finish(&mut self, mut sink: impl FnMut(Entry<'_>)) {
        if self.server.total > 0 {
            self.server_line(&mut sink);
        }
        match self.expects {
            _ if self.client.total == 0 => {}
            Expects::Line => self.client_line(&mut sink),
            _ => self.content_line(&mut sink),
        }
        match core::mem::replace(&mut self.expects, Expects::Line) {
            Expects::Line => {}
            Expects::Content(_, total) if self.show_content || total == 0 => {}
            Expects::Content(_, octets) => sink(content(octets)),
            Expects::Chunk(left, total) => sink(content(total.saturating_sub(left))),
        }
    }

    /// Takes a stretch of content from `octets` and returns what is behind it.
    fn take_content<'o>(
        &mut self,
        octets: &'o [u8],
        mut decoder: dot::Decoder,
        total: u64,
        sink: &mut impl FnMut(Entry<'_>),
    ) -> &'o [u8] {
        let (read, stretch) = decoder.decode(octets);
        let total = total.saturating_add(stretch.len() as u64);
        self.expects = Expects::Content(decoder, total);
        if self.show_content {
            for &octet in octets.iter().take(read) {
                let mut pushed = self.client.push(octet);
                if let Pushed::EndedBefore = pushed {
                    self.content_line(sink);
                    pushed = self.client.push(octet);
                }
                if let Pushed::Ended = pushed {
                    self.content_line(sink);
                }
            }
        }
        if decoder.ended() {
            self.unanswered = self.unanswered.saturating_add(1);
            self.end_content(total, sink);
        }
        octets.get(read..).unwrap_or_default()
    }

    fn content_line(&mut self, sink: &mut impl FnMut(Entry<'_>)) {
        sink(self.client.line(Speaker::Client));
        self.client.clear();
    }

    fn end_content(&mut self, octets: u64, sink: &mut impl FnMut(Entry<'_>)) {
        let chunk = matches!(self.expects, Expects::Chunk(..));
        self.expects = Expects::Line;
        if chunk || !self.show_content {
            sink(content(octets));
        }
    }

    /// Takes the line in the client's buffer.
    fn client_line(&mut self, sink: &mut impl FnMut(Entry<'_>)) {
        let before = self.unanswered;
        self.unanswered = before.saturating_add(1);
        let text = self.client.text();
        let word = Word::of(text);
        let masked: Option<&[u8]> = match word {
            Word::Auth(shown) => {
                let shown = if self.exchange.is_some() { "" } else { shown };
                self.auth_seen = true;
                self.exchange = Some(before);
                // "AUTH LOGIN" alone holds no secret.
                let bare = text.len() == shown.len() && !shown.is_empty();
                if bare { None } else { Some(shown.as_bytes()) }
            }
            _ if self.exchange.is_some() && text != b"*" => Some(b""),
            Word::Other if self.auth_seen && !text.is_empty() && text != b"*" => Some(b""),
            _ => None,
        };
        if let Some(shown) = masked {
            self.suspicious = self.unanswered;
            sink(Entry {
                speaker: Speaker::Client,
                said: Said::Masked { shown },
            });
            self.client.wipe();
            return;
        }
        let chunk = match word {
            Word::Bdat(octets) => octets,
            Word::Data => {
                self.data = true;
                0
            }
            _ => 0,
        };
        sink(self.client.line(Speaker::Client));
        self.client.wipe();
        if chunk > 0 {
            self.expects = Expects::Chunk(chunk, chunk);
        }
    }

    /// Takes the line in the server's buffer.
    fn server_line(&mut self, sink: &mut impl FnMut(Entry<'_>)) {
        let text = self.server.text();
        let (code, behind) = match text {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => ([*a, *b, *c], rest),
            _ => ([0; 3], text),
        };
        let last = !matches!(behind, [b'-', ..]);
        let shown = behind.get(1..).unwrap_or_default();
        let mask = match &code {
            b"334" => !PROMPTS.contains(&shown) || self.server.left_out() > 0,
            [b'5', b'0', _] | b"555" => self.suspicious > 0,
            [0, ..] => self.suspicious > 0,
            _ => false,
        };
        if mask && !shown.is_empty() {
            let behind_code = EnhancedCode::parse_prefix(shown).map_or(shown, |(_, rest)| rest);
            let keep = if code == [0; 3] || &code == b"334" {
                code.iter().filter(|b| **b != 0).count()
            } else {
                text.len().saturating_sub(behind_code.len())
            };
            let shown = text.get(..keep).unwrap_or_default().trim_ascii_end();
            sink(Entry {
                speaker: Speaker::Server,
                said: Said::Masked { shown },
            });
        } else {
            sink(self.server.line(Speaker::Server));
        }
        self.server.wipe();
        if last && code != [0; 3] {
            self.take_reply(code);
        }
    }

    /// The server's reply with this code is complete.
    fn take_reply(&mut self, code: [u8; 3]) {
        self.greeted = true;
        self.unanswered = self.unanswered.saturating_sub(1);
        self.suspicious = self.suspicious.saturating_sub(1);
        self.exchange = match (&code, self.exchange) {
            // Whatever was counted, responses follow.
            (b"334", None | Some(0)) => Some(0),
            (_, None | Some(0)) => None,
            (_, Some(before)) => Some(before.saturating_sub(1)),
        };
        self.auth_seen |= &code == b"334";
        if &code == b"354" && core::mem::take(&mut self.data) {
            let early = self.client.total;
            self.client.clear();
            self.expects = Expects::Content(dot::Decoder::default(), early);
        } else if self.unanswered == 0 {
            self.data = false;
        }
    }
}

impl<const LINE: usize> fmt::Debug for Transcript<LINE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The buffers may hold secrets.
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
}

const fn content<'a>(octets: u64) -> Entry<'a> {
    Entry {
        speaker: Speaker::Client,
        said: Said::Content { octets },
    }
}

/// What LOGIN servers ask, and the empty challenge of PLAIN: "Username:",
/// "Password:", "User Name\0", "Password\0", also in lower case.
const PROMPTS: [&[u8]; 7] = [
    b"",
    b"VXNlcm5hbWU6",
    b"UGFzc3dvcmQ6",
    b"VXNlciBOYW1lAA==",
    b"UGFzc3dvcmQA",
    b"dXNlcm5hbWU6",
    b"cGFzc3dvcmQ6",
];

/// The beginning of a client line, as far as masking is concerned.
#[derive(Clone, Copy)]
enum Word {
    /// AUTH or what may be meant as such; what may be shown of it.
    Auth(&'static str),
    Bdat(u64),
    Data,
    /// Another command.
    Known,
    /// No known command.
    Other,
}

impl Word {
    fn of(line: &[u8]) -> Self {
        // A careless server may pass over what is no letter.
        let mut letters = line.iter().filter(|b| b.is_ascii_alphabetic());
        let is_auth = b"AUTH"
            .iter()
            .all(|b| letters.next().is_some_and(|l| l.eq_ignore_ascii_case(b)));
        let mut words = line
            .split(|b| b.is_ascii_whitespace() || b.is_ascii_control())
            .filter(|word| !word.is_empty());
        let verb = words.next().unwrap_or_default();
        let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
        if is_auth {
            let mechanism = words.next().and_then(Mechanism::from_name);
            return Self::Auth(match mechanism {
                Some(mechanism) if is("AUTH") => auth_with(mechanism),
                _ => "AUTH",
            });
        }
        if is("BDAT") {
            return Self::Bdat(words.next().and_then(decimal).unwrap_or(0));
        }
        if is("DATA") {
            return Self::Data;
        }
        const OF_FOUR: &[u8] = b"EHLOHELOLHLOMAILRCPTRSETNOOPQUITVRFYEXPNHELPETRN";
        let mut of_four = OF_FOUR.chunks_exact(4);
        let known = of_four.any(|name| verb.eq_ignore_ascii_case(name));
        if known || is("STARTTLS") || is("XCLIENT") {
            Self::Known
        } else {
            Self::Other
        }
    }
}

const fn auth_with(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Plain => "AUTH PLAIN",
        Mechanism::Login => "AUTH LOGIN",
        Mechanism::CramMd5 => "AUTH CRAM-MD5",
        Mechanism::ScramSha1 => "AUTH SCRAM-SHA-1",
        Mechanism::ScramSha1Plus => "AUTH SCRAM-SHA-1-PLUS",
        Mechanism::ScramSha256 => "AUTH SCRAM-SHA-256",
        Mechanism::ScramSha256Plus => "AUTH SCRAM-SHA-256-PLUS",
        Mechanism::XOAuth2 => "AUTH XOAUTH2",
        Mechanism::OAuthBearer => "AUTH OAUTHBEARER",
        Mechanism::External => "AUTH EXTERNAL",
    }
}

/// The beginning of a line that is coming in.
struct LineBuffer<const N: usize> {
    octets: [u8; N],
    /// Octets of the line so far, without a CR that is still undecided.
    total: u64,
    after_cr: bool,
}

enum Pushed {
    Taken,
    Ended,
    /// The line has ended, and the octet belongs to the next one.
    EndedBefore,
}

impl<const N: usize> LineBuffer<N> {
    const fn new() -> Self {
        Self {
            octets: [0; N],
            total: 0,
            after_cr: false,
        }
    }

    fn push(&mut self, octet: u8) -> Pushed {
        match (octet, core::mem::take(&mut self.after_cr)) {
            (b'\n', true) => Pushed::Ended,
            (_, true) => {
                self.keep(b'\r');
                Pushed::EndedBefore
            }
            (b'\r', false) => {
                self.after_cr = true;
                Pushed::Taken
            }
            (b'\n', false) => {
                self.keep(b'\n');
                Pushed::Ended
            }
            _ => {
                self.keep(octet);
                Pushed::Taken
            }
        }
    }

    fn keep(&mut self, octet: u8) {
        let slot = usize::try_from(self.total).ok();
        if let Some(slot) = slot.and_then(|at| self.octets.get_mut(at)) {
            *slot = octet;
        }
        self.total = self.total.saturating_add(1);
    }

    fn text(&self) -> &[u8] {
        usize::try_from(self.total)
            .ok()
            .and_then(|length| self.octets.get(..length))
            .unwrap_or(&self.octets)
    }

    fn left_out(&self) -> u64 {
        self.total.saturating_sub(N as u64)
    }

    fn line(&self, speaker: Speaker) -> Entry<'_> {
        Entry {
            speaker,
            said: Said::Line {
                text: self.text(),
                left_out: self.left_out(),
            },
        }
    }

    fn clear(&mut self) {
        self.total = 0;
        self.after_cr = false;
    }

    fn wipe(&mut self) {
        self.clear();
        self.octets.zeroize();
    }
}

impl<const N: usize> Drop for LineBuffer<N> {
    fn drop(&mut self) {
        self.wipe();
    }
}
