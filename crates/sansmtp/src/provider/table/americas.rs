//! Mailboxes of internet providers and portals in the Americas.
//!
//! Hosts, ports, domains and user names are those of Thunderbird's ISPDB where it has the
//! provider; servers that it lists without TLS, or on unusual ports, are left out.

use super::{
    Family, MAILBOX, Provider, SignIn, UserName, imap, imaps, pop3, pop3s, smtps, submission,
};

const LOCAL_PART: &str = "Use the part of your mail address before the @ as user name, and the \
    password of the mailbox.";

/// See [`super`] for the sources.
pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        id: "att",
        name: "AT&T Mail",
        aliases: &["SBCGlobal", "BellSouth", "Currently"],
        domains: &[
            "ameritech.net",
            "att.net",
            "bellsouth.net",
            "currently.com",
            "flash.net",
            "nvbell.net",
            "pacbell.net",
            "prodigy.net",
            "sbcglobal.net",
            "snet.net",
            "swbell.net",
            "wans.net",
        ],
        submission: &[smtps("outbound.att.net"), smtps("smtp.mail.att.net")],
        imap: &[imaps("imap.mail.att.net")],
        pop3: &[pop3s("inbound.att.net")],
        sign_in: SignIn::OAuth2OrAppPassword,
        help: "Your ordinary password is refused. Make a secure mail key in your AT&T profile \
            under Sign-in info, and use it as password.",
        help_url: Some("https://www.att.com/support/article/email-support/KM1010523/"),
        family: Family::Yahoo,
        ..MAILBOX
    },
    Provider {
        id: "comcast",
        name: "Comcast Xfinity",
        aliases: &["Xfinity"],
        domains: &["comcast.net"],
        submission: &[smtps("smtp.comcast.net"), submission("smtp.comcast.net")],
        imap: &[imaps("imap.comcast.net"), imap("imap.comcast.net")],
        pop3: &[pop3s("mail.comcast.net"), pop3("mail.comcast.net")],
        sign_in: SignIn::OAuth2OrPassword,
        help: "Mail programs are shut out until Third Party Access Security is allowed in the \
            settings of Xfinity Email; then use your ordinary password.",
        help_url: Some("https://www.xfinity.com/support/articles/third-party-email-access"),
        ..MAILBOX
    },
    Provider {
        id: "roadrunner",
        name: "RoadRunner (Spectrum)",
        aliases: &["rr.com", "TWC"],
        domains: &["rr.com"],
        submission: &[submission("mail.twc.com")],
        imap: &[imaps("mail.twc.com")],
        pop3: &[pop3s("mail.twc.com")],
        ..MAILBOX
    },
    Provider {
        id: "earthlink",
        name: "EarthLink",
        aliases: &["Mindspring"],
        domains: &["earthlink.net", "mindspring.com", "ix.netcom.com"],
        submission: &[submission("smtpauth.earthlink.net")],
        imap: &[imaps("imap.earthlink.net")],
        pop3: &[pop3s("pop.earthlink.net")],
        ..MAILBOX
    },
    Provider {
        id: "centurylink",
        name: "CenturyLink",
        aliases: &["Embarqmail"],
        domains: &["centurylink.net", "embarqmail.com"],
        submission: &[submission("smtp.centurylink.net")],
        imap: &[imaps("mail.centurylink.net")],
        pop3: &[pop3s("pop.centurylink.net")],
        ..MAILBOX
    },
    Provider {
        id: "q-com",
        name: "Q.com (CenturyLink)",
        domains: &["q.com"],
        submission: &[submission("smtp.q.com")],
        imap: &[imaps("mail.q.com")],
        pop3: &[pop3s("mail.q.com")],
        ..MAILBOX
    },
    Provider {
        id: "penteledata",
        name: "PenTeleData",
        domains: &["ptd.net"],
        submission: &[smtps("promail.ptd.net"), submission("promail.ptd.net")],
        imap: &[imaps("promail.ptd.net"), imap("promail.ptd.net")],
        pop3: &[pop3s("promail.ptd.net"), pop3("promail.ptd.net")],
        user_name: UserName::LocalPart,
        help: LOCAL_PART,
        ..MAILBOX
    },
    Provider {
        id: "bell",
        name: "Bell Canada",
        aliases: &["Sympatico"],
        domains: &["bell.net", "sympatico.ca"],
        submission: &[submission("smtphm.sympatico.ca")],
        imap: &[imaps("imap.bell.net")],
        pop3: &[pop3s("pophm.sympatico.ca")],
        ..MAILBOX
    },
    Provider {
        id: "bol",
        name: "BOL Mail",
        aliases: &["bol.com.br"],
        domains: &["bol.com.br"],
        submission: &[smtps("smtps.bol.com.br"), submission("smtps.bol.com.br")],
        imap: &[imaps("imap.bol.com.br")],
        pop3: &[pop3s("pop3.bol.com.br")],
        user_name: UserName::LocalPart,
        help: LOCAL_PART,
        ..MAILBOX
    },
    Provider {
        id: "uol",
        name: "UOL",
        aliases: &["uol.com.br"],
        domains: &["uol.com.br"],
        submission: &[submission("smtps.uol.com.br")],
        imap: &[imaps("imap.uol.com.br")],
        pop3: &[pop3s("pop3.uol.com.br")],
        user_name: UserName::LocalPart,
        help: LOCAL_PART,
        ..MAILBOX
    },
];
