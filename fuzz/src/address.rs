//! Addresses: a naive parser of RFC 5321 agrees, and what is taken goes through MAIL and RCPT unchanged.

use crate::{input::rendered, naive};
use sansmtp::capability::{Capabilities, Extension};
use sansmtp::config::EhloName;
use sansmtp::message;
use sansmtp::wire::command::Command;
use sansmtp::wire::path::{ForwardPath, Mailbox, ReversePath};

/// Checks one text as an address of every kind.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let expected = naive::mailbox(text);
    let mailbox = Mailbox::parse(text);
    assert_eq!(mailbox.is_ok(), expected.is_some(), "{text:?}: {mailbox:?}");
    let reverse = ReversePath::parse(text);
    assert_eq!(
        reverse.is_ok(),
        expected.is_some() || text.is_empty(),
        "{text:?}"
    );
    let forward = ForwardPath::parse(text);
    let postmaster = text.eq_ignore_ascii_case("postmaster");
    assert_eq!(
        forward.is_ok(),
        expected.is_some() || postmaster,
        "{text:?}"
    );
    if let (Ok(mailbox), Some(at)) = (mailbox, expected) {
        assert_eq!(mailbox.as_str(), text);
        assert_eq!(
            (mailbox.local_part(), mailbox.domain()),
            (&text[..at], &text[at + 1..])
        );
    }
    if let Ok(reverse_path) = reverse {
        back(Command::Mail {
            reverse_path,
            parameters: sansmtp::wire::param::MailParameters::default(),
        });
    }
    if let Ok(forward_path) = forward {
        back(Command::Rcpt {
            forward_path,
            parameters: sansmtp::wire::param::RcptParameters::default(),
        });
    }
    let named = text.is_ascii() && naive::domain(data) == Some(data.len()) && !text.is_empty();
    assert_eq!(EhloName::parse(text).is_ok(), named, "{text:?}");
    if let Ok(address) = message::Address::parse(text) {
        assert!(naive::mailbox(address.mailbox()).is_some(), "{text:?}");
        assert!(!address.name().any(|c| c.is_ascii_control()), "{text:?}");
    }
}

/// The command has one line, and reads back as itself.
fn back(command: Command<'_>) {
    let line = rendered(|out| command.render(out));
    let inside = &line[..line.len() - 2];
    assert!(line.ends_with(b"\r\n") && !inside.iter().any(|b| b"\r\n\0".contains(b)));
    assert!(line.len() <= 512);
    let offered = Capabilities::NONE.with(Extension::SmtpUtf8);
    assert_eq!(Command::parse(inside, &offered), Ok(command));
}
