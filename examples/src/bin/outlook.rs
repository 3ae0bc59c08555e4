//! Sends a composed message with an attachment through Outlook.com or Microsoft 365, with an OAuth2 access
//! token: Microsoft takes no passwords there.
//!
//! ```sh
//! OUTLOOK_USER=me@outlook.com OUTLOOK_TOKEN="$TOKEN" \
//!     cargo run -p sansmtp-examples --bin outlook -- you@example.org
//! ```
//!
//! The token is for the scope `https://outlook.office.com/SMTP.Send`.

use sansmtp::config::{OwnedConfig, OwnedCredentials};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::message::{Address, Attachment, Builder, Content, Date};
use sansmtp::provider::Provider;
use sansmtp::wire::path::ReversePath;
use sansmtp_tokio::Mailer;
use std::env;
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let user = env::var("OUTLOOK_USER").map_err(|_| "set OUTLOOK_USER to your address")?;
    let token = env::var("OUTLOOK_TOKEN").map_err(|_| "set OUTLOOK_TOKEN to an access token")?;
    let to = env::args().nth(1).ok_or("name a recipient")?;

    // By the address: Outlook.com, Hotmail, Live and MSN are one provider.
    let provider = Provider::by_address(&user)
        .or_else(|| Provider::find("microsoft 365"))
        .ok_or("Microsoft is in the table")?;
    let config = OwnedConfig::for_provider(provider)
        .ok_or("the provider offers submission")?
        .with_credentials(OwnedCredentials::oauth2(&user, &token)?);

    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let (from, recipient) = ([Address::parse(&user)?], [Address::parse(&to)?]);
    let readings = [Attachment::new(
        "readings.csv",
        "text/csv",
        Content::Bytes(b"time,celsius\r\n12:00,93\r\n"),
    )];
    let message = Builder::new()
        .from(&from)
        .to(&recipient)
        .subject("Pump 7: 93 °C")
        .date(Date::from_unix(i64::try_from(now.as_secs())?, 0)?)
        // The Message-ID must be unique; the time will do for an example.
        .entropy(now.as_nanos().to_le_bytes())
        .text("The readings are attached.\n")
        .attachments(&readings)
        .build()?;

    let mailer = Mailer::new(config)?;
    let recipients = [Recipient::parse(&to)?];
    let envelope = Envelope::new(ReversePath::parse(&user)?, &recipients);
    match mailer.send(&envelope, &message).await {
        Ok(report) => println!("{report}"),
        Err(error) => {
            eprintln!("{error}\nnext: {}", error.next_step());
            return Err("the mail was not sent".into());
        }
    }
    mailer.close().await;
    Ok(())
}
