//! What is measured: our client and server as programs, and the counts that repeat exactly.
//!
//! `cargo xtask counts` and `cargo xtask bench` run it; by hand it is of use under a profiler.

mod allocator;
mod corpus;
mod counts;
mod fixed;
mod hold;
mod link;
mod ours;

use std::net::SocketAddr;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The client, the server, and peers for them that do no more than they must.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Serve with sansmtp: take all mail and drop it. Prints the address.
    Serve(ours::Serve),
    /// Send messages with sansmtp.
    Send(ours::Send),
    /// Serve without looking at more than the first octets of a line. Prints the address.
    FixedServe(fixed::Serve),
    /// Send octets that were put together before.
    FixedSend(fixed::Send),
    /// Hold connections until a line comes on the standard input.
    Hold(hold::Hold),
    /// Print the counts that can be taken inside a process: allocations and round trips per message.
    Counts,
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Serve(serve) => serve.run(),
        Task::Send(send) => send.run(),
        Task::FixedServe(serve) => serve.run(),
        Task::FixedSend(send) => send.run(),
        Task::Hold(hold) => hold.run(),
        Task::Counts => counts::run(),
    }
}

/// Tells the one who started us where we listen.
fn announce(address: SocketAddr) {
    println!("{address}");
}
