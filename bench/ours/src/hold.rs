//! Connections that are made and held, to see what an idle one costs the server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::corpus::CLIENT;
use crate::link::Dialer;

#[derive(Debug, Args)]
pub(crate) struct Hold {
    address: SocketAddr,
    /// How many connections.
    connections: usize,
    /// Implicit TLS, trusting this certificate.
    #[arg(long, value_name = "PEM")]
    tls: Option<PathBuf>,
}

impl Hold {
    /// Each connection has heard the greeting and the answer to EHLO.
    pub(crate) fn run(self) -> Result<()> {
        let dialer = Dialer::new(self.address, self.tls.as_deref())?;
        let mut held = Vec::with_capacity(self.connections);
        let mut buffer = [0; 4096];
        // A server that takes no more leaves connections waiting.
        let limit = Some(Duration::from_secs(20));
        for number in 0..self.connections {
            let mut stream = dialer
                .connect(|socket| {
                    socket.set_nodelay(true)?;
                    socket.set_read_timeout(limit)
                })
                .with_context(|| format!("connection {number} of {}", self.connections))?;
            let greeting = stream.read(&mut buffer)?;
            stream.write_all(format!("EHLO {CLIENT}\r\n").as_bytes())?;
            let hello = stream.read(&mut buffer)?;
            anyhow::ensure!(greeting > 0 && hello > 0, "connection {number} was closed");
            held.push(stream);
        }
        println!("held");
        io::stdin().read_line(&mut String::new())?;
        drop(held);
        Ok(())
    }
}
