//! Servers for development: catch-all test services, local ones, and Proton Mail Bridge.

use super::{
    Endpoint, MAILBOX, Provider, Security, SignIn, UserName, imaps, pop3s, starttls, submission,
};

const LOCAL_HELP: &str = "Start it on this machine; it takes any mail without sign-in and shows \
    it in the browser. Nothing is encrypted, and nothing is delivered.";

/// A test server on the own machine, as all of them start by default: plain text, and safe only
/// since the mail does not leave the machine.
const LOCAL: Provider = Provider {
    submission: &[Endpoint {
        host: "localhost",
        port: 1025,
        security: Security::DangerPlaintext,
    }],
    sign_in: SignIn::NotNeeded,
    user_name: UserName::NotNeeded,
    help: LOCAL_HELP,
    ..MAILBOX
};

/// See [`super`] for the sources.
pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        id: "ethereal",
        name: "Ethereal Email",
        domains: &["ethereal.email"],
        submission: &[submission("smtp.ethereal.email")],
        imap: &[imaps("imap.ethereal.email")],
        pop3: &[pop3s("pop3.ethereal.email")],
        help: "Create a test account at ethereal.email; it shows address and password. Mail is \
            kept there to look at and never delivered.",
        help_url: Some("https://ethereal.email/"),
        ..MAILBOX
    },
    Provider {
        id: "mailtrap-sandbox",
        name: "Mailtrap Sandbox",
        aliases: &["Mailtrap Email Testing"],
        submission: &[
            submission("sandbox.smtp.mailtrap.io"),
            starttls("sandbox.smtp.mailtrap.io", 2525),
        ],
        sign_in: SignIn::SmtpCredentials,
        user_name: UserName::Issued,
        help: "The page of your sandbox inbox shows user name and password. Mail is kept there to \
            look at and never delivered.",
        help_url: Some("https://docs.mailtrap.io/"),
        other_hosts: &["smtp.mailtrap.io"],
        ..MAILBOX
    },
    Provider {
        id: "mailpit",
        name: "Mailpit",
        ..LOCAL
    },
    Provider {
        id: "mailhog",
        name: "MailHog",
        ..LOCAL
    },
    Provider {
        id: "maildev",
        name: "MailDev",
        ..LOCAL
    },
    Provider {
        id: "proton-bridge",
        name: "Proton Mail Bridge",
        submission: &[starttls("127.0.0.1", 1025)],
        imap: &[starttls("127.0.0.1", 1143)],
        sign_in: SignIn::AppPassword,
        help: "Install Proton Mail Bridge (paid plans) on this machine; it shows a password for \
            each address. Its certificate is self-signed: export it and trust it explicitly.",
        help_url: Some("https://proton.me/mail/bridge"),
        ..MAILBOX
    },
];
