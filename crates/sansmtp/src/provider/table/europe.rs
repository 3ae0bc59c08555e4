//! Mailboxes of internet providers and portals in Europe.
//!
//! Hosts, ports, domains and user names are those of Thunderbird's ISPDB where it has the
//! provider; servers that it lists without TLS, or on unusual ports, are left out.

use super::{MAILBOX, Provider, SignIn, UserName, imap, imaps, pop3, pop3s, smtps, submission};

const LOCAL_PART: &str = "Use the part of your mail address before the @ as user name, and the \
    password of the mailbox.";

/// See [`super`] for the sources.
pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        id: "ionos",
        name: "IONOS (1&1)",
        aliases: &["1&1", "1und1"],
        domains: &[
            "online.de",
            "onlinehome.de",
            "sofortstart.de",
            "sofort-start.de",
            "sofortsurf.de",
            "sofort-surf.de",
            "go4more.de",
            "kundenserver.de",
            "schlund.de",
        ],
        submission: &[smtps("smtp.1und1.de"), submission("smtp.1und1.de")],
        imap: &[imaps("imap.1und1.de"), imap("imap.1und1.de")],
        pop3: &[pop3s("pop.1und1.de"), pop3("pop.1und1.de")],
        ..MAILBOX
    },
    Provider {
        id: "tonline",
        name: "Telekom T-Online",
        aliases: &["Telekom", "magenta.de"],
        domains: &["t-online.de", "magenta.de"],
        submission: &[
            smtps("securesmtp.t-online.de"),
            submission("securesmtp.t-online.de"),
        ],
        imap: &[imaps("secureimap.t-online.de")],
        pop3: &[pop3s("securepop.t-online.de")],
        sign_in: SignIn::AppPassword,
        help: "Your Telekom login password is refused. Set a separate password for mail programs \
            in the Telekom customer centre, and use it here.",
        help_url: Some(
            "https://www.telekom.de/hilfe/apps-dienste/e-mail/einstellungen/posteingang-postausgang-server",
        ),
        ..MAILBOX
    },
    Provider {
        id: "strato",
        name: "Strato",
        domains: &["strato.de", "rzone.de"],
        submission: &[smtps("smtp.strato.de"), submission("smtp.strato.de")],
        imap: &[imaps("imap.strato.de")],
        pop3: &[pop3s("pop3.strato.de")],
        ..MAILBOX
    },
    Provider {
        id: "vodafone-de",
        name: "Vodafone Mail (Germany)",
        aliases: &["Arcor", "Kabelmail"],
        domains: &["vodafonemail.de", "arcor.de", "kabelmail.de"],
        submission: &[smtps("smtp.vodafonemail.de")],
        imap: &[imaps("imap.vodafonemail.de")],
        pop3: &[pop3s("pop3.vodafonemail.de")],
        ..MAILBOX
    },
    Provider {
        id: "domainfactory",
        name: "domainFACTORY",
        aliases: &["df.eu"],
        domains: &["ispgateway.de"],
        submission: &[smtps("sslout.df.eu")],
        imap: &[imaps("sslin.df.eu")],
        pop3: &[pop3s("sslin.df.eu")],
        ..MAILBOX
    },
    Provider {
        id: "a1",
        name: "A1 Mail (Austria)",
        aliases: &["aon.at"],
        domains: &["a1.net", "aon.at"],
        submission: &[submission("securemail.a1.net")],
        imap: &[imaps("securemail.a1.net")],
        ..MAILBOX
    },
    Provider {
        id: "bluewin",
        name: "Bluewin (Swisscom)",
        aliases: &["Swisscom"],
        domains: &["bluewin.ch", "bluemail.ch"],
        submission: &[smtps("smtpauths.bluewin.ch")],
        imap: &[imaps("imaps.bluewin.ch")],
        pop3: &[pop3s("pop3s.bluewin.ch")],
        ..MAILBOX
    },
    Provider {
        id: "orange-fr",
        name: "Orange Mail (France)",
        aliases: &["Orange", "Wanadoo"],
        domains: &["orange.fr", "wanadoo.fr"],
        submission: &[smtps("smtp.orange.fr")],
        imap: &[imaps("imap.orange.fr")],
        pop3: &[pop3s("pop.orange.fr")],
        ..MAILBOX
    },
    Provider {
        id: "free",
        name: "Free (France)",
        aliases: &["Freebox", "free.fr"],
        domains: &["free.fr"],
        submission: &[smtps("smtp.free.fr")],
        imap: &[imaps("imap.free.fr")],
        pop3: &[pop3s("pop.free.fr")],
        user_name: UserName::LocalPart,
        help: LOCAL_PART,
        ..MAILBOX
    },
    Provider {
        id: "laposte",
        name: "La Poste",
        aliases: &["laposte.net"],
        domains: &["laposte.net"],
        submission: &[smtps("smtp.laposte.net")],
        imap: &[imaps("imap.laposte.net")],
        pop3: &[pop3s("pop.laposte.net")],
        user_name: UserName::LocalPart,
        help: LOCAL_PART,
        ..MAILBOX
    },
    Provider {
        id: "sfr",
        name: "SFR",
        aliases: &["Neuf"],
        domains: &["sfr.fr", "neuf.fr", "club-internet.fr"],
        submission: &[smtps("smtp.sfr.fr")],
        imap: &[imaps("imap.sfr.fr")],
        pop3: &[pop3s("pop.sfr.fr")],
        ..MAILBOX
    },
    Provider {
        id: "libero",
        name: "Libero Mail",
        aliases: &["libero.it"],
        domains: &["libero.it", "iol.it", "blu.it", "inwind.it", "giallo.it"],
        submission: &[smtps("smtp.libero.it")],
        imap: &[imaps("imapmail.libero.it")],
        pop3: &[pop3s("popmail.libero.it")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Use your mail address and password; with two-step verification make an application \
            password in the account settings.",
        ..MAILBOX
    },
    Provider {
        id: "virgilio",
        name: "Virgilio Mail",
        domains: &["virgilio.it"],
        submission: &[smtps("out.virgilio.it")],
        imap: &[imaps("in.virgilio.it")],
        pop3: &[pop3s("in.virgilio.it")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Use your mail address and password; with two-step verification make an application \
            password in the account settings.",
        ..MAILBOX
    },
    Provider {
        id: "tim",
        name: "TIM Mail (Italy)",
        domains: &["tim.it"],
        submission: &[submission("smtp.tim.it")],
        imap: &[imap("imap.tim.it")],
        pop3: &[pop3("pop.tim.it")],
        ..MAILBOX
    },
    Provider {
        id: "alice",
        name: "Alice (Italy)",
        domains: &["alice.it"],
        submission: &[submission("out.alice.it")],
        imap: &[imap("in.alice.it")],
        pop3: &[pop3("in.alice.it")],
        ..MAILBOX
    },
    Provider {
        id: "tiscali-it",
        name: "Tiscali Mail (Italy)",
        aliases: &["Tiscali"],
        domains: &["tiscali.it"],
        submission: &[smtps("smtp.tiscali.it")],
        imap: &[imaps("imap.tiscali.it")],
        pop3: &[pop3s("pop.tiscali.it")],
        ..MAILBOX
    },
    Provider {
        id: "fastweb",
        name: "Fastweb",
        aliases: &["fastwebnet.it"],
        domains: &["fastwebnet.it"],
        submission: &[submission("smtp.fastwebnet.it")],
        imap: &[imaps("imap.fastwebnet.it")],
        pop3: &[pop3s("pop.fastwebnet.it")],
        ..MAILBOX
    },
    Provider {
        id: "email-it",
        name: "Email.it",
        domains: &["email.it"],
        submission: &[smtps("out.email.it")],
        imap: &[imaps("in.email.it")],
        pop3: &[pop3s("pop.email.it")],
        ..MAILBOX
    },
    Provider {
        id: "aruba-pec",
        name: "Aruba PEC",
        domains: &[
            "pec.it",
            "arubapec.it",
            "pec.aruba.it",
            "mypec.eu",
            "gigapec.it",
            "ingpec.eu",
        ],
        submission: &[smtps("smtps.pec.aruba.it")],
        imap: &[imaps("imaps.pec.aruba.it")],
        ..MAILBOX
    },
    Provider {
        id: "postecert",
        name: "PosteCert",
        domains: &["postecert.it"],
        submission: &[smtps("mail.postecert.it")],
        imap: &[imaps("mail.postecert.it")],
        pop3: &[pop3s("mail.postecert.it")],
        ..MAILBOX
    },
    Provider {
        id: "sapo",
        name: "SAPO Mail",
        aliases: &["MEO"],
        domains: &[
            "sapo.pt", "sapo.cv", "sapo.ao", "sapo.mz", "sapo.tl", "meo.pt",
        ],
        submission: &[smtps("smtp.sapo.pt")],
        imap: &[imaps("imap.sapo.pt")],
        pop3: &[pop3s("pop.sapo.pt")],
        ..MAILBOX
    },
    Provider {
        id: "proximus",
        name: "Proximus",
        aliases: &["Skynet", "Belgacom"],
        domains: &["skynet.be", "proximus.be", "belgacom.net", "kidcity.be"],
        submission: &[submission("relay.proximus.be")],
        imap: &[imaps("imap.proximus.be")],
        pop3: &[pop3s("pop.proximus.be")],
        ..MAILBOX
    },
    Provider {
        id: "kpn",
        name: "KPN Mail",
        aliases: &["XS4ALL", "Telfort", "Hetnet"],
        domains: &[
            "kpnmail.nl",
            "kpnplanet.nl",
            "planet.nl",
            "wxs.nl",
            "hetnet.nl",
            "freeler.nl",
            "snelnet.net",
            "on.nl",
            "onsbrabantnet.nl",
            "onsmail.nl",
            "onsnet.nu",
            "onsneteindhoven.nl",
            "onsnetnuenen.nl",
            "xs4all.nl",
            "telfort.nl",
            "tip.nl",
            "tiscali.nl",
            "tiscalimail.nl",
        ],
        submission: &[smtps("smtp.kpnmail.nl"), submission("smtp.kpnmail.nl")],
        imap: &[imaps("imap.kpnmail.nl"), imap("imap.kpnmail.nl")],
        pop3: &[pop3s("pop.kpnmail.nl"), pop3("pop.kpnmail.nl")],
        ..MAILBOX
    },
    Provider {
        id: "ziggo",
        name: "Ziggo Mail",
        domains: &[
            "hahah.nl",
            "ziggomail.com",
            "casema.nl",
            "zinders.nl",
            "ziggo.nl",
            "zeggis.nl",
            "zeggis.com",
            "razcall.nl",
            "razcall.com",
            "upcmail.nl",
            "chello.nl",
            "multiweb.nl",
            "home.nl",
            "quicknet.nl",
        ],
        submission: &[submission("smtp.ziggo.nl")],
        imap: &[imaps("imap.ziggo.nl")],
        pop3: &[pop3s("pop.ziggo.nl")],
        ..MAILBOX
    },
    Provider {
        id: "zeelandnet",
        name: "ZeelandNet",
        domains: &["zeelandnet.nl"],
        submission: &[smtps("mail.zeelandnet.nl")],
        imap: &[imaps("mail.zeelandnet.nl")],
        pop3: &[pop3s("mail.zeelandnet.nl")],
        user_name: UserName::LocalPart,
        help: LOCAL_PART,
        ..MAILBOX
    },
    Provider {
        id: "bt",
        name: "BT Mail",
        aliases: &["BT Internet"],
        domains: &["btinternet.com", "btopenworld.com", "talk21.com"],
        submission: &[smtps("mail.btinternet.com")],
        imap: &[imaps("mail.btinternet.com")],
        pop3: &[pop3s("mail.btinternet.com")],
        ..MAILBOX
    },
    Provider {
        id: "sky",
        name: "Sky Mail",
        domains: &["sky.com"],
        submission: &[smtps("smtp.tools.sky.com")],
        imap: &[imaps("imap.tools.sky.com")],
        pop3: &[pop3s("pop.tools.sky.com")],
        ..MAILBOX
    },
    Provider {
        id: "virginmedia",
        name: "Virgin Media Mail",
        domains: &["virginmedia.com"],
        submission: &[smtps("smtp.virginmedia.com")],
        imap: &[imaps("imap.virginmedia.com")],
        pop3: &[pop3s("pop3.virginmedia.com")],
        ..MAILBOX
    },
    Provider {
        id: "yousee",
        name: "YouSee Mail",
        aliases: &["mail.dk"],
        domains: &["mail.dk"],
        submission: &[submission("asmtp.mail.dk")],
        imap: &[imaps("imap.mail.dk")],
        pop3: &[pop3s("pop3.mail.dk")],
        ..MAILBOX
    },
    Provider {
        id: "gigahost",
        name: "Gigahost",
        domains: &["gigahost.dk"],
        submission: &[submission("smtp.gigahost.dk")],
        imap: &[imaps("mail.gigahost.dk")],
        pop3: &[pop3s("mail.gigahost.dk")],
        ..MAILBOX
    },
    Provider {
        id: "webhuset",
        name: "Webhuset",
        domains: &["webhuset.no"],
        submission: &[smtps("smtp.webhuset.no"), submission("smtp.webhuset.no")],
        imap: &[imaps("imap.webhuset.no")],
        pop3: &[pop3s("mail.webhuset.no")],
        ..MAILBOX
    },
    Provider {
        id: "inbox-lv",
        name: "Inbox.lv",
        domains: &["inbox.lv"],
        submission: &[smtps("mail.inbox.lv")],
        imap: &[imaps("mail.inbox.lv")],
        pop3: &[pop3s("mail.inbox.lv")],
        sign_in: SignIn::AppPassword,
        help: "Switch on access for mail programs in the settings of the Inbox web page; it shows \
            the password to use here.",
        ..MAILBOX
    },
    Provider {
        id: "inbox-eu",
        name: "Inbox.eu",
        domains: &["inbox.eu"],
        submission: &[smtps("mail.inbox.eu")],
        imap: &[imaps("mail.inbox.eu")],
        pop3: &[pop3s("mail.inbox.eu")],
        sign_in: SignIn::AppPassword,
        help: "Switch on access for mail programs in the settings of the Inbox web page; it shows \
            the password to use here.",
        ..MAILBOX
    },
    Provider {
        id: "inbox-lt",
        name: "Inbox.lt",
        domains: &["inbox.lt"],
        submission: &[smtps("mail.inbox.lt")],
        imap: &[imaps("mail.inbox.lt")],
        pop3: &[pop3s("mail.inbox.lt")],
        sign_in: SignIn::AppPassword,
        help: "Switch on access for mail programs in the settings of the Inbox web page; it shows \
            the password to use here.",
        ..MAILBOX
    },
    Provider {
        id: "inbox-la",
        name: "Inbox.la",
        domains: &["inbox.la"],
        submission: &[smtps("mail.inbox.la")],
        imap: &[imaps("mail.inbox.la")],
        pop3: &[pop3s("mail.inbox.la")],
        sign_in: SignIn::AppPassword,
        help: "Switch on access for mail programs in the settings of the Inbox web page; it shows \
            the password to use here.",
        ..MAILBOX
    },
    Provider {
        id: "mail-ee",
        name: "Mail.ee",
        domains: &["mail.ee"],
        submission: &[smtps("mail.ee")],
        imap: &[imaps("mail.ee")],
        pop3: &[pop3s("mail.ee")],
        ..MAILBOX
    },
    Provider {
        id: "seznam",
        name: "Seznam Email",
        aliases: &["email.cz", "post.cz"],
        domains: &["seznam.cz", "email.cz", "post.cz", "spoluzaci.cz"],
        submission: &[smtps("smtp.seznam.cz")],
        imap: &[imaps("imap.seznam.cz")],
        pop3: &[pop3s("pop3.seznam.cz")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Use your mail address and password; with two-step verification make an application \
            password in the account settings.",
        ..MAILBOX
    },
    Provider {
        id: "active24",
        name: "ACTIVE 24",
        aliases: &["smtp.cz"],
        domains: &["active24.com", "smtp.cz"],
        submission: &[smtps("email.active24.com")],
        imap: &[imaps("email.active24.com")],
        pop3: &[pop3s("email.active24.com")],
        ..MAILBOX
    },
    Provider {
        id: "websupport",
        name: "WebSupport",
        domains: &["websupport.sk"],
        submission: &[smtps("smtp.websupport.sk")],
        imap: &[imaps("imap.websupport.sk"), imap("imap.websupport.sk")],
        pop3: &[pop3s("pop.websupport.sk"), pop3("pop.websupport.sk")],
        ..MAILBOX
    },
    Provider {
        id: "wp",
        name: "Poczta WP",
        aliases: &["Wirtualna Polska", "wp.pl"],
        domains: &["wp.pl"],
        submission: &[smtps("smtp.wp.pl")],
        imap: &[imaps("imap.wp.pl")],
        pop3: &[pop3s("pop3.wp.pl")],
        user_name: UserName::LocalPart,
        help: "Allow mail programs under settings on the WP web page first; then use your mail \
            address and password.",
        ..MAILBOX
    },
    Provider {
        id: "o2-pl",
        name: "Poczta o2",
        aliases: &["tlen.pl"],
        domains: &["o2.pl", "go2.pl", "tlen.pl", "prokonto.pl"],
        submission: &[smtps("poczta.o2.pl"), submission("poczta.o2.pl")],
        imap: &[imaps("poczta.o2.pl")],
        pop3: &[pop3s("poczta.o2.pl")],
        user_name: UserName::LocalPart,
        help: "Allow mail programs under settings on the o2 web page first; then use your mail \
            address and password.",
        ..MAILBOX
    },
    Provider {
        id: "onet",
        name: "Poczta Onet",
        aliases: &["onet.pl"],
        domains: &[
            "onet.pl",
            "onet.eu",
            "poczta.onet.pl",
            "poczta.onet.eu",
            "op.pl",
            "vp.pl",
            "autograf.pl",
            "buziaczek.pl",
            "amorki.pl",
            "republika.pl",
            "adres.pl",
            "cyberia.pl",
            "onet.com.pl",
            "opoczta.pl",
            "pseudonim.pl",
            "spoko.pl",
            "vip.onet.pl",
        ],
        submission: &[
            smtps("smtp.poczta.onet.pl"),
            submission("smtp.poczta.onet.pl"),
        ],
        imap: &[imaps("imap.poczta.onet.pl")],
        pop3: &[pop3s("pop3.poczta.onet.pl")],
        help: "Allow mail programs under settings on the Onet web page first; then use your mail \
            address and password.",
        ..MAILBOX
    },
    Provider {
        id: "rambler",
        name: "Rambler Mail",
        domains: &["rambler.ru"],
        submission: &[smtps("smtp.rambler.ru")],
        imap: &[imaps("imap.rambler.ru")],
        pop3: &[pop3s("pop.rambler.ru")],
        ..MAILBOX
    },
    Provider {
        id: "aruba",
        name: "Aruba Mail",
        aliases: &["aruba.it"],
        domains: &["aruba.it"],
        submission: &[smtps("smtps.aruba.it")],
        ..MAILBOX
    },
];
