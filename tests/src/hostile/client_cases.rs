//! Named cases of hostile servers.

use super::class;
use super::client::Act;
use super::socket_client::Wish;
use crate::Security;

/// A hostile server and what must come of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of the case.
    pub name: &'static str,
    /// What the client is asked for.
    pub wish: Wish,
    /// What the server does.
    pub acts: Vec<Act>,
    /// The class of the error, one of [`class`].
    pub class: &'static str,
    /// What the client must have sent.
    pub sends: Vec<&'static str>,
    /// What it must not have sent.
    pub keeps: Vec<&'static str>,
}

impl Case {
    fn sends(mut self, what: &[&'static str]) -> Self {
        self.sends.extend(what);
        self
    }

    fn keeps(mut self, what: &[&'static str]) -> Self {
        self.keeps.extend(what);
        self
    }

    fn wish(mut self, change: impl FnOnce(&mut Wish)) -> Self {
        change(&mut self.wish);
        self
    }
}

/// The password, as it is, and as PLAIN and LOGIN send it.
pub const SECRETS: [&str; 3] = ["s3cret-pw", "AHVzZXIAczNjcmV0LXB3", "czNjcmV0LXB3"];
const CONTENT: &str = "Subject: t";

/// All cases.
pub fn all() -> Vec<Case> {
    let mut all = replies();
    all.extend(endings());
    all.extend(floods());
    all.extend(messages());
    all.extend(tls_and_auth());
    all
}

fn wish(security: Security, auth: &'static str) -> Wish {
    Wish {
        security,
        auth,
        ehlo: "c.example.org".to_owned(),
        from: "a@example.org".to_owned(),
        to: vec!["b@example.org".to_owned()],
        body: "Subject: t\r\nFrom: <a@example.org>\r\n\r\nline\r\n.dot\r\n..two\r\nend\r\n"
            .to_owned(),
        wrong_host: false,
    }
}

/// `@` words are acts, all else is a reply, which gets its CR LF unless it ends with `~`.
fn read(text: &str) -> Act {
    match text {
        "@content" => Act::Content,
        "@tls" => Act::Tls,
        "@close" => Act::Close,
        _ => match (text.strip_prefix("@now "), text.strip_suffix('~')) {
            (Some(text), _) => Act::Now(text.trim_end_matches('~').into()),
            (None, Some(text)) => Act::reply(text),
            (None, None) => Act::reply(format!("{text}\r\n")),
        },
    }
}

fn case(name: &'static str, script: &[&str], class: &'static str) -> Case {
    Case {
        name,
        wish: wish(Security::DangerPlaintext, "none"),
        acts: script.iter().map(|text| read(text)).collect(),
        class,
        sends: Vec::new(),
        keeps: Vec::new(),
    }
}

/// What follows where the client goes on.
const REST: [&str; 6] = [
    "250 2.1.0 ok",
    "250 2.1.5 ok",
    "354 go",
    "@content",
    "250 2.0.0 ok",
    "221 bye",
];

fn and_rest(script: &[&'static str]) -> Vec<&'static str> {
    [script, &REST].concat()
}

fn replies() -> Vec<Case> {
    let greeting = ["220 mx ESMTP", "250 mx"];
    let behind = |script: &[&'static str]| [&greeting, script].concat();
    vec![
        case("good", &and_rest(&greeting), class::NONE)
            .sends(&["\r\n..dot\r\n...two\r\nend\r\n.\r\n"]),
        case("greeting-554", &["554 no", "221 bye"], class::REJECTED).keeps(&["MAIL"]),
        case("greeting-421", &["421 busy", "@close"], class::TRANSIENT).keeps(&["MAIL"]),
        case("greeting-250", &["250 hello", "@close"], class::PROTOCOL).keeps(&["EHLO"]),
        case("code-999", &behind(&["999 ok", "@close"]), class::PROTOCOL).keeps(&[CONTENT]),
        case(
            "code-of-two-digits",
            &behind(&["25", "@close"]),
            class::PROTOCOL,
        )
        .keeps(&[CONTENT]),
        case(
            "codes-alone",
            &["220", "250", "250", "250", "354", "@content", "250", "221"],
            class::NONE,
        ),
        case(
            "codes-of-one-reply-differ",
            &behind(&["250-a\r\n550 b", "@close"]),
            class::PROTOCOL,
        )
        .keeps(&[CONTENT]),
        case(
            "lf-alone",
            &behind(&["250 ok\n~", "@close"]),
            class::PROTOCOL,
        )
        .keeps(&[CONTENT]),
        case(
            "sender-354",
            &behind(&["354 go", "@close"]),
            class::PROTOCOL,
        )
        .keeps(&[CONTENT]),
        case(
            "sender-550-with-escapes",
            &behind(&["550 \x1b[2J\x1b]0;x\x07no", "221 bye"]),
            class::REJECTED,
        ),
        case(
            "recipient-421",
            &behind(&["250 ok", "421 4.3.2 down", "@close"]),
            class::TRANSIENT,
        )
        .keeps(&[CONTENT]),
        case(
            "recipient-550",
            &behind(&["250 ok", "550 no", "221 bye"]),
            class::REJECTED,
        )
        .keeps(&[CONTENT]),
        case(
            "recipient-450",
            &behind(&["250 ok", "450 later", "221 bye"]),
            class::TRANSIENT,
        )
        .keeps(&[CONTENT]),
        case(
            "data-550",
            &behind(&["250 ok", "250 ok", "550 no", "221 bye"]),
            class::REJECTED,
        )
        .keeps(&[CONTENT]),
        case(
            "data-250",
            &behind(&["250 ok", "250 ok", "250 ok", "@close"]),
            class::PROTOCOL,
        )
        .keeps(&[CONTENT]),
        case(
            "verdict-354",
            &behind(&[
                "250 ok",
                "250 ok",
                "354 go",
                "@content",
                "354 go on",
                "@close",
            ]),
            class::UNKNOWN,
        ),
        case(
            "verdict-550",
            &behind(&[
                "250 ok", "250 ok", "354 go", "@content", "550 spam", "221 bye",
            ]),
            class::REJECTED,
        ),
        case(
            "one-reply-too-many",
            &behind(&[
                "250 ok\r\n250 more",
                "250 ok",
                "354 go",
                "@content",
                "550 no",
                "@close",
            ]),
            class::PROTOCOL,
        )
        .keeps(&[CONTENT]),
        case(
            "hello-answered-early",
            &and_rest(&["220 mx\r\n250 mx", "250 mx"]),
            class::PROTOCOL,
        )
        .keeps(&[CONTENT]),
        case(
            "hello-502",
            &and_rest(&["220 mx", "502 what", "250 mx"]),
            class::NONE,
        )
        .sends(&["HELO c.example.org\r\n"]),
        case(
            "size-garbage",
            &and_rest(&["220 mx", "250-mx\r\n250 SIZE 99999999999999999999999999"]),
            class::NONE,
        ),
        case(
            "size-small",
            &["220 mx", "250-mx\r\n250 SIZE 5", "221 bye"],
            class::SIZE,
        )
        .keeps(&["MAIL"]),
    ]
}

fn endings() -> Vec<Case> {
    let until_content = ["220 mx", "250 mx", "250 ok", "250 ok", "354 go", "@content"];
    let then = |script: &[&'static str]| [&until_content, script].concat();
    vec![
        case(
            "cut-in-a-code",
            &["220 mx", "250 mx", "25~", "@close"],
            class::CLOSED,
        )
        .keeps(&[CONTENT]),
        case("cut-at-once", &["@close"], class::CLOSED),
        case("cut-behind-the-dot", &then(&["@close"]), class::UNKNOWN),
        case(
            "cut-in-the-verdict",
            &then(&["250 o~", "@close"]),
            class::UNKNOWN,
        ),
        case("silent-behind-the-dot", &then(&[]), class::UNKNOWN),
        case(
            "cut-instead-of-farewell",
            &then(&["250 ok", "@close"]),
            class::NONE,
        ),
        case(
            "greeting-as-the-verdict",
            &then(&["220 mx greets anew", "@close"]),
            class::UNKNOWN,
        ),
        case(
            "farewell-as-the-verdict",
            &then(&["221 bye", "@close"]),
            class::UNKNOWN,
        ),
        case("silent-at-once", &[], class::TIMEOUT).keeps(&["EHLO"]),
        case("silent-at-mail", &["220 mx", "250 mx"], class::TIMEOUT).keeps(&[CONTENT]),
        case("silent-in-a-reply", &["220 mx", "250-mx"], class::TIMEOUT).keeps(&["MAIL"]),
    ]
}

fn floods() -> Vec<Case> {
    let flood = |name, script: &[&str], text: &str, count, class| {
        let mut case = case(name, script, class);
        case.acts.push(Act::Flood(text.into(), count));
        case.keeps(&["MAIL"])
    };
    let login = |case: Case| Case {
        wish: wish(Security::DangerPlaintext, "login"),
        ..case
    };
    vec![
        flood(
            "greeting-of-64-mb",
            &["220 ~"],
            "A",
            64_000_000,
            class::PROTOCOL,
        ),
        flood(
            "greeting-of-lines",
            &[],
            "220-x\r\n",
            10_000_000,
            class::PROTOCOL,
        ),
        flood(
            "hello-of-lines",
            &["220 mx"],
            "250-SIZE 1\r\n",
            5_000_000,
            class::PROTOCOL,
        ),
        flood("line-ends", &[], "\r\n", 32_000_000, class::PROTOCOL),
        login(flood(
            "challenge-of-128-mb",
            &["220 mx", "250-mx\r\n250 AUTH LOGIN", "334 ~"],
            "QUFB",
            32_000_000,
            class::AUTH,
        ))
        .keeps(&SECRETS),
        login(case(
            "challenges-without-end",
            &[
                &["220 mx", "250-mx\r\n250 AUTH LOGIN"][..],
                &["334 VXNlcm5hbWU6"; 50],
                &["@close"],
            ]
            .concat(),
            class::AUTH,
        ))
        .keeps(&["MAIL"]),
    ]
}

fn messages() -> Vec<Case> {
    let good = and_rest(&["220 mx", "250 mx"]);
    let utf8 = and_rest(&["220 mx", "250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8"]);
    let refused =
        |name, class| case(name, &["220 mx", "250 mx", "221 bye"], class).keeps(&["MAIL", "evil"]);
    let sent = |name, body: &str, sends| {
        case(name, &good, class::NONE)
            .wish(|wish| wish.body = body.to_owned())
            .sends(&[sends])
    };
    vec![
        refused("utf8-not-offered", class::SMTPUTF8)
            .wish(|wish| wish.to = vec!["h\u{e9}@example.org".to_owned()]),
        case("utf8-offered", &utf8, class::NONE)
            .wish(|wish| wish.to = vec!["h\u{e9}@example.org".to_owned()])
            .sends(&["SMTPUTF8"]),
        refused("line-in-sender", class::INVALID)
            .wish(|wish| wish.from = "a@example.org>\r\nRCPT TO:<evil@example.org".to_owned()),
        refused("lf-in-recipient", class::INVALID)
            .wish(|wish| wish.to = vec!["b@example.org>\nRCPT TO:<evil@example.org".to_owned()]),
        refused("line-in-hello", class::INVALID)
            .wish(|wish| wish.ehlo = "x\r\nMAIL FROM:<evil@example.org>".to_owned()),
        refused("nul-in-recipient", class::INVALID)
            .wish(|wish| wish.to = vec!["b\0@example.org".to_owned()]),
        refused("parameter-in-sender", class::INVALID)
            .wish(|wish| wish.from = "a@example.org> SIZE=1".to_owned()),
        sent("dot-first", ".\r\nx\r\n", "DATA\r\n..\r\nx\r\n.\r\n"),
        sent(
            "dot-between-lf",
            "a\n.\nMAIL FROM:<evil@example.org>\n",
            "a\r\n..\r\nMAIL FROM:<evil@example.org>\r\n.\r\n",
        ),
        sent(
            "dot-between-cr",
            "a\r.\rMAIL\r\n",
            "a\r\n..\r\nMAIL\r\n.\r\n",
        ),
        sent(
            "dot-then-cr",
            "a\r\n.\rMAIL\r\n",
            "a\r\n..\r\nMAIL\r\n.\r\n",
        ),
        sent("no-line-end", "a\r\n\r\nend", "end\r\n.\r\nQUIT\r\n"),
        sent("nothing", "", "DATA\r\n.\r\nQUIT\r\n"),
        sent("only-a-dot", ".", "DATA\r\n..\r\n.\r\nQUIT\r\n"),
    ]
}

fn tls_and_auth() -> Vec<Case> {
    let secret = |security, auth, case: Case| Case {
        wish: wish(security, auth),
        ..case
    };
    let start_tls = |case: Case| secret(Security::StartTls, "plain", case);
    let offer = "250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS";
    let stripped = |name, script: &[&str]| {
        start_tls(case(name, script, class::TLS))
            .keeps(&SECRETS)
            .keeps(&["MAIL", "AUTH"])
    };
    let up = ["220 mx", offer, "220 go", "@tls"];
    let behind = |script: &[&'static str]| [&up, script].concat();
    vec![
        start_tls(case(
            "tls",
            &and_rest(&behind(&["250-mx\r\n250 AUTH PLAIN", "235 ok"])),
            class::NONE,
        ))
        .sends(&["STARTTLS", "AHVzZXIAczNjcmV0LXB3"]),
        secret(
            Security::ImplicitTls,
            "plain",
            case(
                "tls-from-the-beginning",
                &and_rest(&["@tls", "220 mx", "250-mx\r\n250 AUTH PLAIN", "235 ok"]),
                class::NONE,
            ),
        ),
        stripped(
            "starttls-not-offered",
            &["220 mx", "250-mx\r\n250 AUTH PLAIN", "221 bye"],
        ),
        stripped("starttls-hello-502", &["220 mx", "502 what", "221 bye"]),
        stripped("starttls-250", &["220 mx", offer, "250 ok", "@close"]),
        start_tls(case(
            "starttls-454",
            &["220 mx", offer, "454 not now", "221 bye"],
            class::TRANSIENT,
        ))
        .keeps(&SECRETS),
        stripped(
            "text-behind-starttls",
            &[
                "220 mx",
                offer,
                "220 go\r\n250-mx\r\n250 AUTH PLAIN",
                "@close",
            ],
        ),
        stripped(
            "cut-instead-of-handshake",
            &["220 mx", offer, "220 go", "@close"],
        ),
        stripped(
            "text-instead-of-handshake",
            &[
                "220 mx",
                offer,
                "220 go",
                "@now 250 mx and more\r\n",
                "@close",
            ],
        ),
        stripped(
            "certificate-of-another",
            &behind(&["250-mx\r\n250 AUTH PLAIN", "@close"]),
        )
        .wish(|wish| wish.wrong_host = true),
        secret(
            Security::ImplicitTls,
            "plain",
            case(
                "certificate-of-another-from-the-beginning",
                &["@tls", "220 mx", "@close"],
                class::TLS,
            ),
        )
        .wish(|wish| wish.wrong_host = true)
        .keeps(&SECRETS),
        secret(
            Security::ImplicitTls,
            "plain",
            case(
                "no-tls-at-all",
                &[
                    "@now 220 mx ESMTP, and more text than a record has\r\n",
                    "@close",
                ],
                class::TLS,
            ),
        )
        .keeps(&SECRETS),
        start_tls(case(
            "offer-gone-behind-tls",
            &behind(&["250 mx", "221 bye"]),
            class::AUTH,
        ))
        .keeps(&SECRETS),
        start_tls(case(
            "auth-535",
            &behind(&["250-mx\r\n250 AUTH PLAIN", "535 no", "221 bye"]),
            class::AUTH,
        ))
        .keeps(&["MAIL"]),
        start_tls(case(
            "auth-454",
            &behind(&["250-mx\r\n250 AUTH PLAIN", "454 later", "221 bye"]),
            class::AUTH,
        ))
        .keeps(&["MAIL"]),
        start_tls(case(
            "auth-250",
            &behind(&["250-mx\r\n250 AUTH PLAIN", "250 ok", "@close"]),
            class::AUTH,
        ))
        .keeps(&["MAIL"]),
        start_tls(case(
            "auth-foo",
            &behind(&["250-mx\r\n250 AUTH FOO", "221 bye"]),
            class::AUTH,
        ))
        .keeps(&SECRETS),
        secret(
            Security::DangerPlaintext,
            "plain-require-tls",
            case(
                "password-in-the-clear",
                &["220 mx", "250-mx\r\n250 AUTH PLAIN LOGIN", "221 bye"],
                class::TLS,
            ),
        )
        .keeps(&SECRETS),
    ]
}
