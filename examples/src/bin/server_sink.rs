//! A server that takes every mail and prints it: for tests of programs that send mail.
//!
//! ```sh
//! cargo run -p sansmtp-examples --bin server_sink -- 127.0.0.1:2525
//! ```
//!
//! Ctrl-C ends it when the sessions under way are done.

use sansmtp::config::Security;
use sansmtp::wire::param::RcptParameters;
use sansmtp::wire::path::ForwardPath;
use sansmtp_tokio::Server;
use sansmtp_tokio::server::{
    Body, Handler, MailEnvelope, Refusal, ServerConfig, SessionInfo, Verdict,
};
use std::error::Error;
use std::time::Duration;

/// Accepts everything. Never put this on a public address: it claims to deliver, and throws away.
struct Sink;

/// The content of one message on its way to the terminal.
struct Printed {
    envelope: MailEnvelope,
    content: Vec<u8>,
}

impl Handler for Sink {
    type Body = Printed;

    // By default every recipient is refused.
    async fn recipient(
        &self,
        _session: &SessionInfo,
        _forward_path: ForwardPath<'_>,
        _parameters: &RcptParameters<'_>,
    ) -> Verdict {
        Verdict::Accept
    }

    async fn data(
        &self,
        _session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> Result<Printed, Refusal> {
        Ok(Printed {
            envelope: envelope.clone(),
            content: Vec::new(),
        })
    }
}

impl Body for Printed {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.content.extend_from_slice(chunk);
        Ok(())
    }

    async fn finish(self) -> Verdict {
        println!("from <{}>", self.envelope.reverse_path);
        for recipient in &self.envelope.recipients {
            println!("to   <{}>", recipient.address);
        }
        println!("{}", String::from_utf8_lossy(&self.content));
        Verdict::Accept
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:2525".to_owned());
    let server = Server::builder(ServerConfig::new("localhost")?, Sink)
        .listen(address, Security::DangerPlaintext)
        .bind()
        .await?;
    for address in server.local_addrs() {
        println!("listening on {address}");
    }
    let handle = server.shutdown_handle();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            handle.shutdown(Duration::from_secs(5));
        }
    });
    server.serve().await;
    Ok(())
}
