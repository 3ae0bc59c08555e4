//! The npm package against Postfix and aiosmtpd: the example of its README delivers a mail with STARTTLS
//! and AUTH. `cargo xtask wasm` builds the package and runs this.

use sansmtp_tests::Error;
use sansmtp_tests::certs::Certs;
use sansmtp_tests::mail::body_of;
use sansmtp_tests::peers::{Aiosmtpd, PASSWORD, Peer, Postfix, REFUSED, USER};
use std::path::Path;
use std::process::{Command, Output};

/// Runs the example in Node against this peer.
fn send(peer: &dyn Peer, certs: &Certs, trust: bool, password: &str, to: &str) -> Output {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/wasm");
    let mut node = Command::new("node");
    node.args(["examples/send.mjs", "Zoë <zoe@mx.test>", to])
        .current_dir(package)
        .env("SMTP_HOST", "localhost")
        .env("SMTP_PORT", peer.submission_port().to_string())
        .env("SMTP_USER", USER)
        .env("SMTP_PASS", password);
    if trust {
        node.env("NODE_EXTRA_CA_CERTS", &certs.ca);
    }
    node.output().expect("node is not installed")
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
#[ignore = "needs the built npm package; cargo xtask wasm runs it"]
fn the_example_delivers_to_other_makers_servers() -> Result<(), Error> {
    let certs = Certs::new()?;
    let peers: [Box<dyn Peer>; 2] = [
        Box::new(Postfix::start(&certs.server)?),
        Box::new(Aiosmtpd::start(&certs.server)?),
    ];
    for peer in &peers {
        let name = peer.name();
        let sent = send(peer.as_ref(), &certs, true, PASSWORD, "alice@mx.test");
        assert!(sent.status.success(), "{name}: {}", said(&sent));
        let text = said(&sent);
        let id = text.split(' ').next().unwrap_or_default();
        let stored = peer.wait_for(id, 1)?;
        assert_eq!(stored[0].reverse_path, "zoe@mx.test", "{name}");
        assert_eq!(body_of(&stored[0].message), b".Hello\r\n", "{name}");

        // A stranger's certificate, a wrong password and an unknown recipient are told apart.
        for (trust, password, to, code) in [
            (false, PASSWORD, "alice@mx.test", "ETLS"),
            (true, "wrong", "alice@mx.test", "EAUTH"),
            (true, PASSWORD, REFUSED, "EENVELOPE"),
        ] {
            let failed = send(peer.as_ref(), &certs, trust, password, to);
            assert!(!failed.status.success(), "{name} {code}");
            let text = said(&failed);
            assert!(text.contains(&format!("code: '{code}'")), "{name}: {text}");
            assert!(
                !text.contains(&format!("pass: '{password}'")),
                "{name}: {text}"
            );
        }
    }
    Ok(())
}
