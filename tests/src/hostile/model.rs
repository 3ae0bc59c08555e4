//! A naive second server, for a vocabulary that is small enough to be obviously right.
//!
//! It gets all octets at once, looks for line ends in the plainest way, and knows a command only if it is
//! written exactly as in [`Word`]. What it answers, the machine must answer.

use super::server::{Taken, has_bare_line_end};

/// A command of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// EHLO.
    Ehlo,
    /// HELO.
    Helo,
    /// MAIL from a sender.
    Mail,
    /// MAIL from nobody.
    MailNull,
    /// RCPT to somebody here.
    Rcpt,
    /// RCPT to a stranger.
    RcptStranger,
    /// DATA, and a short message only if the server wants one.
    Data,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// VRFY.
    Vrfy,
    /// EXPN.
    Expn,
    /// HELP.
    Help,
    /// AUTH PLAIN with the right password, where the server takes it in the clear.
    Auth,
    /// AUTH PLAIN with a wrong password.
    AuthWrong,
    /// STARTTLS, at a server that has no TLS.
    StartTls,
    /// No command at all.
    Nonsense,
    /// MAIL with a broken address.
    MailBroken,
    /// RCPT with a broken address.
    RcptBroken,
    /// QUIT.
    Quit,
}

impl Word {
    /// All words.
    pub const ALL: [Self; 19] = [
        Self::Ehlo,
        Self::Helo,
        Self::Mail,
        Self::MailNull,
        Self::Rcpt,
        Self::RcptStranger,
        Self::Data,
        Self::Rset,
        Self::Noop,
        Self::Vrfy,
        Self::Expn,
        Self::Help,
        Self::Auth,
        Self::AuthWrong,
        Self::StartTls,
        Self::Nonsense,
        Self::MailBroken,
        Self::RcptBroken,
        Self::Quit,
    ];

    /// The command line without its CR LF.
    pub const fn line(self) -> &'static str {
        match self {
            Self::Ehlo => "EHLO c.example.org",
            Self::Helo => "HELO c.example.org",
            Self::Mail => "MAIL FROM:<a@example.org>",
            Self::MailNull => "MAIL FROM:<>",
            Self::Rcpt => "RCPT TO:<b@example.org>",
            Self::RcptStranger => "RCPT TO:<x@relay.invalid>",
            Self::Data => "DATA",
            Self::Rset => "RSET",
            Self::Noop => "NOOP",
            Self::Vrfy => "VRFY root",
            Self::Expn => "EXPN all",
            Self::Help => "HELP",
            Self::Auth => "AUTH PLAIN AHVzZXIAczNjcmV0LXB3",
            Self::AuthWrong => "AUTH PLAIN AHVzZXIAczNjcmV0",
            Self::StartTls => "STARTTLS",
            Self::Nonsense => "SMTP",
            Self::MailBroken => "MAIL FROM:<a@>",
            Self::RcptBroken => "RCPT TO:<b@example.org",
            Self::Quit => "QUIT",
        }
    }
}

/// The naive server.
#[derive(Clone, Debug, Default)]
pub struct Model {
    hello: bool,
    mail: Option<String>,
    recipients: Vec<String>,
    authenticated: bool,
    /// What was taken so far.
    pub taken: Vec<Taken>,
    /// Whether QUIT came.
    pub over: bool,
}

impl Model {
    /// The codes of the replies to all these octets.
    pub fn answer_all(&mut self, octets: &[u8]) -> Vec<u16> {
        let mut codes = Vec::new();
        let mut rest = octets;
        while !self.over
            && let Some(end) = find(rest, b"\r\n")
        {
            let (line, behind) = (&rest[..end], &rest[end + 2..]);
            rest = behind;
            let word = Word::ALL
                .into_iter()
                .find(|word| word.line().as_bytes() == line);
            let Some(word) = word else {
                codes.push(500);
                continue;
            };
            let code = self.answer(word);
            codes.push(code);
            if code != 354 {
                continue;
            }
            // The content is what stands in front of the first CRLF.CRLF, and its first line may be the dot.
            let framed = [b"\r\n", rest].concat();
            let Some(dot) = find(&framed, b"\r\n.\r\n") else {
                return codes;
            };
            codes.push(self.judge(&framed[2..dot + 2]));
            rest = &rest[dot + 3..];
        }
        codes
    }

    /// The code of the reply to one command.
    pub fn answer(&mut self, word: Word) -> u16 {
        let idle = self.mail.is_none();
        match word {
            Word::Ehlo | Word::Helo => {
                self.hello = true;
                self.reset();
                250
            }
            Word::MailBroken | Word::RcptBroken => 501,
            Word::Mail | Word::MailNull if !self.hello || !idle => 503,
            Word::Mail | Word::MailNull => {
                let null = word == Word::MailNull;
                self.mail = Some(if null { "" } else { "a@example.org" }.to_owned());
                250
            }
            Word::Rcpt | Word::RcptStranger if idle => 503,
            Word::Rcpt => {
                self.recipients.push("b@example.org".to_owned());
                250
            }
            Word::RcptStranger => 550,
            Word::Data if idle => 503,
            Word::Data if self.recipients.is_empty() => 554,
            Word::Data => 354,
            Word::Rset => {
                self.reset();
                250
            }
            Word::Noop => 250,
            Word::Vrfy => 252,
            Word::Expn | Word::StartTls => 502,
            Word::Help => 214,
            Word::Auth | Word::AuthWrong if self.authenticated || !self.hello || !idle => 503,
            Word::Auth => {
                self.authenticated = true;
                235
            }
            Word::AuthWrong => 535,
            Word::Nonsense => 500,
            Word::Quit => {
                self.over = true;
                221
            }
        }
    }

    /// The code of the reply to a message with this content, dots still added.
    pub fn judge(&mut self, stuffed: &[u8]) -> u16 {
        let from = self.mail.clone().unwrap_or_default();
        let to = self.recipients.clone();
        self.reset();
        if has_bare_line_end(stuffed) {
            return 550;
        }
        let mut content = Vec::new();
        for line in stuffed.split_inclusive(|octet| *octet == b'\n') {
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        self.taken.push(Taken { from, to, content });
        250
    }

    fn reset(&mut self) {
        self.mail = None;
        self.recipients.clear();
    }
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|w| w == what)
}
