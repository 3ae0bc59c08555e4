//! A client and a server in one program, without sockets, threads or a clock: the whole protocol as two
//! values that pass octets to each other. It prints the dialogue and what the server stored.
//!
//! ```sh
//! cargo run -p sansmtp-examples --bin two_machines
//! ```

use sansmtp::client::{self, Client};
use sansmtp::config::{Config, EhloName, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::server::{self, Query, Server};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};
use std::error::Error;

const MESSAGE: &[u8] = b"From: <sensor@example.org>\r\nSubject: alert\r\n\r\n.. it is warm\r\n";

/// No clock is needed here: time stands still, and no deadline passes.
const NOW: Instant = Instant::from_millis(0);

fn main() -> Result<(), Box<dyn Error>> {
    // Plain text is fine, since the octets never leave this program.
    let config = Config::new("mx.example.org", Security::DangerPlaintext)?
        .ehlo_name(EhloName::parse("sensor.example.org")?);
    let recipients = [
        Recipient::parse("alice@example.org")?,
        Recipient::parse("nobody@example.org")?,
    ];
    let envelope = Envelope::new(ReversePath::parse("sensor@example.org")?, &recipients);
    let hostname = EhloName::parse("mx.example.org")?;
    let server_config = server::Config::new(hostname, Security::DangerPlaintext);

    // Every buffer belongs to the caller.
    let (mut client_line, mut server_line, mut server_reply) = ([0; 512], [0; 512], [0; 512]);
    let mut client = Client::new(&config, &mut client_line, NOW);
    let mut server = Server::new(&server_config, &mut server_line, &mut server_reply, NOW);
    let mut to_server = Vec::new();
    let mut stored = Vec::new();
    while !client.is_closed() {
        let to_client = serve(&mut server, &to_server, &mut stored)?;
        print("S: ", &to_client);
        to_server = send(&mut client, &to_client, &envelope)?;
        print("C: ", &to_server);
    }
    println!("\nstored:\n{}", String::from_utf8_lossy(&stored));
    assert_eq!(stored, MESSAGE, "what was sent is what was stored");
    Ok(())
}

/// The client's turn: takes what the server said and returns what the client says.
fn send<'c>(
    client: &mut Client<'c>,
    mut input: &[u8],
    envelope: &'c Envelope<'c>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut output = Vec::new();
    let mut slice = [0; 256];
    loop {
        let (used, event) = client.receive(NOW, input)?;
        input = &input[used..];
        match event {
            None if used == 0 => break,
            Some(client::Event::Ready) => client.submit(envelope, NOW)?,
            Some(client::Event::Content) => {
                let mut body = client.body().ok_or("the server waits for the content")?;
                let mut rest = MESSAGE;
                while !rest.is_empty() {
                    let (read, written) = body.write(NOW, rest, &mut slice);
                    rest = &rest[read..];
                    output.extend_from_slice(&slice[..written]);
                }
                body.finish(NOW);
            }
            Some(client::Event::Recipient { index, reply }) => {
                println!("   recipient {index}: {reply}");
            }
            Some(client::Event::Delivered { .. } | client::Event::NotDelivered { .. }) => {
                println!("   {event:?}");
                client.quit(NOW)?;
            }
            _ => {}
        }
    }
    loop {
        match client.transmit(NOW, &mut slice) {
            0 => return Ok(output),
            written => output.extend_from_slice(&slice[..written]),
        }
    }
}

/// The server's turn: takes what the client said and returns what the server says.
fn serve(
    server: &mut Server<'_>,
    mut input: &[u8],
    stored: &mut Vec<u8>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut output = Vec::new();
    let mut slice = [0; 256];
    loop {
        // A reply goes out before the next command is taken.
        loop {
            match server.transmit(NOW, &mut slice) {
                0 => break,
                written => output.extend_from_slice(&slice[..written]),
            }
        }
        let (used, event) = server.receive(NOW, input)?;
        input = &input[used..];
        match event {
            None if used == 0 => return Ok(output),
            Some(server::Event::Content(stretch)) => stored.extend_from_slice(stretch),
            Some(server::Event::Request(request)) => match request.query() {
                Query::Recipient { forward_path, .. }
                    if forward_path.as_str() != "alice@example.org" =>
                {
                    let code = EnhancedCode::new(5, 1, 1);
                    request.answer(&Reply::new(550, code, "No such mailbox")?);
                }
                _ => request.accept(),
            },
            _ => {}
        }
    }
}

fn print(speaker: &str, octets: &[u8]) {
    for line in String::from_utf8_lossy(octets).lines() {
        println!("{speaker}{line}");
    }
}
