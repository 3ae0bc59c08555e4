//! The rarer extensions, from the command line to the server.

use crate::served::Served;
use crate::support::run;
use std::io::{Read, Write};
use std::net::TcpStream;

fn send(served: &Served, url: &str, more: &[&str]) -> crate::support::Ended {
    let ca = served.path("ca.pem");
    let to = ["--from", "me@example.org", "--to", "a@example.org"];
    let text = ["--subject", "x", "--body", "y"];
    let start = ["send", "--server", url, "--ca", &ca, "--transcript"];
    run(&[&start[..], &to, &text, more].concat())
}

#[test]
fn what_the_server_offers_is_asked_for() {
    let served = Served::start(&[]);
    let ended = send(
        &served,
        &served.urls[0],
        &[
            "--require-tls",
            "--notify-after",
            "2h",
            "--report",
            "success,failure",
        ],
    );
    let dialogue = &ended.stderr;
    assert!(
        dialogue.contains("MAIL FROM:<me@example.org>")
            && dialogue.contains(" REQUIRETLS BY=7200;N"),
        "{ended:?}"
    );
    assert!(dialogue.contains("NOTIFY=SUCCESS,FAILURE"), "{ended:?}");
    ended.success();
}

#[test]
fn what_it_does_not_offer_is_refused_before_anything_is_sent() {
    let served = Served::start(&[]);
    for (wish, says) in [
        (&["--hold-for", "2h"][..], "FUTURERELEASE"),
        (&["--hold-until", "2030-01-01T00:00:00Z"], "FUTURERELEASE"),
        (&["--priority", "-3"], "MT-PRIORITY"),
    ] {
        let ended = send(&served, &served.urls[0], wish).expect(78, &[says]);
        assert!(!ended.stderr.contains("MAIL FROM"), "{ended:?}");
    }
}

#[test]
fn more_recipients_than_the_server_takes_at_once() {
    let served = Served::start(&["--max-recipients", "2"]);
    let more = [
        "--to",
        "b@example.org,c@example.org",
        "--cc",
        "d@example.org",
    ];
    let ended = send(&served, &served.urls[0], &more);
    assert_eq!(ended.stderr.matches("C: MAIL FROM").count(), 2, "{ended:?}");
    let text = ended.success();
    for name in ["a", "b", "c", "d"] {
        assert!(
            text.contains(&format!("accepted  {name}@example.org")),
            "{text}"
        );
    }
    assert_eq!(served.mails().len(), 2);
}

#[test]
fn lmtp_both_ways() {
    let served = Served::start(&["--listen", "lmtp://127.0.0.1:0"]);
    let url = served.urls.last().unwrap();
    assert!(url.starts_with("lmtp://127.0.0.1:"), "{:?}", served.urls);
    let ended = send(&served, url, &["--cc", "b@elsewhere.example"]);
    assert!(ended.stderr.contains("C: LHLO "), "{ended:?}");
    let ended = ended.expect(67, &["b@elsewhere.example"]);
    assert!(
        ended.stdout.contains("accepted  a@example.org"),
        "{ended:?}"
    );
}

#[test]
fn a_listed_balancer_names_the_client() {
    let served = Served::start(&["--proxy-from", "127.0.0.1", "--hostname", "mx.example.org"]);
    let (_, address) = served.urls[0].split_once("://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let dialogue = "PROXY TCP4 192.0.2.7 192.0.2.1 50000 25\r\nEHLO c.example.org\r\n\
        MAIL FROM:<a@example.org>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n";
    stream.write_all(dialogue.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.contains("250 2.0.0 Stored"), "{said}");
    let stored = served.mails();
    let stored = String::from_utf8_lossy(&stored[0]);
    assert!(
        stored.contains("from c.example.org ([192.0.2.7])"),
        "{stored}"
    );
}
