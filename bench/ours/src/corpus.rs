//! What is sent.

/// The sender, the recipient and the name of the client, the same for all that are compared.
pub(crate) const SENDER: &str = "alice@example.com";
pub(crate) const RECIPIENT: &str = "bob@example.org";
pub(crate) const CLIENT: &str = "a.example.com";
pub(crate) const SERVER: &str = "sink.example.com";

/// A message of `size` octets: a header, then lines of 78 characters and CR LF.
pub(crate) fn message(size: usize) -> Vec<u8> {
    let mut text =
        format!("From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: bench\r\n\r\n").into_bytes();
    let mut line = 0;
    while text.len() < size {
        line += 1;
        text.extend((0..78).map(|column: usize| b'a' + ((column * 7 + line) % 26) as u8));
        text.extend_from_slice(b"\r\n");
    }
    text.truncate(size.max(80));
    let end = text.len() - 2;
    text[end..].copy_from_slice(b"\r\n");
    text
}

/// MAIL and all RCPT commands.
pub(crate) fn envelope() -> String {
    format!("MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\n")
}
