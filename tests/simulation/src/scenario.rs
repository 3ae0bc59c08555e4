//! What is to happen in a simulated session: configuration, mails, pace and faults.

use crate::Choices;
use sansmtp::auth::Credentials;
use sansmtp::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use sansmtp::config::Security;
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::handling::{DeliverBy, Hold, Late, Priority};
use sansmtp::wire::param::{Body, Notify, Orcpt, Ret, Xtext};
use sansmtp::wire::path::ReversePath;
use std::sync::LazyLock;

/// The password of the simulated user.
pub const PASSWORD: &str = "s3cret-pw";
/// The access token of the simulated user.
pub const TOKEN: &str = "t0ken.of-the_user";
/// Addresses that stand in contents only: no server may ever be asked for one.
pub const POISON: &str = "poison@example.net";

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Not at all.
    None,
    /// With the right password.
    Password,
    /// With a wrong password.
    WrongPassword,
    /// With a token.
    Token,
    /// By what the server knows of it from TLS.
    External,
}

impl Login {
    /// The client's credentials.
    pub fn credentials(self) -> Option<Credentials<'static>> {
        let made = match self {
            Self::None => return None,
            Self::Password => Credentials::password("user", PASSWORD),
            Self::WrongPassword => Credentials::password("user", "s3cret-pw-not"),
            Self::Token => Credentials::oauth2("user", TOKEN),
            Self::External => Credentials::external(""),
        };
        Some(made.expect("credentials of the test's own"))
    }
}

/// How much is read or written at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// All that there is.
    Whole,
    /// One octet.
    One,
    /// A few octets, as chance will have it.
    Few,
}

impl Size {
    /// How many octets it is this time.
    pub fn draw(self, choices: &mut Choices<'_>) -> usize {
        match self {
            Self::Whole => 4096,
            Self::One => 1,
            Self::Few => 1 + choices.below(40) as usize,
        }
    }
}

/// The sizes of all reads and writes.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What the client reads at a time.
    pub client_reads: Size,
    /// What the client writes at a time.
    pub client_writes: Size,
    /// What the server reads at a time.
    pub server_reads: Size,
    /// What the server writes at a time.
    pub server_writes: Size,
    /// What is pushed of the content at a time.
    pub pushes: Size,
}

impl Pace {
    /// Everything at once.
    pub const WHOLE: Self = Self::all(Size::Whole);

    /// The same size everywhere.
    pub const fn all(size: Size) -> Self {
        Self {
            client_reads: size,
            client_writes: size,
            server_reads: size,
            server_writes: size,
            pushes: size,
        }
    }
}

/// What becomes of a connection that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It ends for both sides; what is on its way still arrives.
    Cut,
    /// It ends for both sides; what is on its way is lost.
    Reset,
    /// Nothing arrives any more, and nobody is told.
    Stall,
    /// Nothing of the client arrives any more.
    ClientMute,
    /// Nothing of the server arrives any more.
    ServerMute,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Cut,
        Self::Reset,
        Self::Stall,
        Self::ClientMute,
        Self::ServerMute,
    ];
}

/// What goes wrong on one connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The connection is lost when so many octets have passed, of both directions.
    pub lost: Option<(u32, Loss)>,
    /// The server answers its question of this number with this code.
    pub refuse: Option<(u32, u16)>,
    /// Somebody puts plain text behind STARTTLS: to the client if true, else to the server.
    pub inject: Option<bool>,
    /// The server is told to shut down when so many octets have passed; at once if true.
    pub shutdown: Option<(u32, bool)>,
    /// The client's content ends behind so many octets, and the driver gives up.
    pub abandon: Option<u32>,
}

/// Codes that a server may refuse with. None of them speaks of syntax.
pub const REFUSALS: [u16; 8] = [421, 450, 451, 452, 550, 552, 553, 554];

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its envelope.
    pub envelope: Envelope<'static>,
    /// Its content.
    pub body: Vec<u8>,
}

/// What is to happen.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How the connection is protected, for both sides.
    pub security: Security,
    /// What the server offers.
    pub offered: Capabilities,
    /// The mechanisms that the server knows.
    pub mechanisms: Mechanisms,
    /// How the client proves who it is.
    pub login: Login,
    /// Whether passwords may go without TLS.
    pub danger: bool,
    /// Whether the server wants AUTH first.
    pub require_auth: bool,
    /// Whether both speak LMTP.
    pub lmtp: bool,
    /// The most recipients that the server takes for a mail.
    pub most_recipients: u16,
    /// The most mails that the server takes in a session; 0 for any number.
    pub most_mails: u16,
    /// Whether the client may send in chunks.
    pub chunking: bool,
    /// The mails, one after the other.
    pub mails: Vec<Mail>,
    /// The sizes of reads and writes.
    pub pace: Pace,
    /// Whether the server's driver thinks for a while before it answers.
    pub late: bool,
    /// Whether the client asks other things between mails.
    pub asks: bool,
    /// Whether the next envelope goes out before the verdict on the mail before.
    pub overlaps: bool,
    /// What goes wrong on each connection; the client tries no oftener.
    pub connections: Vec<Faults>,
}

static RECIPIENTS: LazyLock<Vec<Recipient<'static>>> = LazyLock::new(|| {
    (0..120)
        .map(|number| {
            let address = match number % 4 {
                1 => format!("nobody{number}@example.org"),
                2 => format!("\"r {number}\"@[192.0.2.1]"),
                _ => format!("r{number}@example.org"),
            };
            Recipient::parse(address.leak()).expect("an address of the test's own")
        })
        .collect()
});

/// The same, with wishes for reports.
static REPORTED: LazyLock<Vec<Recipient<'static>>> = LazyLock::new(|| {
    let wished = |(number, recipient): (usize, &Recipient<'static>)| {
        let bit = |bit: usize| number & bit > 0;
        let mut recipient = *recipient;
        recipient.notify = bit(1).then_some(Notify {
            success: bit(2),
            failure: bit(4),
            delay: bit(8),
        });
        recipient.orcpt = match number % 3 {
            0 => Orcpt::parse("rfc822;first+2Bone@example.com"),
            1 => Orcpt::parse("utf-8;b\\x{E9}@example.com"),
            _ => None,
        };
        recipient
    };
    RECIPIENTS.iter().enumerate().map(wished).collect()
});

/// What contents are made of: much that looks like the end of one, or like a command.
const PIECES: [&str; 20] = [
    "Subject: t\r\n",
    "\r\n",
    "text",
    ".",
    "..",
    ".\r\n",
    "\r\n.\r\n",
    "\n.\n",
    "\r.\r",
    "\r",
    "\n",
    "MAIL FROM:<poison@example.net>\r\n",
    "RCPT TO:<poison@example.net>\r\n",
    "\r\n.\r\nMAIL FROM:<poison@example.net>\r\nRCPT TO:<poison@example.net>\r\nDATA\r\nhi\r\n.\r\n",
    "DATA\r\n",
    "RSET\r\nQUIT\r\n",
    "BDAT 5 LAST\r\nhello",
    "250 2.0.0 ok\r\n",
    "Gr\u{fc}\u{df}e\r\n",
    "a line of usual length, as there are many in a mail\r\n",
];

impl Mail {
    /// A mail to `count` recipients.
    pub fn new(first: usize, count: usize, body: Vec<u8>, size_known: bool) -> Self {
        let sender = ReversePath::parse("a@example.org").expect("an address");
        let mut envelope = Envelope::new(sender, &RECIPIENTS[first..first + count]);
        envelope.size = size_known.then_some(body.len() as u64);
        Self { envelope, body }
    }

    fn draw(choices: &mut Choices<'_>) -> Self {
        let count = match choices.below(40) {
            39 => 100,
            few => 1 + few as usize % 4,
        };
        let first = choices.below(120 - count as u32 + 1) as usize;
        let mut body = Vec::new();
        for _ in 0..choices.below(8) {
            body.extend_from_slice(choices.pick(&PIECES).as_bytes());
        }
        if choices.one_in(1_000) {
            // Too much to leave with its envelope.
            body.extend(b"0123456789abcdef\r\n".repeat(4_000));
        }
        let size_known = !choices.one_in(3);
        let mut mail = Self::new(first, count, body, size_known);
        mail.envelope.body = match choices.below(8) {
            6 => Some(Body::EightBitMime),
            7 => Some(Body::BinaryMime),
            _ => None,
        };
        if choices.one_in(3) {
            mail.draw_wishes(first, count, choices);
        }
        mail
    }

    fn draw_wishes(&mut self, first: usize, count: usize, choices: &mut Choices<'_>) {
        let envelope = &mut self.envelope;
        if choices.one_in(2) {
            envelope.recipients = &REPORTED[first..first + count];
            envelope.ret = choices.pick(&[None, Some(Ret::Full), Some(Ret::Headers)]);
            envelope.envid = choices.pick(&[None, Xtext::parse("QQ+2B314159")]);
            return;
        }
        let handling = &mut envelope.handling;
        handling.require_tls = choices.one_in(4);
        handling.deliver_by = choices.pick(&[
            None,
            None,
            DeliverBy::new(3_600, Late::Return),
            DeliverBy::new(-5, Late::Notify).map(DeliverBy::with_trace),
            // Less than the server wants.
            DeliverBy::new(1, Late::Return),
        ]);
        handling.hold = choices.pick(&[
            None,
            None,
            Some(Hold::For(60)),
            DateTime::from_unix(1_900_000_000).map(Hold::Until),
            // Longer than the server holds.
            Some(Hold::For(999_999)),
        ]);
        handling.priority = choices.pick(&[None, Priority::new(-9), Priority::new(9)]);
    }
}

const OFFERS: [Extension; 13] = [
    Extension::Pipelining,
    Extension::Size,
    Extension::EightBitMime,
    Extension::EnhancedStatusCodes,
    Extension::SmtpUtf8,
    Extension::Chunking,
    Extension::BinaryMime,
    Extension::Dsn,
    Extension::RequireTls,
    Extension::DeliverBy,
    Extension::FutureRelease,
    Extension::MtPriority,
    Extension::Limits,
];

/// Mechanisms that cost nothing to speak of.
const CHEAP: [Mechanism; 6] = [
    Mechanism::Plain,
    Mechanism::Login,
    Mechanism::XOAuth2,
    Mechanism::OAuthBearer,
    Mechanism::External,
    Mechanism::CramMd5,
];

/// Everything but STARTTLS and AUTH, with a limit of 1 MiB.
pub fn all_offers() -> Capabilities {
    let mut offered = OFFERS
        .into_iter()
        .fold(Capabilities::NONE, |all, one| all.with(one));
    offered.max_size = 1 << 20;
    bound(&mut offered);
    offered
}

/// States what the server takes of the rarer wishes.
fn bound(offered: &mut Capabilities) {
    offered.bounds.min_by_time = 60;
    offered.bounds.hold_seconds = 86_400;
    offered.bounds.hold_until = DateTime::from_unix(2_000_000_000).expect("a date");
}

impl Scenario {
    /// A session in which nothing goes wrong.
    pub fn calm(security: Security, mails: Vec<Mail>) -> Self {
        Self {
            security,
            offered: all_offers(),
            mechanisms: Mechanisms::NONE,
            login: Login::None,
            danger: false,
            require_auth: false,
            lmtp: false,
            most_recipients: 100,
            most_mails: 0,
            chunking: true,
            mails,
            pace: Pace::WHOLE,
            late: false,
            asks: false,
            overlaps: false,
            connections: vec![Faults::default()],
        }
    }

    /// Draws a session.
    pub fn draw(choices: &mut Choices<'_>) -> Self {
        let security = choices.pick(&[
            Security::DangerPlaintext,
            Security::StartTls,
            Security::ImplicitTls,
        ]);
        let mut offered = Capabilities::NONE;
        let all = choices.one_in(2);
        for extension in OFFERS {
            if all || choices.one_in(2) {
                offered = offered.with(extension);
            }
        }
        bound(&mut offered);
        offered.max_size = choices.pick(&[1 << 20, 1 << 20, 1 << 20, 0, 150]);
        let login = choices.pick(&[
            Login::None,
            Login::None,
            Login::Password,
            Login::Password,
            Login::WrongPassword,
            Login::Token,
            Login::External,
        ]);
        let mut mechanisms = Mechanisms::NONE;
        if login != Login::None || choices.one_in(2) {
            let all = choices.one_in(2);
            for mechanism in CHEAP {
                if all || choices.one_in(2) {
                    mechanisms = mechanisms.with(mechanism);
                }
            }
        }
        if choices.one_in(8_192) {
            // Thousands of hashes.
            let scram = choices.pick(&[
                Mechanism::ScramSha256,
                Mechanism::ScramSha1,
                Mechanism::ScramSha256Plus,
                Mechanism::ScramSha1Plus,
            ]);
            mechanisms = mechanisms.with(scram);
        }
        let size = |choices: &mut Choices<'_>| {
            choices.pick(&[Size::Whole, Size::Whole, Size::Few, Size::Few, Size::One])
        };
        let pace = if choices.one_in(2) {
            Pace {
                client_reads: size(choices),
                client_writes: size(choices),
                server_reads: size(choices),
                server_writes: size(choices),
                pushes: size(choices),
            }
        } else {
            Pace::WHOLE
        };
        let mut mails = Vec::new();
        for _ in 0..choices.pick(&[1, 1, 2, 3]) {
            mails.push(Mail::draw(choices));
        }
        let mut connections = Vec::new();
        for _ in 0..1 + choices.below(3) {
            connections.push(Faults::draw(choices));
        }
        Self {
            security,
            offered,
            mechanisms,
            login,
            danger: choices.one_in(3),
            require_auth: login != Login::None && choices.one_in(3),
            lmtp: choices.one_in(6),
            most_recipients: choices.pick(&[100, 100, 100, 2]),
            most_mails: choices.pick(&[0, 0, 0, 1, 2]),
            chunking: !choices.one_in(3),
            mails,
            pace,
            late: choices.one_in(3),
            asks: choices.one_in(4),
            overlaps: choices.one_in(2),
            connections,
        }
    }
}

impl Faults {
    fn draw(choices: &mut Choices<'_>) -> Self {
        let mut faults = Self::default();
        if choices.one_in(2) {
            return faults;
        }
        match choices.below(8) {
            0..=3 => {
                let bound = choices.pick(&[300, 1_200]);
                faults.lost = Some((choices.below(bound), choices.pick(&Loss::ALL)));
            }
            4 | 5 => faults.refuse = Some((choices.below(9), choices.pick(&REFUSALS))),
            6 => faults.inject = Some(choices.one_in(2)),
            _ => faults.shutdown = Some((choices.below(900), choices.one_in(2))),
        }
        if choices.one_in(10) {
            faults.abandon = Some(choices.below(60));
        }
        faults
    }
}
