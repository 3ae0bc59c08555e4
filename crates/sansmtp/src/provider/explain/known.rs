//! Replies that providers are known for. Phrases stand in lower case.

use super::rule::{Rule, contains};
use super::{Explanation, Family, Stage};

/// The rules of one provider's servers.
pub(super) fn rules(family: Family) -> &'static [Rule] {
    match family {
        Family::Google => GOOGLE,
        Family::Microsoft => MICROSOFT,
        Family::Yahoo => YAHOO,
        Family::Apple => APPLE,
        Family::Gmx => GMX,
        Family::Zoho => ZOHO,
        Family::Fastmail => FASTMAIL,
        Family::Ses => SES,
        Family::SendGrid => SENDGRID,
        Family::Mailgun => MAILGUN,
        Family::Postmark => POSTMARK,
        Family::Brevo => BREVO,
        Family::Yandex => YANDEX,
        Family::MailRu => MAIL_RU,
        Family::AuthorizationCode => AUTHORIZATION_CODE,
        Family::Proton => PROTON,
        Family::Other => &[],
    }
}

/// What a provider's servers leave in their replies, and no other's.
pub(super) const MARKS: [(&str, Family); 7] = [
    ("gsmtp", Family::Google),
    ("support.google.com", Family::Google),
    ("prod.outlook.com", Family::Microsoft),
    ("aka.ms/smtp_auth", Family::Microsoft),
    ("smtpclientauthentication is disabled", Family::Microsoft),
    ("mailgun", Family::Mailgun),
    ("sendgrid", Family::SendGrid),
];

/// The provider by the mark that its servers leave in replies.
pub(super) fn family_by_mark(text: &[u8]) -> Family {
    MARKS
        .into_iter()
        .find(|(mark, _)| contains(text, mark.as_bytes()))
        .map_or(Family::Other, |(_, family)| family)
}

const GOOGLE_APP_PASSWORD: &str = "https://support.google.com/accounts/answer/185833";
const GOOGLE_LIMITS: &str = "https://support.google.com/a/answer/166852";

static GOOGLE: &[Rule] = &[
    Rule::on(&[534, 535])
        .saying(&[
            "application-specific password required",
            "invalidsecondfactor",
        ])
        .means(
            "Google wants an app password: 2-Step Verification is on, and your ordinary password \
             is not accepted from programs.",
            "Make an app password at https://myaccount.google.com/apppasswords and use its 16 \
             letters, without spaces, as the password.",
        )
        .see(GOOGLE_APP_PASSWORD),
    Rule::on(&[534, 535])
        .saying(&[
            "log in with your web browser",
            "log in via your web browser",
            "webloginrequired",
        ])
        .means(
            "Google wants you to confirm this sign-in in a browser first; it looked unusual, or \
             the account must be verified.",
            "Sign in to the account in a web browser, confirm that it was you, and try again. Use \
             an app password, not the ordinary one.",
        )
        .see("https://support.google.com/mail/answer/78754"),
    Rule::on(&[534]).with(&[(5, 7, 9), (5, 7, 14)]).means(
        "Google refused this way of signing in.",
        "Sign in to the account in a web browser once, make an app password, and use that as the \
         password.",
    )
    .see(GOOGLE_APP_PASSWORD),
    Rule::on(&[535])
        .saying(&["xoauth", "invalid credentials", "access token"])
        .at(&[Stage::Auth])
        .with(&[(5, 7, 1)])
        .means(
            "Google refused the OAuth2 access token: it is expired, or lacks the right to send \
             mail.",
            "Get a fresh access token with the scope https://mail.google.com/ and try again.",
        )
        .see("https://developers.google.com/workspace/gmail/imap/xoauth2-protocol"),
    Rule::on(&[535])
        .means(
            "Google did not accept the user name and password. The ordinary Google password never \
             works here; only an app password or OAuth2 does.",
            "Check that the user name is the whole address. Turn on 2-Step Verification, make an \
             app password at https://myaccount.google.com/apppasswords, and use it. With OAuth2, \
             get a fresh access token.",
        )
        .see(GOOGLE_APP_PASSWORD),
    Rule::on(&[530])
        .saying(&["authentication required", "wantautherror"])
        .means(
            "Gmail sends only for people who have signed in, and this connection has not.",
            "Give a user name (your whole Gmail address) and an app password.",
        )
        .see(GOOGLE_APP_PASSWORD),
    Rule::on(&[530]).with(&[(5, 5, 1)]).means(
        "Gmail sends only for people who have signed in, and this connection has not.",
        "Give a user name (your whole Gmail address) and an app password.",
    )
    .see(GOOGLE_APP_PASSWORD),
    Rule::on(&[454]).saying(&["too many login attempts"]).means(
        "There were too many sign-ins in a short time, so Google blocks further ones for a while.",
        "Wait some minutes and then try once, with the right app password. Keep one connection \
         open for many messages.",
    ),
    Rule::on(&[550, 552])
        .with(&[(5, 4, 5), (5, 4, 6)])
        .means(
            "The account has sent as many messages as Google allows for one day.",
            "Wait up to 24 hours. To send more every day, use a sending service or Google \
             Workspace.",
        )
        .see(GOOGLE_LIMITS),
    Rule::on(&[421, 550]).saying(&["invalid credentials for relay", "mail relay denied"]).means(
        "The Google Workspace relay does not know this sender or this internet address.",
        "An administrator must allow your address in the SMTP relay service of the Admin console, \
         or you must sign in.",
    )
    .see("https://support.google.com/a/answer/2956491"),
    Rule::on(&[421])
        .with(&[(4, 7, 0)])
        .saying(&["unusual rate", "unsolicited"])
        .means(
            "Google sees too much unwanted mail from your internet address and takes none from it \
             for now.",
            "Wait some hours. If you run a server, check that it does not send spam.",
        )
        .see("https://support.google.com/mail/answer/81126"),
    Rule::on(&[421]).with(&[(4, 7, 0)]).means(
        "Google asks to try again later: it is busy, or too many connections came from your \
         internet address.",
        "Wait a few minutes and try again; send fewer messages at once.",
    ),
    Rule::on(&[552, 550])
        .with(&[(5, 7, 0)])
        .at(&[Stage::Content])
        .saying(&["security issue", "blocked"])
        .means(
            "Gmail blocks an attachment of this kind: programs, scripts and archives that hold \
             them are refused.",
            "Put the file on a file sharing service and send a link to it instead.",
        )
        .see("https://support.google.com/mail/answer/6590"),
    Rule::on(&[550, 421]).with(&[(5, 7, 26), (4, 7, 26), (5, 7, 25), (4, 7, 32)]).means(
        "Gmail takes mail from servers directly only when the sender's domain allows that server \
         (SPF, DKIM).",
        "Send through your provider's submission server with a sign-in, not directly to Gmail.",
    )
    .see("https://support.google.com/mail/answer/81126"),
];

const MICROSOFT_SMTP_AUTH: &str = "https://aka.ms/smtp_auth_disabled";
const MICROSOFT_OAUTH: &str = "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth";
const MICROSOFT_SUBMISSION: &str = "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365";

/// For OutboundSpamException and its like.
const MICROSOFT_SENDER_BLOCKED: Explanation = Explanation {
    meaning: "Microsoft has blocked this account from sending, since its mail looked like spam or \
        the account looked taken over.",
    next_step: "Change the password and check the account. For work accounts an administrator \
        lifts the block under Restricted entities in the Defender portal.",
    url: Some(
        "https://learn.microsoft.com/defender-office-365/outbound-spam-restore-restricted-users",
    ),
};

const MICROSOFT_SEND_AS: Explanation = Explanation {
    meaning: "The account that signed in may not send with this sender address.",
    next_step: "Put the address of the account into the From field, or have an administrator give \
        it the right \"Send as\" for that address.",
    url: Some(
        "https://learn.microsoft.com/exchange/recipients-in-exchange-online/manage-permissions-for-recipients",
    ),
};

const MICROSOFT_LIMITS: &str = "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits";

static MICROSOFT: &[Rule] = &[
    Rule::on(&[535])
        .saying(&["disabled for the tenant"])
        .means(
            "The organization has switched off sending by SMTP with sign-in (\"SMTP AUTH\") for \
             all its accounts.",
            "Ask an administrator to switch on \"Authenticated SMTP\" for this mailbox (Microsoft \
             365 admin center, the user, Mail, Manage email apps), or sign in with OAuth2.",
        )
        .see(MICROSOFT_SMTP_AUTH),
    Rule::on(&[535])
        .saying(&["disabled for the mailbox"])
        .means(
            "Sending by SMTP with sign-in (\"SMTP AUTH\") is switched off for this mailbox.",
            "Ask an administrator to switch on \"Authenticated SMTP\" for it (Microsoft 365 admin \
             center, the user, Mail, Manage email apps).",
        )
        .see(MICROSOFT_SMTP_AUTH),
    Rule::on(&[535, 550])
        .saying(&["basic authentication is disabled", "basic authentication is not supported"])
        .means(
            "Microsoft no longer takes passwords for this account; only sign-in with OAuth2 \
             works.",
            "Sign in with OAuth2: hand over an access token with the scope SMTP.Send in place of \
             the password.",
        )
        .see(MICROSOFT_OAUTH),
    Rule::on(&[535])
        .saying(&["security defaults"])
        .means(
            "The organization's security defaults block sign-in with a password alone.",
            "Sign in with OAuth2, or ask an administrator to replace security defaults by \
             policies that allow SMTP for this account.",
        )
        .see("https://learn.microsoft.com/entra/fundamentals/security-defaults"),
    Rule::on(&[535])
        .saying(&["did not meet the criteria"])
        .means(
            "A policy of the organization (Conditional Access, or SMTP AUTH switched off) refused \
             this sign-in, whether the password is right or not.",
            "Ask an administrator to look at the sign-in log of the account and to allow SMTP, or \
             sign in with OAuth2.",
        )
        .see(MICROSOFT_SMTP_AUTH),
    Rule::on(&[535])
        .saying(&["locked"])
        .means(
            "Microsoft has locked the account after failed or suspicious sign-ins.",
            "Sign in at https://account.microsoft.com (work accounts: https://portal.office.com) \
             in a web browser, unlock the account, and try again.",
        ),
    Rule::on(&[535])
        .saying(&["credentials were incorrect", "incorrect"])
        .means(
            "Microsoft did not accept the user name or the password.",
            "Check both; the user name is the whole address of the account, not an alias. With \
             multi-factor authentication use OAuth2.",
        )
        .see(MICROSOFT_SMTP_AUTH),
    Rule::on(&[535]).with(&[(5, 7, 139)]).means(
        "Microsoft refused this sign-in because of a setting or policy of the account.",
        "Sign in with OAuth2, or ask an administrator to switch on \"Authenticated SMTP\" for the \
         mailbox.",
    )
    .see(MICROSOFT_SMTP_AUTH),
    Rule::on(&[535])
        .means(
            "Microsoft did not accept the sign-in: the user name or password is wrong, or \
             passwords and SMTP sign-in are switched off for the account.",
            "Check user name (the whole address) and password. If they are right, sign in with \
             OAuth2 (the token needs the scope SMTP.Send), or ask an administrator to switch on \
             \"Authenticated SMTP\".",
        )
        .see(MICROSOFT_SMTP_AUTH),
    Rule::on(&[530])
        .with(&[(5, 7, 57)])
        .means(
            "Microsoft sends only for people who have signed in, and this connection has not.",
            "Give the user name (your whole address) and sign in with OAuth2 or a password; an \
             administrator must have switched on \"Authenticated SMTP\".",
        )
        .see(MICROSOFT_SUBMISSION),
    Rule::on(&[504]).at(&[Stage::Auth]).means(
        "Microsoft does not offer this way of signing in here: it takes OAuth2, and passwords \
         only where SMTP AUTH is switched on.",
        "Sign in with OAuth2, and connect to port 587 with STARTTLS.",
    )
    .see(MICROSOFT_OAUTH),
    Rule::on(&[454]).at(&[Stage::Auth]).means(
        "Microsoft can not check sign-ins at the moment.",
        "Wait a few minutes and try again.",
    ),
    Rule::on(&[550, 554])
        .saying(&["outboundspam", "bad outbound sender", "unable to send from this address"])
        .is(MICROSOFT_SENDER_BLOCKED),
    Rule::on(&[550, 554])
        .with(&[(5, 1, 8)])
        .at(&[Stage::Mail, Stage::Content])
        .is(MICROSOFT_SENDER_BLOCKED),
    Rule::on(&[550, 554])
        .with(&[(5, 2, 252), (5, 7, 60)])
        .is(MICROSOFT_SEND_AS),
    Rule::on(&[550, 554])
        .saying(&["sendasdenied", "not allowed to send as", "permissions to send as"])
        .is(MICROSOFT_SEND_AS),
    Rule::on(&[432, 421])
        .saying(&["concurrent", "thread limit"])
        .is(MICROSOFT_CONCURRENT),
    Rule::on(&[432]).is(MICROSOFT_CONCURRENT),
    Rule::on(&[550, 554, 452])
        .saying(&["submission quota", "daily limit", "rate limit", "recipient limit"])
        .means(
            "The account has sent to as many recipients as Microsoft allows for now.",
            "Wait up to 24 hours, or send fewer messages at once.",
        )
        .see(MICROSOFT_LIMITS),
    Rule::on(&[550, 554]).with(&[(5, 2, 0)]).means(
        "Microsoft took the message and then failed to send it; mostly the sender address does \
         not belong to the account, or the account is blocked.",
        "Put the address of the account into the From field; if that is so, sign in at \
         https://outlook.office.com and look for a notice.",
    ),
    Rule::on(&[550]).with(&[(5, 7, 64), (5, 7, 54)]).means(
        "This Microsoft server does not pass on mail to other organizations for you.",
        "Use smtp.office365.com on port 587 with a sign-in.",
    )
    .see(MICROSOFT_SUBMISSION),
    Rule::on(&[550]).with(&[(5, 7, 708), (5, 7, 705), (5, 7, 750)]).means(
        "Microsoft does not let this organization send: it is new, exceeded a limit, or uses a \
         domain that is not registered.",
        "Ask an administrator to check the notices in the Microsoft 365 admin center.",
    ),
];

const MICROSOFT_CONCURRENT: Explanation = Explanation {
    meaning: "The account has more than three connections open at the same time; Microsoft allows \
        no more.",
    next_step: "Send over fewer connections (one is enough), or wait a moment and try again.",
    url: Some(MICROSOFT_SUBMISSION),
};

const YAHOO_APP_PASSWORD: &str = "https://help.yahoo.com/kb/SLN15241.html";

static YAHOO: &[Rule] = &[
    Rule::on(&[535, 554])
        .saying(&["too many bad auth attempts", "auth005", "too many failed"])
        .means(
            "There were too many failed sign-ins, so the account is blocked for a while.",
            "Wait an hour, then try once with an app password.",
        )
        .see(YAHOO_APP_PASSWORD),
    Rule::on(&[535, 554])
        .at(&[Stage::Auth])
        .means(
            "The sign-in was refused. Yahoo and AOL take no ordinary password from programs, only \
             an app password.",
            "Open the security page of the account, generate an app password, and use it. The \
             user name is the whole address.",
        )
        .see(YAHOO_APP_PASSWORD),
    Rule::on(&[553, 550])
        .at(&[Stage::Mail, Stage::Content, Stage::Data])
        .saying(&["from address", "not verified", "sender"])
        .means(
            "The sender address does not belong to the account that signed in.",
            "Put the address of the account into the From field, or add and verify the other \
             address in the mail settings.",
        ),
    Rule::on(&[554]).at(&[Stage::Content]).means(
        "The message looks like spam, or more was sent than the account may send.",
        "Wait some hours; change the text if it has many links; write to fewer recipients.",
    ),
];

static APPLE: &[Rule] = &[
    Rule::on(&[535, 534, 454])
        .at(&[Stage::Auth])
        .means(
            "iCloud did not accept user name and password. The ordinary Apple Account password \
             never works here.",
            "Make an app-specific password at https://account.apple.com under Sign-In and \
             Security, and use it with your whole iCloud address.",
        )
        .see("https://support.apple.com/102654"),
    Rule::on(&[550, 553])
        .saying(&["from address", "one of your addresses"])
        .means(
            "iCloud sends only from your own iCloud addresses and aliases.",
            "Put your iCloud address into the From field, or add the address as alias or custom \
             domain in the iCloud settings.",
        )
        .see("https://support.apple.com/guide/icloud/mm6b1a490a/icloud"),
    Rule::on(&[450, 452, 550, 552])
        .with(&[(4, 7, 0), (5, 7, 0), (4, 5, 3), (5, 5, 3)])
        .saying(&["limit", "too many"])
        .means(
            "The account has reached iCloud's limit of messages or recipients for one day.",
            "Wait up to 24 hours and send to fewer recipients.",
        )
        .see("https://support.apple.com/102198"),
];

static GMX: &[Rule] = &[
    Rule::on(&[535]).means(
        "The sign-in was refused. At GMX, WEB.DE and mail.com mail programs are shut out until \
         you allow them, even with the right password.",
        "Sign in on the provider's web page, open the e-mail settings, POP3/IMAP, and allow \
         access for mail programs. With two-factor authentication use an application password.",
    ),
    Rule::on(&[550, 553, 554])
        .saying(&["sender address is not allowed", "sender address"])
        .means(
            "The sender address does not belong to the account that signed in.",
            "Put the address of the mailbox into the From field.",
        ),
    Rule::on(&[421, 554])
        .at(&[Stage::Greeting, Stage::Hello])
        .means(
            "The server takes no connection from your internet address, which looks like a \
             private line or sent unwanted mail.",
            "Use the provider's submission server on port 465 or 587 with a sign-in, not port 25.",
        ),
    Rule::on(&[450, 452, 550])
        .saying(&["limit", "quota", "too many"])
        .means(
            "The account has sent as many messages as the provider allows for now.",
            "Wait some hours and send to fewer recipients.",
        ),
];

static ZOHO: &[Rule] = &[
    Rule::on(&[535])
        .means(
            "Zoho did not accept user name and password. An account with two-factor \
             authentication needs an application-specific password, and each data centre has its \
             own server.",
            "Use the whole address. Make an application-specific password at \
             https://accounts.zoho.com, and check that the server ends as your Zoho address does \
             (.com, .eu, .in ...).",
        )
        .see("https://www.zoho.com/mail/help/zoho-smtp.html"),
    Rule::on(&[553, 550, 554])
        .saying(&["relaying disallowed", "relay"])
        .means(
            "Zoho does not let this account send with that sender address.",
            "Put the address that you sign in with, or one of its aliases, into the From field.",
        )
        .see("https://www.zoho.com/mail/help/zoho-smtp.html"),
    Rule::on(&[550]).with(&[(5, 4, 6)]).is(ZOHO_BLOCKED),
    Rule::on(&[550, 554])
        .saying(&[
            "unusual sending activity",
            "outgoing blocked",
            "email sending limit",
        ])
        .is(ZOHO_BLOCKED),
];

const ZOHO_BLOCKED: Explanation = Explanation {
    meaning: "Zoho has stopped outgoing mail of this account: a limit was exceeded or the sending \
        looked unusual.",
    next_step: "Open https://mail.zoho.com/UnblockMe in a browser, or wait some hours, and send \
        less at once.",
    url: Some("https://www.zoho.com/mail/help/usage-policy.html"),
};

static FASTMAIL: &[Rule] = &[
    Rule::on(&[535, 534])
        .means(
            "Fastmail did not accept user name and password. The ordinary password never works \
             here, only an app password that may send mail.",
            "Make an app password under Settings, Privacy & Security, and sign in with your whole \
             Fastmail address.",
        )
        .see("https://www.fastmail.help/hc/en-us/articles/360058752854"),
    Rule::on(&[551, 550, 553])
        .saying(&["not authorised to send from", "not authorized to send from"])
        .means(
            "The sender address is not set up in the account that signed in.",
            "Put one of your own addresses into the From field, or add the address under \
             Settings, My email addresses.",
        ),
];

const SES_IDENTITIES: &str =
    "https://docs.aws.amazon.com/ses/latest/dg/verify-addresses-and-domains.html";
const SES_QUOTA: &str =
    "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html";

static SES: &[Rule] = &[
    Rule::on(&[535])
        .means(
            "Amazon SES did not accept the credentials. It wants SMTP credentials of this very \
             region; AWS access keys and the password of the AWS account do not work.",
            "Open the SES console in the region of this server, SMTP settings, create SMTP \
             credentials, and use those.",
        )
        .see("https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html"),
    Rule::on(&[554, 550])
        .saying(&["not verified"])
        .means(
            "The sender is not verified with Amazon SES in this region; while the account is in \
             the sandbox, recipients must be verified too.",
            "Verify the sender's domain or address in the SES console of this region, and ask for \
             production access to write to everybody.",
        )
        .see(SES_IDENTITIES),
    Rule::on(&[554])
        .saying(&["not authorized", "access denied"])
        .means(
            "The SMTP credentials exist but may not send with this sender.",
            "Give the IAM user of the SMTP credentials the right ses:SendRawEmail for this \
             sender.",
        )
        .see("https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html"),
    Rule::on(&[554])
        .saying(&["sending paused", "account is paused"])
        .means(
            "Amazon SES has stopped sending for this account.",
            "Read the notice in the Reputation part of the SES console and answer it.",
        ),
    Rule::on(&[454])
        .saying(&["daily message quota"])
        .means(
            "The account has sent as many messages as it may in 24 hours.",
            "Wait, or ask for a higher sending quota in the SES console.",
        )
        .see(SES_QUOTA),
    Rule::on(&[454])
        .saying(&["throttling", "sending rate"])
        .means(
            "Messages were sent faster than the account's rate allows.",
            "Wait some seconds and send more slowly, or ask for a higher rate in the SES console.",
        )
        .see(SES_QUOTA),
    Rule::on(&[421]).saying(&["concurrent"]).means(
        "Too many connections to Amazon SES are open at the same time.",
        "Send over fewer connections, or wait a moment and try again.",
    ),
];

const SENDGRID_IDENTITY: &str =
    "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sender-identity";

const SENDGRID_ERRORS: &str = "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting";

const SENDGRID_SMTP: &str = "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api";

static SENDGRID: &[Rule] = &[
    Rule::on(&[450, 451, 535, 550])
        .saying(&["maximum credits exceeded"])
        .means(
            "The SendGrid plan has no messages left for today or this month, or the trial has \
             ended.",
            "Wait for the limit to reset, or upgrade the plan of the Email API.",
        )
        .see(SENDGRID_ERRORS),
    Rule::on(&[535])
        .means(
            "SendGrid did not accept the API key: the user name must be the word apikey, and the \
             password an API key that may send mail and was not deleted.",
            "Make a new API key with the Mail Send permission under Settings, API Keys, and use \
             apikey as user name.",
        )
        .see(SENDGRID_SMTP),
    Rule::on(&[403, 550, 553])
        .saying(&[
            "sender identity",
            "not authorized to send from that email address",
            "from address does not match",
        ])
        .means(
            "The sender address is not a verified sender identity of the SendGrid account.",
            "Verify the address (Single Sender) or its domain under Settings, Sender \
             Authentication, and send from exactly that one.",
        )
        .see(SENDGRID_IDENTITY),
    Rule::on(&[530, 550])
        .saying(&["unauthenticated senders", "authentication required"])
        .means(
            "SendGrid sends only for people who have signed in, and this connection has not.",
            "Use apikey as user name and an API key as password.",
        ),
];

static MAILGUN: &[Rule] = &[
    Rule::on(&[535])
        .means(
            "Mailgun did not accept the credentials: they belong to one domain and one region (US \
             or EU).",
            "Reset the password of the SMTP user under Domain settings, SMTP credentials; for an \
             EU domain use smtp.eu.mailgun.org.",
        )
        .see("https://help.mailgun.com/"),
    Rule::on(&[421, 550, 554])
        .saying(&["sandbox", "authorized recipients", "test purposes"])
        .means(
            "A Mailgun sandbox domain may write only to recipients that were authorized.",
            "Add the recipient under Authorized recipients, or set up a domain of your own.",
        ),
    Rule::on(&[421, 550, 554])
        .saying(&["not allowed to send", "is disabled", "probation"])
        .means(
            "Mailgun does not let this domain or account send now.",
            "Open the Mailgun dashboard: verify the domain, and read the notice on the account.",
        ),
];

static POSTMARK: &[Rule] = &[
    Rule::on(&[535])
        .means(
            "Postmark did not accept the token.",
            "Use the server API token (server, API Tokens) both as user name and as password.",
        )
        .see("https://postmarkapp.com/developer/user-guide/send-email-with-smtp"),
    Rule::on(&[550, 553, 554])
        .saying(&["sender signature", "not allowed to send"])
        .means(
            "The sender address is not confirmed with Postmark.",
            "Add it as a sender signature, or verify its domain, and confirm it.",
        ),
];

static BREVO: &[Rule] = &[
    Rule::on(&[525, 535])
        .saying(&["unauthorized ip"])
        .means(
            "Brevo does not know the internet address that you send from.",
            "Add it under Security, Authorized IPs, in the Brevo settings, or switch the blocking \
             off there.",
        )
        .see("https://app.brevo.com/security/authorised_ips"),
    Rule::on(&[535])
        .means(
            "Brevo did not accept the credentials: the password is an SMTP key, not an API key \
             and not the password of the account.",
            "Open SMTP & API in the Brevo settings, take the SMTP login from there, and generate \
             an SMTP key.",
        )
        .see("https://app.brevo.com/settings/keys/smtp"),
    Rule::on(&[502, 550])
        .saying(&["not yet activated", "not activated"])
        .means(
            "The Brevo account is not yet allowed to send by SMTP.",
            "Ask Brevo's support to activate the account.",
        ),
];

static YANDEX: &[Rule] = &[
    Rule::on(&[535, 534])
        .saying(&["does not have access rights"])
        .means(
            "Mail programs are not allowed for this Yandex mailbox, or the ordinary password was \
             used.",
            "Allow access under Mail settings, Email clients, and use an app password of the type \
             Mail.",
        )
        .see("https://yandex.com/support/id/authorization/app-passwords.html"),
    Rule::on(&[535, 534])
        .means(
            "Yandex did not accept user name and password; it wants an app password.",
            "Make an app password of the type Mail at https://id.yandex.com, and use it.",
        )
        .see("https://yandex.com/support/id/authorization/app-passwords.html"),
];

static MAIL_RU: &[Rule] = &[Rule::on(&[535, 534])
    .means(
        "Mail.ru did not accept the password; programs need a password for external applications.",
        "Make one in the security settings of the Mail.ru account, and use it here.",
    )
    .see("https://help.mail.ru/mail/security/protection/external")];

static AUTHORIZATION_CODE: &[Rule] = &[
    Rule::on(&[535, 534, 526]).means(
        "The sign-in was refused. This provider takes no ordinary password from programs, but an \
         authorization code.",
        "Switch on SMTP in the settings of the web mail; use the authorization code that it shows \
         as the password.",
    ),
    Rule::on(&[550]).saying(&["no permission"]).means(
        "Sending by SMTP is not switched on for this mailbox.",
        "Switch on SMTP in the settings of the web mail and use the authorization code that it \
         shows.",
    ),
    Rule::on(&[501, 550, 553])
        .saying(&[
            "mail from must equal",
            "mail from address must be same",
            "sender",
        ])
        .at(&[Stage::Mail, Stage::Content])
        .means(
            "The sender address must be the one that signed in.",
            "Put the address of the mailbox into the From field.",
        ),
];

static PROTON: &[Rule] = &[Rule::on(&[535, 454])
    .at(&[Stage::Auth])
    .means(
        "Proton did not accept the token. It takes SMTP tokens only, each for one address of an \
         own domain.",
        "Make an SMTP token under Settings, IMAP/SMTP, and sign in with the address that it was \
         made for; for other addresses use Proton Mail Bridge.",
    )
    .see("https://proton.me/support/smtp-submission")];

#[cfg(test)]
pub(super) static ALL: &[&[Rule]] = &[
    GOOGLE,
    MICROSOFT,
    YAHOO,
    APPLE,
    GMX,
    ZOHO,
    FASTMAIL,
    SES,
    SENDGRID,
    MAILGUN,
    POSTMARK,
    BREVO,
    YANDEX,
    MAIL_RU,
    AUTHORIZATION_CODE,
    PROTON,
];
