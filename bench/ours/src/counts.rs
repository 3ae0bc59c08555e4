//! Counts inside a process: allocations and round trips per message, in the steady state.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use sansmtp::config::Security;
use sansmtp_tokio::Server;

use crate::allocator::allocations;
use crate::corpus::message;
use crate::fixed::{Style, dialogue, serve};
use crate::link::Dialer;
use crate::ours::{Sink, Trips, all, config, each, mailer, runtime};

/// Messages that are counted, after as many that are not.
const MESSAGES: usize = 100;
const SIZE: usize = 1024;

/// Prints one count a line: its value, its unit, and what it is the count of.
pub(crate) fn run() -> Result<()> {
    for (name, offer, series) in [
        ("no PIPELINING", Style::LockStep, false),
        ("PIPELINING", Style::Pipelining, false),
        ("PIPELINING, in a series", Style::Pipelining, true),
        ("CHUNKING", Style::Chunking, false),
    ] {
        let (allocations, trips) = client(offer, series)?;
        println!("{trips} round-trips/message client: round trips, {name}");
        println!("{allocations} allocations/message client: allocations, {name}");
    }
    for (name, style) in [
        ("lock-step", Style::LockStep),
        ("PIPELINING", Style::Overlapping),
        ("CHUNKING", Style::Chunking),
    ] {
        let allocations = server(style)?;
        println!("{allocations} allocations/message server: allocations, {name}");
    }
    Ok(())
}

/// Per message: allocations of the client, and how often it waits for the server.
fn client(offer: Style, series: bool) -> Result<(f64, f64)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // It ends with the process.
    thread::spawn(move || serve(&listener, offer));
    let trips = Arc::new(Trips::default());
    let mailer = mailer(address, 1, false, None, Some(trips.clone()))?;
    let text = message(SIZE);
    runtime()?.block_on(async {
        let mut costs = Vec::new();
        // The first run fills what is kept.
        for messages in [MESSAGES, MESSAGES, 2 * MESSAGES] {
            let before = (allocations(), trips.count());
            match series {
                true => all(&mailer, &text, messages).await?,
                false => each(&mailer, &text, messages).await?,
            }
            costs.push((allocations() - before.0, trips.count() - before.1));
        }
        let per_message =
            |long: u64, short: u64| tenth((long as f64 - short as f64) / MESSAGES as f64);
        Ok((
            per_message(costs[2].0, costs[1].0),
            per_message(costs[2].1, costs[1].1),
        ))
    })
}

/// Allocations of the server per message: those of two conversations of different length on one thread, less the
/// shorter.
fn server(style: Style) -> Result<f64> {
    let (tell, told) = mpsc::channel();
    // It ends with the process.
    thread::spawn(move || serve_here(&tell));
    let address = told.recv().context("the server has not begun")??;
    let dialer = Dialer::new(address, None)?;
    // The first one fills what is kept.
    let mut counts = Vec::new();
    for messages in [MESSAGES, MESSAGES, 2 * MESSAGES] {
        dialogue(&dialer, messages, SIZE, style)?;
        counts.push(Sink::allocations());
    }
    let short = counts[1] - counts[0];
    let long = counts[2] - counts[1];
    Ok(tenth((long as f64 - short as f64) / MESSAGES as f64))
}

fn serve_here(tell: &mpsc::Sender<Result<SocketAddr>>) -> Result<()> {
    runtime()?.block_on(async {
        let server = Server::builder(config()?, Sink::default())
            .listen("127.0.0.1:0", Security::DangerPlaintext)
            .bind()
            .await?;
        let address = server.local_addrs().first().copied();
        tell.send(address.context("no address"))?;
        server.serve().await;
        Ok(())
    })
}

/// To a tenth: what happens once in a hundred messages is no cost of a message.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
