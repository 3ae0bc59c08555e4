//! Sends a mail through Gmail with an app password.
//!
//! ```sh
//! GMAIL_USER=me@gmail.com GMAIL_APP_PASSWORD='abcd efgh ijkl mnop' \
//!     cargo run -p sansmtp-examples --bin gmail -- you@example.org
//! ```
//!
//! An app password needs 2-step verification; make one at <https://myaccount.google.com/apppasswords>.

use sansmtp::config::{OwnedConfig, OwnedCredentials};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::provider::Provider;
use sansmtp::wire::path::ReversePath;
use sansmtp_tokio::Mailer;
use std::env;
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let user = env::var("GMAIL_USER").map_err(|_| "set GMAIL_USER to your address")?;
    let password =
        env::var("GMAIL_APP_PASSWORD").map_err(|_| "set GMAIL_APP_PASSWORD to an app password")?;
    let to = env::args().nth(1).ok_or("name a recipient")?;

    let gmail = Provider::find("gmail").ok_or("Gmail is in the table")?;
    let config = OwnedConfig::for_provider(gmail)
        .ok_or("Gmail offers submission")?
        .with_credentials(OwnedCredentials::password(&user, &password)?);
    let mailer = Mailer::new(config)?;

    let recipients = [Recipient::parse(&to)?];
    let envelope = Envelope::new(ReversePath::parse(&user)?, &recipients);
    let message =
        format!("From: {user}\r\nTo: {to}\r\nSubject: Hello\r\n\r\nSent with sansmtp.\r\n");
    match mailer.send(&envelope, &message).await {
        Ok(report) => println!("{report}"),
        Err(error) => {
            // What was wrong, and what to do: Gmail's own replies are explained.
            eprintln!("{error}\nnext: {}", error.next_step());
            return Err("the mail was not sent".into());
        }
    }
    mailer.close().await;
    Ok(())
}
