//! Mail libraries of other makers, each driven in the plainest way that its documentation shows.
//!
//! `bench-peers serve NAME PORT`, or
//! `bench-peers send NAME HOST PORT MESSAGES OCTETS new|reuse SESSIONS`; and TLS without mail:
//! `bench-peers tls ADDRESS CERTIFICATE OCTETS`, `bench-peers tls-sink|tls-echo PORT CERTIFICATE KEY`

mod clients;
mod servers;
mod tls;

use std::env;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", name, port] => servers::run(name, port.parse()?),
        ["send", name, host, port, messages, size, mode, sessions] => clients::run(
            name,
            &clients::Load {
                host,
                port: port.parse()?,
                messages: messages.parse()?,
                size: size.parse()?,
                reuse: *mode == "reuse",
                sessions: sessions.parse()?,
            },
        ),
        ["tls", address, certificate, octets] => {
            tls::send(address.parse()?, certificate.as_ref(), octets.parse()?)
        }
        ["tls-sink", port, certificate, key] => {
            tls::sink(port.parse()?, certificate.as_ref(), key.as_ref())
        }
        ["tls-echo", port, certificate, key] => {
            tls::echo(port.parse()?, certificate.as_ref(), key.as_ref())
        }
        _ => bail!("see the top of main.rs"),
    }
}
