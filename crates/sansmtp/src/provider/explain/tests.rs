use super::*;

fn refusal(stage: Stage, line: &'static str) -> Refusal<'static> {
    let (code, text) = line.split_once(' ').unwrap();
    Refusal {
        code: code.parse().unwrap(),
        enhanced: None,
        text: text.as_bytes(),
        stage,
    }
}

/// Explains a reply line; `provider` is a name, or empty.
fn explained(provider: &str, stage: Stage, line: &'static str) -> Explanation {
    let provider = (!provider.is_empty()).then(|| Provider::by_name(provider).unwrap());
    explain(provider, &refusal(stage, line)).unwrap()
}

/// Meaning and next step as one text, for looking up words.
fn says(explanation: Explanation, words: &str) -> bool {
    rule::contains(explanation.meaning.as_bytes(), words.as_bytes())
        || rule::contains(explanation.next_step.as_bytes(), words.as_bytes())
}

/// Replies as the providers give them, and words that the explanation must have.
#[test]
fn known_replies() {
    use Stage::{Auth, Content, Data, Greeting, Mail, Rcpt};
    for (provider, stage, line, words) in [
        (
            "gmail",
            Auth,
            "534 5.7.9 Application-specific password required. For more information, go to 534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor a1-2sm.3 - gsmtp",
            "wants an app password",
        ),
        (
            "gmail",
            Auth,
            "534 5.7.9 Please log in with your web browser and then try again. Learn more at https://support.google.com/mail/?p=WebLoginRequired - gsmtp",
            "in a browser first",
        ),
        (
            "gmail",
            Auth,
            "534 5.7.14 Please log in via your web browser and then try again.",
            "in a browser first",
        ),
        (
            "gmail",
            Auth,
            "535 5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials - gsmtp",
            "only an app password or OAuth2",
        ),
        (
            "gmail",
            Mail,
            "530 5.7.0 Authentication Required. For more information, go to https://support.google.com/accounts/troubleshooter/2402620. - gsmtp",
            "signed in",
        ),
        (
            "gmail",
            Mail,
            "530 5.5.1 Authentication Required.",
            "signed in",
        ),
        (
            "gmail",
            Mail,
            "530 5.7.0 Must issue a STARTTLS command first. - gsmtp",
            "encrypted",
        ),
        (
            "gmail",
            Rcpt,
            "550 5.4.5 Daily user sending limit exceeded. - gsmtp",
            "one day",
        ),
        (
            "gmail",
            Content,
            "550 5.4.6 Daily sending limit exceeded",
            "24 hours",
        ),
        (
            "gmail",
            Greeting,
            "421 4.7.0 Try again later, closing connection. - gsmtp",
            "few minutes",
        ),
        (
            "gmail",
            Content,
            "421 4.7.0 Our system has detected an unusual rate of unsolicited mail",
            "unwanted mail",
        ),
        (
            "gmail",
            Auth,
            "454 4.7.0 Too many login attempts, please try again later. - gsmtp",
            "too many sign-ins",
        ),
        (
            "gmail",
            Content,
            "552 5.7.0 This message was blocked because its content presents a potential security issue.",
            "attachment",
        ),
        (
            "gmail",
            Rcpt,
            "550 5.1.1 The email account that you tried to reach does not exist.",
            "no mailbox",
        ),
        (
            "gmail-relay",
            Rcpt,
            "550 5.7.1 Invalid credentials for relay [192.0.2.1]",
            "administrator",
        ),
        (
            "microsoft365",
            Auth,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
            "the organization has switched off",
        ),
        (
            "microsoft365",
            Auth,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            "for this mailbox",
        ),
        (
            "outlook",
            Auth,
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0.prod.outlook.com]",
            "only sign-in with OAuth2",
        ),
        (
            "microsoft365",
            Auth,
            "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
            "security defaults",
        ),
        (
            "microsoft365",
            Auth,
            "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.",
            "policy",
        ),
        (
            "microsoft365",
            Auth,
            "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            "user name or the password",
        ),
        (
            "microsoft365",
            Auth,
            "535 5.7.139 Authentication unsuccessful",
            "setting or policy",
        ),
        (
            "microsoft365",
            Auth,
            "535 5.7.3 Authentication unsuccessful [AM0.prod.outlook.com]",
            "Authenticated SMTP",
        ),
        (
            "microsoft365",
            Mail,
            "530 5.7.57 Client not authenticated to send mail. [AM0.prod.outlook.com]",
            "has not",
        ),
        (
            "microsoft365",
            Auth,
            "504 5.7.4 Unrecognized authentication type",
            "OAuth2",
        ),
        (
            "microsoft365",
            Auth,
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
            "only sign-in with OAuth2",
        ),
        (
            "microsoft365",
            Content,
            "554 5.2.252 SendAsDenied; a@example.org not allowed to send as b@example.org",
            "sender address",
        ),
        (
            "microsoft365",
            Mail,
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            "sender address",
        ),
        (
            "microsoft365",
            Mail,
            "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
            "three connections",
        ),
        (
            "microsoft365",
            Content,
            "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed",
            "blocked this account",
        ),
        (
            "microsoft365",
            Content,
            "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied;",
            "sender address",
        ),
        (
            "microsoft365",
            Content,
            "554 5.2.0 STOREDRV.Submission.Exception",
            "failed to send",
        ),
        (
            "microsoft365",
            Content,
            "550 5.1.8 Access denied, bad outbound sender",
            "blocked this account",
        ),
        (
            "yahoo",
            Auth,
            "535 5.7.0 (#AUTH005) Too many bad auth attempts.",
            "too many failed",
        ),
        (
            "yahoo",
            Auth,
            "535 5.7.0 (#MBR1212) Incorrect username or password.",
            "app password",
        ),
        (
            "aol",
            Auth,
            "554 5.7.9 Error during authentication, generate an app password",
            "app password",
        ),
        (
            "icloud",
            Auth,
            "535 5.7.8 Error: authentication failed: authentication failure",
            "app-specific password",
        ),
        (
            "icloud",
            Content,
            "550 5.7.0 From address is not one of your addresses",
            "iCloud addresses",
        ),
        (
            "gmx",
            Auth,
            "535 Authentication credentials invalid",
            "POP3/IMAP",
        ),
        (
            "web.de",
            Auth,
            "535 Authentication credentials invalid",
            "POP3/IMAP",
        ),
        (
            "gmx",
            Content,
            "550 Sender address is not allowed.",
            "From field",
        ),
        (
            "zoho",
            Auth,
            "535 Authentication Failed",
            "application-specific password",
        ),
        (
            "zoho eu",
            Content,
            "553 Relaying disallowed as someone@example.org",
            "sender address",
        ),
        (
            "zoho",
            Content,
            "550 5.4.6 Unusual sending activity detected.",
            "stopped outgoing mail",
        ),
        (
            "fastmail",
            Auth,
            "535 5.7.8 Incorrect username or password",
            "app password",
        ),
        (
            "fastmail",
            Content,
            "551 5.7.1 Not authorised to send from this header address",
            "sender address",
        ),
        (
            "ses",
            Auth,
            "535 Authentication Credentials Invalid",
            "SMTP credentials",
        ),
        (
            "ses-eu-west-1",
            Content,
            "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: a@example.org",
            "sandbox",
        ),
        (
            "ses",
            Content,
            "454 Throttling failure: Maximum sending rate exceeded.",
            "faster",
        ),
        (
            "ses",
            Content,
            "454 Throttling failure: Daily message quota exceeded.",
            "24 hours",
        ),
        (
            "sendgrid",
            Auth,
            "535 Authentication failed: The provided authorization grant is invalid, expired, or revoked",
            "apikey",
        ),
        (
            "sendgrid",
            Auth,
            "451 Authentication failed: Maximum credits exceeded",
            "plan",
        ),
        (
            "sendgrid",
            Content,
            "550 The from address does not match a verified Sender Identity.",
            "sender identity",
        ),
        (
            "sendgrid",
            Mail,
            "550 Unauthenticated senders not allowed",
            "signed in",
        ),
        (
            "mailgun",
            Data,
            "421 Domain sandbox1.mailgun.org is not allowed to send: Sandbox subdomains are for test purposes only.",
            "authorized",
        ),
        (
            "brevo",
            Auth,
            "525 5.7.1 Unauthorized IP address",
            "internet address",
        ),
        (
            "yandex",
            Auth,
            "535 5.7.8 Error: authentication failed: This user does not have access rights to this service",
            "Email clients",
        ),
        (
            "mail.ru",
            Auth,
            "535 5.7.0 NEOBHODIM parol prilozheniya",
            "external applications",
        ),
        (
            "qq",
            Auth,
            "535 Login fail. Please enter your authorization code to login.",
            "authorization code",
        ),
        ("163", Auth, "550 User has no permission", "not switched on"),
        (
            "proton",
            Auth,
            "535 5.7.8 Error: authentication failed",
            "SMTP token",
        ),
    ] {
        let found = explained(provider, stage, line);
        assert!(says(found, words), "{provider}: {line}\n{found:?}");
    }
}

/// What any server may say.
#[test]
fn general_replies() {
    use Stage::{Auth, Content, Data, Greeting, Hello, Mail, Rcpt, StartTls};
    for (stage, line, words) in [
        (Greeting, "554 No SMTP service here", "port 465 or 587"),
        (
            Greeting,
            "554 Your access to this mail system has been rejected due to poor reputation",
            "list of spam senders",
        ),
        (
            Greeting,
            "421 Service not available, closing transmission channel",
            "busy",
        ),
        (
            Hello,
            "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname",
            "EHLO",
        ),
        (
            Mail,
            "530 5.7.0 Must issue a STARTTLS command first",
            "encrypted",
        ),
        (
            Mail,
            "451 5.7.3 STARTTLS is required to send mail",
            "encrypted",
        ),
        (
            Auth,
            "538 5.7.11 Encryption required for requested authentication mechanism",
            "encrypted",
        ),
        (
            StartTls,
            "454 4.7.0 TLS not available due to local problem",
            "can not start encryption",
        ),
        (
            StartTls,
            "502 5.5.1 Error: command not implemented",
            "can not start encryption",
        ),
        (
            Auth,
            "535 5.7.8 Error: authentication failed:",
            "user name or the password",
        ),
        (
            Auth,
            "534 5.7.9 Authentication mechanism is too weak",
            "safer sign-in",
        ),
        (Auth, "535 5.7.0 You need an app password", "app password"),
        (
            Auth,
            "454 4.7.0 Temporary authentication failure",
            "may well be right",
        ),
        (
            Auth,
            "504 5.5.4 Unrecognized authentication type",
            "way of signing in",
        ),
        (
            Auth,
            "503 5.5.1 Error: authentication not enabled",
            "way of signing in",
        ),
        (Auth, "501 5.5.2 Cannot decode", "could not read"),
        (Auth, "525 5.7.13 User account disabled", "switched off"),
        (Mail, "530 5.7.0 Authentication required", "signed in"),
        (Mail, "503 5.5.1 Error: need AUTH first", "signed in"),
        (Mail, "503 5.5.1 Bad sequence of commands", "signed in"),
        (
            Mail,
            "553 5.7.1 <a@example.org>: Sender address rejected: not owned by user b",
            "does not belong",
        ),
        (
            Mail,
            "550 5.1.8 <a@nowhere.invalid>: Sender address rejected: Domain not found",
            "sender address",
        ),
        (Mail, "552 5.3.4 Message size exceeds fixed limit", "larger"),
        (Content, "552 5.2.3 Message exceeds maximum size", "larger"),
        (Mail, "452 4.3.1 Insufficient system storage", "no room"),
        (Mail, "555 5.5.4 Unsupported option: XYZ=1", "option"),
        (
            Rcpt,
            "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown",
            "no mailbox",
        ),
        (Rcpt, "550 No such user here", "no mailbox"),
        (Rcpt, "550 5.1.2 Host unknown", "behind the @"),
        (
            Rcpt,
            "556 5.1.10 Recipient domain has null MX",
            "behind the @",
        ),
        (
            Rcpt,
            "501 5.1.3 Bad recipient address syntax",
            "can not read the recipient",
        ),
        (
            Rcpt,
            "554 5.7.1 <a@example.org>: Relay access denied",
            "pass on mail",
        ),
        (
            Rcpt,
            "550 5.7.1 Relaying denied. Proper authentication required.",
            "signed in",
        ),
        (Rcpt, "550 5.7.1 Unable to relay", "pass on mail"),
        (
            Rcpt,
            "452 4.2.2 The email account that you tried to reach is over quota",
            "full",
        ),
        (Rcpt, "552 5.2.2 Mailbox full", "full"),
        (
            Rcpt,
            "452 4.5.3 Error: too many recipients",
            "more recipients",
        ),
        (
            Rcpt,
            "450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted",
            "second try",
        ),
        (
            Rcpt,
            "451 4.7.1 Greylisting in action, please come back later",
            "second try",
        ),
        (Rcpt, "450 4.2.1 mailbox busy", "again in 5 to 15 minutes"),
        (
            Rcpt,
            "550 5.2.1 The user's mailbox is disabled",
            "switched off",
        ),
        (
            Rcpt,
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "list of spam senders",
        ),
        (Rcpt, "553 5.6.7 Addresses need SMTPUTF8", "outside ASCII"),
        (Data, "503 5.5.1 RCPT first", "no recipient"),
        (Content, "554 5.7.1 Message rejected as spam", "spam"),
        (Content, "554 Transaction failed", "spam"),
        (
            Content,
            "550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy",
            "SPF, DKIM",
        ),
        (Content, "450 4.7.1 Rate limit exceeded", "Wait some hours"),
        (Content, "550 5.6.0 Duplicate header", "form of the message"),
        (
            Hello,
            "500 5.5.2 Command unrecognized",
            "does not understand",
        ),
        (
            Hello,
            "502 5.5.1 EHLO not implemented",
            "does not understand",
        ),
        (Content, "451 4.3.0 Queue file write error", "temporary"),
        (Data, "571 something odd", "for good"),
    ] {
        let found = explained("", stage, line);
        assert!(says(found, words), "{line}\n{found:?}");
    }
}

#[test]
fn providers_are_recognised_by_their_marks() {
    let known = explained(
        "",
        Stage::Auth,
        "535 5.7.8 Username and Password not accepted. - gsmtp",
    );
    assert_eq!(
        known,
        explained(
            "gmail",
            Stage::Auth,
            "535 5.7.8 Username and Password not accepted. - gsmtp"
        )
    );
    assert!(says(
        explained(
            "",
            Stage::Auth,
            "535 5.7.3 Authentication unsuccessful [X.prod.outlook.com]"
        ),
        "Microsoft"
    ));
}

#[test]
fn a_known_provider_makes_general_advice_concrete() {
    let seznam = Provider::by_name("comcast").unwrap();
    let found = explained("comcast", Stage::Auth, "535 5.7.8 authentication failed");
    assert_eq!(found.next_step, seznam.help);
    assert_eq!(found.url, seznam.help_url);
    // Only credentials: the page on app passwords does not help with a full mailbox.
    assert_eq!(
        explained("comcast", Stage::Rcpt, "552 5.2.2 full").url,
        None
    );
}

#[test]
fn the_given_enhanced_code_wins_over_the_text() {
    let gmail = Provider::by_name("gmail");
    let given = Refusal {
        code: 550,
        enhanced: EnhancedCode::new(5, 4, 5),
        text: b"limit",
        stage: Stage::Mail,
    };
    assert!(says(explain(gmail, &given).unwrap(), "one day"));
    let other = Refusal {
        enhanced: EnhancedCode::new(5, 1, 1),
        text: b"5.4.5 contradicts",
        stage: Stage::Rcpt,
        ..given
    };
    assert!(says(explain(gmail, &other).unwrap(), "no mailbox"));
}

#[test]
fn every_refusal_is_explained_and_nothing_else() {
    let stages = [
        Stage::Greeting,
        Stage::Hello,
        Stage::StartTls,
        Stage::Auth,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Content,
    ];
    let providers = [
        None,
        Provider::by_name("gmail"),
        Provider::by_name("outlook"),
    ];
    for provider in providers {
        for stage in stages {
            for code in 0..=700 {
                let refusal = Refusal {
                    code,
                    enhanced: None,
                    text: b"",
                    stage,
                };
                let found = explain(provider, &refusal);
                assert_eq!(
                    found.is_some(),
                    (400..=599).contains(&code),
                    "{code} {stage:?}"
                );
                // Advice on passwords belongs to the sign-in, whatever the code.
                if stage == Stage::Rcpt && code != 535 && provider.is_none() {
                    let found = found.unwrap_or(general::PERMANENT);
                    assert_ne!(found.meaning, general::BAD_CREDENTIALS.meaning, "{code}");
                }
            }
        }
    }
}

#[test]
fn texts_are_plain_sentences() {
    let rules = known::ALL.iter().copied().flatten().chain(general::RULES);
    for explanation in rules.map(|rule| rule.explanation) {
        for text in [explanation.meaning, explanation.next_step] {
            assert!(text.ends_with('.'), "{text}");
            assert!(
                text.is_ascii() && !text.contains(['\r', '\n', '\0', '\t']),
                "{text}"
            );
            assert!(!text.contains("  "), "{text}");
            assert!(
                text.len() > 15 && text.len() < 320,
                "{}: {text}",
                text.len()
            );
        }
        if let Some(url) = explanation.url {
            assert!(url.starts_with("https://") && !url.contains(' '), "{url}");
        }
    }
}

/// A rule behind a wider one would be dead: some refusal that a rule fits must reach it first.
#[test]
fn every_rule_can_be_reached() {
    for rules in known::ALL.iter().chain([&general::RULES]) {
        for (index, rule) in rules.iter().enumerate() {
            let reached = rule.samples().any(|(code, enhanced, stage, phrase)| {
                let refusal = Refusal {
                    code,
                    enhanced,
                    text: phrase.as_bytes(),
                    stage,
                };
                rules.iter().position(|rule| rule.fits(&refusal)) == Some(index)
            });
            assert!(reached, "{rule:?}");
        }
    }
}
