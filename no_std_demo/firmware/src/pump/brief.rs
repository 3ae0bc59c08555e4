//! What an alert says in the smallest build: a few lines of ASCII, which need no message writer. The server adds the
//! date (RFC 6409, section 8.1).

use super::queue::Alert;
use super::sensor;
use super::text::Text;
use sansmtp_smoltcp::InMemory;

/// The mail, as it is read piece by piece.
pub(super) type Mail<'m> = InMemory<'m>;

/// Writes an alert from somebody to others (separated by commas), and acts with it and its size. Addresses that
/// could break out of the header are none, so the envelope is made first.
///
/// # Errors
/// None here.
pub(super) fn with<T>(
    alert: &Alert,
    from: &str,
    to: &str,
    act: impl FnOnce(Mail<'_>, Option<u64>) -> T,
) -> Result<T, &'static str> {
    let mut text = Text::<512>::new();
    text.put("From: ");
    text.put(from);
    text.put("\r\nTo: ");
    text.put(to);
    text.put("\r\nSubject: Pump 7: bearing too hot\r\nMessage-ID: <");
    for word in alert.entropy.as_chunks().0 {
        text.put_number(u32::from_le_bytes(*word));
        text.put(".");
    }
    text.put("pump7@client.test>\r\n\r\nAfter ");
    let second = alert.readings.saturating_sub(1);
    text.put_number(second);
    text.put(" seconds its bearing has ");
    text.put_tenths(sensor::temperature(second));
    text.put(" degrees.\r\n.\r\n");
    let mail = text.as_bytes();
    Ok(act(InMemory::new(mail), Some(mail.len() as u64)))
}
