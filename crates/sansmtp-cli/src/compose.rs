//! Messages made from options: texts, headers, and attachments that are read
//! from disk while they are sent.

use crate::addresses;
use crate::args;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use sansmtp::message::{
    CheckedMail, Date, Mail, MailError, Message, OwnedAttachment, OwnedContent, Progress, Writer,
};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{IsTerminal, Read, Take};
use std::path::{Path, PathBuf};

/// What the options gave, read and in memory except for the attachments.
#[derive(Debug)]
pub(crate) struct Parts {
    mail: Mail,
    files: Vec<FilePart>,
    date: Date,
    entropy: [u8; 16],
}

/// A file that goes along.
#[derive(Debug)]
struct FilePart {
    path: PathBuf,
    name: String,
    content_type: String,
    /// Octets; none for a pipe.
    size: Option<usize>,
}

impl Parts {
    /// Reads texts and looks at attachments.
    pub(crate) fn gather(args: &args::Message) -> Result<Self> {
        let mut stdin_used = false;
        let html = match (&args.html, &args.html_file) {
            (Some(html), _) => Some(html.clone()),
            (None, Some(path)) => Some(read_text(path, &mut stdin_used)?),
            (None, None) => None,
        };
        let text = match (&args.body, &args.body_file) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(path)) => Some(read_text(path, &mut stdin_used)?),
            (None, None) if html.is_some() => None,
            (None, None) if std::io::stdin().is_terminal() => {
                return Err(Failure::new(
                    Exit::Usage,
                    "the mail has no text",
                    "give it with --body TEXT or --body-file FILE, or type it after --body-file -",
                ));
            }
            (None, None) => Some(read_text(Path::new("-"), &mut stdin_used)?),
        };
        let headers = args.header.iter().map(|header| split_header(header));
        let files = args.attach.iter().map(|argument| FilePart::open(argument));
        let mail = Mail {
            from: vec![args.from.clone().unwrap_or_default().into()],
            reply_to: addresses::list(&args.reply_to),
            to: addresses::list(&args.to),
            cc: addresses::list(&args.cc),
            bcc: addresses::list(&args.bcc),
            subject: args.subject.clone(),
            text,
            html,
            headers: headers.collect::<Result<_>>()?,
            in_reply_to: args.in_reply_to.clone(),
            references: args.in_reply_to.clone(),
            ..Mail::default()
        };
        Ok(Self::new(
            mail,
            files.collect::<Result<_>>()?,
            now()?,
            entropy()?,
        ))
    }

    fn new(mut mail: Mail, files: Vec<FilePart>, date: Date, entropy: [u8; 16]) -> Self {
        mail.attachments = files.iter().map(FilePart::attachment).collect();
        Self {
            mail,
            files,
            date,
            entropy,
        }
    }

    /// The mail with its envelope.
    pub(crate) fn check(&self) -> Result<CheckedMail<'_>> {
        let checked = self.mail.check().map_err(failure)?;
        checked.envelope().map_err(failure)?;
        Ok(checked)
    }

    /// The message of the checked mail.
    pub(crate) fn message<'a>(&self, checked: &'a CheckedMail<'_>) -> Result<Message<'a>> {
        checked
            .message(self.date, self.entropy)
            .map_err(|error| Failure::advised(Exit::Data, error))
    }

    /// Reads the message; `message` is that of [`Parts::message`].
    pub(crate) fn reader<'m, 'a>(&'a self, message: &'m Message<'a>) -> MessageReader<'m, 'a> {
        MessageReader {
            writer: Writer::new(message),
            files: &self.files,
            open: None,
            chunk: Vec::new(),
            at: 0,
        }
    }
}

/// The bytes of a message. Attachments are opened when their turn comes, so that
/// memory does not grow with them.
#[derive(Debug)]
pub(crate) struct MessageReader<'m, 'a> {
    writer: Writer<'m, 'a>,
    files: &'a [FilePart],
    /// The attachment that is being read, and its number.
    open: Option<(usize, Take<File>)>,
    chunk: Vec<u8>,
    /// How much of the chunk was written.
    at: usize,
}

/// How much of an attachment is read at a time.
const CHUNK: usize = 64 * 1024;

impl Read for MessageReader<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.writer.next(out).map_err(std::io::Error::other)? {
                Progress::Written(count) => return Ok(count),
                Progress::Done => return Ok(0),
                Progress::NeedAttachment(index) => {
                    let count = self.attachment(index, out)?;
                    if count > 0 {
                        return Ok(count);
                    }
                }
            }
        }
    }
}

impl MessageReader<'_, '_> {
    fn attachment(&mut self, index: usize, out: &mut [u8]) -> std::io::Result<usize> {
        let part = self.files.get(index).ok_or_else(|| {
            std::io::Error::other("the message has an attachment that nobody gave")
        })?;
        let named = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("{}: {error}", part.path.display()))
        };
        if self.open.as_ref().is_none_or(|(open, _)| *open != index) {
            let file = File::open(&part.path).map_err(named)?;
            // What is appended meanwhile is not sent: the size was declared.
            let limit = part.size.map_or(u64::MAX, |size| size as u64);
            self.open = Some((index, file.take(limit)));
            self.chunk.clear();
            self.at = 0;
        }
        if self.at == self.chunk.len()
            && let Some((_, file)) = &mut self.open
        {
            self.chunk.resize(CHUNK, 0);
            let count = file.read(&mut self.chunk).map_err(named)?;
            self.chunk.truncate(count);
            self.at = 0;
        }
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            self.writer
                .attachment_end()
                .map_err(|error| named(std::io::Error::other(error)))?;
            return Ok(0);
        }
        let (read, written) = self
            .writer
            .attachment(rest, out)
            .map_err(|error| named(std::io::Error::other(error)))?;
        self.at += read;
        Ok(written)
    }
}

impl FilePart {
    /// From `FILE` or `FILE:TYPE`.
    fn open(argument: &OsStr) -> Result<Self> {
        let (path, content_type) = split_type(argument);
        let unreadable = |error| Failure::unreadable(&path, &error);
        // Opened to learn now, not in the middle of the mail, that it can not be.
        let metadata = File::open(&path)
            .and_then(|file| file.metadata())
            .map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Failure::new(
                Exit::NoInput,
                format_args!("{} is a directory", path.display()),
                "attach a file; pack several with zip or tar",
            ));
        }
        let size = metadata
            .is_file()
            .then(|| usize::try_from(metadata.len()).ok())
            .flatten();
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let content_type = content_type.unwrap_or_else(|| guess(&path));
        Ok(Self {
            path,
            name,
            content_type,
            size,
        })
    }

    fn attachment(&self) -> OwnedAttachment {
        OwnedAttachment {
            file_name: self.name.clone(),
            content_type: self.content_type.clone(),
            content: OwnedContent::Streamed { size: self.size },
            content_id: None,
        }
    }
}

/// What is wrong with the mail, in the words of the options.
fn failure(error: MailError) -> Failure {
    match error {
        MailError::Address {
            field,
            address,
            error,
        } => {
            let option = field.name().to_ascii_lowercase();
            Failure::advised(Exit::Data, format_args!("--{option} `{address}`: {error}"))
        }
        MailError::NoRecipient => Failure::new(
            Exit::Usage,
            "the mail has no recipient",
            "name one with --to, --cc or --bcc",
        ),
        other => Failure::advised(Exit::Data, other),
    }
}

/// Takes `log.csv:text/csv` apart. A file that has such a name wins.
fn split_type(argument: &OsStr) -> (PathBuf, Option<String>) {
    let whole = PathBuf::from(argument);
    let Some((path, content_type)) = argument.to_str().and_then(|text| text.rsplit_once(':'))
    else {
        return (whole, None);
    };
    let is_type = content_type.split_once('/').is_some_and(|(main, sub)| {
        let word = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        !main.is_empty()
            && main.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !sub.is_empty()
            && !sub.contains('/')
            && word(sub)
    });
    if !is_type || path.is_empty() || whole.exists() {
        return (whole, None);
    }
    (path.into(), Some(content_type.to_owned()))
}

/// The content type by the file name's extension.
fn guess(path: &Path) -> String {
    let guessed = mime_guess::from_path(path).first_raw();
    match guessed {
        // These may not be encoded in base64 (RFC 2046, section 5).
        Some(kind) if kind.starts_with("message/") || kind.starts_with("multipart/") => {
            "application/octet-stream".into()
        }
        Some(kind) => kind.into(),
        None => "application/octet-stream".into(),
    }
}

/// `Name: value`
fn split_header(header: &str) -> Result<(String, String)> {
    let Some((name, value)) = header.split_once(':') else {
        return Err(Failure::new(
            Exit::Usage,
            format_args!("--header `{header}` has no colon"),
            "write --header 'Name: value'",
        ));
    };
    Ok((name.to_owned(), value.trim_matches(' ').to_owned()))
}

/// A text from a file, or from standard input for `-`.
fn read_text(path: &Path, stdin_used: &mut bool) -> Result<String> {
    let bytes = read(path, stdin_used)?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(
            Exit::Data,
            format_args!("{} is not UTF-8", show(path)),
            "convert it with `iconv -t utf-8`, or send it with --attach",
        )
    })
}

/// The octets of a file, or of standard input for `-`, which can be read once.
pub(crate) fn read(path: &Path, stdin_used: &mut bool) -> Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path).map_err(|error| Failure::unreadable(path, &error));
    }
    if std::mem::replace(stdin_used, true) {
        return Err(Failure::new(
            Exit::Usage,
            "standard input can not be two texts",
            "give one of them in a file",
        ));
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::unreadable(Path::new("standard input"), &error))?;
    Ok(bytes)
}

/// How a path is named in errors.
pub(crate) fn show(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".into()
    } else {
        path.display().to_string()
    }
}

fn now() -> Result<Date> {
    let now = jiff::Zoned::now();
    let minutes = now.offset().seconds() / 60;
    Date::from_unix(
        now.timestamp().as_second(),
        i16::try_from(minutes).unwrap_or_default(),
    )
    .map_err(|error| Failure::advised(Exit::Config, error))
}

fn entropy() -> Result<[u8; 16]> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|error| {
        Failure::new(
            Exit::Software,
            format_args!("the system gives no random numbers: {error}"),
            "check that the random number generator of the system works",
        )
    })?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_beside_file_names() {
        for (argument, path, kind) in [
            ("log.csv", "log.csv", None),
            ("log.csv:text/csv", "log.csv", Some("text/csv")),
            (
                "log.csv:text/csv; charset=utf-8",
                "log.csv",
                Some("text/csv; charset=utf-8"),
            ),
            ("C:/mail/log.csv", "C:/mail/log.csv", None),
            ("a:b", "a:b", None),
            (":text/csv", ":text/csv", None),
        ] {
            let (found, found_kind) = split_type(OsStr::new(argument));
            assert_eq!(found, Path::new(path), "{argument}");
            assert_eq!(found_kind.as_deref(), kind, "{argument}");
        }
    }

    #[test]
    fn guessed_types() {
        assert_eq!(guess(Path::new("a.PDF")), "application/pdf");
        assert_eq!(guess(Path::new("a.csv")), "text/csv");
        assert_eq!(guess(Path::new("a")), "application/octet-stream");
        assert_eq!(guess(Path::new("a.eml")), "application/octet-stream");
    }

    /// The message with one attachment that has changed since it was looked at.
    fn read_changed(before: &[u8], after: &[u8]) -> std::io::Result<Vec<u8>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.bin");
        std::fs::write(&path, before).unwrap();
        let mail = Mail::new("a@example.org").to("b@example.org").text("x");
        let files = vec![FilePart::open(path.as_os_str()).unwrap()];
        let date = Date::from_unix(0, 0).unwrap();
        let parts = Parts::new(mail, files, date, [7; 16]);
        std::fs::write(&path, after).unwrap();
        let checked = parts.check().unwrap();
        let message = parts.message(&checked).unwrap();
        let mut octets = Vec::new();
        parts.reader(&message).read_to_end(&mut octets)?;
        assert_eq!(message.exact_len(), Some(octets.len() as u64));
        Ok(octets)
    }

    #[test]
    fn attachments_that_change_do_not_break_the_declared_size() {
        let whole = read_changed(b"123456", b"123456").unwrap();
        assert_eq!(read_changed(b"123456", b"1234567890").unwrap(), whole);
        let error = read_changed(b"123456", b"123").unwrap_err();
        assert!(
            error.to_string().contains("data.bin: attachment 1:"),
            "{error}"
        );
    }
}
