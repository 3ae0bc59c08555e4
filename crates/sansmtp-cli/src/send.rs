//! `sansmtp send`: one message, and what became of it for each recipient.

use crate::addresses;
use crate::args;
use crate::client::{block_on, mailer};
use crate::client_failure;
use crate::compose::{Parts, read, show};
use crate::eml;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::handling;
use crate::output::{BOLD, DIM, GOOD, WARN, bytes, duration, errln, note, outln, written};
use crate::progress::Observed;
use crate::providers::security;
use crate::target::Target;
use crate::transcript::Transcript;
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::wire::param::Body;
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::reply::Escaped;
use sansmtp_tokio::client::{Content, RecipientReport, Report, Tap};
use serde_json::{Value, json};
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Composes and sends, or only shows.
pub(crate) fn run(args: &args::Send) -> Result<()> {
    let result = match &args.message.eml {
        Some(path) => send_finished(args, path),
        None => send_composed(args),
    };
    // A result that came with a report has been printed.
    match result {
        Ok(()) => Ok(()),
        Err(Ended::Shown(failure)) => Err(failure),
        Err(Ended::Early(failure)) => {
            if args.json {
                outln!("{:#}", json!({"sent": false, "error": as_json(&failure)}));
            }
            Err(failure)
        }
    }
}

/// How a command ended that did not do all it should.
enum Ended {
    /// Nothing is on standard output yet.
    Early(Failure),
    /// The result of each recipient has been printed.
    Shown(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Early(failure)
    }
}

/// The largest message in octets that is kept in memory, so that it can be sent in
/// several transactions.
const IN_MEMORY: u64 = 64 * 1024 * 1024;

/// A message on its way: envelope and octets.
struct Job<'a, R> {
    reverse_path: ReversePath<'a>,
    recipients: &'a [Recipient<'a>],
    body: Option<Body>,
    smtputf8: bool,
    /// Octets; none if an attachment is a pipe.
    size: Option<u64>,
    message_id: Option<String>,
    content: R,
}

fn send_composed(args: &args::Send) -> std::result::Result<(), Ended> {
    let parts = Parts::gather(&args.message)?;
    let checked = parts.check()?;
    let message = parts.message(&checked)?;
    let author = checked.author();
    let mut buffer = [0; 320];
    let job = Job {
        reverse_path: reverse_path(args, author)?,
        recipients: checked.recipients(),
        body: None,
        smtputf8: false,
        size: message.exact_len(),
        message_id: message.message_id(&mut buffer).map(str::to_owned),
        content: parts.reader(&message),
    };
    let target = Target::resolve(&args.connect, Some(author))?;
    deliver(args, target, job)
}

fn send_finished(args: &args::Send, path: &Path) -> std::result::Result<(), Ended> {
    let eml = eml::parse(path, &read(path, &mut false)?)?;
    let options = &args.message;
    let named: Vec<_> = [
        ("--to", &options.to),
        ("--cc", &options.cc),
        ("--bcc", &options.bcc),
    ]
    .into_iter()
    .map(|(option, texts)| addresses::parse_all(option, texts))
    .collect::<Result<Vec<_>>>()?
    .concat();
    let (place, mailboxes) = match named.is_empty() {
        true => (
            "a header names the recipient",
            distinct(eml.recipients.iter().map(String::as_str)),
        ),
        false => ("the recipient", distinct(named.iter().map(|a| a.mailbox()))),
    };
    let author = match &options.from {
        Some(from) => addresses::parse("--from", from)?.mailbox(),
        None => eml.sender.as_deref().unwrap_or_default(),
    };
    if author.is_empty() && options.envelope_from.is_none() {
        return Err(Failure::new(
            Exit::Data,
            format_args!("{} names no sender", show(path)),
            "add a From header, or name the sender with --from",
        )
        .into());
    }
    if mailboxes.is_empty() {
        return Err(Failure::new(
            Exit::Data,
            format_args!("{} names no recipient", show(path)),
            "add a To, Cc or Bcc header, or name one with --to",
        )
        .into());
    }
    if eml.blind_copies > 0 && !args.json {
        note("the Bcc header is not sent");
    }
    let recipients = recipients(place, &mailboxes)?;
    let job = Job {
        reverse_path: reverse_path(args, author)?,
        recipients: &recipients,
        body: eml.eight_bit.then_some(Body::EightBitMime),
        smtputf8: eml.utf8_headers,
        size: Some(eml.content.len() as u64),
        message_id: None,
        content: eml.content.as_slice(),
    };
    let author = (!author.is_empty()).then_some(author);
    let target = Target::resolve(&args.connect, author)?;
    deliver(args, target, job)
}

fn deliver<R: Read + Send + Unpin>(
    args: &args::Send,
    mut target: Target,
    job: Job<'_, R>,
) -> std::result::Result<(), Ended> {
    if args.dry_run {
        return Ok(dry_run(args, &target, job)?);
    }
    target.sign_in(&args.connect)?;
    let tap = args
        .transcript
        .then(|| -> Arc<dyn Tap> { Arc::new(Transcript::new(|line| errln!("{line}"))) });
    let show_progress = !args.json && !args.transcript;
    block_on(async { Ok(attempt(args, &target, job, tap, show_progress).await) })?
}

async fn attempt<R: Read + Send + Unpin>(
    args: &args::Send,
    target: &Target,
    job: Job<'_, R>,
    tap: Option<Arc<dyn Tap>>,
    show_progress: bool,
) -> std::result::Result<(), Ended> {
    let mailer = mailer(target, &args.connect, tap)?;
    let mut recipients = job.recipients.to_vec();
    handling::apply_to_recipients(&args.handling, &mut recipients);
    let mut envelope = Envelope::new(job.reverse_path, &recipients);
    handling::apply(&args.handling, &mut envelope);
    envelope.body = job.body;
    envelope.smtputf8 = job.smtputf8;
    let mut source = job.content;
    let mut kept = Vec::new();
    // A server may take fewer recipients at once; the message then goes out again.
    let several = recipients.len() > 1 && job.size.is_some_and(|size| size <= IN_MEMORY);
    if several {
        source
            .read_to_end(&mut kept)
            .map_err(|error| Failure::unreadable(Path::new("the message"), &error))?;
    }
    let mut observed = Observed::new(source, job.size.filter(|_| show_progress && !several));
    let bar = observed.bar();
    let counter = observed.counter();
    let content = match (several, job.size) {
        (true, _) => Content::bytes(&kept),
        (false, Some(size)) => Content::reader(&mut observed).with_length(size),
        (false, None) => Content::reader(&mut observed),
    };
    let begin = Instant::now();
    let result = mailer.send(&envelope, content).await;
    let elapsed = begin.elapsed();
    bar.finish_and_clear();
    mailer.close().await;

    let summary = Summary {
        url: target.url(),
        message_id: job.message_id,
        size: job.size.unwrap_or_else(|| counter.get()),
        elapsed,
    };
    let failure = match &result {
        Ok(report) if report.all_delivered() => None,
        Ok(report) => Some(client_failure::partial(report)),
        Err(error) => Some(client_failure::failure(error)),
    };
    let report = match &result {
        Ok(report) => Some(report),
        Err(error) => error.report(),
    };
    if args.json {
        outln!("{:#}", summary.json(report, failure.as_ref()));
    } else if let Some(report) = report {
        summary.print(report);
    }
    match failure {
        None => Ok(()),
        Some(failure) => Err(Ended::Shown(failure)),
    }
}

/// What is said of a message besides its recipients.
struct Summary {
    url: String,
    message_id: Option<String>,
    size: u64,
    elapsed: Duration,
}

impl Summary {
    fn print(&self, report: &Report) {
        for recipient in &report.recipients {
            print_recipient(recipient);
        }
        if report.delivered().next().is_some() {
            let identifier = match &self.message_id {
                Some(identifier) => format!("; Message-ID {identifier}"),
                None => String::new(),
            };
            outln!(
                "{DIM}{} to {} in {}{identifier}{DIM:#}",
                bytes(self.size),
                self.url,
                duration(self.elapsed)
            );
        }
    }

    fn json(&self, report: Option<&Report>, failure: Option<&Failure>) -> Value {
        let recipients = report.map_or(&[][..], |report| &report.recipients);
        let recipients: Vec<_> = recipients
            .iter()
            .map(|recipient| {
                let (code, enhanced) = match recipient.outcome {
                    Outcome::Refused { code, enhanced } => (Some(code), enhanced),
                    _ => (None, None),
                };
                let explanation = report.and_then(|report| report.explanation(recipient));
                json!({
                    "address": recipient.address(),
                    "outcome": outcome(recipient.outcome),
                    "code": code.map(|code| code.get()),
                    "enhanced": enhanced.map(|enhanced| enhanced.to_string()),
                    "reply": recipient.reply.as_ref().map(|reply| reply.text()),
                    "meaning": explanation.map(|known| known.meaning),
                    "next": explanation.map(|known| known.next_step),
                })
            })
            .collect();
        json!({
            "sent": failure.is_none(),
            "server": self.url,
            "message_id": self.message_id,
            "size": self.size,
            "milliseconds": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "reply": report.and_then(|report| report.reply.as_ref()).map(ToString::to_string),
            "recipients": recipients,
            "error": failure.map(as_json),
        })
    }
}

fn print_recipient(recipient: &RecipientReport) {
    let word = outcome(recipient.outcome);
    let style = match recipient.outcome {
        Outcome::Delivered => GOOD,
        _ => WARN,
    };
    // The server says "accepted"; whether a person ever sees it is another matter.
    let address = Escaped(recipient.address().as_bytes());
    match (&recipient.reply, recipient.outcome) {
        (Some(reply), Outcome::Refused { .. }) => {
            outln!("{style}{word:<9}{style:#} {address}: {reply}");
        }
        (None, Outcome::Refused { code, enhanced }) => {
            let enhanced = enhanced.map(|e| format!(" {e}")).unwrap_or_default();
            outln!("{style}{word:<9}{style:#} {address}: {code}{enhanced}");
        }
        _ => outln!("{style}{word:<9}{style:#} {address}"),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "accepted",
        Outcome::Refused { .. } => "refused",
        Outcome::NotSent => "not sent",
        _ => "unknown",
    }
}

/// A failure as JSON.
pub(crate) fn as_json(failure: &Failure) -> Value {
    json!({
        "exit_code": failure.exit.code(),
        "what": failure.what,
        "meaning": failure.meaning,
        "next": failure.next,
        "url": failure.url,
    })
}

fn dry_run<R: Read>(args: &args::Send, target: &Target, mut job: Job<'_, R>) -> Result<()> {
    let mut message = Vec::new();
    job.content
        .read_to_end(&mut message)
        .map_err(|error| Failure::unreadable(Path::new("the message"), &error))?;
    let sender = job.reverse_path.as_str();
    let recipients: Vec<_> = job
        .recipients
        .iter()
        .map(|recipient| recipient.forward_path.as_str())
        .collect();
    if args.json {
        let object = json!({
            "dry_run": true,
            "server": target.url(),
            "security": security(target.config.security),
            "user": target.user,
            "mail_from": sender,
            "rcpt_to": recipients,
            "wishes": handling::describe(&args.handling),
            "size": message.len(),
            "message_id": job.message_id,
            "message": String::from_utf8_lossy(&message),
        });
        outln!("{object:#}");
        return Ok(());
    }
    outln!("{BOLD}Dry run: nothing is sent{BOLD:#}");
    outln!(
        "server     {} ({})",
        target.url(),
        security(target.config.security)
    );
    let user = target.user.as_deref();
    outln!("sign-in    {}", user.unwrap_or("none"));
    outln!("MAIL FROM  <{}>", Escaped(sender.as_bytes()));
    for recipient in recipients {
        outln!("RCPT TO    <{}>", Escaped(recipient.as_bytes()));
    }
    for wish in handling::describe(&args.handling) {
        outln!("wish       {wish}");
    }
    outln!("size       {}\n", bytes(message.len() as u64));
    print_message(&message);
    Ok(())
}

/// The octets as they are for a file or a pipe; escaped and not endless for a
/// terminal.
fn print_message(message: &[u8]) {
    const LINES: usize = 100;
    if std::io::stdout().is_terminal() {
        let mut lines = message.split_inclusive(|&b| b == b'\n');
        for line in lines.by_ref().take(LINES) {
            outln!("{}", Escaped(line.trim_ascii_end()));
        }
        let rest: usize = lines.map(<[u8]>::len).sum();
        if rest > 0 {
            outln!("{DIM}[{} more]{DIM:#}", bytes(rest as u64));
        }
    } else {
        written(std::io::stdout().lock().write_all(message));
    }
}

fn reverse_path<'a>(args: &'a args::Send, author: &'a str) -> Result<ReversePath<'a>> {
    match &args.message.envelope_from {
        Some(address) => addresses::reverse_path("--envelope-from", address),
        None => addresses::reverse_path("the sender", author),
    }
}

fn recipients<'a>(place: &str, mailboxes: &[&'a str]) -> Result<Vec<Recipient<'a>>> {
    mailboxes
        .iter()
        .map(|mailbox| addresses::forward_path(place, mailbox).map(Recipient::from))
        .collect()
}

/// Each once, in order: nobody wants a mail twice.
fn distinct<'a>(mailboxes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    mailboxes.filter(|mailbox| seen.insert(*mailbox)).collect()
}
