//! The message writer: whatever the parts are, a naive MIME reader finds them again, and nothing else; the
//! size of the slices makes no difference.

use crate::input::Input;
use crate::naive;
use sansmtp::message::{Address, Attachment, Builder, Content, Date, Message, Progress, Writer};

/// What the writer adds by itself.
const FIELDS: [&str; 9] = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
];

/// Checks a message of parts that are cut out of the octets.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.octet();
    let room = 1 + usize::from(input.octet());
    let mut text = || String::from_utf8_lossy(input.until(0)).into_owned();
    let (name, subject) = (text(), text());
    let (header, value) = (text(), text());
    let (plain, html) = (text(), text());
    let (file_name, content_type) = (text(), text());
    let content = input.rest();
    let Ok(author) = Address::new(&name, "a@example.org") else {
        assert!(name.bytes().any(|b| b.is_ascii_control()), "{name:?}");
        return;
    };
    let authors = [author];
    let headers = [(header.as_str(), value.as_str())];
    let attachments = [Attachment::new(
        &file_name,
        &content_type,
        Content::Bytes(content),
    )];
    let mut builder = Builder::new()
        .from(&authors)
        .to(&authors)
        .subject(&subject)
        .date(Date::from_unix(1_057_049_557, 120).expect("a date"))
        .entropy([0x42; 16]);
    if choice & 1 != 0 {
        builder = builder.headers(&headers);
    }
    if choice & 2 != 0 {
        builder = builder.text(&plain);
    }
    if choice & 4 != 0 {
        builder = builder.html(&html);
    }
    if choice & 8 != 0 {
        builder = builder.attachments(&attachments);
    }
    let message = match builder.build() {
        Ok(message) => message,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let whole = message.to_vec().expect("all is in memory");
    assert_eq!(whole.len() as u64, message.exact_len().expect("a length"));
    if whole.len() < 4_000 {
        assert_eq!(write(&message, room), whole);
    }
    is_well_formed(&whole);

    let part = Part::read(&whole);
    let header_is = |field: &str, expected: &str| {
        let all: Vec<&str> = part.all(field).collect();
        assert_eq!(all.len(), 1, "{field} in {:?}", part.headers);
        assert_eq!(squeezed(&words(all[0])), squeezed(expected), "{field}");
    };
    header_is("Subject", &subject);
    if choice & 1 != 0 {
        header_is(&header, &value);
    }
    let to = part.all("To").next().expect("To");
    assert!(
        to.ends_with("a@example.org") || to.ends_with("<a@example.org>"),
        "{to:?}"
    );
    // Nothing got in besides.
    for (name, _) in &part.headers {
        let own = choice & 1 != 0 && *name == header;
        assert!(own || FIELDS.contains(&name.as_str()), "{name} got in");
        assert_eq!(part.all(name).count(), 1, "{name} stands twice");
    }

    let mut leaves = Vec::new();
    part.leaves(&mut leaves);
    let wanted = [choice & 2, choice & 4, choice & 8]
        .into_iter()
        .filter(|bit| *bit != 0);
    assert_eq!(
        leaves.len(),
        wanted.count().max(1),
        "{}",
        String::from_utf8_lossy(&whole)
    );
    let mut leaves = leaves.into_iter();
    for (bit, text) in [(2, &plain), (4, &html)] {
        if choice & bit != 0 {
            let found = leaves.next().expect("a part").decoded();
            assert_eq!(lines(&found), lines(text.as_bytes()));
        }
    }
    if choice & 8 != 0 {
        let found = leaves.last().expect("an attachment");
        assert_eq!(found.decoded(), content);
    }
}

/// Writes with slices of one size.
fn write(message: &Message<'_>, room: usize) -> Vec<u8> {
    let mut writer = Writer::new(message);
    let (mut whole, mut out) = (Vec::new(), vec![0; room]);
    loop {
        writer = Writer::resume(message, writer.position());
        match writer.next(&mut out).expect("no error") {
            Progress::Written(n) => whole.extend_from_slice(&out[..n]),
            Progress::Done => return whole,
            Progress::NeedAttachment(_) => unreachable!("all is in memory"),
        }
    }
}

/// 7-bit lines of at most 998 characters that end with CR LF.
fn is_well_formed(message: &[u8]) {
    assert!(message.ends_with(b"\r\n") && !naive::has_bare(message));
    for line in message.split(|&b| b == b'\n') {
        assert!(line.len() <= 999, "{:?}", String::from_utf8_lossy(line));
        assert!(line.iter().all(|&b| b < 128 && b != 0 || b == b'\r'));
    }
}

/// A header or body part: its unfolded headers and its body.
struct Part<'a> {
    headers: Vec<(String, String)>,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    fn read(octets: &'a [u8]) -> Self {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut rest = octets;
        loop {
            let at = rest.windows(2).position(|two| two == b"\r\n");
            let at = at.expect("headers end with an empty line");
            let line = std::str::from_utf8(&rest[..at]).expect("ASCII");
            rest = &rest[at + 2..];
            if line.is_empty() {
                return Self {
                    headers,
                    body: rest,
                };
            }
            if line.starts_with([' ', '\t']) {
                headers
                    .last_mut()
                    .expect("a header to continue")
                    .1
                    .push_str(line);
            } else {
                let (name, value) = line.split_once(':').expect("a colon");
                headers.push((name.to_owned(), value.trim_start().to_owned()));
            }
        }
    }

    fn all<'s>(&'s self, field: &str) -> impl Iterator<Item = &'s str> {
        let field = field.to_owned();
        self.headers
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(&field))
            .map(|(_, value)| value.as_str())
    }

    fn leaves(self, found: &mut Vec<Part<'a>>) {
        let kind = self.all("Content-Type").next().expect("a type").to_owned();
        if !kind.starts_with("multipart/") {
            return found.push(self);
        }
        let (_, boundary) = kind.split_once("boundary=").expect("a boundary");
        let boundary = boundary.trim_matches('"');
        let delimiter = format!("\r\n--{boundary}");
        // The first delimiter may stand at the very beginning.
        let start = self.body.len().min(delimiter.len() - 2);
        let mut rest = if self.body[..start] == delimiter.as_bytes()[2..] {
            &self.body[start..]
        } else {
            let at = find(self.body, delimiter.as_bytes()).expect("a delimiter");
            &self.body[at + delimiter.len()..]
        };
        while !rest.starts_with(b"--") {
            let end = find(rest, delimiter.as_bytes()).expect("a closing delimiter");
            let inside = rest[..end]
                .strip_prefix(b"\r\n")
                .expect("a line of its own");
            Part::read_padded(inside).leaves(found);
            rest = &rest[end + delimiter.len()..];
        }
        // The CR LF belongs to the delimiter of the part around this one.
        assert!(rest == b"--\r\n" || rest == b"--", "{rest:?}");
    }

    /// A part whose body may be empty: then its CR LF went with the delimiter.
    fn read_padded(inside: &'a [u8]) -> Self {
        if find(inside, b"\r\n\r\n").is_none() && !inside.starts_with(b"\r\n") {
            let mut whole = inside.to_vec();
            whole.extend_from_slice(b"\r\n\r\n");
            let headers = Part::read(&whole).headers;
            return Self { headers, body: &[] };
        }
        Self::read(inside)
    }

    fn decoded(&self) -> Vec<u8> {
        let encoding = self
            .all("Content-Transfer-Encoding")
            .next()
            .unwrap_or("7bit");
        match encoding {
            "base64" => {
                let text: Vec<u8> = self
                    .body
                    .iter()
                    .copied()
                    .filter(|b| !b"\r\n".contains(b))
                    .collect();
                naive::base64(&text).expect("base64")
            }
            "quoted-printable" => {
                let mut decoded = Vec::new();
                for line in String::from_utf8_lossy(self.body).split_inclusive("\r\n") {
                    assert!(line.len() <= 78, "{line:?}");
                    match line.strip_suffix("=\r\n") {
                        Some(soft) => decoded.extend(unquote(soft, '=')),
                        None => decoded.extend(unquote(line, '=')),
                    }
                }
                decoded
            }
            other => {
                assert_eq!(other, "7bit");
                self.body.to_vec()
            }
        }
    }
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|it| it == what)
}

fn unquote(text: &str, mark: char) -> Vec<u8> {
    let mut parts = text.split(mark);
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at(2);
        octets.push(u8::from_str_radix(hex, 16).expect("two hexadecimal digits"));
        octets.extend_from_slice(rest.as_bytes());
    }
    octets
}

/// The text of a header with encoded words (RFC 2047).
fn words(value: &str) -> String {
    let mut text = String::new();
    let mut octets: Vec<u8> = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let found = rest
            .match_indices("=?")
            .find_map(|(at, _)| word(&rest[at..]).map(|(octets, length)| (at, octets, length)));
        let (at, word, length) = found.unwrap_or((rest.len(), Vec::new(), 0));
        // White space between two words has no meaning.
        if octets.is_empty() || !rest[..at].trim().is_empty() || length == 0 {
            let whole = String::from_utf8(std::mem::take(&mut octets));
            text.push_str(&whole.expect("whole characters"));
            text.push_str(&rest[..at]);
        }
        octets.extend(word);
        rest = &rest[at + length..];
    }
    text + &String::from_utf8(octets).expect("whole characters")
}

/// The encoded word at the beginning: its octets and its length.
fn word(text: &str) -> Option<(Vec<u8>, usize)> {
    let mut parts = text.strip_prefix("=?")?.splitn(4, '?');
    let (charset, kind, inside) = (parts.next()?, parts.next()?, parts.next()?);
    let odd = |part: &str| part.is_empty() || part.contains([' ', '\t']);
    if odd(charset) || odd(inside) || !parts.next()?.starts_with('=') {
        return None;
    }
    let octets = match kind {
        "Q" | "q" => unquote(&inside.replace('_', " "), '='),
        "B" | "b" => naive::base64(inside.as_bytes()).expect("base64"),
        _ => return None,
    };
    assert!(
        charset.eq_ignore_ascii_case("utf-8"),
        "a foreign word: {text:?}"
    );
    let length = charset.len() + kind.len() + inside.len() + 6;
    assert!(length <= 75, "a long word: {text:?}");
    Some((octets, length))
}

/// Without the white space around it, which has no meaning.
fn squeezed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The lines of a text, whatever they end with.
fn lines(text: &[u8]) -> Vec<u8> {
    let mut text = naive::crlf(text);
    if !text.is_empty() && !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    text
}
