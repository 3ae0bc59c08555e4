//! Services that send mail for programs: API keys, verified senders, no mailboxes.

use super::{
    Family, MAILBOX, Provider, SignIn, UserName, imaps, pop3s, smtps, starttls, submission,
};

const CONSOLE: &str = "Make SMTP credentials in the service's console, and verify the domain or \
    address that you send from.";
const SES_HELP: &str = "Make SMTP credentials in the Amazon SES console of this region (AWS \
    access keys are refused), and verify the domain or address that you send from.";

/// What most of these services share.
const SERVICE: Provider = Provider {
    sign_in: SignIn::SmtpCredentials,
    user_name: UserName::Issued,
    help: CONSOLE,
    ..MAILBOX
};

/// One region of Amazon SES: the endpoints differ by its name alone, credentials are its own.
macro_rules! ses {
    ($region:literal, $place:literal $(, $alias:literal)*) => {
        Provider {
            id: concat!("ses-", $region),
            name: concat!("Amazon SES ", $place),
            aliases: &[concat!("Amazon SES ", $region), concat!("AWS SES ", $region) $(, $alias)*],
            submission: &[
                smtps(concat!("email-smtp.", $region, ".amazonaws.com")),
                submission(concat!("email-smtp.", $region, ".amazonaws.com")),
            ],
            help: SES_HELP,
            help_url: Some("https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html"),
            family: Family::Ses,
            ..SERVICE
        }
    };
}

/// See [`super`] for the sources.
pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        id: "sendgrid",
        name: "SendGrid",
        aliases: &["Twilio SendGrid"],
        submission: &[smtps("smtp.sendgrid.net"), submission("smtp.sendgrid.net")],
        sign_in: SignIn::ApiKey,
        user_name: UserName::Fixed("apikey"),
        help: "Make an API key with the Mail Send permission under Settings, API Keys; the user \
            name is the word apikey, the key is the password. Verify a sender identity too.",
        help_url: Some(
            "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
        ),
        other_hosts: &["smtp.eu.sendgrid.net"],
        family: Family::SendGrid,
        ..SERVICE
    },
    Provider {
        id: "mailgun",
        name: "Mailgun",
        aliases: &["Mailgun US"],
        submission: &[smtps("smtp.mailgun.org"), submission("smtp.mailgun.org")],
        help: "Make SMTP credentials for your domain in the Mailgun dashboard under Domain \
            settings; the user name is an address such as postmaster@mg.example.com.",
        help_url: Some("https://help.mailgun.com/"),
        family: Family::Mailgun,
        ..SERVICE
    },
    Provider {
        id: "mailgun-eu",
        name: "Mailgun EU",
        submission: &[
            smtps("smtp.eu.mailgun.org"),
            submission("smtp.eu.mailgun.org"),
        ],
        help: "Make SMTP credentials for your domain in the Mailgun dashboard of the EU region; \
            the user name is an address such as postmaster@mg.example.com.",
        help_url: Some("https://help.mailgun.com/"),
        family: Family::Mailgun,
        ..SERVICE
    },
    Provider {
        id: "ses",
        name: "Amazon SES",
        aliases: &[
            "AWS SES",
            "Amazon SES us-east-1",
            "AWS SES us-east-1",
            "ses-us-east-1",
        ],
        submission: &[
            smtps("email-smtp.us-east-1.amazonaws.com"),
            submission("email-smtp.us-east-1.amazonaws.com"),
        ],
        help: "This is the region us-east-1; take ses-eu-west-1 and the like for others. Make \
            SMTP credentials in the Amazon SES console of the same region (AWS access keys are \
            refused), and verify the domain or address that you send from.",
        help_url: Some("https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html"),
        other_hosts: &["email-smtp*.amazonaws.com"],
        family: Family::Ses,
        ..SERVICE
    },
    ses!("us-east-2", "US East (Ohio)"),
    ses!("us-west-1", "US West (N. California)"),
    ses!("us-west-2", "US West (Oregon)"),
    ses!("us-gov-east-1", "GovCloud (US-East)"),
    ses!("us-gov-west-1", "GovCloud (US-West)"),
    ses!("ca-central-1", "Canada (Central)"),
    ses!("sa-east-1", "South America (Sao Paulo)"),
    ses!("eu-central-1", "Europe (Frankfurt)"),
    ses!("eu-north-1", "Europe (Stockholm)"),
    ses!("eu-west-1", "Europe (Ireland)"),
    ses!("eu-west-2", "Europe (London)"),
    ses!("eu-west-3", "Europe (Paris)"),
    ses!("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ses!("ap-northeast-2", "Asia Pacific (Seoul)"),
    ses!("ap-northeast-3", "Asia Pacific (Osaka)"),
    ses!("ap-south-1", "Asia Pacific (Mumbai)"),
    ses!("ap-southeast-1", "Asia Pacific (Singapore)"),
    ses!("ap-southeast-2", "Asia Pacific (Sydney)"),
    Provider {
        id: "gmail-relay",
        name: "Google Workspace SMTP relay",
        aliases: &["GmailWorkspace", "Google Workspace Mail", "smtp-relay"],
        submission: &[
            smtps("smtp-relay.gmail.com"),
            submission("smtp-relay.gmail.com"),
        ],
        sign_in: SignIn::OAuth2OrAppPassword,
        user_name: UserName::Address,
        help: "An administrator of Google Workspace must switch on the SMTP relay service in the \
            Admin console; then sign in with an app password, or from an allowed address.",
        help_url: Some("https://support.google.com/a/answer/2956491"),
        family: Family::Google,
        ..SERVICE
    },
    Provider {
        id: "brevo",
        name: "Brevo",
        aliases: &["Sendinblue"],
        submission: &[
            smtps("smtp-relay.brevo.com"),
            submission("smtp-relay.brevo.com"),
        ],
        help: "Open SMTP & API in the Brevo settings: it shows the SMTP login, and makes an SMTP \
            key, which is the password (an API key is refused).",
        other_hosts: &["smtp-relay.sendinblue.com"],
        family: Family::Brevo,
        ..SERVICE
    },
    Provider {
        id: "postmark",
        name: "Postmark",
        aliases: &["PostmarkApp"],
        submission: &[
            submission("smtp.postmarkapp.com"),
            starttls("smtp.postmarkapp.com", 2525),
        ],
        help: "Use the server API token of your Postmark server as user name and as password, and \
            confirm a sender signature or domain.",
        other_hosts: &["smtp-broadcasts.postmarkapp.com"],
        family: Family::Postmark,
        ..SERVICE
    },
    Provider {
        id: "mailjet",
        name: "Mailjet",
        submission: &[smtps("in-v3.mailjet.com"), submission("in-v3.mailjet.com")],
        help: "The user name is your Mailjet API key, the password its secret key, both shown \
            under SMTP and SEND API settings. Verify a sender address or domain.",
        other_hosts: &["in.mailjet.com"],
        ..SERVICE
    },
    Provider {
        id: "mandrill",
        name: "Mandrill",
        aliases: &["Mailchimp Transactional"],
        submission: &[
            smtps("smtp.mandrillapp.com"),
            submission("smtp.mandrillapp.com"),
        ],
        sign_in: SignIn::ApiKey,
        user_name: UserName::Address,
        help: "Make an API key under SMTP & API info of Mailchimp Transactional; it is the \
            password, any address of yours is the user name. Verify the sending domain.",
        ..SERVICE
    },
    Provider {
        id: "mailersend",
        name: "MailerSend",
        submission: &[submission("smtp.mailersend.net")],
        ..SERVICE
    },
    Provider {
        id: "mailtrap",
        name: "Mailtrap",
        submission: &[submission("live.smtp.mailtrap.io")],
        sign_in: SignIn::ApiKey,
        user_name: UserName::Fixed("api"),
        help: "Verify a sending domain in Mailtrap; its SMTP settings show the API token, which \
            is the password. The user name is the word api.",
        ..SERVICE
    },
    Provider {
        id: "resend",
        name: "Resend",
        submission: &[smtps("smtp.resend.com"), submission("smtp.resend.com")],
        sign_in: SignIn::ApiKey,
        user_name: UserName::Fixed("resend"),
        help: "Make an API key at resend.com; it is the password, the user name is the word \
            resend. Verify the domain that you send from.",
        ..SERVICE
    },
    Provider {
        id: "sparkpost",
        name: "SparkPost",
        aliases: &["SparkPost Mail"],
        submission: &[
            submission("smtp.sparkpostmail.com"),
            starttls("smtp.sparkpostmail.com", 2525),
        ],
        sign_in: SignIn::ApiKey,
        user_name: UserName::Fixed("SMTP_Injection"),
        help: "Make an API key with the permission Send via SMTP; it is the password, the user \
            name is SMTP_Injection. Verify the domain that you send from.",
        other_hosts: &["smtp.eu.sparkpostmail.com"],
        ..SERVICE
    },
    Provider {
        id: "elasticemail",
        name: "Elastic Email",
        submission: &[smtps("smtp.elasticemail.com")],
        ..SERVICE
    },
    Provider {
        id: "smtp2go",
        name: "SMTP2GO",
        submission: &[
            smtps("mail.smtp2go.com"),
            submission("mail.smtp2go.com"),
            starttls("mail.smtp2go.com", 2525),
        ],
        other_hosts: &["mail-eu.smtp2go.com", "mail-us.smtp2go.com"],
        ..SERVICE
    },
    Provider {
        id: "sendpulse",
        name: "SendPulse",
        submission: &[smtps("smtp-pulse.com")],
        ..SERVICE
    },
    Provider {
        id: "turbosmtp",
        name: "turboSMTP",
        submission: &[smtps("pro.turbo-smtp.com")],
        ..SERVICE
    },
    Provider {
        id: "turbosmtp-eu",
        name: "turboSMTP EU",
        submission: &[smtps("pro.eu.turbo-smtp.com")],
        ..SERVICE
    },
    Provider {
        id: "tipimail",
        name: "Tipimail",
        submission: &[submission("smtp.tipimail.com")],
        ..SERVICE
    },
    Provider {
        id: "mailpace",
        name: "MailPace",
        aliases: &["OhMySMTP"],
        submission: &[submission("smtp.mailpace.com")],
        help: "Use the API token of your domain as user name and as password.",
        other_hosts: &["smtp.ohmysmtp.com"],
        ..SERVICE
    },
    Provider {
        id: "forwardemail",
        name: "Forward Email",
        aliases: &["FE"],
        submission: &[smtps("smtp.forwardemail.net")],
        imap: &[imaps("imap.forwardemail.net")],
        pop3: &[pop3s("pop3.forwardemail.net")],
        user_name: UserName::Address,
        help: "Generate a password for the alias under My Account, Domains, Aliases; the user \
            name is the alias' whole address.",
        help_url: Some("https://forwardemail.net/faq"),
        ..SERVICE
    },
    Provider {
        id: "groundmail",
        name: "Groundmail",
        submission: &[submission("smtp.groundmail.dev")],
        ..SERVICE
    },
    Provider {
        id: "oveyon",
        name: "Oveyon",
        submission: &[submission("smtp.oveyon.com")],
        ..SERVICE
    },
    Provider {
        id: "spacepost",
        name: "SpacePost",
        submission: &[starttls("smtp.spacepost.dev", 25976)],
        ..SERVICE
    },
];
