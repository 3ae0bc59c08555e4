//! Families of hostile servers against the client machine, without sockets: every neighbour of each case.

use sansmtp::auth::Credentials;
use sansmtp::client::Query;
use sansmtp::config::{Config, EhloName, Host};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::error::Error;
use sansmtp::wire::param::{Orcpt, Xtext};
use sansmtp::wire::path::{ForwardPath, Mailbox, ReversePath};
use sansmtp_tests::Security;
use sansmtp_tests::hostile::class;
use sansmtp_tests::hostile::client::{Act, Played, contains, play};
use sansmtp_tests::hostile::server::has_bare_line_end;

const WHOLE: usize = 1 << 16;
const BODY: &str = "Subject: t\r\nFrom: <a@example.org>\r\n\r\nline\r\n.dot\r\n..two\r\nend\r\n";
/// The password, as it is, and as PLAIN and LOGIN send it.
const SECRETS: [&str; 3] = ["s3cret-pw", "AHVzZXIAczNjcmV0LXB3", "czNjcmV0LXB3"];

/// What a dialogue is like besides the replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// No TLS, nobody logs in.
    Plain,
    /// The same, and the server offers PIPELINING and more.
    Pipelined,
    /// STARTTLS, then AUTH PLAIN.
    StartTls,
    /// TLS from the beginning, then AUTH LOGIN.
    ImplicitTls,
}

const KINDS: [Kind; 4] = [
    Kind::Plain,
    Kind::Pipelined,
    Kind::StartTls,
    Kind::ImplicitTls,
];

impl Kind {
    fn config(self) -> Config<'static> {
        let security = match self {
            Self::Plain | Self::Pipelined => Security::DangerPlaintext,
            Self::StartTls => Security::StartTls,
            Self::ImplicitTls => Security::ImplicitTls,
        };
        let config = Config::new("localhost", security).unwrap();
        match self {
            Self::Plain | Self::Pipelined => config,
            _ => config.credentials(Credentials::password("user", "s3cret-pw").unwrap()),
        }
    }

    /// A server without fault.
    fn good(self) -> Vec<Act> {
        let reply = |text: &str| Act::reply(text);
        let mut acts = match self {
            Self::Plain => vec![reply("220 mx ESMTP\r\n"), reply("250 mx\r\n")],
            Self::Pipelined => vec![
                reply("220 mx ESMTP\r\n"),
                reply(
                    "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 1000000\r\n250 SMTPUTF8\r\n",
                ),
            ],
            Self::StartTls => vec![
                reply("220 mx ESMTP\r\n"),
                reply("250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"),
                reply("220 go\r\n"),
                Act::Tls,
                reply("250-mx\r\n250 AUTH PLAIN\r\n"),
                reply("235 ok\r\n"),
            ],
            Self::ImplicitTls => vec![
                Act::Tls,
                reply("220 mx ESMTP\r\n"),
                reply("250-mx\r\n250 AUTH LOGIN\r\n"),
                reply("334 VXNlcm5hbWU6\r\n"),
                reply("334 UGFzc3dvcmQ6\r\n"),
                reply("235 ok\r\n"),
            ],
        };
        acts.extend([
            reply("250 2.1.0 ok\r\n"),
            reply("250 2.1.5 ok\r\n"),
            reply("354 go\r\n"),
            Act::Content,
            reply("250 2.0.0 ok\r\n"),
            reply("221 bye\r\n"),
        ]);
        acts
    }

    fn run(self, acts: &[Act]) -> Played {
        self.run_in(acts, WHOLE, WHOLE)
    }

    fn run_in(self, acts: &[Act], piece: usize, room: usize) -> Played {
        let recipients = [Recipient::parse("b@example.org").unwrap()];
        let envelope = Envelope::new(ReversePath::parse("a@example.org").unwrap(), &recipients);
        let config = self.config();
        let played = play(&config, &envelope, BODY.as_bytes(), acts, piece, room);
        self.check(&played);
        played
    }

    /// What holds whatever the server does.
    fn check(self, played: &Played) {
        let shown = || format!("{self:?} {}", String::from_utf8_lossy(&played.sent));
        for secret in SECRETS {
            assert!(
                !contains(played.sent_clear(), secret) || self == Self::ImplicitTls,
                "{}",
                shown()
            );
        }
        assert!(!has_bare_line_end(&played.sent), "{}", shown());
        if played.class == class::NONE {
            assert!(
                played.has_sent("\r\n..dot\r\n...two\r\nend\r\n.\r\n"),
                "{}",
                shown()
            );
        }
        let sent = String::from_utf8_lossy(&played.sent);
        let once = ["MAIL FROM", "RCPT TO", "DATA\r\n", "Subject: t", "QUIT"];
        assert!(
            once.iter().all(|word| sent.matches(word).count() <= 1),
            "{}",
            shown()
        );
    }
}

/// Where the replies are among the acts, without the farewell, whose content nobody needs.
fn replies(acts: &[Act]) -> Vec<usize> {
    let mut at: Vec<usize> = (0..acts.len())
        .filter(|at| matches!(acts[*at], Act::Reply(_)))
        .collect();
    at.pop();
    at
}

/// What is expected if the reply number `stage` of the kind has this code.
fn expected(kind: Kind, stage: usize, code: u16) -> Vec<&'static str> {
    let names: &[&str] = match kind {
        Kind::Plain | Kind::Pipelined => &["greeting", "ehlo", "mail", "rcpt", "data", "end"],
        Kind::StartTls => &[
            "greeting", "ehlo", "starttls", "ehlo", "auth", "mail", "rcpt", "data", "end",
        ],
        Kind::ImplicitTls => &[
            "greeting", "ehlo", "user", "password", "auth", "mail", "rcpt", "data", "end",
        ],
    };
    let name = names[stage];
    if !(200..600).contains(&code) {
        return match name {
            "end" => vec![class::UNKNOWN],
            "user" | "password" | "auth" => vec![class::AUTH],
            "starttls" => vec![class::TLS],
            _ => vec![class::PROTOCOL],
        };
    }
    let refusal = match code {
        400..500 => Some(class::TRANSIENT),
        500.. => Some(class::REJECTED),
        _ => None,
    };
    match (name, refusal, code) {
        // The client says HELO instead, gets the next reply for it, and the rest does not fit.
        ("ehlo", Some(class::REJECTED), _) if kind == Kind::StartTls && stage == 1 => {
            vec![class::TLS]
        }
        ("ehlo", Some(class::REJECTED), _) => {
            vec![
                class::PROTOCOL,
                class::AUTH,
                class::CLOSED,
                class::TIMEOUT,
                class::REJECTED,
                class::UNKNOWN,
            ]
        }
        ("user" | "password" | "auth", Some(_), _) => vec![class::AUTH],
        // The script goes on with leave for a content that nobody asked for any more.
        ("mail", Some(_), _) if kind == Kind::Pipelined && code != 421 => vec![class::PROTOCOL],
        (_, Some(refusal), _) => vec![refusal],
        ("greeting", _, 220) | ("ehlo", _, 250) | ("starttls", _, 220) | ("auth", _, 235) => {
            vec![class::NONE]
        }
        ("user" | "password", _, 334) | ("data", _, 354) => vec![class::NONE],
        // A greeting or a goodbye is no verdict.
        ("end", _, 220 | 221) => vec![class::UNKNOWN],
        ("mail" | "rcpt" | "end", _, 200..300) => vec![class::NONE],
        // Too early: the rest of the script does not fit.
        ("user" | "password", _, 235) => vec![class::PROTOCOL, class::AUTH, class::UNKNOWN],
        ("user" | "password" | "auth", _, _) => vec![class::AUTH],
        ("starttls", _, _) => vec![class::TLS],
        ("end", _, _) => vec![class::UNKNOWN],
        _ => vec![class::PROTOCOL],
    }
}

#[test]
fn every_code_at_every_stage() {
    let mut cases = 0;
    for kind in KINDS {
        let good = kind.good();
        assert_eq!(kind.run(&good).class, class::NONE, "{kind:?}");
        for (stage, at) in replies(&good).into_iter().enumerate() {
            for code in 0..1000 {
                for form in ["{} x\r\n", "{}\r\n", "{}-a\r\n{}-b\r\n{} c\r\n"] {
                    let mut acts = good.clone();
                    let offers = match &good[at] {
                        Act::Reply(text) if text.starts_with(b"250-") => {
                            let text = String::from_utf8(text.clone()).unwrap();
                            text.replace("250", &format!("{code:03}"))
                        }
                        _ => form.replace("{}", &format!("{code:03}")),
                    };
                    acts[at] = Act::reply(&offers);
                    let played = kind.run(&acts);
                    let expected = expected(kind, stage, code);
                    assert!(
                        expected.contains(&played.class),
                        "{kind:?} {stage} {offers:?}: {played:?}"
                    );
                    if played.class != class::NONE && stage < replies(&good).len() - 1 {
                        let early = matches!(code, 235 | 500..600);
                        assert!(
                            early || !played.has_sent("Subject: t"),
                            "{kind:?} {stage} {offers:?}"
                        );
                    }
                    cases += 1;
                }
            }
        }
    }
    assert!(cases >= 90_000, "{cases}");
}

#[test]
fn every_malformed_reply_at_every_stage() {
    let malformed = [
        "\r\n",
        " \r\n",
        "2\r\n",
        "25\r\n",
        "2500\r\n",
        "25O ok\r\n",
        "abc\r\n",
        " 250 ok\r\n",
        "\t250 ok\r\n",
        "250_ok\r\n",
        "250\tok\r\n",
        "250=ok\r\n",
        "250\0ok\r\n",
        "+250 ok\r\n",
        "-250 ok\r\n",
        "2 50 ok\r\n",
        "\u{ff12}50 ok\r\n",
        "OK\r\n",
        "HTTP/1.1 200 OK\r\n",
        "* OK IMAP4\r\n",
        "+OK POP3\r\n",
        "SSH-2.0-x\r\n",
        "\x16\x03\x01\r\n",
        "250 ok\n250 ok\r\n",
        "250 ok\n\r\n",
        "250 ok\r\r\n",
        "250 a\rb\r\n",
        "\n250 ok\r\n",
        "250-a\r\n251 b\r\n",
        "250-a\r\n550 b\r\n",
        "250-a\r\nb\r\n",
        "250-a\r\n250\tb\r\n",
        "250-a\n250 b\r\n",
        "550-a\r\n250 b\r\n",
        "250-a\r\n\r\n",
        "000 ok\r\n",
        "999 ok\r\n",
        "199 ok\r\n",
        "600 ok\r\n",
        "0250 ok\r\n",
        "025 ok\r\n",
        "\0\0\0\r\n",
        "250ok\r\n",
        "\u{feff}250 ok\r\n",
    ];
    let mut cases = 0;
    for kind in KINDS {
        let good = kind.good();
        for at in replies(&good) {
            for text in malformed {
                for piece in [1, WHOLE] {
                    let mut acts = good.clone();
                    acts[at] = Act::reply(text);
                    let played = kind.run_in(&acts, piece, WHOLE);
                    let fits = [class::PROTOCOL, class::AUTH, class::TLS, class::UNKNOWN];
                    assert!(
                        fits.contains(&played.class),
                        "{kind:?} {at} {text:?}: {played:?}"
                    );
                    assert!(
                        matches!(played.error, Some(Error::Peer { .. })),
                        "{text:?}: {played:?}"
                    );
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 2_500, "{cases}");
}

#[test]
fn more_replies_than_commands() {
    let extras = [
        "250 extra\r\n",
        "550 no\r\n",
        "354 go\r\n",
        "235 ok\r\n",
        "220 go\r\n",
        "250-x\r\n",
        "999 x\r\n",
        "\r\n",
        "2",
    ];
    let mut cases = 0;
    for kind in KINDS {
        let good = kind.good();
        for at in replies(&good) {
            for extra in extras {
                for piece in [1, 3, WHOLE] {
                    let Act::Reply(text) = &good[at] else {
                        continue;
                    };
                    let mut acts = good.clone();
                    acts[at] = Act::Reply([text.as_slice(), extra.as_bytes()].concat());
                    // The verdict must not be told by what was said too early.
                    let end = acts.len() - 2;
                    if at != end {
                        acts[end] = Act::reply("550 refused\r\n");
                        // What comes behind the final dot is the verdict, whatever the server
                        // thinks it answers.
                        let in_time = text.starts_with(b"354")
                            && ["250 extra\r\n", "235 ok\r\n", "220 go\r\n"].contains(&extra);
                        if in_time && piece != WHOLE {
                            continue;
                        }
                        let played = kind.run_in(&acts, piece, WHOLE);
                        assert_ne!(played.class, class::NONE, "{kind:?} {at} {extra:?} {piece}");
                    } else {
                        // Behind the verdict nothing takes it back.
                        assert_eq!(
                            kind.run_in(&acts, WHOLE, WHOLE).class,
                            class::NONE,
                            "{kind:?} {extra:?}"
                        );
                    }
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 700, "{cases}");
}

#[test]
fn every_cut_of_every_dialogue() {
    let mut cases = 0;
    for kind in KINDS {
        let good = kind.good();
        let last = good.len() - 2;
        for at in 0..good.len() {
            let Act::Reply(text) = &good[at] else {
                continue;
            };
            for cut in 0..text.len() {
                for end in [vec![Act::Close], Vec::new()] {
                    let mut acts = good[..at].to_vec();
                    acts.push(Act::reply(&text[..cut]));
                    let closes = !end.is_empty();
                    acts.extend(end);
                    let played = kind.run_in(&acts, WHOLE, 7);
                    let expected = match at {
                        // The mail is safe before the farewell.
                        _ if at > last => class::NONE,
                        _ if at == last => class::UNKNOWN,
                        _ if closes => class::CLOSED,
                        _ => class::TIMEOUT,
                    };
                    assert_eq!(played.class, expected, "{kind:?} {at} {cut} {closes}");
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 900, "{cases}");
}

#[test]
fn every_split_gives_the_same_dialogue() {
    let mut cases = 0;
    for kind in KINDS {
        let good = kind.good();
        let whole = kind.run(&good);
        for piece in 1..90 {
            for room in [1, 2, 3, 7, 64, 512] {
                assert_eq!(
                    kind.run_in(&good, piece, room).sent,
                    whole.sent,
                    "{kind:?} {piece} {room}"
                );
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 4 * 89 * 6);
}

/// Floods are cut off by a bound that is named, and so is the time of a server that drips.
#[test]
fn floods_and_drips_are_bounded() {
    let limits = Kind::Plain.config().limits;
    let line = limits.reply_line as usize;
    for kind in KINDS {
        let good = kind.good();
        for at in replies(&good) {
            let before: usize = good[..at]
                .iter()
                .map(|act| match act {
                    Act::Reply(text) => text.len(),
                    _ => 0,
                })
                .sum();
            let code = match &good[at] {
                Act::Reply(text) => String::from_utf8(text[..3].to_vec()).unwrap(),
                _ => continue,
            };
            // 64 MB without a line end; 128 MB of a challenge; lines without end.
            for (text, count, bound) in [
                (format!("{code} "), 0, 0),
                ("A".to_owned(), 64_000_000, line + 1),
                ("QUFB".to_owned(), 32_000_000, line + 1),
                (
                    format!("{code}-x\r\n"),
                    16_000_000,
                    (usize::from(limits.reply_lines) + 1) * 7,
                ),
                ("\0".to_owned(), 64_000_000, line + 1),
                ("\r".to_owned(), 64_000_000, 4),
                ("\n".to_owned(), 64_000_000, 4),
                ("\r\n".to_owned(), 64_000_000, 4),
            ] {
                if count == 0 {
                    continue;
                }
                let lines = text.ends_with("-x\r\n");
                let mut acts = good[..at].to_vec();
                acts.push(Act::reply(if lines {
                    String::new()
                } else {
                    format!("{code} ")
                }));
                acts.push(Act::Flood(text.clone().into_bytes(), count));
                let played = kind.run(&acts);
                let taken = played.taken - before;
                assert!(
                    taken <= bound + 4,
                    "{kind:?} {at} {text:?}: {taken} of {bound}"
                );
                assert!(
                    matches!(played.error, Some(Error::Peer { .. } | Error::Unmet(_))),
                    "{kind:?} {at} {text:?}: {played:?}"
                );
                assert!(played.calls < 400, "{} calls", played.calls);
            }
            // Octets that drip in do not buy time: the limit is for the whole reply.
            let config = kind.config();
            let most = config.timeouts.data_end.max(config.timeouts.greeting);
            for text in [
                format!("{code} {}", "A".repeat(4_000)),
                format!("{code}-x\r\n").repeat(90),
            ] {
                let mut acts = good[..at].to_vec();
                acts.push(Act::Drip(text.into_bytes(), 10_000));
                let played = kind.run(&acts);
                assert!(
                    played.elapsed <= u64::from(most),
                    "{kind:?} {at}: {} ms",
                    played.elapsed
                );
                assert!(
                    matches!(played.error, Some(Error::Timeout { .. })),
                    "{kind:?} {at}: {played:?}"
                );
            }
        }
    }
}

#[test]
fn bounds_of_replies_hold_to_the_octet() {
    let config = Kind::Plain.config();
    let longest = config.limits.reply_line as usize;
    for length in longest - 3..longest + 4 {
        for piece in [1, 100, WHOLE] {
            let mut acts = Kind::Plain.good();
            acts[2] = Act::reply(format!("250 {}\r\n", "A".repeat(length - 4)));
            let class = Kind::Plain.run_in(&acts, piece, WHOLE).class;
            assert_eq!(
                class,
                if length <= longest {
                    class::NONE
                } else {
                    class::PROTOCOL
                },
                "{length} {piece}"
            );
        }
    }
    let most = usize::from(config.limits.reply_lines);
    for lines in most - 2..most + 3 {
        for piece in [1, WHOLE] {
            let mut acts = Kind::Plain.good();
            acts[2] = Act::reply(format!("{}250 x\r\n", "250-x\r\n".repeat(lines - 1)));
            let class = Kind::Plain.run_in(&acts, piece, WHOLE).class;
            assert_eq!(
                class,
                if lines <= most {
                    class::NONE
                } else {
                    class::PROTOCOL
                },
                "{lines} {piece}"
            );
        }
    }
}

/// Somebody on the way removes STARTTLS, refuses it or puts text behind it.
#[test]
fn tls_can_not_be_stripped() {
    let good = Kind::StartTls.good();
    let mut cases = 0;
    for offer in [
        "250 mx\r\n",
        "250-mx\r\n250 AUTH PLAIN LOGIN\r\n",
        "250-mx\r\n250 XXXXXXXX\r\n",
        "250-mx\r\n250 STARTTLSX\r\n",
        "250-mx\r\n250 XSTARTTLS\r\n",
        "250 STARTTLS\r\n",
        "250-mx\r\n250 START TLS\r\n",
        "500 no\r\n",
        "502 no\r\n",
        "550 no\r\n",
        "250-mx\r\n250 -STARTTLS\r\n",
    ] {
        let mut acts = good.clone();
        acts[1] = Act::reply(offer);
        let played = Kind::StartTls.run(&acts);
        assert_eq!(played.class, class::TLS, "{offer:?}: {played:?}");
        assert!(
            !played.has_sent("MAIL") && !played.has_sent("AUTH"),
            "{offer:?}"
        );
        cases += 1;
    }
    for injected in [
        "250 mx\r\n",
        "250-mx\r\n250 AUTH PLAIN\r\n",
        "235 ok\r\n",
        "2",
        "\r\n",
        "\0",
        "421 x\r\n",
        "\x16\x03\x01",
        " ",
        "250-mx\r\n",
        "554 no\r\n",
    ] {
        for piece in 1..40 {
            let mut acts = good.clone();
            acts[2] = Act::reply(format!("220 go\r\n{injected}"));
            let played = Kind::StartTls.run_in(&acts, piece, WHOLE);
            assert_eq!(played.class, class::TLS, "{injected:?} {piece}: {played:?}");
            assert!(
                !played.has_sent("AUTH") && !played.has_sent("MAIL"),
                "{injected:?}"
            );
            cases += 1;
        }
    }
    assert!(cases > 400, "{cases}");
}

#[test]
fn offers_that_lie() {
    let mut cases = 0;
    for offer in [
        "SIZE 99999999999999999999999999",
        "SIZE -1",
        "SIZE x",
        "SIZE",
        "SIZE 1 2 3",
        "SIZE=5",
        "SIZE\t5",
        "PIPELINING x",
        "PIPELINING PIPELINING",
        "8BITMIME=no",
        "",
        " ",
        "-",
        "250 SIZE 1",
        "\0",
        "\u{e9}",
        "AUTH",
        "AUTH ",
        "AUTH=",
        "AUTH FOO",
        "AUTH PLAIN",
        "AUTH=PLAIN LOGIN",
        "STARTTLS",
        "DSN",
        "SMTPUTF8",
        "CHUNKINGX",
        "LIMITS X=1",
        "XCLIENT ADDR",
        "A b c d",
    ] {
        let mut acts = Kind::Plain.good();
        acts[1] = Act::reply(format!("250-mx\r\n250-{offer}\r\n250 HELP\r\n"));
        // SIZE=5 is an old form of an offer, and the message has a size of its own only in the envelope.
        assert_eq!(Kind::Plain.run(&acts).class, class::NONE, "{offer:?}");
        cases += 1;
    }
    // Mechanisms that can not be used are an error, never a silent skip.
    for offer in [
        "AUTH",
        "AUTH FOO",
        "AUTH XOAUTH2",
        "AUTH PLAINX",
        "AUTH LOGINX GSSAPI",
        "AUTHPLAIN",
        "HELP",
        "AUTH P LAIN",
    ] {
        for kind in [Kind::StartTls, Kind::ImplicitTls] {
            let mut acts = kind.good();
            let at = if kind == Kind::StartTls { 4 } else { 2 };
            acts[at] = Act::reply(format!("250-mx\r\n250 {offer}\r\n"));
            let played = kind.run(&acts);
            assert_eq!(played.class, class::AUTH, "{offer:?}: {played:?}");
            assert!(!played.has_sent("MAIL"), "{offer:?}");
            cases += 1;
        }
    }
    assert!(cases > 40, "{cases}");
}

#[test]
fn challenges_that_do_not_end() {
    let challenges = [
        "334 VXNlcm5hbWU6\r\n",
        "334 \r\n",
        "334\r\n",
        "334 !!!!\r\n",
        "334 =\r\n",
        "334-a\r\n334 b\r\n",
        "334 QUFB\r\n",
    ];
    for kind in [Kind::StartTls, Kind::ImplicitTls] {
        for challenge in challenges {
            let start = if kind == Kind::StartTls { 5 } else { 3 };
            let mut acts = kind.good()[..start].to_vec();
            acts.extend(vec![Act::reply(challenge); 1000]);
            let played = kind.run(&acts);
            assert_eq!(played.class, class::AUTH, "{challenge:?}: {played:?}");
            assert!(!played.has_sent("MAIL"), "{challenge:?}");
            assert!(played.calls < 60, "{} calls", played.calls);
        }
    }
}

#[test]
fn nothing_that_breaks_a_line_enters_a_command() {
    let mut cases = 0;
    let printable = |octet: u8| octet.is_ascii_graphic();
    for octet in (0..0x20).chain([0x7f, b'<', b'>', b' ', b'"', b'\\', b'=', b'+']) {
        let c = char::from(octet);
        for text in [
            "a@example.org",
            "example.org",
            "root",
            "rfc822;b@example.org",
            "[192.0.2.1]",
        ] {
            for at in 0..=text.len() {
                let mut bad = text.to_owned();
                bad.insert(at, c);
                let injected = format!("{bad}\r\nRCPT TO:<evil@example.org>");
                for bad in [
                    bad.as_str(),
                    injected.as_str(),
                    injected.replace('\r', "").as_str(),
                ] {
                    let control = bad.bytes().any(|b| b.is_ascii_control());
                    let taken = [
                        Mailbox::parse(bad).is_ok(),
                        ReversePath::parse(bad).is_ok(),
                        ForwardPath::parse(bad).is_ok(),
                        Recipient::parse(bad).is_ok(),
                        EhloName::parse(bad).is_ok(),
                        Host::parse(bad).is_ok(),
                        Xtext::parse(bad).is_some(),
                        Orcpt::parse(bad).is_some(),
                        Query::vrfy(bad).is_ok(),
                        Query::expn(bad).is_ok(),
                        Query::help(Some(bad)).is_ok(),
                    ];
                    assert!(!control || taken == [false; 11], "{bad:?}: {taken:?}");
                    if !control && !printable(octet) {
                        // A space separates words, so only queries may hold it.
                        assert_eq!(taken[4..8], [false; 4], "{bad:?}");
                    }
                    cases += 11;
                }
            }
        }
    }
    assert!(cases > 60_000, "{cases}");
}

/// Whatever the body holds, the wire holds one end of it, and what comes out is what went in.
#[test]
fn no_body_ends_itself() {
    let alphabet = ["\r", "\n", ".", "x"];
    let mut bodies = vec![String::new()];
    let mut from = 0;
    for _ in 0..6 {
        let to = bodies.len();
        for at in from..to {
            for letter in alphabet {
                bodies.push(format!("{}{letter}", bodies[at]));
            }
        }
        from = to;
    }
    for end in [
        "\r\n.\r\n",
        "\n.\n",
        "\r.\r",
        "\n.\r\n",
        "\r\n.\n",
        "\r\n.\r",
        "\r\r\n.\r\r\n",
        "\0\r\n.\r\n",
    ] {
        bodies.push(format!(
            "hi{end}MAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx{end}"
        ));
    }
    let kind = Kind::Plain;
    let recipients = [Recipient::parse("b@example.org").unwrap()];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    for body in &bodies {
        for room in [1, WHOLE] {
            let played = play(
                &kind.config(),
                &envelope,
                body.as_bytes(),
                &kind.good(),
                WHOLE,
                room,
            );
            assert_eq!(played.class, class::NONE, "{body:?}");
            assert!(!has_bare_line_end(&played.sent), "{body:?}");
            let sent = String::from_utf8(played.sent).unwrap();
            let (_, behind) = sent.split_once("DATA\r\n").unwrap();
            let framed = format!("\r\n{behind}");
            let (content, rest) = framed.split_once("\r\n.\r\n").unwrap();
            assert_eq!(rest, "QUIT\r\n", "{body:?}");
            // Line by line: each kind of line end is one, and added dots come off.
            let normal = body.replace("\r\n", "\n").replace('\r', "\n");
            let expected: Vec<&str> = normal
                .strip_suffix('\n')
                .unwrap_or(&normal)
                .split('\n')
                .collect();
            let got: Vec<&str> = match content.strip_prefix("\r\n") {
                None => vec![],
                Some(content) => content
                    .split("\r\n")
                    .map(|line| line.strip_prefix('.').unwrap_or(line))
                    .collect(),
            };
            let expected = if body.is_empty() { vec![] } else { expected };
            assert_eq!(got, expected, "{body:?}");
        }
    }
    assert!(bodies.len() > 5_000);
}

#[test]
fn addresses_outside_ascii_need_the_extension() {
    for (from, to) in [
        ("a@example.org", "h\u{e9}@example.org"),
        ("\u{e4}@example.org", "b@example.org"),
        ("a@example.org", "b@b\u{fc}cher.example"),
    ] {
        let recipients = [Recipient::parse(to).unwrap()];
        let envelope = Envelope::new(ReversePath::parse(from).unwrap(), &recipients);
        for (kind, expected) in [
            (Kind::Plain, class::SMTPUTF8),
            (Kind::Pipelined, class::NONE),
        ] {
            let played = play(
                &kind.config(),
                &envelope,
                b"x\r\n",
                &kind.good(),
                WHOLE,
                WHOLE,
            );
            assert_eq!(played.class, expected, "{from} {to}");
            assert_eq!(played.has_sent("MAIL"), expected == class::NONE);
        }
    }
}
