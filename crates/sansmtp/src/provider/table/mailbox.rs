//! Mailboxes that people use around the world, and hosting of mail for own domains.

use super::{
    Family, MAILBOX, Provider, SignIn, UserName, imap, imaps, pop3, pop3s, smtps, submission,
};

/// Where Yahoo runs the mail.
const YAHOO_HELP: &str = "Your ordinary password is refused. Open the account security page, \
    choose \"Generate app password\", and use that password here.";
const ZOHO_HELP: &str = "Use your mail address and password; with two-factor authentication make \
    an application-specific password under Security in your Zoho account.";
const ZOHO_URL: Option<&str> = Some("https://www.zoho.com/mail/help/zoho-smtp.html");

/// What the regions of Zoho share.
const ZOHO: Provider = Provider {
    sign_in: SignIn::PasswordOrAppPassword,
    help: ZOHO_HELP,
    help_url: ZOHO_URL,
    family: Family::Zoho,
    ..MAILBOX
};

/// See [`super`] for the sources.
pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        id: "gmail",
        name: "Gmail",
        aliases: &["Google", "Google Mail", "Google Workspace", "G Suite"],
        domains: &["gmail.com", "googlemail.com", "google.com"],
        submission: &[smtps("smtp.gmail.com"), submission("smtp.gmail.com")],
        imap: &[imaps("imap.gmail.com")],
        pop3: &[pop3s("pop.gmail.com")],
        sign_in: SignIn::OAuth2OrAppPassword,
        help: "Your ordinary Google password is refused. Turn on 2-Step Verification, make an app \
            password at myaccount.google.com/apppasswords, and use it without the spaces.",
        help_url: Some("https://support.google.com/accounts/answer/185833"),
        other_hosts: &["smtp.googlemail.com"],
        family: Family::Google,
        ..MAILBOX
    },
    Provider {
        id: "outlook",
        name: "Outlook.com",
        aliases: &["Hotmail", "Hotmail.com", "Live", "Live.com", "MSN"],
        domains: &[
            "outlook.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "windowslive.com",
            "outlook.*",
            "hotmail.*",
            "live.at",
            "live.be",
            "live.ca",
            "live.cl",
            "live.cn",
            "live.de",
            "live.dk",
            "live.fi",
            "live.fr",
            "live.hk",
            "live.ie",
            "live.in",
            "live.it",
            "live.jp",
            "live.nl",
            "live.no",
            "live.ru",
            "live.se",
            "live.co.jp",
            "live.co.kr",
            "live.co.uk",
            "live.co.za",
            "live.com.ar",
            "live.com.au",
            "live.com.mx",
            "live.com.my",
            "live.com.ph",
            "live.com.pt",
            "live.com.sg",
            "livemail.tw",
        ],
        submission: &[submission("smtp-mail.outlook.com")],
        imap: &[imaps("outlook.office365.com")],
        pop3: &[pop3s("outlook.office365.com")],
        sign_in: SignIn::OAuth2,
        help: "Microsoft takes no passwords for personal accounts, not even app passwords. Sign \
            in with OAuth2: hand over an access token with the scope SMTP.Send.",
        help_url: Some(
            "https://support.microsoft.com/office/pop-imap-and-smtp-settings-for-outlook-com-d088b986-291d-42b8-9564-9c414e2aa040",
        ),
        other_hosts: &["smtp.live.com", "smtp.outlook.com", "smtp.hotmail.com"],
        family: Family::Microsoft,
        ..MAILBOX
    },
    Provider {
        id: "microsoft365",
        name: "Microsoft 365",
        aliases: &[
            "m365",
            "Office 365",
            "o365",
            "Outlook365",
            "Exchange Online",
        ],
        domains: &["office365.com", "onmicrosoft.com", "*.onmicrosoft.com"],
        submission: &[submission("smtp.office365.com")],
        imap: &[imaps("outlook.office365.com")],
        pop3: &[pop3s("outlook.office365.com")],
        sign_in: SignIn::OAuth2OrPassword,
        help: "Sign in with OAuth2. A password works only while an administrator has switched on \
            \"Authenticated SMTP\" for the mailbox and security defaults are off.",
        help_url: Some("https://aka.ms/smtp_auth_disabled"),
        other_hosts: &[
            "outlook.office365.com",
            "smtp-legacy.office365.com",
            "*.mail.protection.outlook.com",
        ],
        family: Family::Microsoft,
        ..MAILBOX
    },
    Provider {
        id: "yahoo",
        name: "Yahoo Mail",
        aliases: &["ymail"],
        domains: &[
            "yahoo.com",
            "yahoo.*",
            "ymail.com",
            "rocketmail.com",
            "myyahoo.com",
            "cox.net",
        ],
        submission: &[
            smtps("smtp.mail.yahoo.com"),
            submission("smtp.mail.yahoo.com"),
        ],
        imap: &[imaps("imap.mail.yahoo.com")],
        pop3: &[pop3s("pop.mail.yahoo.com")],
        sign_in: SignIn::OAuth2OrAppPassword,
        help: YAHOO_HELP,
        help_url: Some("https://help.yahoo.com/kb/SLN15241.html"),
        family: Family::Yahoo,
        ..MAILBOX
    },
    Provider {
        id: "aol",
        name: "AOL Mail",
        aliases: &["AIM Mail", "Verizon", "Verizon.net"],
        domains: &[
            "aol.com",
            "aim.com",
            "netscape.net",
            "netscape.com",
            "compuserve.com",
            "cs.com",
            "wmconnect.com",
            "verizon.net",
            "aol.de",
            "aol.it",
            "aol.fr",
            "aol.es",
            "aol.se",
            "aol.co.uk",
            "aol.co.nz",
            "aol.com.au",
            "aol.com.ar",
            "aol.com.br",
            "aol.com.mx",
        ],
        submission: &[smtps("smtp.aol.com"), submission("smtp.aol.com")],
        imap: &[imaps("imap.aol.com")],
        pop3: &[pop3s("pop.aol.com")],
        sign_in: SignIn::OAuth2OrAppPassword,
        help: YAHOO_HELP,
        help_url: Some("https://help.aol.com/articles/Create-and-manage-app-password"),
        family: Family::Yahoo,
        ..MAILBOX
    },
    Provider {
        id: "icloud",
        name: "iCloud Mail",
        aliases: &["Apple", "Apple Mail", "Me", "Mac", "MobileMe"],
        domains: &["icloud.com", "me.com", "mac.com"],
        submission: &[submission("smtp.mail.me.com")],
        imap: &[imaps("imap.mail.me.com")],
        sign_in: SignIn::AppPassword,
        help: "Your Apple Account password is refused. Make an app-specific password at \
            account.apple.com under Sign-In and Security, and use your whole iCloud address.",
        help_url: Some("https://support.apple.com/102654"),
        other_hosts: &["smtp.me.com", "smtp.icloud.com"],
        family: Family::Apple,
        ..MAILBOX
    },
    Provider {
        id: "gmx",
        name: "GMX",
        aliases: &["GMX.net", "GMX.de", "GMX Mail"],
        domains: &[
            "gmx.net",
            "gmx.de",
            "gmx.at",
            "gmx.ch",
            "gmx.eu",
            "gmx.biz",
            "gmx.org",
            "gmx.info",
            "mein.gmx",
            "mail.gmx",
            "email.gmx",
        ],
        submission: &[smtps("mail.gmx.net"), submission("mail.gmx.net")],
        imap: &[imaps("imap.gmx.net"), imap("imap.gmx.net")],
        pop3: &[pop3s("pop.gmx.net"), pop3("pop.gmx.net")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Mail programs are shut out until you open the GMX web page, E-Mail settings, \
            POP3/IMAP, and allow access. With two-factor authentication make an application \
            password too.",
        help_url: Some("https://hilfe.gmx.net/pop-imap/einschalten.html"),
        other_hosts: &["smtp.gmx.net", "smtp.gmx.de", "mail.gmx.de"],
        family: Family::Gmx,
        ..MAILBOX
    },
    Provider {
        id: "gmx-com",
        name: "GMX.com",
        aliases: &["GMX International"],
        domains: &[
            "gmx.com",
            "gmx.tm",
            "gmx.us",
            "gmx.co.uk",
            "gmx.es",
            "gmx.fr",
            "gmx.ca",
            "gmx.cn",
            "gmx.co.in",
            "gmx.com.br",
            "gmx.com.my",
            "gmx.hk",
            "gmx.ie",
            "gmx.ph",
            "gmx.pt",
            "gmx.ru",
            "gmx.se",
            "gmx.sg",
            "gmx.tw",
            "gmx.com.tr",
            "gmx.it",
            "gmx.li",
        ],
        submission: &[smtps("mail.gmx.com"), submission("mail.gmx.com")],
        imap: &[imaps("imap.gmx.com"), imap("imap.gmx.com")],
        pop3: &[pop3s("pop.gmx.com"), pop3("pop.gmx.com")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Mail programs are shut out until you open the GMX web page, Settings, POP3 & IMAP, \
            and enable access. With two-factor authentication make an application password too.",
        help_url: Some("https://support.gmx.com/pop-imap/toggle.html"),
        other_hosts: &["smtp.gmx.com"],
        family: Family::Gmx,
        ..MAILBOX
    },
    Provider {
        id: "webde",
        name: "Web.de",
        aliases: &["WEB.DE FreeMail"],
        domains: &["web.de"],
        submission: &[smtps("smtp.web.de"), submission("smtp.web.de")],
        imap: &[imaps("imap.web.de"), imap("imap.web.de")],
        pop3: &[pop3s("pop3.web.de"), pop3("pop3.web.de")],
        sign_in: SignIn::PasswordOrAppPassword,
        user_name: UserName::LocalPart,
        help: "Mail programs are shut out until you open the WEB.DE page, E-Mail settings, \
            POP3/IMAP, and allow access. With two-factor authentication make an application \
            password too.",
        help_url: Some("https://hilfe.web.de/pop-imap/einschalten.html"),
        family: Family::Gmx,
        ..MAILBOX
    },
    Provider {
        id: "mailcom",
        name: "mail.com",
        domains: &[
            "mail.com",
            "mail.org",
            "email.com",
            "post.com",
            "usa.com",
            "accountant.com",
            "consultant.com",
            "dr.com",
            "engineer.com",
            "cheerful.com",
            "techie.com",
            "linuxmail.org",
            "europe.com",
            "london.com",
            "uymail.com",
            "myself.com",
            "iname.com",
            "writeme.com",
        ],
        submission: &[smtps("smtp.mail.com"), submission("smtp.mail.com")],
        imap: &[imaps("imap.mail.com"), imap("imap.mail.com")],
        pop3: &[pop3s("pop.mail.com"), pop3("pop.mail.com")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Mail programs are shut out until POP3/IMAP is switched on in the settings of the \
            mail.com web page; free accounts may need Premium for it.",
        help_url: Some("https://support.mail.com/"),
        family: Family::Gmx,
        ..MAILBOX
    },
    Provider {
        id: "fastmail",
        name: "Fastmail",
        aliases: &["Fastmail.fm", "messagingengine"],
        domains: &["fastmail.com", "fastmail.fm", "messagingengine.com"],
        submission: &[smtps("smtp.fastmail.com"), submission("smtp.fastmail.com")],
        imap: &[imaps("imap.fastmail.com")],
        pop3: &[pop3s("pop.fastmail.com")],
        sign_in: SignIn::OAuth2OrAppPassword,
        help: "Your ordinary password is refused. Make an app password for mail under Settings, \
            Privacy & Security, and sign in with your whole Fastmail address.",
        help_url: Some("https://www.fastmail.help/hc/en-us/articles/360058752854"),
        other_hosts: &["mail.messagingengine.com", "smtp.messagingengine.com"],
        family: Family::Fastmail,
        ..MAILBOX
    },
    Provider {
        id: "pobox",
        name: "Pobox",
        domains: &["pobox.com"],
        submission: &[smtps("smtp.pobox.com"), submission("smtp.pobox.com")],
        imap: &[imaps("mail.pobox.com"), imap("mail.pobox.com")],
        pop3: &[pop3s("mail.pobox.com"), pop3("mail.pobox.com")],
        ..MAILBOX
    },
    Provider {
        id: "zoho",
        name: "Zoho Mail",
        aliases: &["Zoho US", "Zoho.com"],
        domains: &["zoho.com", "zohomail.com"],
        submission: &[smtps("smtp.zoho.com"), submission("smtp.zoho.com")],
        imap: &[imaps("imap.zoho.com")],
        pop3: &[pop3s("pop.zoho.com")],
        ..ZOHO
    },
    Provider {
        id: "zoho-pro",
        name: "Zoho Mail for organizations",
        aliases: &["Zoho Workplace"],
        submission: &[smtps("smtppro.zoho.com"), submission("smtppro.zoho.com")],
        imap: &[imaps("imappro.zoho.com")],
        pop3: &[pop3s("poppro.zoho.com")],
        ..ZOHO
    },
    Provider {
        id: "zoho-eu",
        name: "Zoho Mail Europe",
        domains: &["zoho.eu", "zohomail.eu"],
        submission: &[smtps("smtp.zoho.eu"), submission("smtp.zoho.eu")],
        imap: &[imaps("imap.zoho.eu")],
        pop3: &[pop3s("pop.zoho.eu")],
        other_hosts: &["smtppro.zoho.eu"],
        ..ZOHO
    },
    Provider {
        id: "zoho-in",
        name: "Zoho Mail India",
        domains: &["zoho.in", "zohomail.in"],
        submission: &[smtps("smtp.zoho.in"), submission("smtp.zoho.in")],
        imap: &[imaps("imap.zoho.in")],
        pop3: &[pop3s("pop.zoho.in")],
        other_hosts: &["smtppro.zoho.in"],
        ..ZOHO
    },
    Provider {
        id: "zoho-au",
        name: "Zoho Mail Australia",
        domains: &["zoho.com.au", "zohomail.com.au"],
        submission: &[smtps("smtp.zoho.com.au"), submission("smtp.zoho.com.au")],
        imap: &[imaps("imap.zoho.com.au")],
        pop3: &[pop3s("pop.zoho.com.au")],
        other_hosts: &["smtppro.zoho.com.au"],
        ..ZOHO
    },
    Provider {
        id: "zoho-jp",
        name: "Zoho Mail Japan",
        domains: &["zoho.jp", "zohomail.jp"],
        submission: &[smtps("smtp.zoho.jp"), submission("smtp.zoho.jp")],
        imap: &[imaps("imap.zoho.jp")],
        pop3: &[pop3s("pop.zoho.jp")],
        other_hosts: &["smtppro.zoho.jp"],
        ..ZOHO
    },
    Provider {
        id: "zoho-ca",
        name: "Zoho Mail Canada",
        domains: &["zohocloud.ca", "zohomailcloud.ca"],
        submission: &[smtps("smtp.zohocloud.ca"), submission("smtp.zohocloud.ca")],
        imap: &[imaps("imap.zohocloud.ca")],
        pop3: &[pop3s("pop.zohocloud.ca")],
        other_hosts: &["smtppro.zohocloud.ca"],
        ..ZOHO
    },
    Provider {
        id: "proton",
        name: "Proton Mail",
        aliases: &["Proton.me", "Protonmail.com", "Protonmail.ch"],
        domains: &["proton.me", "protonmail.com", "pm.me", "protonmail.ch"],
        submission: &[submission("smtp.protonmail.ch")],
        sign_in: SignIn::ApiKey,
        help: "Your ordinary password is refused. With a paid plan and an own domain, make an \
            SMTP token under Settings, IMAP/SMTP; for all other addresses run Proton Mail Bridge \
            (provider \"proton-bridge\").",
        help_url: Some("https://proton.me/support/smtp-submission"),
        family: Family::Proton,
        ..MAILBOX
    },
    Provider {
        id: "tuta",
        name: "Tuta Mail",
        aliases: &["Tutanota"],
        domains: &[
            "tuta.com",
            "tutanota.com",
            "tutanota.de",
            "tutamail.com",
            "tuta.io",
            "keemail.me",
        ],
        sign_in: SignIn::NotOffered,
        help: "Tuta offers no SMTP, IMAP or POP3: its mail is encrypted in its own programs. Use \
            another provider to send from programs.",
        help_url: Some("https://tuta.com/support"),
        ..MAILBOX
    },
    Provider {
        id: "mailboxorg",
        name: "mailbox.org",
        domains: &["mailbox.org"],
        submission: &[smtps("smtp.mailbox.org"), submission("smtp.mailbox.org")],
        imap: &[imaps("imap.mailbox.org")],
        pop3: &[pop3s("pop3.mailbox.org")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Use your main address and password; with two-factor authentication make an \
            application password under All settings, Security.",
        help_url: Some("https://kb.mailbox.org/en/private/e-mail/e-mail-configuration"),
        ..MAILBOX
    },
    Provider {
        id: "posteo",
        name: "Posteo",
        domains: &[
            "posteo.de",
            "posteo.net",
            "posteo.com",
            "posteo.org",
            "posteo.*",
        ],
        submission: &[smtps("posteo.de"), submission("posteo.de")],
        imap: &[imaps("posteo.de"), imap("posteo.de")],
        pop3: &[pop3s("posteo.de"), pop3("posteo.de")],
        help: "Use your mail address and password. If extra mailbox protection is on, switch it \
            off in the settings, or make an app password.",
        help_url: Some(
            "https://posteo.de/hilfe/wie-richte-ich-posteo-in-einem-mailprogramm-ein-pop3-imap-und-smtp",
        ),
        ..MAILBOX
    },
    Provider {
        id: "disroot",
        name: "Disroot",
        domains: &["disroot.org"],
        submission: &[smtps("disroot.org"), submission("disroot.org")],
        imap: &[imaps("disroot.org")],
        pop3: &[pop3s("disroot.org")],
        help_url: Some("https://howto.disroot.org/en/tutorials/email/settings"),
        ..MAILBOX
    },
    Provider {
        id: "runbox",
        name: "Runbox",
        domains: &["runbox.com"],
        submission: &[smtps("smtp.runbox.com")],
        ..MAILBOX
    },
    Provider {
        id: "kolabnow",
        name: "Kolab Now",
        aliases: &["Kolab"],
        domains: &["kolabnow.com"],
        submission: &[smtps("smtp.kolabnow.com")],
        ..MAILBOX
    },
    Provider {
        id: "yandex",
        name: "Yandex Mail",
        aliases: &["Yandex.ru", "Yandex 360"],
        domains: &[
            "yandex.com",
            "yandex.ru",
            "yandex.net",
            "yandex.by",
            "yandex.kz",
            "yandex.ua",
            "ya.ru",
            "narod.ru",
        ],
        submission: &[smtps("smtp.yandex.com")],
        imap: &[imaps("imap.yandex.com")],
        pop3: &[pop3s("pop.yandex.com")],
        sign_in: SignIn::AppPassword,
        help: "Allow mail programs under Mail settings, Email clients, then make an app password \
            of the type Mail at id.yandex.com and use it here.",
        help_url: Some("https://yandex.com/support/id/authorization/app-passwords.html"),
        other_hosts: &["smtp.yandex.ru", "smtp.ya.ru"],
        family: Family::Yandex,
        ..MAILBOX
    },
    Provider {
        id: "mailru",
        name: "Mail.ru",
        domains: &["mail.ru", "inbox.ru", "list.ru", "bk.ru", "corp.mail.ru"],
        submission: &[smtps("smtp.mail.ru"), submission("smtp.mail.ru")],
        imap: &[imaps("imap.mail.ru"), imap("imap.mail.ru")],
        pop3: &[pop3s("pop.mail.ru"), pop3("pop.mail.ru")],
        sign_in: SignIn::AppPassword,
        help: "Your ordinary password is refused. Make a password for external applications in \
            the security settings of your Mail.ru account, and use it here.",
        help_url: Some("https://help.mail.ru/mail/security/protection/external"),
        family: Family::MailRu,
        ..MAILBOX
    },
    Provider {
        id: "rackspace",
        name: "Rackspace Email",
        aliases: &["emailsrvr"],
        domains: &["emailsrvr.com"],
        submission: &[smtps("secure.emailsrvr.com")],
        imap: &[imaps("secure.emailsrvr.com")],
        ..MAILBOX
    },
    Provider {
        id: "godaddy",
        name: "GoDaddy Workspace Email",
        aliases: &["secureserver"],
        domains: &["secureserver.net"],
        submission: &[smtps("smtpout.secureserver.net")],
        imap: &[imaps("imap.secureserver.net")],
        pop3: &[pop3s("pop.secureserver.net")],
        help: "Use your mail address and the password of the mailbox. If your domain has \
            Microsoft 365 from GoDaddy, use the provider \"microsoft365\" instead.",
        other_hosts: &["smtp.*.secureserver.net"],
        ..MAILBOX
    },
    Provider {
        id: "gandi",
        name: "Gandi Mail",
        aliases: &["Gandi.net"],
        domains: &["gandi.net"],
        submission: &[smtps("mail.gandi.net"), submission("mail.gandi.net")],
        imap: &[imaps("mail.gandi.net"), imap("mail.gandi.net")],
        pop3: &[pop3s("mail.gandi.net"), pop3("mail.gandi.net")],
        ..MAILBOX
    },
    Provider {
        id: "infomaniak",
        name: "Infomaniak Mail",
        aliases: &["kMail", "ik.me"],
        domains: &["ik.me", "ikmail.com", "etik.com"],
        submission: &[submission("mail.infomaniak.com")],
        ..MAILBOX
    },
    Provider {
        id: "ovh",
        name: "OVHcloud Mail",
        domains: &["ovh.net"],
        submission: &[smtps("ssl0.ovh.net")],
        imap: &[imaps("ssl0.ovh.net")],
        pop3: &[pop3s("ssl0.ovh.net")],
        ..MAILBOX
    },
    Provider {
        id: "onecom",
        name: "one.com",
        aliases: &["One"],
        domains: &["one.com"],
        submission: &[smtps("send.one.com")],
        imap: &[imaps("imap.one.com")],
        ..MAILBOX
    },
    Provider {
        id: "loopia",
        name: "Loopia",
        submission: &[smtps("mailcluster.loopia.se")],
        ..MAILBOX
    },
    Provider {
        id: "hetzner",
        name: "Hetzner Webhosting",
        aliases: &["your-server.de"],
        domains: &["your-server.de"],
        submission: &[smtps("mail.your-server.de")],
        imap: &[imaps("mail.your-server.de")],
        ..MAILBOX
    },
    Provider {
        id: "dondominio",
        name: "DonDominio",
        aliases: &["MrDomain"],
        domains: &["dondominio.com"],
        submission: &[smtps("smtp.dondominio.com")],
        imap: &[imaps("imap.dondominio.com")],
        pop3: &[pop3s("pop3.dondominio.com")],
        ..MAILBOX
    },
    Provider {
        id: "oxcloud-eu",
        name: "OX Cloud EU",
        domains: &["cloudeu.xion.oxcs.net"],
        submission: &[submission("smtp.eu.appsuite.cloud")],
        imap: &[
            imaps("imap.eu.appsuite.cloud"),
            imap("imap.eu.appsuite.cloud"),
        ],
        pop3: &[pop3s("pop.eu.appsuite.cloud")],
        ..MAILBOX
    },
    Provider {
        id: "oxcloud-us",
        name: "OX Cloud US",
        domains: &["cloudus.xion.oxcs.net"],
        submission: &[submission("smtp.us.appsuite.cloud")],
        imap: &[
            imaps("imap.us.appsuite.cloud"),
            imap("imap.us.appsuite.cloud"),
        ],
        pop3: &[pop3s("pop.us.appsuite.cloud")],
        ..MAILBOX
    },
];
