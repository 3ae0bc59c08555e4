//! The mailer against servers that follow a script.

mod delivery;
mod failure;
mod large;
mod parts;
mod peer;
mod pool;
mod series;
mod tls;

use sansmtp_tokio::sansmtp::envelope::{Envelope, Recipient};
use sansmtp_tokio::sansmtp::wire::path::ReversePath;

const MESSAGE: &str = "Subject: t\r\n\r\nHello\r\n";

fn recipients<'a>(addresses: &[&'a str]) -> Vec<Recipient<'a>> {
    let parse = |address: &&'a str| Recipient::parse(address).unwrap();
    addresses.iter().map(parse).collect()
}

fn envelope<'a>(recipients: &'a [Recipient<'a>]) -> Envelope<'a> {
    Envelope::new(ReversePath::parse("me@example.org").unwrap(), recipients)
}
