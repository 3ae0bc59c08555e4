//! Mailboxes of internet providers and portals in Asia and the Pacific.
//!
//! Hosts, ports, domains and user names are those of Thunderbird's ISPDB where it has the
//! provider; servers that it lists without TLS, or on unusual ports, are left out.

use super::{Family, MAILBOX, Provider, SignIn, UserName, imaps, pop3s, smtps};

const LOCAL_PART: &str = "Use the part of your mail address before the @ as user name, and the \
    password of the mailbox.";

const AUTHORIZATION_CODE: &str = "Your ordinary password is refused. Switch on IMAP/SMTP in the \
    settings of the web mail, and use the authorization code that it shows as password.";

/// See [`super`] for the sources.
pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        id: "telstra",
        name: "Telstra Mail",
        aliases: &["BigPond"],
        domains: &[
            "bigpond.com",
            "bigpond.net.au",
            "telstra.com",
            "bigpond.net",
        ],
        submission: &[smtps("smtp.telstra.com")],
        imap: &[imaps("imap.telstra.com")],
        pop3: &[pop3s("pop.telstra.com")],
        ..MAILBOX
    },
    Provider {
        id: "xtra",
        name: "Xtra Mail (Spark)",
        aliases: &["Spark"],
        domains: &["xtra.co.nz"],
        submission: &[smtps("send.xtra.co.nz")],
        imap: &[imaps("imap.xtra.co.nz")],
        pop3: &[pop3s("pop3.xtra.co.nz")],
        ..MAILBOX
    },
    Provider {
        id: "rediffmail",
        name: "Rediffmail",
        aliases: &["Rediff"],
        domains: &["rediffmail.com"],
        submission: &[smtps("smtp.rediffmail.com")],
        pop3: &[pop3s("pop.rediffmail.com")],
        ..MAILBOX
    },
    Provider {
        id: "qq",
        name: "QQ Mail",
        aliases: &["Tencent", "Foxmail"],
        domains: &["qq.com"],
        submission: &[smtps("smtp.qq.com")],
        imap: &[imaps("imap.qq.com")],
        sign_in: SignIn::AppPassword,
        help: AUTHORIZATION_CODE,
        family: Family::AuthorizationCode,
        ..MAILBOX
    },
    Provider {
        id: "163",
        name: "163 Mail (NetEase)",
        aliases: &["NetEase", "163.com"],
        domains: &["163.com"],
        submission: &[smtps("smtp.163.com")],
        imap: &[imaps("imap.163.com")],
        sign_in: SignIn::AppPassword,
        help: AUTHORIZATION_CODE,
        family: Family::AuthorizationCode,
        ..MAILBOX
    },
    Provider {
        id: "126",
        name: "126 Mail (NetEase)",
        aliases: &["126.com"],
        domains: &["126.com"],
        submission: &[smtps("smtp.126.com")],
        imap: &[imaps("imap.126.com")],
        sign_in: SignIn::AppPassword,
        help: AUTHORIZATION_CODE,
        family: Family::AuthorizationCode,
        ..MAILBOX
    },
    Provider {
        id: "yeah",
        name: "Yeah Mail (NetEase)",
        aliases: &["yeah.net"],
        domains: &["yeah.net"],
        submission: &[smtps("smtp.yeah.net")],
        imap: &[imaps("imap.yeah.net")],
        sign_in: SignIn::AppPassword,
        help: AUTHORIZATION_CODE,
        family: Family::AuthorizationCode,
        ..MAILBOX
    },
    Provider {
        id: "qq-enterprise",
        name: "Tencent Exmail",
        aliases: &["QQex", "exmail"],
        domains: &["exmail.qq.com"],
        submission: &[smtps("smtp.exmail.qq.com")],
        sign_in: SignIn::AppPassword,
        help: AUTHORIZATION_CODE,
        family: Family::AuthorizationCode,
        ..MAILBOX
    },
    Provider {
        id: "aliyun",
        name: "Aliyun Mail",
        aliases: &["Alibaba Cloud Mail"],
        domains: &["aliyun.com"],
        submission: &[smtps("smtp.aliyun.com")],
        ..MAILBOX
    },
    Provider {
        id: "aliyun-qiye",
        name: "Alibaba Mail Enterprise",
        aliases: &["qiye.aliyun"],
        submission: &[smtps("smtp.qiye.aliyun.com")],
        other_hosts: &["smtp.mxhichina.com"],
        ..MAILBOX
    },
    Provider {
        id: "feishu",
        name: "Feishu Mail",
        aliases: &["Lark"],
        submission: &[smtps("smtp.feishu.cn")],
        sign_in: SignIn::AppPassword,
        help: "Make a password for third-party mail programs in the settings of Feishu Mail, and \
            use it with your whole mail address.",
        ..MAILBOX
    },
    Provider {
        id: "naver",
        name: "Naver Mail",
        domains: &["naver.com"],
        submission: &[smtps("smtp.naver.com")],
        imap: &[imaps("imap.naver.com")],
        pop3: &[pop3s("pop.naver.com")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Allow IMAP/SMTP in the settings of Naver Mail first; with two-step verification \
            make an application password.",
        ..MAILBOX
    },
    Provider {
        id: "daum",
        name: "Daum Mail",
        aliases: &["Kakao Mail"],
        domains: &["daum.net"],
        submission: &[smtps("smtp.daum.net")],
        imap: &[imaps("imap.daum.net")],
        sign_in: SignIn::PasswordOrAppPassword,
        help: "Allow IMAP/SMTP in the settings of Daum Mail first; with two-step verification \
            make an application password.",
        ..MAILBOX
    },
    Provider {
        id: "yahoo-jp",
        name: "Yahoo! Japan Mail",
        aliases: &["Yahoo Japan"],
        domains: &["yahoo.co.jp"],
        submission: &[smtps("smtp.mail.yahoo.co.jp")],
        pop3: &[pop3s("pop.mail.yahoo.co.jp")],
        user_name: UserName::LocalPart,
        help: "Allow access by IMAP/POP/SMTP in the settings of Yahoo! Japan Mail first; then use \
            the part of your address before the @ and your password.",
        ..MAILBOX
    },
    Provider {
        id: "biglobe",
        name: "BIGLOBE Mail",
        domains: &["biglobe.ne.jp"],
        submission: &[smtps("mail.biglobe.ne.jp")],
        pop3: &[pop3s("mail.biglobe.ne.jp")],
        ..MAILBOX
    },
    Provider {
        id: "softbank",
        name: "SoftBank Mail",
        domains: &["i.softbank.jp"],
        submission: &[smtps("smtp.softbank.jp")],
        imap: &[imaps("imap.softbank.jp")],
        user_name: UserName::LocalPart,
        help: LOCAL_PART,
        ..MAILBOX
    },
];
