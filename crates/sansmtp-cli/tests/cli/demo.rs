//! The demo, as whoever has just cloned the project sees it.

use crate::support::run;

#[test]
fn two_mails_over_tls_byte_for_byte() {
    let text = run(&["demo"]).success();
    for part in [
        "   listening    smtp://127.0.0.1:",
        "   listening    smtps://127.0.0.1:",
        "   C: STARTTLS\n",
        "   -- TLS --\n",
        "   C: AUTH PLAIN ****\n",
        "octets of content]",
        "bytes of it are as they were sent",
        "round trips  2 for the mail",
        "It works: 2 mails sent and received over TLS, byte for byte the same, with 2 and 2 round trips.",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert_eq!(text.matches("the same     all").count(), 2, "{text}");
    let place = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Maildir "));
    let place = std::path::Path::new(place.unwrap().trim());
    assert!(!place.exists(), "nothing is left behind");
}

#[test]
fn the_mails_can_be_kept() {
    let text = run(&["demo", "--keep"]).success();
    let place = text
        .lines()
        .find_map(|line| line.strip_prefix("The mails are in "));
    let place = std::path::PathBuf::from(place.unwrap());
    let mails: Vec<_> = std::fs::read_dir(&place).unwrap().collect();
    assert_eq!(mails.len(), 2);
    std::fs::remove_dir_all(place.parent().unwrap()).unwrap();
}
