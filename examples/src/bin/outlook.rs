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
use sansmtp::message::Mail;
use sansmtp::provider::Provider;
use sansmtp_tokio::Mailer;
use std::env;
use std::error::Error;

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

    let mailer = Mailer::new(config)?;
    let mail = Mail::new(user)
        .to(to)
        .subject("Pump 7: 93 °C")
        .text("The readings are attached.\n")
        .attach("readings.csv", "text/csv", "time,celsius\r\n12:00,93\r\n");
    match mailer.send_mail(&mail).await {
        Ok(report) => println!("{report}"),
        Err(error) => {
            eprintln!("{error}\nnext: {}", error.next_step());
            return Err("the mail was not sent".into());
        }
    }
    mailer.close().await;
    Ok(())
}
