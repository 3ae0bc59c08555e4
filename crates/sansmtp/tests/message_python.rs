//! Python's `email` package reads what the writer wrote: fields, structure,
//! bodies and attachments must come back as they went in, without a defect.
#![cfg(all(feature = "message", feature = "alloc"))]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use sansmtp::message::{Address, Attachment, Builder, Content, Date};

const MESSAGES: u64 = 400;

/// Reads one message in hexadecimal per line; prints what is in it, one
/// `key value` per line, the value in hexadecimal, and `end` after each message.
const READER: &str = r#"
import email, email.policy, sys
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime

def show(key, value):
    if isinstance(value, str):
        value = value.encode()
    print(key, value.hex())

def unfold(value):
    return value.replace("\r\n", "")

def decode(value):
    return str(make_header(decode_header(value)))

for line in sys.stdin:
    raw = bytes.fromhex(line)
    message = email.message_from_bytes(raw)
    for key in ("From", "Sender", "Reply-To", "To", "Cc"):
        assert len(message.get_all(key, [])) < 2
        for name, mailbox in getaddresses([unfold(v) for v in message.get_all(key, [])]):
            show(key, decode(name) + "|" + mailbox)
    for key in ("Subject", "X-Line"):
        if key in message:
            show(key, decode(unfold(message[key])))
    when = parsedate_to_datetime(message["Date"])
    zone = int(when.utcoffset().total_seconds()) // 60
    show("Date", f"{int(when.timestamp())} {zone}")
    show("Message-ID", unfold(message["Message-ID"]).strip())
    if "References" in message:
        show("References", unfold(message["References"]).strip())
    show("MIME-Version", message["MIME-Version"])
    for part in message.walk():
        show("type", part.get_content_type())
        if part.is_multipart():
            continue
        if part.get_content_maintype() == "text" and part.get_content_disposition() is None:
            show("charset", part.get_content_charset())
        else:
            show("disposition", part.get_content_disposition())
            show("file", part.get_filename())
            show("id", part["Content-ID"] or "")
        content = part.get_payload(decode=True)
        # The last line end is added to a lone text, except in base64.
        if part is message and content and not content.endswith(b"\r\n"):
            assert part["Content-Transfer-Encoding"] == "base64"
            content += b"\r\n"
        show("content", content)
    # The strict reader must have nothing to complain about.
    strict = email.message_from_bytes(raw, policy=email.policy.default)
    for part in strict.walk():
        for defect in part.defects:
            show("defect", repr(defect))
        for key, value in part.items():
            for defect in value.defects:
                show("defect", key + ": " + repr(defect))
    print("end")
"#;

#[test]
fn python_reads_what_was_written() {
    let (mut input, mut expected) = (String::new(), Vec::new());
    for seed in 0..MESSAGES {
        let (message, facts) = random_message(&mut Random(seed * 2 + 1));
        input.push_str(&hex(&message));
        input.push('\n');
        expected.push((message, facts));
    }
    let mut python = Command::new("python3")
        .args(["-c", READER])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs python3 in the PATH");
    let mut stdin = python.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().unwrap();
    feeder.join().unwrap().expect("python3 read all messages");
    assert!(output.status.success(), "the reader failed, see above");
    let output = String::from_utf8(output.stdout).unwrap();
    let read: Vec<&str> = output.split_terminator("end\n").collect();
    assert_eq!(read.len(), expected.len());
    for (read, (message, facts)) in read.iter().zip(&expected) {
        if read != facts {
            let message = String::from_utf8_lossy(message);
            let same = read.lines().zip(facts.lines()).take_while(|(a, b)| a == b);
            let same = same.count();
            let next = |lines: &str| lines.lines().nth(same).map(plain_text);
            let (read, fact) = (next(read), next(facts));
            panic!("{message}\nread     {read:?}\nexpected {fact:?}");
        }
    }
}

/// A message and what must be read from it.
fn random_message(random: &mut Random) -> (Vec<u8>, String) {
    let mut facts = String::new();
    let mut fact = |key: &str, value: &[u8]| writeln!(facts, "{key} {}", hex(value)).unwrap();

    let names: Vec<String> = (0..8).map(|_| random.line(5)).collect();
    let quoted = names[0].replace('\\', "\\\\").replace('"', "\\\"");
    let quoted = format!("\"{quoted}\" <first@example.org>");
    let mut addresses = vec![Address::parse(&quoted).unwrap()];
    for name in &names {
        let mailbox = ["a@b", "\"x y\"@example.org", "jo.o'hara+tag@x-1.example"][random.below(3)];
        addresses.push(Address::new(name, mailbox).unwrap());
    }
    let mut some = |most: usize| &addresses[..random.below(most + 1)];
    let (sender, reply_to, to, cc) = (some(1), some(2), some(9), some(3));
    for (key, list) in [
        ("From", &addresses[1..2]),
        ("Sender", sender),
        ("Reply-To", reply_to),
        ("To", to),
        ("Cc", cc),
    ] {
        for address in list {
            let name: String = address.name().collect();
            fact(key, format!("{name}|{}", address.mailbox()).as_bytes());
        }
    }

    let (subject, line) = (random.line(40), random.line(40));
    fact("Subject", subject.trim_matches(' ').as_bytes());
    fact("X-Line", line.trim_matches(' ').as_bytes());
    let seconds = random.next() as i64 % 60_000_000_000;
    let offset = random.below(2879) as i16 - 1439;
    fact("Date", format!("{seconds} {offset}").as_bytes());
    let entropy = u128::from(random.next()).to_be_bytes();
    let id = format!("<{}@example.org>", hex(&entropy).to_uppercase());
    fact("Message-ID", id.as_bytes());
    let references = vec!["<a.b-c@d.example>"; random.below(12)].join(" ");
    if !references.is_empty() {
        fact("References", references.as_bytes());
    }
    fact("MIME-Version", b"1.0");

    let text = (random.below(3) > 0).then(|| random.text());
    let html = (random.below(3) == 0).then(|| random.text());
    let files: Vec<(String, Vec<u8>, bool)> = (0..random.below(4))
        .map(|_| {
            let name = format!("{}.x", random.line(12));
            let content = (0..random.below(300))
                .map(|_| random.next() as u8)
                .collect();
            (name, content, random.below(2) == 0)
        })
        .collect();
    let attachments: Vec<Attachment<'_>> = files
        .iter()
        .map(|(name, content, inline)| {
            let attachment = Attachment::new(name, "image/png; a=\"b c\"", Content::Bytes(content));
            if *inline {
                attachment.inline("id@x")
            } else {
                attachment
            }
        })
        .collect();

    let related = |inline| inline && html.is_some();
    let mixed = files.iter().any(|file| !related(file.2));
    let single =
        !(mixed || files.iter().any(|file| related(file.2)) || text.is_some() && html.is_some());
    let body = |kind: &str, text: &str| {
        let mut text = text.replace("\r\n", "\n").replace(['\r', '\n'], "\r\n");
        if single && !text.is_empty() && !text.ends_with("\r\n") {
            text.push_str("\r\n");
        }
        vec![
            ("type", kind.into()),
            ("charset", b"utf-8".into()),
            ("content", text.into_bytes()),
        ]
    };
    let file = |(name, content, inline): &(String, Vec<u8>, bool)| {
        let (disposition, id) = if *inline {
            ("inline", "<id@x>")
        } else {
            ("attachment", "")
        };
        vec![
            ("type", b"image/png".to_vec()),
            ("disposition", disposition.into()),
            // Python strips white space around file names.
            ("file", name.trim().into()),
            ("id", id.into()),
            ("content", content.clone()),
        ]
    };
    let mut parts: Vec<(&str, Vec<u8>)> = Vec::new();
    if mixed {
        parts.push(("type", b"multipart/mixed".into()));
    }
    if text.is_some() && html.is_some() {
        parts.push(("type", b"multipart/alternative".into()));
    }
    match &text {
        Some(text) => parts.extend(body("text/plain", text)),
        None if html.is_none() && files.is_empty() => parts.extend(body("text/plain", "")),
        None => {}
    }
    if files.iter().any(|file| related(file.2)) {
        parts.push(("type", b"multipart/related".into()));
    }
    if let Some(html) = &html {
        parts.extend(body("text/html", html));
    }
    parts.extend(files.iter().filter(|file| related(file.2)).flat_map(file));
    parts.extend(files.iter().filter(|file| !related(file.2)).flat_map(file));
    for (key, value) in parts {
        fact(key, &value);
    }

    let headers = [("X-Line", &line[..])];
    let mut builder = Builder::new()
        .from(&addresses[1..2])
        .reply_to(reply_to)
        .to(to)
        .cc(cc)
        .subject(&subject)
        .headers(&headers)
        .date(Date::from_unix(seconds, offset).unwrap())
        .entropy(entropy)
        .message_id_domain("example.org")
        .attachments(&attachments);
    if let Some(sender) = sender.first() {
        builder = builder.sender(sender);
    }
    if !references.is_empty() {
        builder = builder.references(&references);
    }
    if let Some(text) = &text {
        builder = builder.text(text);
    }
    if let Some(html) = &html {
        builder = builder.html(html);
    }
    (builder.build().unwrap().to_vec().unwrap(), facts)
}

/// A line of facts for a person to read.
fn plain_text(line: &str) -> String {
    let (key, value) = line.split_once(' ').unwrap_or((line, ""));
    let pairs = value.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| std::str::from_utf8(pair).unwrap());
    let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap());
    let bytes: Vec<u8> = bytes.collect();
    format!("{key} {}", String::from_utf8_lossy(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) >> 1
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pieces(&mut self, most: usize, pieces: &[&str]) -> String {
        let count = self.below(most + 1);
        (0..count)
            .map(|_| pieces[self.below(pieces.len())])
            .collect()
    }

    /// Half of the lines are plain words.
    fn line(&mut self, most: usize) -> String {
        const WORDS: [&str; 8] = [
            "one ",
            "Two ",
            "three-3 ",
            "x",
            "and more ",
            "O'Hara ",
            "a.b ",
            "/",
        ];
        const MORE: [&str; 22] = [
            "word ",
            "und ",
            "für ",
            "ß",
            "日本語",
            "😀",
            "e\u{301}",
            " ",
            "  ",
            "\"",
            "\\",
            "=?",
            "?=",
            "_",
            "(",
            ",",
            "; ",
            "%41",
            "=?utf-8?Q?x?= ",
            "'",
            "\u{a0}",
            "looooooooooooooooooooooooooooooooong",
        ];
        match self.below(2) {
            0 => self.pieces(most, &WORDS),
            _ => self.pieces(most, &MORE),
        }
    }

    fn text(&mut self) -> String {
        const PLAIN: [&str; 8] = [
            "Some words. ",
            "\n",
            "\r\n",
            "\t",
            ".",
            "=",
            "\n.\n",
            "From ",
        ];
        const MORE: [&str; 14] = [
            "Some words. ",
            "\n",
            "\r",
            "für ",
            "ß",
            "日本語",
            "😀",
            " \n",
            "\n--=_M00\n",
            "\n\n",
            "\u{1b}[1m",
            "x=3D",
            "looooooooooooooooooooooooooooooooooooooooooong",
            "\u{2028}",
        ];
        let most = self.below(120);
        match self.below(3) {
            0 => self.pieces(most, &PLAIN),
            1 => self.pieces(most, &MORE),
            _ => self.pieces(most, &MORE[3..7]),
        }
    }
}
