//! Messages as their readers see them: golden text, refusals, and the promise
//! that the size of slices changes nothing.
#![cfg(all(feature = "message", feature = "alloc"))]

use proptest::prelude::*;
use sansmtp::message::{
    Address, Attachment, Builder, Content, Date, Field, Message, MessageError, Problem, Progress,
    WriteError, Writer,
};

const ENTROPY: [u8; 16] = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF";

fn author() -> [Address<'static>; 1] {
    [Address::new("Pump 7", "pump7@example.org").unwrap()]
}

fn date() -> Date {
    Date::from_unix(1_057_049_557, 120).unwrap()
}

/// A message that lacks nothing.
fn complete<'a>(from: &'a [Address<'a>]) -> Builder<'a> {
    Builder::new().from(from).date(date()).entropy(ENTROPY)
}

/// Writes a message with slices whose sizes are taken from `sizes` in turn;
/// the content of streamed attachments comes from `contents`.
fn write(
    message: &Message<'_>,
    contents: &[&[u8]],
    sizes: &[usize],
) -> Result<Vec<u8>, WriteError> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut writer = Writer::new(message);
    let mut whole = Vec::new();
    loop {
        let mut out = vec![0; sizes.next().unwrap()];
        // A position can be kept and the writer made anew at any time.
        writer = Writer::resume(message, writer.position());
        match writer.next(&mut out)? {
            Progress::Written(n) => whole.extend_from_slice(&out[..n]),
            Progress::Done => return Ok(whole),
            Progress::NeedAttachment(index) => {
                let mut rest = contents[index];
                while !rest.is_empty() {
                    // It may be asked at any time.
                    assert_eq!(writer.next(&mut out)?, Progress::NeedAttachment(index));
                    let mut out = vec![0; sizes.next().unwrap()];
                    let piece = &rest[..sizes.next().unwrap().min(rest.len())];
                    let (read, written) = writer.attachment(piece, &mut out)?;
                    assert!(read == piece.len() || written == out.len());
                    whole.extend_from_slice(&out[..written]);
                    rest = &rest[read..];
                }
                writer.attachment_end()?;
            }
        }
    }
}

#[test]
fn plain_message() {
    let from = author();
    let to = [
        Address::parse("ops@example.org").unwrap(),
        Address::parse("\"Doe, Jo\" <jo@example.net>").unwrap(),
        Address::parse("Zoë <zoe@example.com>").unwrap(),
    ];
    let daemon = Address::parse("daemon@example.org").unwrap();
    let message = complete(&from)
        .sender(&daemon)
        .reply_to(&to[..1])
        .to(&to)
        .cc(&to[1..2])
        .subject("Pump 7: 93 °C")
        .in_reply_to("<a@b>")
        .references("<x@y> <a@b>")
        .headers(&[
            ("X-Pump", "7"),
            ("List-Unsubscribe", "<https://example.org/u>"),
        ])
        .text("Hot!\n.\nBye")
        .build()
        .unwrap();
    let expected = "Date: Tue, 01 Jul 2003 10:52:37 +0200\r\n\
        From: Pump 7 <pump7@example.org>\r\n\
        Sender: daemon@example.org\r\n\
        Reply-To: ops@example.org\r\n\
        To: ops@example.org, \"Doe, Jo\" <jo@example.net>,\r\n \
        =?utf-8?Q?Zo=C3=AB?= <zoe@example.com>\r\n\
        Cc: \"Doe, Jo\" <jo@example.net>\r\n\
        Subject: =?utf-8?Q?Pump_7=3A_93_=C2=B0C?=\r\n\
        Message-ID: <00112233445566778899AABBCCDDEEFF@example.org>\r\n\
        In-Reply-To: <a@b>\r\n\
        References: <x@y> <a@b>\r\n\
        X-Pump: 7\r\n\
        List-Unsubscribe: <https://example.org/u>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\
        \r\n\
        Hot!\r\n.\r\nBye\r\n";
    assert_eq!(
        String::from_utf8(message.to_vec().unwrap()).unwrap(),
        expected
    );
    let mut out = [0; 289];
    assert_eq!(
        message.message_id(&mut out),
        Some("<00112233445566778899AABBCCDDEEFF@example.org>")
    );
    assert_eq!(message.message_id(&mut out[..45]), None);
}

#[test]
fn all_parts() {
    let from = author();
    let attachments = [
        Attachment::new(
            "log.csv",
            "text/csv; charset=utf-8",
            Content::Bytes(b"1,2\n"),
        ),
        Attachment::new("logo.png", "image/png", Content::Bytes(b"")).inline("logo@example.org"),
        Attachment::new(
            "Übersicht.pdf",
            "application/pdf",
            Content::Streamed { size: Some(3) },
        ),
    ];
    let message = complete(&from)
        .text("Text")
        .html("<b>für</b> alle, die es sehen wollen\n")
        .attachments(&attachments)
        .build()
        .unwrap();
    let expected = "Date: Tue, 01 Jul 2003 10:52:37 +0200\r\n\
        From: Pump 7 <pump7@example.org>\r\n\
        Message-ID: <00112233445566778899AABBCCDDEEFF@example.org>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed;\r\n boundary=\"=_M00112233445566778899AABBCCDDEEFF\"\r\n\
        \r\n--=_M00112233445566778899AABBCCDDEEFF\r\n\
        Content-Type: multipart/alternative;\r\n boundary=\"=_A00112233445566778899AABBCCDDEEFF\"\r\n\
        \r\n--=_A00112233445566778899AABBCCDDEEFF\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\
        \r\n\
        Text\
        \r\n--=_A00112233445566778899AABBCCDDEEFF\r\n\
        Content-Type: multipart/related;\r\n boundary=\"=_R00112233445566778899AABBCCDDEEFF\"\r\n\
        \r\n--=_R00112233445566778899AABBCCDDEEFF\r\n\
        Content-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\
        \r\n\
        <b>f=C3=BCr</b> alle, die es sehen wollen\r\n\
        \r\n--=_R00112233445566778899AABBCCDDEEFF\r\n\
        Content-Type: image/png;\r\n name=\"logo.png\"\r\n\
        Content-Transfer-Encoding: base64\r\n\
        Content-ID: <logo@example.org>\r\n\
        Content-Disposition: inline;\r\n filename=\"logo.png\"\r\n\
        \r\n\
        \r\n--=_R00112233445566778899AABBCCDDEEFF--\
        \r\n--=_A00112233445566778899AABBCCDDEEFF--\
        \r\n--=_M00112233445566778899AABBCCDDEEFF\r\n\
        Content-Type: text/csv; charset=utf-8;\r\n name=\"log.csv\"\r\n\
        Content-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment;\r\n filename=\"log.csv\"\r\n\
        \r\n\
        MSwyCg==\
        \r\n--=_M00112233445566778899AABBCCDDEEFF\r\n\
        Content-Type: application/pdf;\r\n name=\"_bersicht.pdf\"\r\n\
        Content-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment;\r\n filename*=utf-8''%C3%9Cbersicht.pdf\r\n\
        \r\n\
        QUJD\
        \r\n--=_M00112233445566778899AABBCCDDEEFF--\r\n";
    let written = write(&message, &[b"", b"", b"ABC"], &[128]).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), expected);
    assert_eq!(message.exact_len(), Some(expected.len() as u64));
    assert_eq!(
        message.to_vec(),
        Err(WriteError::NotInMemory { attachment: 2 })
    );
}

#[test]
fn refusals_name_the_field() {
    use Problem::*;
    let from = author();
    let two = [from[0], from[0]];
    let complete = complete(&from);
    let long = "x".repeat(901);
    let refused = |builder: Builder<'_>, field, problem, text: &str| {
        let error = builder.build().unwrap_err();
        assert_eq!(error, MessageError { field, problem });
        assert!(error.to_string().starts_with(text), "{error}");
    };
    refused(Builder::new(), Field::From, Missing, "From: missing; ");
    refused(
        complete.from(&two),
        Field::Sender,
        Missing,
        "Sender: missing; ",
    );
    let undated = Builder::new().from(&from).entropy(ENTROPY);
    refused(undated, Field::Date, Missing, "Date: missing; ");
    assert!(undated.server_adds_date().build().is_ok());
    let certain = Builder::new().from(&from).date(date());
    refused(certain, Field::Entropy, Missing, "entropy: missing; ");
    for text in ["a\nBcc: x", "a\r", "\n"] {
        refused(
            complete.subject(text),
            Field::Subject,
            LineBreak,
            "Subject: has a line break; ",
        );
        let headers = [("X-A", "b"), ("X-B", text)];
        let field = Field::HeaderValue(1);
        refused(
            complete.headers(&headers),
            field,
            LineBreak,
            "value of extra header 2: has a ",
        );
    }
    refused(
        complete.subject("a\0"),
        Field::Subject,
        ControlCharacter,
        "Subject: has a control",
    );
    for (name, problem) in [
        ("", Missing),
        ("X A", Syntax),
        ("X:", Syntax),
        ("X\r\nY", LineBreak),
        ("Ü", NotAscii),
        (&long, TooLong),
        ("bcc", Reserved),
        ("SUBJECT", Reserved),
        ("content-type", Reserved),
        ("Message-Id", Reserved),
    ] {
        let headers = [(name, "value")];
        refused(
            complete.headers(&headers),
            Field::HeaderName(0),
            problem,
            "name of extra header 1: ",
        );
    }
    let headers = [("X-A", &long[..])];
    refused(
        complete.headers(&headers),
        Field::HeaderValue(0),
        TooLong,
        "value of extra header 1: ",
    );
    let domain = |domain| complete.message_id_domain(domain);
    refused(
        domain("ü.example"),
        Field::MessageIdDomain,
        NotAscii,
        "domain of the Message-ID: ",
    );
    refused(
        domain("a>b"),
        Field::MessageIdDomain,
        Syntax,
        "domain of the Message-ID: ",
    );
    for (list, problem) in [
        ("", Missing),
        ("a@b", Syntax),
        ("<a@b>,<c@d>", Syntax),
        ("<a>", Syntax),
        ("<a@b>\r\n <c@d>", LineBreak),
        ("<ü@b>", NotAscii),
    ] {
        refused(
            complete.references(list),
            Field::References,
            problem,
            "References: ",
        );
        refused(
            complete.in_reply_to(list),
            Field::InReplyTo,
            problem,
            "In-Reply-To: ",
        );
    }
    let attached = |name, kind, id, field, problem| {
        let mut attachment = Attachment::new(name, kind, Content::Bytes(b""));
        if let Some(id) = id {
            attachment = attachment.inline(id);
        }
        let error = complete.attachments(&[attachment]).build().unwrap_err();
        assert_eq!(error, MessageError { field, problem }, "{kind}");
    };
    for (name, problem) in [
        ("", Missing),
        ("a\nb", LineBreak),
        ("a\tb", ControlCharacter),
        (&long, TooLong),
    ] {
        attached(name, "a/b", None, Field::FileName(0), problem);
    }
    for (kind, problem) in [
        ("", Syntax),
        ("text", Syntax),
        ("text/", Syntax),
        ("text/plain,", Syntax),
        ("text/plain;", Syntax),
        ("text/plain; a", Syntax),
        ("text/plain; a=", Syntax),
        ("text/plain; a=\"b", Syntax),
        ("text/plain; a=b c", Syntax),
        ("text/plain; a=\"b\"; Name=x", Reserved),
        ("text/plain\r\nX: y", LineBreak),
        ("Message/rfc822", Composite),
        ("multipart/mixed; boundary=x", Composite),
    ] {
        attached("f", kind, None, Field::ContentType(0), problem);
    }
    for (id, problem) in [
        ("", Syntax),
        ("<a@b>", Syntax),
        ("a b", Syntax),
        ("a\nb", LineBreak),
    ] {
        attached("f", "a/b", Some(id), Field::ContentId(0), problem);
    }
}

#[test]
fn declared_size_is_held() {
    let from = author();
    let attachments = [Attachment::new(
        "f",
        "a/b",
        Content::Streamed { size: Some(4) },
    )];
    let message = complete(&from).attachments(&attachments).build().unwrap();
    let error = WriteError::SizeMismatch { attachment: 0 };
    assert_eq!(write(&message, &[b"12345"], &[50]), Err(error));
    assert_eq!(write(&message, &[b"123"], &[50]), Err(error));
    assert!(write(&message, &[b"1234"], &[50]).is_ok());

    let mut writer = Writer::new(&message);
    let mut out = [0; 4096];
    assert_eq!(writer.attachment(b"1", &mut out), Err(WriteError::NotAsked));
    assert_eq!(writer.attachment_end(), Err(WriteError::NotAsked));
    assert!(matches!(writer.next(&mut out), Ok(Progress::Written(_))));
    assert_eq!(writer.next(&mut out), Ok(Progress::NeedAttachment(0)));
    assert_eq!(writer.attachment(b"12345", &mut out), Err(error));
    // The failure stays.
    assert_eq!(writer.next(&mut out), Err(error));
    assert_eq!(writer.attachment_end(), Err(error));

    let attachments = [Attachment::new(
        "f",
        "a/b",
        Content::Streamed { size: None },
    )];
    let message = complete(&from).attachments(&attachments).build().unwrap();
    assert_eq!(message.exact_len(), None);
    assert!(write(&message, &[b"any size"], &[50]).is_ok());
}

#[test]
fn work_is_bounded() {
    // Would take minutes if each segment looked at the whole text again.
    let from = author();
    let subject = "ü".repeat(100_000);
    let cjk = "語".repeat(300_000);
    let to = vec![Address::new(&subject, "a@b").unwrap(), from[0]];
    let many = vec![from[0]; 20_000];
    let message = complete(&from)
        .subject(&subject)
        .to(&to)
        .cc(&many)
        .text(&cjk)
        .build()
        .unwrap();
    let whole = write(&message, &[], &[7]).unwrap();
    assert_eq!(message.exact_len(), Some(whole.len() as u64));
}

#[test]
fn a_writer_is_small() {
    assert!(size_of::<Writer<'_, '_>>() <= 64);
}

/// Text with what is special somewhere.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z]{1,9} ",
        1 => Just("\r\n".to_string()),
        1 => "[\r\n \t.=-]{1,3}",
        1 => "\\PC{1,3}",
        1 => Just("\r\n--=_M00".to_string()),
        1 => "x{70,80}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn any_line() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z]{1,9} ",
        1 => "[ \"\\\\=?_(),;.]{1,3}",
        1 => "\\PC{1,30}",
        1 => "x{20,90}",
    ];
    let pieces = prop::collection::vec(piece, 0..20);
    pieces.prop_map(|pieces| pieces.concat().replace(char::is_control, ""))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn slices_change_nothing(
        lines in prop::collection::vec(any_line(), 6),
        text in prop::option::of(any_text()),
        html in prop::option::of(any_text()),
        contents in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), 0..4), 0..4),
        sizes in prop::collection::vec(1_usize..100, 1..9),
    ) {
        let name = |n: usize| match lines[n].trim() { "" => "f", _ => &lines[n] };
        let from = [Address::new(&lines[0], "a@example.org").unwrap()];
        let to: Vec<_> = lines.iter().map(|line| Address::new(line, "b@example.org").unwrap()).collect();
        let headers = [("X-Line", &lines[2][..]), ("X-Other", &lines[3])];
        let attachments: Vec<_> = contents.iter().enumerate().map(|(at, (content, kind))| {
            let known = Content::Streamed { size: Some(content.len()) };
            let content = if kind % 2 == 0 { Content::Bytes(content) } else { known };
            let attachment = Attachment::new(name(at), "application/octet-stream", content);
            if *kind > 1 { attachment.inline("id@x") } else { attachment }
        }).collect();
        let mut builder = complete(&from).to(&to).subject(&lines[1]).headers(&headers).attachments(&attachments);
        if let Some(text) = &text {
            builder = builder.text(text);
        }
        if let Some(html) = &html {
            builder = builder.html(html);
        }
        let Ok(message) = builder.build() else {
            // The lines are long at times.
            return Err(TestCaseError::reject("too long"));
        };
        let contents: Vec<&[u8]> = contents.iter().map(|(content, _)| &content[..]).collect();
        let whole = write(&message, &contents, &[1 << 20]).unwrap();
        prop_assert_eq!(message.exact_len(), Some(whole.len() as u64));
        prop_assert_eq!(&write(&message, &contents, &[1]).unwrap(), &whole);
        prop_assert_eq!(&write(&message, &contents, &sizes).unwrap(), &whole);

        prop_assert!(whole.ends_with(b"\r\n"));
        prop_assert!(whole.iter().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')));
        let whole = String::from_utf8(whole).unwrap();
        let mut header = true;
        for line in whole.strip_suffix("\r\n").unwrap().split("\r\n") {
            prop_assert!(!line.contains(['\r', '\n']));
            prop_assert!(line.len() <= 998);
            header &= !line.is_empty();
            // Only a long word of an unknown header can not be folded.
            let long_word = || lines[2..4].iter().any(|text| text.contains(line.trim()));
            prop_assert!(!header || line.len() <= 78 || long_word(), "{}", line);
            prop_assert!(!header || !line.trim().is_empty());
        }
    }

    #[test]
    fn no_address_brings_a_line_break(text in "\\PC{0,9}[\r\n\0]?\\PC{0,9}(<[a-z@\r\n\".]{0,9}>)?") {
        if let Ok(address) = Address::parse(&text) {
            prop_assert!(!address.mailbox().contains(['\r', '\n', '\0']));
            prop_assert!(!address.name().any(char::is_control));
        }
    }
}
