//! The Python package against Postfix and aiosmtpd: the mailer, the one for asyncio and the drop-in for smtplib
//! each deliver a mail with STARTTLS and AUTH. `cargo xtask python` installs the package and runs this.

use sansmtp_tests::Error;
use sansmtp_tests::certs::Certs;
use sansmtp_tests::mail::body_of;
use sansmtp_tests::peers::{Aiosmtpd, PASSWORD, Peer, Postfix, REFUSED, USER};
use std::path::Path;
use std::process::Command;

const WAYS: [&str; 3] = ["mailer", "async", "smtplib"];

/// Sends a mail to this peer; whether it worked, and what was said.
fn send(
    peer: &dyn Peer,
    way: &str,
    trusted: Option<&Path>,
    password: &str,
    to: &str,
    subject: &str,
) -> (bool, String) {
    let python = std::env::var_os("SANSMTP_PYTHON").expect("SANSMTP_PYTHON is not set");
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/python/tests/programs/send.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .args(["zoe@mx.test", to, subject])
        .env("SANSMTP_WAY", way)
        .env(
            "SMTP_URL",
            format!("smtp://{USER}@localhost:{}", peer.submission_port()),
        )
        .env("SMTP_PASSWORD", password);
    if let Some(ca) = trusted {
        command.env("TRUSTED", ca);
    }
    let output = command.output().expect("the interpreter does not run");
    let said = [&output.stdout[..], &output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
#[ignore = "needs the installed Python package; cargo xtask python runs it"]
fn the_package_delivers_to_other_makers_servers() -> Result<(), Error> {
    let certs = Certs::new()?;
    let peers: [Box<dyn Peer>; 2] = [
        Box::new(Postfix::start(&certs.server)?),
        Box::new(Aiosmtpd::start(&certs.server)?),
    ];
    for peer in &peers {
        for way in WAYS {
            let name = format!("{} {way}", peer.name());
            let subject = format!("sent by {way}");
            let trusted = Some(certs.ca.as_path());
            let (success, said) = send(
                peer.as_ref(),
                way,
                trusted,
                PASSWORD,
                "alice@mx.test",
                &subject,
            );
            assert!(success, "{name}: {said}");
            let stored = peer.wait_for(&subject, 1)?;
            assert_eq!(stored[0].reverse_path, "zoe@mx.test", "{name}");
            assert_eq!(body_of(&stored[0].message), b".Hello\r\n", "{name}");

            // A stranger's certificate, a wrong password and an unknown recipient are told apart.
            for (trusted, password, to, class) in [
                (None, PASSWORD, "alice@mx.test", ["TlsError", "SSLCert"]),
                (
                    trusted,
                    "wrong",
                    "alice@mx.test",
                    ["AuthenticationError", "SMTPAuthentication"],
                ),
                (
                    trusted,
                    PASSWORD,
                    REFUSED,
                    ["NotDeliveredError", "SMTPRecipientsRefused"],
                ),
            ] {
                let (success, said) = send(peer.as_ref(), way, trusted, password, to, "never");
                assert!(!success, "{name} {class:?}");
                assert!(
                    class.iter().any(|class| said.starts_with(class)),
                    "{name}: {said}"
                );
                assert!(!said.contains("Traceback"), "{name}: {said}");
            }
        }
    }
    Ok(())
}
