//! Named cases of hostile clients.

use super::server::Step;
use crate::Security;

/// A hostile client and what it must get.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of the case.
    pub name: &'static str,
    /// What the server offers.
    pub security: Security,
    /// What the client does. The last octets that it sends are what the case is about.
    pub steps: Vec<Step>,
    /// The codes of the replies to the last octets.
    pub codes: Vec<u16>,
    /// How many messages are taken in all.
    pub taken: usize,
    /// Whether NOOP is answered with 250 afterwards.
    pub open: bool,
}

const HELLO: &str = "EHLO c.example.org\r\n";
const MAIL: &str = "MAIL FROM:<a@example.org>\r\n";
const RCPT: &str = "RCPT TO:<b@example.org>\r\n";
/// A second message, which must not be seen as one.
const NEXT: &str =
    "MAIL FROM:<smuggler@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nX: y\r\n\r\nz\r\n.\r\n";

/// All cases.
pub fn all() -> Vec<Case> {
    let mut all = content();
    all.extend(commands());
    all.extend(parameters_and_addresses());
    all.extend(sequence());
    all.extend(tls_and_auth());
    all
}

/// The session goes on behind it.
fn open(name: &'static str, steps: &[&str], codes: &[u16]) -> Case {
    Case {
        name,
        security: Security::StartTls,
        steps: steps.iter().map(|step| read(step)).collect(),
        codes: codes.to_vec(),
        taken: 0,
        open: true,
    }
}

/// The session is over, or in the middle of something.
fn over(name: &'static str, steps: &[&str], codes: &[u16]) -> Case {
    Case {
        open: false,
        ..open(name, steps, codes)
    }
}

/// `@tls` and `@eof` stand for themselves, all else is sent; `{x*100}` is a hundred times x.
fn read(text: &str) -> Step {
    match text {
        "@tls" => Step::Tls,
        "@eof" => Step::HalfClose,
        _ => Step::Send(expand(text).into_bytes()),
    }
}

fn expand(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else {
        return text.to_owned();
    };
    let repeated = rest.split_once('}').and_then(|(inside, behind)| {
        let (what, count) = inside.rsplit_once('*')?;
        Some((what.repeat(count.parse().ok()?), behind))
    });
    match repeated {
        Some((repeated, behind)) => format!("{before}{repeated}{}", expand(behind)),
        None => text.to_owned(),
    }
}

/// What the content of a message can try.
fn content() -> Vec<Case> {
    let message = |name, content: &str, codes: &[u16]| {
        open(name, &[HELLO, MAIL, RCPT, "DATA\r\n", content], codes)
    };
    let endless = |name, content: &str| over(name, &[HELLO, MAIL, RCPT, "DATA\r\n", content], &[]);
    let taken = |case| Case { taken: 1, ..case };
    let smuggle = |name, end: &str| message(name, &format!("X: y\r\n\r\nhi{end}{NEXT}"), &[550]);
    let mut cases = vec![
        smuggle("end-lf-lf", "\n.\n"),
        smuggle("end-cr-cr", "\r.\r"),
        smuggle("end-lf-crlf", "\n.\r\n"),
        smuggle("end-cr-crlf", "\r.\r\n"),
        smuggle("end-crlf-lf", "\r\n.\n"),
        smuggle("end-crlf-cr", "\r\n.\r"),
        smuggle("end-crlf-crcrlf", "\r\n.\r\r\n"),
        smuggle("end-crcrlf-crcrlf", "\r\r\n.\r\r\n"),
        smuggle("end-lfcr", "\n\r.\n\r"),
        // A real end, of a message that is refused; what follows is a message of its own.
        taken(message(
            "end-crcrlf-crlf",
            &format!("hi\r\r\n.\r\n{NEXT}"),
            &[550, 250, 250, 354, 250],
        )),
        // No line ends at all: the dot is a part of the text, and the next message too.
        taken(message(
            "end-nul-behind",
            &format!("hi\r\n.\0\r\n{NEXT}"),
            &[250],
        )),
        taken(message(
            "end-space-before",
            &format!("hi\r\n .\r\n{NEXT}"),
            &[250],
        )),
        taken(message(
            "end-space-behind",
            &format!("hi\r\n. \r\n{NEXT}"),
            &[250],
        )),
        taken(message(
            "end-vertical-tab",
            &format!("hi\x0b.\x0b\r\n{NEXT}"),
            &[250],
        )),
        taken(message(
            "end-form-feed",
            &format!("hi\x0c.\x0c\r\n{NEXT}"),
            &[250],
        )),
        taken(message(
            "end-next-line",
            &format!("hi\u{85}.\u{85}\r\n{NEXT}"),
            &[250],
        )),
        taken(message(
            "end-line-separator",
            &format!("hi\u{2028}.\u{2028}\r\n{NEXT}"),
            &[250],
        )),
        endless("wait-lf-lf", "hi\n.\n"),
        endless("wait-cr-cr", "hi\r.\r"),
        endless("wait-cr-crlf", "hi\r.\r\n"),
        endless("wait-lf-crlf", "hi\n.\r\n"),
        endless("wait-crlf-cr", "hi\r\n.\r"),
        endless("wait-crlf-lf", "hi\r\n.\n"),
        endless("wait-crlf-crcrlf", "hi\r\n.\r\r\n"),
        taken(message("nothing-in-it", ".\r\n", &[250])),
        taken(message("only-dots", "..\r\n...\r\n.\r\n", &[250])),
        taken(message("line-998", "{x*998}\r\n.\r\n", &[250])),
        taken(message("line-100000", "{x*100000}\r\n.\r\n", &[250])),
        taken(message(
            "headers-20000",
            "{X-H: 1\r\n*20000}\r\nhi\r\n.\r\n",
            &[250],
        )),
        message(
            "larger-than-allowed",
            "{0123456789abcd\r\n*70000}.\r\n",
            &[552],
        ),
        message("cut-then-command", "half\r\n..\r\n.\rx\r\n.\r\n", &[550]),
    ];
    // The end comes in four pieces.
    let pieces = [HELLO, MAIL, RCPT, "DATA\r\n", "hi\r", "\n.", "\r", "\n"];
    cases.push(taken(open("end-in-pieces", &pieces, &[250])));
    let cut = [HELLO, MAIL, RCPT, "DATA\r\n", "half a mess", "@eof"];
    cases.push(over("cut-off", &cut, &[]));
    cases
}

/// What a command line can try.
fn commands() -> Vec<Case> {
    let line = |name, text: &str, codes: &[u16]| open(name, &[HELLO, text], codes);
    let in_mail = |name, text: &str, codes: &[u16]| open(name, &[HELLO, MAIL, text], codes);
    vec![
        line("two-commands-by-lf", "RSET\nRSET\r\n", &[500]),
        line("two-commands-by-cr", "RSET\rRSET\r\n", &[500]),
        open("lf-alone-then-more", &[HELLO, "RSET\n", "NOOP\r\n"], &[500]),
        line("nul-in-address", "MAIL FROM:<a\0b@example.org>\r\n", &[501]),
        line("nul-in-verb", "NO\0OP\r\n", &[500]),
        line("cr-in-address", "MAIL FROM:<a@example.org\r>\r\n", &[500]),
        in_mail(
            "cr-before-recipient",
            "RCPT TO:<b@example.org>\rRCPT TO:<x@example.org>\r\n",
            &[500],
        ),
        line("empty", "\r\n", &[500]),
        line("space-first", " NOOP\r\n", &[500]),
        line("tab-behind-verb", "NOOP\tx\r\n", &[500]),
        line("octets-above-127", "\u{e9}\u{ff}\r\n", &[500]),
        open("hello-above-127", &["EHLO \u{e9}.example\r\n"], &[501]),
        open("hello-empty", &["EHLO\r\n"], &[501]),
        line(
            "long-then-rset",
            "NOOP {A*8190}RSET\r\nRSET\r\n",
            &[500, 250],
        ),
        line("long-by-one", "NOOP {A*4092}\r\n", &[500]),
        line("longest", "NOOP {A*4091}\r\n", &[250]),
        line("a-megabyte", "{A*1000000}\r\n", &[500]),
        line("commands-5000", "{RSET\r\n*5000}", &[250; 5000]),
        line(
            "xclient",
            "XCLIENT ADDR=10.0.0.1 NAME=trusted LOGIN=admin\r\n",
            &[500],
        ),
        line("proxy", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", &[500]),
        open("lhlo", &["LHLO c.example.org\r\n"], &[500]),
        line(
            "http",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            &[500, 500, 500],
        ),
        line("verify-tells-nothing", "VRFY root\r\n", &[252]),
        line("expand-tells-nothing", "EXPN all\r\n", &[502]),
        line("turn", "TURN\r\n", &[500]),
        line("debug", "DEBUG\r\nWIZ\r\n", &[500, 500]),
        open(
            "tls-hello-in-the-clear",
            &["\u{16}\u{3}\u{1}\0{\0\r\n*5}"],
            &[500; 5],
        ),
        open("starttls-argument", &[HELLO, "STARTTLS now\r\n"], &[501]),
    ]
}

fn parameters_and_addresses() -> Vec<Case> {
    let mail =
        |name, rest: &str, code| open(name, &[HELLO, &format!("MAIL FROM:{rest}\r\n")], &[code]);
    let rcpt = |name, rest: &str, code| {
        open(
            name,
            &[HELLO, MAIL, &format!("RCPT TO:{rest}\r\n")],
            &[code],
        )
    };
    vec![
        mail(
            "size-128-bit",
            "<a@example.org> SIZE=340282366920938463463374607431768211457",
            501,
        ),
        mail(
            "size-64-bit-and-one",
            "<a@example.org> SIZE=18446744073709551617",
            552,
        ),
        mail(
            "size-32-bit-and-one",
            "<a@example.org> SIZE=4294967297",
            552,
        ),
        mail("size-negative", "<a@example.org> SIZE=-1", 501),
        mail("size-hexadecimal", "<a@example.org> SIZE=0x10", 501),
        mail("size-over", "<a@example.org> SIZE=1048577", 552),
        mail("size-limit", "<a@example.org> SIZE=1048576", 250),
        mail("parameter-unknown", "<a@example.org> FOO=BAR", 555),
        mail("parameter-with-lf", "<a@example.org> SIZE=1\nRCPT", 500),
        mail("body-unknown", "<a@example.org> BODY=9BIT", 501),
        mail("requiretls-in-the-clear", "<a@example.org> REQUIRETLS", 555),
        mail(
            "envid-with-lf",
            "<a@example.org> ENVID=a+0D+0AX-Injected:+20y",
            501,
        ),
        rcpt(
            "notify-never-and-more",
            "<b@example.org> NOTIFY=NEVER,SUCCESS",
            501,
        ),
        rcpt("orcpt-bad-xtext", "<b@example.org> ORCPT=rfc822;b+Z9", 501),
        mail("path-not-closed", "<a@example.org", 501),
        mail("path-300", "<a@{dddddddddd.*30}example>", 501),
        mail("shell", "<;sleep 66;>", 501),
        mail("quotes-and-comments", "<{\"(*60}@example.org>", 501),
        mail("comments", "<a{(*400}{)*400}@example.org>", 501),
        mail("dots", "<a..b@example..org>", 501),
        mail("literal-of-colons", "<a@[IPv6:::::::::::::]>", 501),
        mail("utf8-not-declared", "<h\u{e9}@example.org>", 550),
        mail("null-sender", "<>", 250),
        rcpt("null-recipient", "<>", 501),
        rcpt("postmaster", "<Postmaster>", 250),
        rcpt("relay", "<x@relay.invalid>", 550),
        rcpt("relay-source-route", "<@example.org:x@relay.invalid>", 550),
        rcpt("relay-quoted", "<\"x@relay.invalid\"@relay.invalid>", 550),
        rcpt("relay-percent", "<x%relay.invalid@relay.invalid>", 550),
        rcpt("relay-dot-at-the-end", "<x@relay.invalid.>", 501),
        rcpt("relay-nul", "<x@relay.invalid\0.example.org>", 501),
    ]
}

fn sequence() -> Vec<Case> {
    let hundred: String = (0..100)
        .map(|n| format!("RCPT TO:<u{n}@example.org>\r\n"))
        .collect();
    vec![
        open(
            "data-behind-rset",
            &[HELLO, MAIL, RCPT, "RSET\r\n", "DATA\r\n"],
            &[503],
        ),
        open(
            "data-with-argument",
            &[HELLO, MAIL, RCPT, "DATA now\r\n"],
            &[501],
        ),
        open("mail-in-mail", &[HELLO, MAIL, MAIL], &[503]),
        open("mail-before-hello", &[MAIL], &[503]),
        open(
            "hello-ends-mail",
            &[HELLO, MAIL, RCPT, HELLO, "DATA\r\n"],
            &[503],
        ),
        open(
            "data-for-nobody",
            &[HELLO, MAIL, "RCPT TO:<x@relay.invalid>\r\n", "DATA\r\n"],
            &[554],
        ),
        open("recipients-100", &[HELLO, MAIL, &hundred], &[250; 100]),
        over(
            "pipelined",
            &[HELLO, &format!("{MAIL}{RCPT}DATA\r\n")],
            &[250, 250, 354],
        ),
        Case {
            taken: 2,
            ..over(
                "two-messages-in-one-write",
                &[
                    HELLO,
                    &format!("{MAIL}{RCPT}DATA\r\na\r\n.\r\n{NEXT}QUIT\r\n"),
                ],
                &[250, 250, 354, 250, 250, 250, 354, 250, 221],
            )
        },
        over("nothing-behind-quit", &[HELLO, "QUIT\r\nNOOP\r\n"], &[221]),
    ]
}

fn tls_and_auth() -> Vec<Case> {
    let tls = |name, steps: &[&str], codes: &[u16]| {
        let all = [&[HELLO, "STARTTLS\r\n", "@tls"], steps].concat();
        open(name, &all, codes)
    };
    let plain = "AUTH PLAIN AHVzZXIAczNjcmV0LXB3\r\n";
    vec![
        over(
            "text-behind-starttls",
            &[HELLO, "STARTTLS\r\nNOOP\r\n", "@tls", HELLO],
            &[],
        ),
        over(
            "text-behind-starttls-in-pieces",
            &[HELLO, "STARTTLS\r\nNO", "@tls", HELLO],
            &[],
        ),
        tls("hello-behind-tls", &[HELLO], &[250]),
        tls("starttls-twice", &[HELLO, "STARTTLS\r\n"], &[503]),
        tls("mail-before-hello-behind-tls", &[MAIL], &[503]),
        tls("auth", &[HELLO, plain], &[235]),
        tls("auth-no-base64", &[HELLO, "AUTH PLAIN !!!!\r\n"], &[501]),
        tls(
            "auth-three-nul",
            &[HELLO, "AUTH PLAIN AHUAcAB4AA==\r\n"],
            &[501],
        ),
        tls("auth-unknown", &[HELLO, "AUTH FOO\r\n"], &[504]),
        tls(
            "auth-beginning-of-password",
            &[HELLO, "AUTH PLAIN AHVzZXIAczNjcmV0\r\n"],
            &[535],
        ),
        tls(
            "auth-cancelled",
            &[HELLO, "AUTH LOGIN\r\n", "*\r\n"],
            &[501],
        ),
        tls(
            "auth-command-as-response",
            &[HELLO, "AUTH LOGIN\r\n", "NOOP\r\n", "MAIL FROM:<>\r\n"],
            &[501],
        ),
        tls("auth-20000", &[HELLO, "AUTH PLAIN {A*20000}\r\n"], &[500]),
        tls(
            "auth-response-20000",
            &[HELLO, "AUTH PLAIN\r\n", "{A*20000}\r\n"],
            &[500],
        ),
        tls("auth-in-mail", &[HELLO, MAIL, plain], &[503]),
        tls("auth-twice", &[HELLO, plain, plain], &[503]),
        tls("auth-before-hello", &[plain], &[503]),
        open("auth-in-the-clear", &[HELLO, plain], &[538]),
        open(
            "auth-login-in-the-clear",
            &[HELLO, "AUTH LOGIN\r\n"],
            &[538],
        ),
        open("auth-in-the-clear-before-hello", &[plain], &[503]),
    ]
}
