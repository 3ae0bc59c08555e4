//! The message writer.

use crate::codec::{Answer, Arguments};
use crate::failure::Refused;
use alloc::vec::Vec;
use sansmtp::message::{Address, Attachment, Builder, Content, Date};

/// Writes a message. Its fields: seconds since 1970, minutes east of UTC, 16 random octets, domain of the
/// Message-ID, then lists of addresses for From, Sender, Reply-To, To, Cc and Bcc; then, each if there,
/// subject, In-Reply-To, References, text and HTML; then the lists of headers and of attachments.
///
/// The answer holds the mailbox of every address, for the envelope, in the same order, then the message.
pub(crate) fn compose(mut given: Arguments<'_>, answer: &mut Answer) -> Result<(), Refused> {
    let date = Date::from_unix(given.number() as i64, given.number() as i16);
    let date = answer.checked(date)?;
    let entropy = given.octets();
    let domain = given.text();
    let mut fields: [Vec<Address<'_>>; 6] = Default::default();
    for field in &mut fields {
        for _ in given.list() {
            let address = address(&mut given, answer)?;
            answer.text(address.mailbox());
            field.push(address);
        }
    }
    // Blind copies are for the envelope only.
    let [from, sender, reply_to, to, cc, _] = &fields;
    let mut builder = Builder::new()
        .from(from)
        .reply_to(reply_to)
        .to(to)
        .cc(cc)
        .date(date);
    if let Some(sender) = sender.first() {
        builder = builder.sender(sender);
    }
    if let Ok(entropy) = <[u8; 16]>::try_from(entropy) {
        builder = builder.entropy(entropy);
    }
    if !domain.is_empty() {
        builder = builder.message_id_domain(domain);
    }
    for field in 0..5 {
        if let Some(given) = given.some() {
            let value = given.text();
            builder = match field {
                0 => builder.subject(value),
                1 => builder.in_reply_to(value),
                2 => builder.references(value),
                3 => builder.text(value),
                _ => builder.html(value),
            };
        }
    }
    let headers: Vec<_> = given.list().map(|_| (given.text(), given.text())).collect();
    let attachments: Vec<_> = given.list().map(|_| attachment(&mut given)).collect();
    let builder = builder.headers(&headers).attachments(&attachments);
    let message = answer.checked(builder.build())?;
    let written = answer.checked(message.to_vec())?;
    answer.raw(&written);
    Ok(())
}

/// A display name and a mailbox; without a name, the text as a person typed it.
fn address<'a>(given: &mut Arguments<'a>, answer: &mut Answer) -> Result<Address<'a>, Refused> {
    let name = given.some().map(|given| given.text());
    let text = given.text();
    match name {
        Some(name) => Address::new(name, text),
        None => Address::parse(text),
    }
    .map_err(|error| answer.refuse_by(&[text, ": "], &error))
}

/// Name, content type, content, and perhaps an identifier by which the HTML document shows it.
fn attachment<'a>(given: &mut Arguments<'a>) -> Attachment<'a> {
    let (name, kind) = (given.text(), given.text());
    let attachment = Attachment::new(name, kind, Content::Bytes(given.octets()));
    match given.text_if_any() {
        Some(identifier) => attachment.inline(identifier),
        None => attachment,
    }
}
