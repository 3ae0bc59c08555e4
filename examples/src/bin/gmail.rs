//! Sends a mail through Gmail with an app password.
//!
//! ```sh
//! GMAIL_USER=me@gmail.com GMAIL_APP_PASSWORD='abcd efgh ijkl mnop' \
//!     cargo run -p sansmtp-examples --bin gmail -- you@example.org
//! ```
//!
//! An app password needs 2-step verification; make one at <https://myaccount.google.com/apppasswords>.

use sansmtp::config::OwnedConfig;
use sansmtp::message::Mail;
use sansmtp_tokio::Mailer;
use std::env;
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let user = env::var("GMAIL_USER").map_err(|_| "set GMAIL_USER to your address")?;
    let password =
        env::var("GMAIL_APP_PASSWORD").map_err(|_| "set GMAIL_APP_PASSWORD to an app password")?;
    let to = env::args().nth(1).ok_or("name a recipient")?;

    let mailer = Mailer::new(OwnedConfig::for_account(&user, &password)?)?;
    let mail = Mail::new(user)
        .to(to)
        .subject("Hello")
        .text("Sent with sansmtp.\n");
    match mailer.send_mail(&mail).await {
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
