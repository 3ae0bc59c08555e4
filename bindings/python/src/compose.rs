//! Messages from parts, by the core's message writer.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sansmtp::message::{Address, Attachment, Builder, Content, Date};

use crate::error::invalid;
use crate::octets::Octets;

/// File name, content type, content, and the Content-ID of an inline attachment.
type AttachmentParts = (String, String, Octets, Option<String>);

/// The message, its Message-ID, the first author's mailbox, and the mailboxes of all recipients.
type Composed<'py> = (Bound<'py, PyBytes>, String, String, Vec<String>);

/// Composes a message. Addresses are `user@example.org` or `Name <user@example.org>`; blind copies get no
/// header. `date` is seconds since 1970 and minutes east of UTC, `entropy` 16 random octets.
#[pyfunction]
#[pyo3(signature = (*, from_, to, cc, bcc, reply_to, sender, subject, text, html, attachments, headers, date,
    entropy, in_reply_to, references))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn compose<'py>(
    py: Python<'py>,
    from_: Vec<String>,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
    reply_to: Vec<String>,
    sender: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    attachments: Vec<AttachmentParts>,
    headers: Vec<(String, String)>,
    date: (i64, i16),
    entropy: [u8; 16],
    in_reply_to: Option<String>,
    references: Option<String>,
) -> PyResult<Composed<'py>> {
    let error = |message: &dyn std::fmt::Display| invalid(py, "MessageError", message);
    let parse = |address: &'_ String| -> PyResult<()> {
        Address::parse(address)
            .map(drop)
            .map_err(|e| invalid(py, "AddressError", format!("{e}: {address:?}")))
    };
    let lists = [&from_, &to, &cc, &bcc, &reply_to];
    for address in lists.into_iter().flatten().chain(&sender) {
        parse(address)?;
    }
    let [from, to, cc, bcc, reply_to] = lists.map(|list| {
        let parsed = list
            .iter()
            .filter_map(|address| Address::parse(address).ok());
        parsed.collect::<Vec<_>>()
    });
    let attachments: Vec<Attachment<'_>> = attachments
        .iter()
        .map(|(name, content_type, octets, content_id)| {
            let attachment = Attachment::new(name, content_type, Content::Bytes(octets.as_slice()));
            match content_id {
                Some(content_id) => attachment.inline(content_id),
                None => attachment,
            }
        })
        .collect();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let date = Date::from_unix(date.0, date.1)
        .map_err(|_| error(&"the date is not between the years 1900 and 9999"))?;
    let mut builder = Builder::new()
        .from(&from)
        .to(&to)
        .cc(&cc)
        .reply_to(&reply_to)
        .attachments(&attachments)
        .headers(&headers)
        .date(date)
        .entropy(entropy);
    if let Some(sender) = sender
        .as_deref()
        .and_then(|sender| Address::parse(sender).ok())
    {
        builder = builder.sender(sender);
    }
    if let Some(subject) = &subject {
        builder = builder.subject(subject);
    }
    if let Some(text) = &text {
        builder = builder.text(text);
    }
    if let Some(html) = &html {
        builder = builder.html(html);
    }
    if let Some(identifiers) = &in_reply_to {
        builder = builder.in_reply_to(identifiers);
    }
    if let Some(identifiers) = &references {
        builder = builder.references(identifiers);
    }
    let message = builder.build().map_err(|e| error(&e))?;
    let octets = message.to_vec().map_err(|e| error(&e))?;
    let mut identifier = [0; 512];
    let identifier = message.message_id(&mut identifier).unwrap_or_default();
    let author = from.first().map_or("", Address::mailbox);
    let recipients = [to, cc, bcc].concat();
    let recipients = recipients
        .iter()
        .map(|address| address.mailbox().to_owned());
    Ok((
        PyBytes::new(py, &octets),
        identifier.to_owned(),
        author.to_owned(),
        recipients.collect(),
    ))
}
