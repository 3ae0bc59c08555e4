//! The message writer.

use crate::failure::argument;
use alloc::string::String;
use alloc::vec::Vec;
use sansmtp::message::{Address, Attachment, Builder, Content, Date};
use wasm_bindgen::prelude::*;

/// The parts of a message, gathered one by one.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Composer {
    from: Vec<Mailbox>,
    sender: Vec<Mailbox>,
    reply_to: Vec<Mailbox>,
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    subject: Option<String>,
    domain: String,
    in_reply_to: Option<String>,
    references: Option<String>,
    headers: Vec<(String, String)>,
    text: Option<String>,
    html: Option<String>,
    files: Vec<File>,
}

/// A display name and a mailbox; without a name, the text as a person typed it.
#[derive(Debug)]
struct Mailbox {
    name: Option<String>,
    address: String,
}

#[derive(Debug)]
struct File {
    name: String,
    content_type: String,
    content: Vec<u8>,
    content_id: Option<String>,
}

#[wasm_bindgen]
impl Composer {
    /// A message without parts.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Composer {
        Self::default()
    }

    /// One more address of a field: `from`, `sender`, `replyTo`, `to` or `cc`. Gives the mailbox alone,
    /// for the envelope.
    pub fn address(
        &mut self,
        field: &str,
        name: Option<String>,
        address: String,
    ) -> Result<String, JsError> {
        let mailbox = Mailbox { name, address };
        let bare = String::from(mailbox.parse()?.mailbox());
        match field {
            "from" => self.from.push(mailbox),
            "sender" => self.sender.push(mailbox),
            "replyTo" => self.reply_to.push(mailbox),
            "to" => self.to.push(mailbox),
            "cc" => self.cc.push(mailbox),
            // Blind copies are for the envelope only.
            "bcc" => {}
            _ => return Err(JsError::new("no such address field")),
        }
        Ok(bare)
    }

    /// A text field: `subject`, `domain`, `inReplyTo`, `references`, `text` or `html`.
    pub fn field(&mut self, field: &str, value: String) -> Result<(), JsError> {
        match field {
            "subject" => self.subject = Some(value),
            "domain" => self.domain = value,
            "inReplyTo" => self.in_reply_to = Some(value),
            "references" => self.references = Some(value),
            "text" => self.text = Some(value),
            "html" => self.html = Some(value),
            _ => return Err(JsError::new("no such field")),
        }
        Ok(())
    }

    /// One more header.
    pub fn header(&mut self, name: String, value: String) {
        self.headers.push((name, value));
    }

    /// One more attachment; with an identifier it is shown in the HTML document.
    pub fn attach(
        &mut self,
        name: String,
        content_type: String,
        content: Vec<u8>,
        content_id: Option<String>,
    ) {
        self.files.push(File {
            name,
            content_type,
            content,
            content_id,
        });
    }

    /// The bytes of the message. `date` is in seconds since 1970, `offset` in minutes east of UTC, and
    /// `entropy` 16 random octets.
    pub fn build(&self, date: f64, offset: i16, entropy: &[u8]) -> Result<Vec<u8>, JsError> {
        let (from, sender) = (parsed(&self.from)?, parsed(&self.sender)?);
        let (reply_to, to, cc) = (
            parsed(&self.reply_to)?,
            parsed(&self.to)?,
            parsed(&self.cc)?,
        );
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let attachments: Vec<Attachment<'_>> = self.files.iter().map(File::attachment).collect();
        let mut builder = Builder::new()
            .from(&from)
            .reply_to(&reply_to)
            .to(&to)
            .cc(&cc)
            .headers(&headers)
            .attachments(&attachments)
            .date(Date::from_unix(date as i64, offset).map_err(argument)?);
        if let Ok(entropy) = <[u8; 16]>::try_from(entropy) {
            builder = builder.entropy(entropy);
        }
        if let Some(sender) = sender.first() {
            builder = builder.sender(*sender);
        }
        if !self.domain.is_empty() {
            builder = builder.message_id_domain(&self.domain);
        }
        if let Some(subject) = &self.subject {
            builder = builder.subject(subject);
        }
        if let Some(identifiers) = &self.in_reply_to {
            builder = builder.in_reply_to(identifiers);
        }
        if let Some(identifiers) = &self.references {
            builder = builder.references(identifiers);
        }
        if let Some(text) = &self.text {
            builder = builder.text(text);
        }
        if let Some(html) = &self.html {
            builder = builder.html(html);
        }
        let message = builder.build().map_err(argument)?;
        message.to_vec().map_err(argument)
    }
}

impl Mailbox {
    fn parse(&self) -> Result<Address<'_>, JsError> {
        match &self.name {
            Some(name) => Address::new(name, &self.address),
            None => Address::parse(&self.address),
        }
        .map_err(argument)
    }
}

impl File {
    fn attachment(&self) -> Attachment<'_> {
        let content = Content::Bytes(&self.content);
        let attachment = Attachment::new(&self.name, &self.content_type, content);
        match &self.content_id {
            Some(identifier) => attachment.inline(identifier),
            None => attachment,
        }
    }
}

fn parsed(mailboxes: &[Mailbox]) -> Result<Vec<Address<'_>>, JsError> {
    mailboxes.iter().map(Mailbox::parse).collect()
}
