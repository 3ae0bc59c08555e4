//! What an alert says: a text, and the log of all readings as an attachment.

use super::RECIPIENTS;
use super::queue::Alert;
use super::sensor::{self, Log};
use super::text::Text;
use sansmtp::message::{Address, Attachment, Builder, Content as Octets, Date};
use sansmtp_smoltcp::Composed;

/// The mail, as it is read piece by piece.
pub(super) type Mail<'m> = Composed<'m, &'m Log>;

/// Writes an alert from somebody to others (separated by commas), and acts with it and its size.
///
/// # Errors
/// What is wrong with the addresses or the clock.
pub(super) fn with<T>(
    alert: &Alert,
    from: &str,
    to: &str,
    act: impl FnOnce(Mail<'_>, Option<u64>) -> T,
) -> Result<T, &'static str> {
    let authors = [Address::parse(from).map_err(|_| "the sender (from) is no address")?];
    let [author] = authors;
    let mut addresses = [author; RECIPIENTS];
    let mut count = 0;
    for (place, name) in addresses.iter_mut().zip(to.split(',')) {
        *place = Address::parse(name).map_err(|_| "a recipient (to) is no address")?;
        count += 1;
    }
    let readings = alert.log();
    let second = readings.readings.saturating_sub(1);
    let mut text = Text::<320>::new();
    text.put("Pump 7 is too hot.\n\nAfter ");
    text.put_number(second);
    text.put(" seconds its bearing has ");
    text.put_tenths(sensor::temperature(second));
    text.put(" \u{b0}C; the limit is ");
    text.put_tenths(sensor::LIMIT);
    text.put(" \u{b0}C.\n.\n.. all readings are attached\n");
    let attachments = [Attachment::new(
        "temperature.csv",
        "text/csv",
        Octets::Streamed {
            size: Some(readings.size()),
        },
    )];
    let date = Date::from_unix(i64::from(alert.time), 0).map_err(|_| "the clock is not set")?;
    let message = Builder::new()
        .from(&authors)
        .to(addresses.get(..count).unwrap_or_default())
        .subject("Pump 7: bearing too hot, above 90 \u{b0}C")
        .date(date)
        .entropy(alert.entropy)
        .text(text.as_str())
        .attachments(&attachments)
        .build()
        .map_err(|_| "the message can not be written")?;
    let size = message.exact_len();
    Ok(act(Composed::new(&message, &readings), size))
}
