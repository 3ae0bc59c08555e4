//! What reply codes and enhanced status codes mean at any server. Phrases stand in lower case.

use super::rule::Rule;
use super::{Explanation, Stage};

/// The server did not accept user name and password.
pub(super) const BAD_CREDENTIALS: Explanation = plain(
    "The server did not accept the user name or the password.",
    "Check both; the user name is mostly the whole mail address. Many providers want an app \
     password made in the account settings in place of the ordinary one.",
);

/// Any other refusal that may pass.
pub(super) const TEMPORARY: Explanation = plain(
    "The server could not do this now; the trouble is temporary.",
    "Try again later; waiting some minutes is mostly enough.",
);

/// Any other refusal for good.
pub(super) const PERMANENT: Explanation = plain(
    "The server refused this for good; sending the same again will not help.",
    "Read the server's own text for the reason, and ask the provider's support if it is unclear.",
);

const TLS_REQUIRED: Explanation = plain(
    "The server wants an encrypted connection before anything else.",
    "Use STARTTLS on port 587, or implicit TLS on port 465.",
);
const SIGN_IN_REQUIRED: Explanation = plain(
    "The server sends only for people who have signed in, and this connection has not.",
    "Give user name and password.",
);
const APP_PASSWORD: Explanation = plain(
    "The provider wants an app password; it takes no ordinary password from programs.",
    "Make an app password in the security settings of the account, and use it as the password.",
);
const TLS_UNAVAILABLE: Explanation = plain(
    "The server can not start encryption here.",
    "Try implicit TLS on port 465. If that fails too, ask the provider which server and port to \
     use.",
);
const TOO_MANY_SIGN_INS: Explanation = plain(
    "There were too many failed sign-ins, so the server blocks further ones for a while.",
    "Wait, check user name and password, and then try once.",
);
const RELAYING_DENIED: Explanation = plain(
    "The server does not pass on mail to other domains for you: you are not signed in, or it is \
     not your provider's submission server.",
    "Sign in with user name and password, and use the outgoing server of the provider that the \
     sender address belongs to.",
);
const NO_SUCH_RECIPIENT: Explanation = plain(
    "There is no mailbox with this recipient's address.",
    "Check the address letter by letter, and ask the recipient for the right one.",
);
const NO_SUCH_DOMAIN: Explanation = plain(
    "The part of the recipient's address behind the @ does not exist or takes no mail.",
    "Check the address for a slip of the hand, as in \"gmial.com\".",
);
const BAD_RECIPIENT_SYNTAX: Explanation = plain(
    "The server can not read the recipient's address.",
    "Check that it has the form name@example.org, without spaces.",
);
const MAILBOX_FULL: Explanation = plain(
    "The recipient's mailbox is full.",
    "Tell the recipient another way, and send again once there is room.",
);
const MAILBOX_DISABLED: Explanation = plain(
    "The recipient's mailbox is switched off.",
    "Ask the recipient for another address.",
);
const TOO_LARGE: Explanation = plain(
    "The message is larger than the server takes; attachments grow by a third on the way.",
    "Send smaller or fewer attachments, or a link to the file.",
);
const TOO_MANY_RECIPIENTS: Explanation = plain(
    "The message has more recipients than the server takes at once.",
    "Send it in several parts with fewer recipients each.",
);
const LIMIT_REACHED: Explanation = plain(
    "The account or your internet address has sent as much as the server allows for now.",
    "Wait some hours, and send fewer messages at once.",
);
const GREYLISTED: Explanation = plain(
    "The server does not know you yet and takes the message only at a second try, to keep spam \
     away (greylisting).",
    "Send the same message again in 5 to 15 minutes.",
);
const BLOCKLISTED: Explanation = plain(
    "Your internet address stands on a list of spam senders; private lines mostly do.",
    "Send through your provider's submission server (port 465 or 587) with a sign-in. If you run \
     the server, ask the named list to remove its address.",
);
const SPAM: Explanation = plain(
    "The server takes the message for spam or finds its content dangerous.",
    "Change the text, leave out links, programs and archives, and try again.",
);
const SENDER_NOT_ALLOWED: Explanation = plain(
    "The sender address does not belong to the account that signed in.",
    "Put the address of the account into the From field, or add the other address to the account.",
);
const BAD_SENDER: Explanation = plain(
    "The server does not accept the sender address: it is malformed, or its domain does not exist \
     or takes no mail.",
    "Use your real, complete mail address as the sender.",
);
const SENDER_UNPROVEN: Explanation = plain(
    "The sender's domain does not allow this server to send its mail (SPF, DKIM, DMARC).",
    "Send through the submission server of the provider that the sender address belongs to; an \
     own domain needs SPF and DKIM records for the service that sends.",
);
const CONNECTION_REFUSED: Explanation = plain(
    "The server takes no mail over this connection, mostly because of your internet address.",
    "Use your provider's submission server on port 465 or 587 with a sign-in, not port 25.",
);
const BUSY: Explanation = plain(
    "The server is busy or closes the connection: too many connections, a pause, or maintenance.",
    "Wait some minutes and try again, with fewer connections at once.",
);
const MECHANISM_UNAVAILABLE: Explanation = plain(
    "The server does not offer this way of signing in, or not on this connection.",
    "Use an encrypted connection (port 465 or 587), and another sign-in if the provider asks for \
     one, such as OAuth2.",
);
const BAD_NAME: Explanation = plain(
    "The server does not accept the name by which this computer introduced itself (EHLO).",
    "Set the EHLO name to a full host name such as mail.example.org.",
);
const NEEDS_SMTPUTF8: Explanation = plain(
    "The server takes no addresses with letters outside ASCII.",
    "Use addresses of plain letters a to z, or another server.",
);
const SERVER_FULL: Explanation = plain(
    "The server has no room at the moment.",
    "Try again later; tell the provider if it lasts.",
);
const MESSAGE_MALFORMED: Explanation = plain(
    "The server does not accept the form of the message: a header is missing, doubled or wrong.",
    "Check that it has one From and one Date field and correct addresses.",
);
const MISUNDERSTOOD: Explanation = plain(
    "The server does not understand or does not offer what was asked of it.",
    "Check that host and port are those of a submission server; if they are, report this as a \
     fault of the program.",
);

const fn plain(meaning: &'static str, next_step: &'static str) -> Explanation {
    Explanation {
        meaning,
        next_step,
        url: None,
    }
}

const ENVELOPE: &[Stage] = &[Stage::Mail, Stage::Rcpt, Stage::Data];
const AFTER_SIGN_IN: &[Stage] = &[Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Content];
const SENDER: &[Stage] = &[Stage::Mail, Stage::Data, Stage::Content];

/// The first rule that fits counts: phrases that leave no doubt come before codes that many
/// servers use for several things.
pub(super) static RULES: &[Rule] = &[
    // Encryption.
    Rule::on(&[])
        .saying(&[
            "must issue a starttls",
            "issue a starttls",
            "starttls first",
            "starttls is required",
            "starttls required",
            "encryption required",
            "requires tls",
            "tls required",
        ])
        .is(TLS_REQUIRED),
    Rule::on(&[538, 523]).is(TLS_REQUIRED),
    Rule::on(&[])
        .with(&[(5, 7, 11), (5, 7, 10)])
        .is(TLS_REQUIRED),
    Rule::on(&[530])
        .at(&[Stage::Hello, Stage::Auth])
        .is(TLS_REQUIRED),
    Rule::on(&[]).at(&[Stage::StartTls]).is(TLS_UNAVAILABLE),
    // Sign-in.
    Rule::on(&[])
        .at(&[Stage::Auth])
        .saying(&[
            "app password",
            "application password",
            "application-specific",
            "app-specific",
            "application specific",
        ])
        .is(APP_PASSWORD),
    Rule::on(&[])
        .at(&[Stage::Auth])
        .saying(&["too many", "temporarily blocked", "locked", "rate limit"])
        .is(TOO_MANY_SIGN_INS),
    Rule::on(&[421]).is(BUSY),
    Rule::on(&[432])
        .at(&[Stage::Auth])
        .with(&[(4, 7, 12)])
        .means(
            "The server needs the password once in a simpler form before this sign-in works.",
            "Sign in once with the mechanism PLAIN over an encrypted connection, then as before.",
        ),
    Rule::on(&[432, 454, 450, 451]).at(&[Stage::Auth]).means(
        "The server can not check sign-ins at the moment; the password may well be right.",
        "Wait a few minutes and try again with the same password.",
    ),
    Rule::on(&[534]).is(MECHANISM_TOO_WEAK),
    Rule::on(&[504, 500, 502, 503])
        .at(&[Stage::Auth])
        .is(MECHANISM_UNAVAILABLE),
    Rule::on(&[535]).is(BAD_CREDENTIALS),
    Rule::on(&[]).with(&[(5, 7, 8)]).is(BAD_CREDENTIALS),
    Rule::on(&[501]).at(&[Stage::Auth]).means(
        "The server could not read the user name or password.",
        "Check them for unusual characters and spaces at the ends; if there are none, report this \
         as a fault of the program.",
    ),
    Rule::on(&[525]).with(&[(5, 7, 13)]).is(ACCOUNT_DISABLED),
    Rule::on(&[])
        .at(&[Stage::Auth])
        .saying(&["disabled", "suspended"])
        .is(ACCOUNT_DISABLED),
    Rule::on(&[500, 521, 525, 526, 530, 550, 553, 554])
        .at(&[Stage::Auth])
        .is(BAD_CREDENTIALS),
    Rule::on(&[530]).is(SIGN_IN_REQUIRED),
    Rule::on(&[503, 550, 551, 553, 554])
        .at(AFTER_SIGN_IN)
        .saying(&[
            "authentication required",
            "authentication is required",
            "need auth",
            "must authenticate",
            "not authenticated",
            "not logged in",
            "auth first",
            "smtp auth",
            "authenticate first",
            "auth command",
        ])
        .is(SIGN_IN_REQUIRED),
    // Addresses outside ASCII, before the general refusals of addresses.
    Rule::on(&[])
        .with(&[(5, 6, 7), (5, 6, 9)])
        .is(NEEDS_SMTPUTF8),
    Rule::on(&[]).saying(&["smtputf8"]).is(NEEDS_SMTPUTF8),
    // The connection itself, and the internet address behind it.
    Rule::on(&[])
        .saying(&[
            "blocklist",
            "blacklist",
            "block list",
            "black list",
            "blocked using",
            "spamhaus",
            "spamcop",
            "dnsbl",
            "poor reputation",
        ])
        .is(BLOCKLISTED),
    Rule::on(&[500, 501, 502, 504, 550, 554])
        .saying(&[
            "helo command rejected",
            "ehlo command rejected",
            "invalid helo",
            "invalid ehlo",
        ])
        .is(BAD_NAME),
    Rule::on(&[501, 504, 550, 553, 554])
        .at(&[Stage::Hello])
        .is(BAD_NAME),
    Rule::on(&[500, 521, 530, 550, 553, 554])
        .at(&[Stage::Greeting])
        .is(CONNECTION_REFUSED),
    Rule::on(&[450, 451, 454])
        .at(&[Stage::Greeting, Stage::Hello])
        .is(BUSY),
    // Greylisting, before the temporary codes that it uses.
    Rule::on(&[450, 451, 452])
        .saying(&[
            "greylist",
            "graylist",
            "grey list",
            "grey-list",
            "gray list",
        ])
        .is(GREYLISTED),
    // Who may be written to.
    Rule::on(&[])
        .at(AFTER_SIGN_IN)
        .saying(&[
            "relaying",
            "relay access denied",
            "unable to relay",
            "relay denied",
            "relay not permitted",
            "not permitted to relay",
            "not relay",
            "no relay",
            "open relay",
        ])
        .is(RELAYING_DENIED),
    Rule::on(&[556]).is(NO_SUCH_DOMAIN),
    Rule::on(&[])
        .with(&[(5, 1, 2), (5, 1, 10), (5, 4, 4)])
        .is(NO_SUCH_DOMAIN),
    Rule::on(&[]).with(&[(5, 1, 3)]).is(BAD_RECIPIENT_SYNTAX),
    Rule::on(&[]).with(&[(5, 2, 1)]).is(MAILBOX_DISABLED),
    // How much.
    Rule::on(&[])
        .with(&[(4, 5, 3), (5, 5, 3)])
        .is(TOO_MANY_RECIPIENTS),
    Rule::on(&[])
        .saying(&["too many recipients"])
        .is(TOO_MANY_RECIPIENTS),
    Rule::on(&[])
        .with(&[(5, 3, 4), (5, 2, 3), (4, 3, 4)])
        .is(TOO_LARGE),
    Rule::on(&[552, 550, 554, 523])
        .saying(&["size", "too large", "too big"])
        .is(TOO_LARGE),
    Rule::on(&[])
        .saying(&[
            "daily limit",
            "sending limit",
            "rate limit",
            "limit exceeded",
            "too many messages",
            "too many mails",
            "sending quota",
            "message quota",
            "throttl",
        ])
        .is(LIMIT_REACHED),
    Rule::on(&[]).with(&[(4, 2, 2), (5, 2, 2)]).is(MAILBOX_FULL),
    Rule::on(&[450, 452, 550, 552, 554])
        .at(&[Stage::Rcpt, Stage::Content])
        .saying(&[
            "mailbox full",
            "mailbox is full",
            "over quota",
            "quota exceeded",
            "out of storage",
        ])
        .is(MAILBOX_FULL),
    Rule::on(&[552]).at(&[Stage::Rcpt]).is(MAILBOX_FULL),
    Rule::on(&[552]).is(TOO_LARGE),
    Rule::on(&[452]).is(SERVER_FULL),
    Rule::on(&[]).with(&[(4, 3, 1), (5, 3, 1)]).is(SERVER_FULL),
    // Who sends.
    Rule::on(&[550, 551, 553, 554, 501])
        .at(AFTER_SIGN_IN)
        .saying(&[
            "not owned by",
            "sender address rejected: not logged in",
            "not allowed to send as",
            "not authorized to send from",
            "not authorised to send from",
            "sender address is not allowed",
            "must match the authenticated",
            "does not belong to",
            "sender mismatch",
        ])
        .is(SENDER_NOT_ALLOWED),
    Rule::on(&[])
        .with(&[
            (5, 7, 20),
            (5, 7, 21),
            (5, 7, 22),
            (5, 7, 23),
            (5, 7, 24),
            (5, 7, 25),
            (5, 7, 26),
            (5, 7, 27),
        ])
        .is(SENDER_UNPROVEN),
    Rule::on(&[550, 551, 553, 554])
        .at(AFTER_SIGN_IN)
        .saying(&["dmarc", "dkim", " spf", "spf "])
        .is(SENDER_UNPROVEN),
    Rule::on(&[])
        .with(&[(5, 1, 7), (5, 1, 8), (4, 1, 8), (4, 1, 7)])
        .is(BAD_SENDER),
    Rule::on(&[450, 451, 550, 553, 554])
        .at(AFTER_SIGN_IN)
        .saying(&[
            "sender address rejected",
            "domain not found",
            "sender domain",
            "sender verify failed",
        ])
        .is(BAD_SENDER),
    Rule::on(&[553]).at(SENDER).is(SENDER_NOT_ALLOWED),
    Rule::on(&[550, 554])
        .at(&[Stage::Mail])
        .with(&[(5, 7, 1)])
        .is(SENDER_NOT_ALLOWED),
    Rule::on(&[501]).at(&[Stage::Mail]).is(BAD_SENDER),
    Rule::on(&[501]).at(&[Stage::Rcpt]).is(BAD_RECIPIENT_SYNTAX),
    // The content.
    Rule::on(&[])
        .at(&[Stage::Data, Stage::Content])
        .saying(&[
            "spam",
            "junk",
            "unsolicited",
            "virus",
            "malware",
            "phishing",
            "content",
        ])
        .is(SPAM),
    Rule::on(&[550, 551, 552, 553, 554])
        .at(&[Stage::Data, Stage::Content])
        .with(&[(5, 7, 0), (5, 7, 1)])
        .is(SPAM),
    Rule::on(&[550, 554])
        .at(&[Stage::Data, Stage::Content])
        .saying(&["header", "rfc 5322", "rfc5322", "rfc 2822"])
        .is(MESSAGE_MALFORMED),
    Rule::on(&[])
        .at(&[Stage::Content])
        .with(&[(5, 6, 0)])
        .is(MESSAGE_MALFORMED),
    Rule::on(&[554])
        .at(&[Stage::Content])
        .with(&[(5, 0, 0), (5, 3, 0)])
        .is(PERMANENT),
    Rule::on(&[554]).at(&[Stage::Content]).is(SPAM),
    // Recipients, by phrases and then by the plain codes.
    Rule::on(&[])
        .with(&[(5, 1, 1), (5, 1, 0), (5, 1, 6)])
        .is(NO_SUCH_RECIPIENT),
    Rule::on(&[])
        .at(&[Stage::Rcpt, Stage::Content])
        .saying(&[
            "no such user",
            "user unknown",
            "unknown user",
            "does not exist",
            "doesn't exist",
            "no mailbox",
            "invalid recipient",
            "recipient not found",
            "unknown recipient",
            "no such recipient",
        ])
        .is(NO_SUCH_RECIPIENT),
    Rule::on(&[550, 551, 553, 554])
        .at(&[Stage::Rcpt])
        .with(&[(5, 7, 0), (5, 7, 1)])
        .means(
            "The server's rules forbid sending to this recipient: mostly you are not signed in, \
             or the recipient takes no mail from outside.",
            "Sign in with user name and password; if you did, ask the recipient or the provider.",
        ),
    Rule::on(&[550, 551, 553])
        .at(&[Stage::Rcpt])
        .is(NO_SUCH_RECIPIENT),
    Rule::on(&[450]).at(&[Stage::Rcpt]).means(
        "The recipient's mailbox can not be reached at the moment, or the server wants a second \
         try from senders it does not know.",
        "Send the same message again in 5 to 15 minutes.",
    ),
    Rule::on(&[451])
        .at(&[Stage::Rcpt])
        .with(&[(4, 7, 1)])
        .is(GREYLISTED),
    Rule::on(&[554]).at(ENVELOPE).is(CONNECTION_REFUSED),
    // Misunderstandings.
    Rule::on(&[503]).at(&[Stage::Mail]).is(SIGN_IN_REQUIRED),
    Rule::on(&[503]).at(&[Stage::Data]).means(
        "The server has accepted no recipient, so it takes no message.",
        "Look at what it said to each recipient.",
    ),
    Rule::on(&[555]).at(ENVELOPE).means(
        "The server does not know an option that was sent with the address.",
        "Send without special options such as delivery reports; otherwise report this as a fault \
         of the program.",
    ),
    Rule::on(&[500, 501, 502, 503, 504, 555]).is(MISUNDERSTOOD),
    Rule::on(&[521]).is(CONNECTION_REFUSED),
];

const MECHANISM_TOO_WEAK: Explanation = plain(
    "The provider wants a safer sign-in than this password: an app password, OAuth2, or a \
     confirmation in the browser.",
    "Sign in on the provider's web page once, look for a security notice, and make an app \
     password if the account settings offer one.",
);
const ACCOUNT_DISABLED: Explanation = plain(
    "The account, or sending by SMTP with it, is switched off.",
    "Sign in on the provider's web page and look for a notice; work accounts: ask the \
     administrator.",
);
