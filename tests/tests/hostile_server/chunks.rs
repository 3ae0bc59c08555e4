//! Rows of BDAT among the other commands, against a naive server that knows chunks.

use super::{LINE, WHOLE, clear, talk};
use sansmtp::server::Config;
use sansmtp_tests::hostile::server::{Taken, has_bare_line_end};

/// The largest message, so small that three chunks are over it.
const MOST: usize = 12;
const MESSAGE: &str = "hi\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Ehlo,
    Mail,
    /// MAIL with BODY=BINARYMIME.
    MailBinary,
    Rcpt,
    /// DATA, and [`MESSAGE`] only if the server wants it.
    Data,
    Rset,
    Noop,
    Chunk(&'static str),
    Last(&'static str),
}

/// Chunks that look like commands or like an end, or that part a line end.
const WORDS: [Word; 16] = [
    Word::Ehlo,
    Word::Mail,
    Word::MailBinary,
    Word::Rcpt,
    Word::Data,
    Word::Rset,
    Word::Noop,
    Word::Chunk(""),
    Word::Chunk("hi\r\n"),
    Word::Chunk("a\r"),
    Word::Chunk("RSET\r\n"),
    Word::Chunk("b\nc"),
    Word::Last(""),
    Word::Last("\nb\r\n"),
    Word::Last("\r\n.\r\n"),
    Word::Last("QUIT\r"),
];

impl Word {
    fn octets(self) -> String {
        match self {
            Self::Ehlo => "EHLO c.example.org\r\n".into(),
            Self::Mail => "MAIL FROM:<a@example.org>\r\n".into(),
            Self::MailBinary => "MAIL FROM:<a@example.org> BODY=BINARYMIME\r\n".into(),
            Self::Rcpt => "RCPT TO:<b@example.org>\r\n".into(),
            Self::Data => "DATA\r\n".into(),
            Self::Rset => "RSET\r\n".into(),
            Self::Noop => "NOOP\r\n".into(),
            Self::Chunk(octets) => format!("BDAT {}\r\n{octets}", octets.len()),
            Self::Last(octets) => format!("BDAT {} LAST\r\n{octets}", octets.len()),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Model {
    hello: bool,
    /// Whether a transaction is open, and then whether it is a binary one.
    mail: Option<bool>,
    to: Vec<String>,
    /// What came in chunks.
    content: Option<String>,
    taken: Vec<Taken>,
}

impl Model {
    fn answer(&mut self, word: Word) -> Vec<u16> {
        let code = match word {
            Word::Ehlo => {
                self.hello = true;
                self.reset();
                250
            }
            Word::Rset => {
                self.reset();
                250
            }
            Word::Noop => 250,
            Word::Mail | Word::MailBinary if !self.hello || self.mail.is_some() => 503,
            Word::Mail | Word::MailBinary => {
                self.mail = Some(word == Word::MailBinary);
                250
            }
            Word::Rcpt | Word::Data if self.mail.is_none() || self.content.is_some() => 503,
            Word::Rcpt => {
                self.to.push("b@example.org".into());
                250
            }
            Word::Data if self.mail == Some(true) => 503,
            Word::Data if self.to.is_empty() => 554,
            Word::Data => {
                self.take(MESSAGE.into());
                return vec![354, 250];
            }
            Word::Chunk(octets) => self.chunk(octets, false),
            Word::Last(octets) => self.chunk(octets, true),
        };
        vec![code]
    }

    fn chunk(&mut self, octets: &str, last: bool) -> u16 {
        if self.to.is_empty() {
            return 503;
        }
        let content = self.content.take().unwrap_or_default() + octets;
        if content.len() > MOST {
            self.reset();
            return 552;
        }
        // The LF of a CR at the end may come with the next chunk.
        let whole = match last {
            true => &content,
            false => content.strip_suffix('\r').unwrap_or(&content),
        };
        if self.mail == Some(false) && has_bare_line_end(whole.as_bytes()) {
            self.reset();
            return 550;
        }
        match last {
            true => self.take(content),
            false => self.content = Some(content),
        }
        250
    }

    fn take(&mut self, content: String) {
        self.taken.push(Taken {
            from: "a@example.org".into(),
            to: std::mem::take(&mut self.to),
            content: content.into_bytes(),
        });
        self.reset();
    }

    fn reset(&mut self) {
        self.mail = None;
        self.to.clear();
        self.content = None;
    }
}

fn compare(config: &Config<'_>, row: &[Word], piece: usize) {
    let mut model = Model::default();
    let (mut octets, mut expected) = (String::new(), Vec::new());
    for word in row {
        octets.push_str(&word.octets());
        let codes = model.answer(*word);
        if codes[0] == 354 {
            octets.push_str(MESSAGE);
            octets.push_str(".\r\n");
        }
        expected.extend(codes);
    }
    let played = talk(config, &octets, piece);
    assert_eq!(played.all_codes(), expected, "{octets:?}, piece {piece}");
    assert_eq!(played.taken, model.taken, "{octets:?}, piece {piece}");
    assert!(!played.closed && played.error.is_none(), "{octets:?}");
}

/// Every row of chunks and commands, from the beginning, within a transaction and behind a first chunk.
#[test]
fn every_order_of_chunks() {
    let config = clear().max_size(MOST as u64);
    let rows = |start: &[Word], depth: usize| {
        let mut rows = vec![start.to_vec()];
        let mut from = 0;
        for _ in 0..depth {
            let to = rows.len();
            for at in from..to {
                for word in WORDS {
                    let mut row = rows[at].clone();
                    row.push(word);
                    rows.push(row);
                }
            }
            from = to;
        }
        rows
    };
    let open = |mail| [Word::Ehlo, mail, Word::Rcpt];
    let mut cases = 0;
    for (start, depth) in [
        (&[][..], 3),
        (&open(Word::Mail)[..], 4),
        (&open(Word::MailBinary)[..], 4),
    ] {
        for row in rows(start, depth) {
            compare(&config, &row, WHOLE);
            // The last of a row is what is new in it.
            if row.len() < start.len() + depth {
                compare(&config, &row, 1);
                compare(&config, &row, 3);
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 4_369 + 2 * 69_905);
}

/// A chunk whose size can not be told ends the session: what follows may be content.
#[test]
fn no_content_of_a_chunk_that_was_not_understood_is_a_command() {
    let config = clear();
    let start = "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n";
    let sizes = [
        "",
        "-1",
        "+6",
        "x",
        "0x6",
        "6x",
        "6,",
        "6.0",
        "6e0",
        "\u{b2}",
        "LAST",
        "LAST 6",
        "18446744073709551616",
        "99999999999999999999999999999999999999999",
    ];
    let ends = ["", " LAST", " LAST LAST", " FIRST", "  LAST", "\tLAST"];
    let mut cases = 0;
    for size in sizes {
        for end in ends {
            for piece in [1, 5, WHOLE] {
                let octets = format!("{start}BDAT {size}{end}\r\nQUIT\r\nNOOP\r\n");
                let played = talk(&config, &octets, piece);
                let codes = played.all_codes();
                assert_eq!(codes.len(), 4, "{octets:?} {codes:?}");
                assert!(matches!(codes[3], 500 | 501 | 552), "{octets:?} {codes:?}");
                assert!(played.closed, "{octets:?}");
                assert!(played.taken.is_empty(), "{octets:?}");
                cases += 1;
            }
        }
    }
    // A size that is there with something behind it that is not understood: its octets are no commands.
    for end in [" LAST LAST", " FIRST", "  LAST", " LAST ", " LASTX"] {
        let octets = format!("{start}BDAT 6{end}\r\nQUIT\r\nNOOP\r\n");
        for piece in [1, 5, WHOLE] {
            let played = talk(&config, &octets, piece);
            let codes = played.all_codes();
            assert!(!codes.contains(&221), "{octets:?} {codes:?}");
            cases += 1;
        }
    }
    assert_eq!(cases, 14 * 6 * 3 + 15);
    // A line over the limit is no reason to take what follows for commands.
    let long = format!("{start}BDAT 6 {}\r\nQUIT\r\nNOOP\r\n", "x".repeat(LINE));
    assert!(!talk(&config, &long, WHOLE).all_codes().contains(&221));
}
