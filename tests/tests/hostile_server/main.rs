//! Families of hostile input against the server machine, without sockets: every neighbour of each case.

use sansmtp::server::Config;
mod access;
mod addresses;
mod answers;
mod arguments;
mod chunks;
mod commands;
mod content;

use sansmtp_tests::Security;
use sansmtp_tests::hostile::model::{Model, Word};
use sansmtp_tests::hostile::server::{LINE, PASSWORD, Played, Step, USER, config, play};

const WHOLE: usize = usize::MAX;
const HELLO: &str = "EHLO c.example.org\r\n";
const ENVELOPE: &str = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n";

fn clear() -> Config<'static> {
    config(Security::DangerPlaintext).danger_plaintext_auth()
}

/// One step with these octets, in pieces of `piece`.
fn talk(config: &Config<'_>, octets: impl AsRef<[u8]>, piece: usize) -> Played {
    play(config, &[Step::send(octets)], piece)
}

/// All texts over `alphabet` with up to `longest` octets.
fn texts(alphabet: &[&str], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = all.len();
        for at in from..to {
            for letter in alphabet {
                all.push(format!("{}{letter}", all[at]));
            }
        }
        from = to;
    }
    all
}

/// Both must answer the same and take the same messages.
fn compare_with_model(octets: &[u8], piece: usize) {
    let played = talk(&clear(), octets, piece);
    let mut model = Model::default();
    let expected = model.answer_all(octets);
    let shown = String::from_utf8_lossy(octets).into_owned();
    assert_eq!(played.all_codes(), expected, "{shown:?}, piece {piece}");
    assert_eq!(played.taken, model.taken, "{shown:?}, piece {piece}");
    assert_eq!(played.closed, model.over, "{shown:?}, piece {piece}");
}
