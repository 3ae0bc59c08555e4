//! The table of providers.
//!
//! # Sources
//!
//! - `services.json` of nodemailer 10.6.0 (licence MIT-0), <https://nodemailer.com/smtp/well-known-services>:
//!   which services there are, their names, submission hosts and ports.
//! - Thunderbird's ISPDB (state of March 2026), <https://github.com/thunderbird/autoconfig>: mail
//!   domains, submission and incoming servers, user names. Where the two disagree, the ISPDB is
//!   taken, since mail programs of many people depend on it every day.
//! - The providers' own help pages for what neither has: the way to get credentials, the second
//!   submission port, and the incoming servers of Disroot, mailbox.org, Forward Email, Ethereal
//!   and Zoho for organizations.
//!
//! # Left out
//!
//! Services of `services.json` that are closed (OpenMailBox, Dyn Email Delivery), that have no
//! server for the public (Zimbra; Tuta stands here to say so), that take no ordinary mail (Loops), whose security or port is
//! not given (DebugMail, hot.ee, MailSenpai, Mailcatch, SendCloud), or whose given host differs
//! from the service's own documentation (Mailosaur). A wrong host is worse than none.

mod americas;
mod asia_pacific;
mod delivery;
mod development;
mod europe;
mod mailbox;

use super::{Endpoint, Family, Provider, SignIn, UserName};
use crate::config::Security;

/// All entries, in the order of [`Provider::all`].
pub(super) static GROUPS: [&[Provider]; 6] = [
    mailbox::PROVIDERS,
    europe::PROVIDERS,
    americas::PROVIDERS,
    asia_pacific::PROVIDERS,
    delivery::PROVIDERS,
    development::PROVIDERS,
];

/// The help of mailboxes that need nothing special.
pub(super) const ORDINARY_HELP: &str = "Use your mail address and the password of the mailbox.";

/// What most mailboxes share; an entry names only what differs.
const MAILBOX: Provider = Provider {
    id: "",
    name: "",
    aliases: &[],
    domains: &[],
    submission: &[],
    imap: &[],
    pop3: &[],
    sign_in: SignIn::Password,
    user_name: UserName::Address,
    help: ORDINARY_HELP,
    help_url: None,
    other_hosts: &[],
    family: Family::Other,
};

/// Submission with implicit TLS on port 465 (RFC 8314, section 7.3).
const fn smtps(host: &'static str) -> Endpoint {
    tls(host, 465)
}

/// Submission with STARTTLS on port 587 (RFC 6409, section 3.1).
const fn submission(host: &'static str) -> Endpoint {
    starttls(host, 587)
}

/// IMAP with implicit TLS on port 993.
const fn imaps(host: &'static str) -> Endpoint {
    tls(host, 993)
}

/// IMAP with STARTTLS on port 143.
const fn imap(host: &'static str) -> Endpoint {
    starttls(host, 143)
}

/// POP3 with implicit TLS on port 995.
const fn pop3s(host: &'static str) -> Endpoint {
    tls(host, 995)
}

/// POP3 with STARTTLS (the command `STLS`, RFC 2595) on port 110.
const fn pop3(host: &'static str) -> Endpoint {
    starttls(host, 110)
}

const fn tls(host: &'static str, port: u16) -> Endpoint {
    Endpoint {
        host,
        port,
        security: Security::ImplicitTls,
    }
}

const fn starttls(host: &'static str, port: u16) -> Endpoint {
    Endpoint {
        host,
        port,
        security: Security::StartTls,
    }
}
