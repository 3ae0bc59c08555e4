extern crate std;

use super::*;

#[test]
fn the_table_has_a_sane_size() {
    let count = Provider::all().count();
    assert!((120..400).contains(&count), "{count} providers");
    let with_incoming = Provider::all().filter(|p| !p.imap.is_empty()).count();
    assert!(with_incoming > 80, "{with_incoming} with IMAP");
}

/// The providers that people ask for first, with all that they need to know.
#[test]
fn well_known_providers() {
    use Security::{ImplicitTls as Tls, StartTls};
    use SignIn::*;
    for (name, host, port, security, imap, pop3, sign_in) in [
        (
            "gmail",
            "smtp.gmail.com",
            465,
            Tls,
            "imap.gmail.com",
            "pop.gmail.com",
            OAuth2OrAppPassword,
        ),
        (
            "outlook.com",
            "smtp-mail.outlook.com",
            587,
            StartTls,
            "outlook.office365.com",
            "outlook.office365.com",
            OAuth2,
        ),
        (
            "microsoft 365",
            "smtp.office365.com",
            587,
            StartTls,
            "outlook.office365.com",
            "outlook.office365.com",
            OAuth2OrPassword,
        ),
        (
            "yahoo",
            "smtp.mail.yahoo.com",
            465,
            Tls,
            "imap.mail.yahoo.com",
            "pop.mail.yahoo.com",
            OAuth2OrAppPassword,
        ),
        (
            "icloud",
            "smtp.mail.me.com",
            587,
            StartTls,
            "imap.mail.me.com",
            "",
            AppPassword,
        ),
        (
            "gmx",
            "mail.gmx.net",
            465,
            Tls,
            "imap.gmx.net",
            "pop.gmx.net",
            PasswordOrAppPassword,
        ),
        (
            "web.de",
            "smtp.web.de",
            465,
            Tls,
            "imap.web.de",
            "pop3.web.de",
            PasswordOrAppPassword,
        ),
        (
            "fastmail",
            "smtp.fastmail.com",
            465,
            Tls,
            "imap.fastmail.com",
            "pop.fastmail.com",
            OAuth2OrAppPassword,
        ),
        (
            "zoho",
            "smtp.zoho.com",
            465,
            Tls,
            "imap.zoho.com",
            "pop.zoho.com",
            PasswordOrAppPassword,
        ),
        ("sendgrid", "smtp.sendgrid.net", 465, Tls, "", "", ApiKey),
        (
            "mailgun",
            "smtp.mailgun.org",
            465,
            Tls,
            "",
            "",
            SmtpCredentials,
        ),
        (
            "amazon ses",
            "email-smtp.us-east-1.amazonaws.com",
            465,
            Tls,
            "",
            "",
            SmtpCredentials,
        ),
        (
            "ses-eu-central-1",
            "email-smtp.eu-central-1.amazonaws.com",
            465,
            Tls,
            "",
            "",
            SmtpCredentials,
        ),
    ] {
        let provider = Provider::by_name(name).unwrap_or_else(|| panic!("{name}"));
        let best = provider.submission[0];
        assert_eq!(
            (best.host, best.port, best.security),
            (host, port, security),
            "{name}"
        );
        assert_eq!(
            provider.imap.first().map_or("", |server| server.host),
            imap,
            "{name}"
        );
        assert_eq!(
            provider.pop3.first().map_or("", |server| server.host),
            pop3,
            "{name}"
        );
        assert_eq!(provider.sign_in, sign_in, "{name}");
        for incoming in [provider.imap.first(), provider.pop3.first()]
            .into_iter()
            .flatten()
        {
            assert_eq!(incoming.security, Tls, "{name}");
        }
    }
}

#[test]
fn ids_names_and_aliases_belong_to_one_provider() {
    for provider in Provider::all() {
        let id = provider.id;
        assert!(!id.is_empty() && !provider.name.is_empty());
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{id}"
        );
        for name in provider.names() {
            let holders = Provider::all().filter(|other| {
                let mut names = other.names();
                names.any(|candidate| lookup::same_name(candidate, name))
            });
            assert_eq!(holders.count(), 1, "{name} of {id}");
            assert_eq!(Provider::by_name(name), Some(provider), "{name}");
            assert_eq!(Provider::find(name), Some(provider), "{name}");
        }
        for (index, alias) in provider.aliases.iter().enumerate() {
            let same = |other: &&str| lookup::same_name(other, alias);
            assert!(!provider.aliases[..index].iter().any(same), "{alias} twice");
            assert!(!same(&id), "alias {alias} repeats the id");
            assert!(!same(&provider.name), "alias {alias} repeats the name");
        }
    }
}

#[test]
fn domains_belong_to_one_provider() {
    for provider in Provider::all() {
        for domain in provider.domains {
            assert_eq!(*domain, domain.to_ascii_lowercase());
            let holders = Provider::all().flat_map(|other| other.domains);
            assert_eq!(
                holders.filter(|other| *other == domain).count(),
                1,
                "{domain}"
            );
            let sample = match (domain.strip_suffix(".*"), domain.strip_prefix("*.")) {
                (Some(name), _) => {
                    assert!(is_host(name), "{domain}");
                    std::format!("{name}.zz")
                }
                (_, Some(parent)) => {
                    assert!(is_host(parent) && parent.contains('.'), "{domain}");
                    std::format!("example.{parent}")
                }
                _ => {
                    assert!(is_host(domain) && domain.contains('.'), "{domain}");
                    std::string::String::from(*domain)
                }
            };
            assert_eq!(Provider::by_address(&sample), Some(provider), "{sample}");
            let address = std::format!("Some.One@{}", sample.to_ascii_uppercase());
            assert_eq!(Provider::by_address(&address), Some(provider), "{address}");
            assert_eq!(Provider::find(&address), Some(provider), "{address}");
            // A name that looks like a domain of another provider would be a trap.
            if let Some(by_name) = Provider::by_name(&sample) {
                assert_eq!(by_name, provider, "{sample}");
            }
        }
    }
}

#[test]
fn endpoints_follow_the_conventions() {
    for provider in Provider::all() {
        let id = provider.id;
        assert_eq!(
            provider.submission.is_empty(),
            provider.sign_in == SignIn::NotOffered,
            "{id}"
        );
        let mut seen_starttls = false;
        for server in provider.submission {
            assert!(is_host(server.host), "{id}: {}", server.host);
            match server.security {
                Security::ImplicitTls => {
                    assert!(!seen_starttls, "{id}: implicit TLS comes first");
                    assert_eq!(server.port, 465, "{id}");
                }
                Security::StartTls => {
                    seen_starttls = true;
                    let local = lookup::is_loopback(server.host);
                    assert!(
                        matches!(server.port, 587 | 2525) || local || id == "spacepost",
                        "{id}: {}",
                        server.port
                    );
                }
                Security::DangerPlaintext => {
                    assert!(
                        lookup::is_loopback(server.host),
                        "{id}: plain text leaves the machine"
                    );
                }
            }
        }
        for (servers, tls, starttls) in [(provider.imap, 993, 143), (provider.pop3, 995, 110)] {
            for server in servers {
                assert!(is_host(server.host), "{id}: {}", server.host);
                let wanted = match server.security {
                    Security::ImplicitTls => tls,
                    Security::StartTls => starttls,
                    Security::DangerPlaintext => panic!("{id}"),
                };
                assert!(
                    server.port == wanted || lookup::is_loopback(server.host),
                    "{id}"
                );
            }
            for pair in servers.windows(2) {
                assert_eq!(pair[0].security, Security::ImplicitTls, "{id}: best first");
            }
        }
        for servers in [provider.submission, provider.imap, provider.pop3] {
            for (index, server) in servers.iter().enumerate() {
                assert!(
                    !servers[..index].contains(server),
                    "{id}: {} twice",
                    server.host
                );
            }
        }
    }
}

#[test]
fn hosts_lead_back_to_a_provider_of_the_same_family() {
    for provider in Provider::all() {
        for server in provider.submission {
            let found = Provider::by_host(server.host);
            if lookup::is_loopback(server.host) {
                assert_eq!(found, None, "{}", server.host);
            } else {
                assert_eq!(found, Some(provider), "{}", server.host);
            }
        }
        for host in provider.other_hosts {
            let sample = host.replace('*', ".some-where");
            assert_eq!(*host, host.to_ascii_lowercase());
            assert!(host.matches('*').count() <= 1, "{host}");
            let found = Provider::by_host(&sample).unwrap_or_else(|| panic!("{sample}"));
            assert_eq!(found, provider, "{sample}");
        }
    }
}

#[test]
fn texts_are_plain_sentences() {
    for provider in Provider::all() {
        let texts = provider.names().chain(provider.domains.iter().copied());
        for text in texts.chain([provider.help]).chain(provider.help_url) {
            assert!(
                !text.is_empty() && text.trim() == text,
                "{}: {text:?}",
                provider.id
            );
            assert!(
                text.is_ascii() && !text.bytes().any(|b| b.is_ascii_control()),
                "{text:?}"
            );
            assert!(!text.contains("  "), "{text:?}");
        }
        assert!(provider.help.ends_with('.'), "{}", provider.help);
        assert!(
            (20..320).contains(&provider.help.len()),
            "{}: {}",
            provider.id,
            provider.help
        );
        if let Some(url) = provider.help_url {
            assert!(url.starts_with("https://") && !url.contains(' '), "{url}");
        }
    }
}

#[test]
fn user_names() {
    for (provider, address, user_name) in [
        ("gmail", "someone@gmail.com", Some("someone@gmail.com")),
        ("gmail", " someone@gmail.com ", Some("someone@gmail.com")),
        ("web.de", "someone@web.de", Some("someone")),
        ("web.de", "\"odd@name\"@web.de", Some("\"odd@name\"")),
        ("sendgrid", "someone@example.org", Some("apikey")),
        ("resend", "not an address", Some("resend")),
        ("mailgun", "someone@example.org", None),
        ("mailpit", "someone@example.org", None),
        ("gmail", "someone", None),
        ("gmail", "@gmail.com", None),
        ("gmail", "someone@", None),
    ] {
        let found = Provider::by_name(provider).unwrap();
        assert_eq!(
            found.user_name_for(address),
            user_name,
            "{provider} {address}"
        );
    }
}

#[test]
fn look_ups() {
    for (text, id) in [
        ("Gmail", "gmail"),
        ("GOOGLE MAIL", "gmail"),
        ("Office 365", "microsoft365"),
        ("office-365", "microsoft365"),
        ("Hotmail", "outlook"),
        ("outlook", "outlook"),
        ("WEB.DE", "webde"),
        ("1&1", "ionos"),
        ("someone@YAHOO.co.uk", "yahoo"),
        ("yahoo.fr", "yahoo"),
        ("someone@yahoo.co.jp", "yahoo-jp"),
        ("someone@gmx.at", "gmx"),
        ("someone@gmx.com", "gmx-com"),
        ("gmx.co.uk", "gmx-com"),
        ("someone@contoso.onmicrosoft.com", "microsoft365"),
        ("someone@hotmail.com.mx", "outlook"),
        ("someone@posteo.pt", "posteo"),
        ("someone@gmail.com.", "gmail"),
        ("smtp.gmail.com", "gmail"),
        ("SMTP.googlemail.com", "gmail"),
        ("smtp.office365.com.", "microsoft365"),
        ("email-smtp.eu-west-1.amazonaws.com", "ses-eu-west-1"),
        ("email-smtp.af-south-1.amazonaws.com", "ses"),
        ("example-org.mail.protection.outlook.com", "microsoft365"),
    ] {
        assert_eq!(Provider::find(text).map(|p| p.id), Some(id), "{text}");
    }
    for text in [
        "",
        " ",
        "@",
        "...",
        "someone@",
        "someone@example.org",
        "gmail@example.org",
        "example",
        "localhost",
        "127.0.0.1",
        "someone@mail.yahoo.fr",
        "notgmail.com",
        "gmail.com.example.org",
        "gmäil",
    ] {
        assert_eq!(Provider::find(text), None, "{text}");
    }
}

#[test]
fn near_names() {
    for (text, id) in [
        ("gmial", Some("gmail")),
        ("gmai", Some("gmail")),
        ("G-Mial", Some("gmail")),
        ("outlok", Some("outlook")),
        ("sendgird", Some("sendgrid")),
        ("fastmial", Some("fastmail")),
        ("iclod", Some("icloud")),
        ("gmail.con", Some("gmail")),
        ("someone@gmial.com", Some("gmail")),
        ("someone@hotmial.com", Some("outlook")),
        ("someone@example.org", None),
        ("completely different", None),
        ("", None),
        ("x", None),
        (
            "a name that is far too long to be the name of any provider",
            None,
        ),
    ] {
        assert_eq!(Provider::did_you_mean(text).map(|p| p.id), id, "{text}");
    }
}

#[test]
fn sign_in_says_what_is_accepted() {
    let by_name = |name| Provider::by_name(name).unwrap().sign_in;
    assert!(!by_name("outlook").accepts_password() && by_name("outlook").accepts_oauth2());
    assert!(by_name("gmail").accepts_password() && by_name("gmail").accepts_oauth2());
    assert!(by_name("gmail").refuses_ordinary_password());
    assert!(!by_name("gmx").refuses_ordinary_password());
    assert!(by_name("icloud").accepts_password() && !by_name("icloud").accepts_oauth2());
    assert!(!by_name("mailpit").accepts_password());
    assert!(!by_name("tuta").accepts_password());
    for provider in Provider::all() {
        assert!(!provider.sign_in.describe().is_empty());
        if provider.sign_in == SignIn::NotNeeded {
            assert_eq!(provider.user_name, UserName::NotNeeded, "{}", provider.id);
        }
    }
}

/// The service names that people know from nodemailer (see the table's sources) lead to the same
/// provider here.
#[test]
fn names_of_services_json() {
    let names = "1und1|126|163|Aliyun|AliyunQiye|AOL|Aruba|Aruba PEC|Bluewin|BOL|Disroot|\
        ElasticEmail|Elastic Email|Ethereal|ethereal.email|FastMail|Feishu Mail|Feishu|\
        FeishuMail|Forward Email|FE|ForwardEmail|GandiMail|Gandi|Gandi Mail|Gmail|Google \
        Mail|GmailWorkspace|Google Workspace Mail|GMX|Godaddy|Groundmail|Hotmail|Outlook|\
        Outlook.com|Hotmail.com|iCloud|Me|Mac|Infomaniak|KolabNow|Kolab|Loopia|mail.ee|\
        Mail.ru|Maildev|MailerSend|Mailgun|Mailjet|Mailtrap|Mandrill|Naver|OhMySMTP|One|\
        Outlook365|Oveyon|Postmark|PostmarkApp|Proton|ProtonMail|Proton.me|Protonmail.com|\
        Protonmail.ch|qiye.aliyun|QQ|QQex|QQ Enterprise|Resend|Runbox|SendGrid|SendinBlue|\
        Brevo|SendPulse|SES|SES-AP-NORTHEAST-1|SES-AP-NORTHEAST-2|SES-AP-NORTHEAST-3|\
        SES-AP-SOUTH-1|SES-AP-SOUTHEAST-1|SES-AP-SOUTHEAST-2|SES-CA-CENTRAL-1|\
        SES-EU-CENTRAL-1|SES-EU-NORTH-1|SES-EU-WEST-1|SES-EU-WEST-2|SES-EU-WEST-3|\
        SES-SA-EAST-1|SES-US-EAST-1|SES-US-EAST-2|SES-US-GOV-EAST-1|SES-US-GOV-WEST-1|\
        SES-US-WEST-1|SES-US-WEST-2|Seznam|Seznam Email|SMTP2GO|SpacePost|Sparkpost|\
        SparkPost|SparkPost Mail|Tipimail|TurboSMTP|TurboSMTP-EU|Tutanota|Yahoo|Yandex|Zoho";
    let mut missing = std::vec::Vec::new();
    for name in names.split('|') {
        if Provider::by_name(name).is_none() {
            missing.push(name);
        }
    }
    let domains = "aliyun.com aol.com aruba.it pec.aruba.it bluewin.ch bol.com.br disroot.org \
        fastmail.com fastmail.fm gmail.com googlemail.com gmx.com gmx.net \
        gmx.de hotmail.com outlook.com icloud.com me.com mac.com ik.me ikmail.com etik.com \
        kolabnow.com proton.me protonmail.com pm.me protonmail.ch qq.com exmail.qq.com \
        runbox.com seznam.cz email.cz post.cz spoluzaci.cz tutanota.com \
        tuta.com tutanota.de tuta.io yahoo.com yandex.ru";
    for domain in domains.split(' ') {
        if Provider::by_address(domain).is_none() {
            missing.push(domain);
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// A host name of letters, digits and hyphens (RFC 1123, section 2.1), lower case.
fn is_host(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}
