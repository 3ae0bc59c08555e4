//! The client against written servers, good and bad.

mod dialogue;

use dialogue::{Common, Driver};
use sansmtp::Machine;
use sansmtp::auth::Credentials;
use sansmtp::client::{Client, Event, Query};
use sansmtp::config::{Config, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::error::Error;
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::handling::{DeliverBy, Hold, Priority};
use sansmtp::wire::param::{Body, Notify, Ret};
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::xclient::XClient;

struct ClientDriver {
    client: Client<'static>,
    common: Common,
    failed: bool,
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Options: `lmtp`; `starttls` or `tls`; `password` or `token`; `clear` lets a password
/// go without TLS.
fn start(options: &str, read: usize, write: usize) -> ClientDriver {
    let has = |word: &str| options.split(' ').any(|option| option == word);
    let security = match () {
        () if has("tls") => Security::ImplicitTls,
        () if has("starttls") => Security::StartTls,
        () => Security::DangerPlaintext,
    };
    let mut config = Config::new("mx.example.org", security).unwrap();
    if has("password") {
        config = config.credentials(Credentials::password("user", "s3cret-pw").unwrap());
    }
    if has("token") {
        config = config.credentials(Credentials::oauth2("user", "token").unwrap());
    }
    if has("lmtp") {
        config = config.lmtp();
    }
    if has("data") {
        config = config.chunking(false);
    }
    if has("clear") {
        config = config.danger_plaintext_auth();
    }
    let common = Common::new(read, write);
    let line = Box::leak(vec![0; 128].into_boxed_slice());
    let mut driver = ClientDriver {
        client: Client::new(leak(config), line, common.now),
        common,
        failed: false,
    };
    driver.check();
    driver
}

impl ClientDriver {
    fn fail(&mut self, error: Error) {
        // A refusal was told by an event.
        let told = matches!(error, Error::Refused { .. }) || self.failed;
        self.failed = true;
        if !told {
            self.common.tell(format!("error: {error}"));
        }
    }

    fn receive(&mut self) {
        loop {
            let input = self.common.input.clone();
            let piece = &input[..input.len().min(self.common.read)];
            match self.client.receive(self.common.now, piece) {
                Err(error) => {
                    self.common.input.clear();
                    return self.fail(error);
                }
                Ok((used, event)) => {
                    let silent = event.is_none();
                    if let Some(text) = event.and_then(|event| text(&event)) {
                        self.common.tell(text);
                    }
                    self.common.input.drain(..used);
                    if used == 0 && silent {
                        return;
                    }
                }
            }
        }
    }

    fn transmit(&mut self) {
        let mut out = vec![0; self.common.write];
        loop {
            let written = self.client.transmit(self.common.now, &mut out);
            if written == 0 {
                return;
            }
            self.common.output.extend_from_slice(&out[..written]);
        }
    }

    fn write(&mut self, text: &str, finish: bool) {
        let Some(mut body) = self.client.body() else {
            return self.common.tell("no content is wanted".into());
        };
        let mut out = vec![0; self.common.write];
        let text = text.replace("\\r", "\r").replace("\\n", "\n");
        for mut chunk in text.as_bytes().chunks(self.common.read) {
            while !chunk.is_empty() {
                let (read, written) = body.write(self.common.now, chunk, &mut out);
                self.common.output.extend_from_slice(&out[..written]);
                chunk = &chunk[read..];
            }
        }
        if finish {
            body.finish(self.common.now);
        }
    }

    /// Pushes `text` as one piece.
    fn push(&mut self, text: &str) {
        let Some(mut body) = self.client.body() else {
            return self.common.tell("no content is wanted".into());
        };
        let mut out = vec![0; self.common.write];
        let text = text.replace("\\r", "\r").replace("\\n", "\n");
        let mut piece = text.as_bytes();
        while !piece.is_empty() {
            let (read, written) = body.write(self.common.now, piece, &mut out);
            self.common.output.extend_from_slice(&out[..written]);
            piece = &piece[read..];
        }
    }

    /// `submit FROM TO... [size=N] [8bit] [7bit] [dsn] [utf8]`
    fn submit(&mut self, words: &str) -> Result<(), Error> {
        let mut addresses = Vec::new();
        let mut options = Vec::new();
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            if word.contains('@') || word == "<>" {
                addresses.push(leak(word.to_owned()).as_str());
            } else {
                options.push(word);
            }
        }
        let mut recipients: Vec<Recipient<'_>> = addresses
            .iter()
            .skip(1)
            .map(|address| Recipient::parse(address).unwrap())
            .collect();
        if options.contains(&"dsn") {
            recipients[0].notify = Some(Notify::default());
        }
        let from = addresses
            .first()
            .map_or("", |from| from.trim_matches(['<', '>']));
        let recipients: &'static [_] = Vec::leak(recipients);
        let mut envelope = Envelope::new(ReversePath::parse(from).unwrap(), recipients);
        for option in options {
            match option {
                "binary" => envelope.body = Some(Body::BinaryMime),
                "8bit" => envelope.body = Some(Body::EightBitMime),
                "7bit" => envelope.body = Some(Body::SevenBit),
                "utf8" => envelope.smtputf8 = true,
                "dsn" => envelope.ret = Some(Ret::Headers),
                "requiretls" => envelope.handling.require_tls = true,
                by if by.starts_with("by=") => {
                    envelope.handling.deliver_by = DeliverBy::parse(&by[3..]);
                }
                hold if hold.starts_with("hold=") => {
                    let seconds = hold[5..].parse().unwrap();
                    envelope.handling.hold = Some(Hold::For(seconds));
                }
                until if until.starts_with("until=") => {
                    let date = DateTime::parse(&until[6..]).unwrap();
                    envelope.handling.hold = Some(Hold::Until(date));
                }
                rank if rank.starts_with("priority=") => {
                    envelope.handling.priority = Priority::parse(&rank[9..]);
                }
                size => {
                    let size = size.strip_prefix("size=").expect("an option");
                    envelope.size = Some(size.parse().unwrap());
                }
            }
        }
        self.client.submit(leak(envelope), self.common.now)
    }
}

fn text(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Reply { .. } => return None,
        Event::StartTls => "starttls".into(),
        Event::Ready => "ready".into(),
        Event::Refused { stage, reply } => format!("refused {stage}: {reply}"),
        Event::Sender { reply } => format!("sender {reply}"),
        Event::Recipient { index, reply } => format!("recipient {index} {reply}"),
        Event::Content => "content".into(),
        Event::ChunkRefused { reply } => format!("chunk refused {reply}"),
        Event::Delivered { reply } => format!("delivered {reply}"),
        Event::NotDelivered {
            stage,
            reply: Some(reply),
        } => format!("not delivered, {stage}: {reply}"),
        Event::NotDelivered { stage, reply: None } => format!("not delivered, {stage}"),
        Event::Answer { reply } => format!("answer {reply}"),
        Event::Verdict { index, reply, last } => {
            let end = if *last { ", the last" } else { "" };
            format!("verdict {index} {reply}{end}")
        }
        Event::Closed => "closed".into(),
        other => panic!("{other:?}"),
    })
}

impl Driver for ClientDriver {
    const PEER: &'static str = "S: ";

    fn arrive(&mut self, octets: &[u8]) {
        self.common.input.extend_from_slice(octets);
        self.receive();
        self.transmit();
    }

    fn act(&mut self, action: &str) {
        let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
        let now = self.common.now;
        let done = match verb {
            "submit" => self.submit(rest),
            "quit" => self.client.quit(now),
            "tls" => self.client.tls_established(now),
            "noop" => self.client.query(Query::NOOP, now),
            "rset" => self.client.query(Query::RSET, now),
            "etrn" => {
                let query = Query::etrn(leak(rest.to_owned())).unwrap();
                self.client.query(query, now)
            }
            "xclient" => {
                let attributes = XClient::parse(leak(rest.to_owned())).unwrap();
                self.client.query(Query::xclient(leak(attributes)), now)
            }
            "expn" => {
                let query = Query::expn(leak(rest.to_owned())).unwrap();
                self.client.query(query, now)
            }
            "help" => {
                let subject = Some(leak(rest.to_owned()).as_str());
                let query = Query::help(subject.filter(|rest| !rest.is_empty())).unwrap();
                self.client.query(query, now)
            }
            "vrfy" => {
                let query = Query::vrfy(leak(rest.to_owned())).unwrap();
                self.client.query(query, now)
            }
            "eof" => {
                let gone = self.client.receive_eof();
                if let Err(error) = gone {
                    self.fail(error);
                }
                Ok(())
            }
            "body" => {
                self.write(rest, true);
                Ok(())
            }
            "part" => {
                self.write(rest, false);
                Ok(())
            }
            "push" => {
                self.push(rest);
                Ok(())
            }
            "end" => {
                match self.client.body() {
                    Some(body) => body.finish(now),
                    None => self.common.tell("no content is wanted".into()),
                }
                Ok(())
            }
            "pass" => {
                self.common.now = now.after(rest.parse().unwrap());
                Ok(())
            }
            "timeout" => {
                let deadline = self.client.poll_timeout().expect("a deadline");
                let limit = deadline.since(now);
                let before = sansmtp::Instant::from_millis(deadline.millis() - 1);
                self.client.handle_timeout(before).unwrap();
                self.common.now = deadline;
                self.common.tell(format!("after {limit} ms"));
                if let Err(error) = self.client.handle_timeout(deadline) {
                    self.fail(error);
                }
                Ok(())
            }
            _ => panic!("no such action: {action}"),
        };
        if let Err(error) = done {
            self.common.tell(format!("no: {error}"));
        }
        if self.common.input.is_empty() {
            self.receive();
        }
        self.transmit();
    }

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn check(&mut self) {
        let waits =
            self.client.error().is_none() && !self.client.is_ready() && !self.client.is_closed();
        assert_eq!(
            self.client.poll_timeout().is_some(),
            waits,
            "a deadline stands if and only if something is awaited: {:?}",
            self.client
        );
    }
}

#[test]
fn greeting_and_hello() {
    dialogue::run(include_str!("dialogue/client_greeting.txt"), start);
}

#[test]
fn tls() {
    dialogue::run(include_str!("dialogue/client_tls.txt"), start);
}

#[test]
fn authentication() {
    dialogue::run(include_str!("dialogue/client_auth.txt"), start);
}

#[test]
fn transactions() {
    dialogue::run(include_str!("dialogue/client_transaction.txt"), start);
}

#[test]
fn rarer_extensions() {
    dialogue::run(include_str!("dialogue/client_mta.txt"), start);
}

#[test]
fn lmtp() {
    dialogue::run(include_str!("dialogue/client_lmtp.txt"), start);
}

/// Every case begins behind EHLO.
#[test]
fn chunks() {
    let hello = "S: 220 hi\nC: EHLO [127.0.0.1]\nS: 250-mx\nS: 250-PIPELINING\n\
                 S: 250-BINARYMIME\nS: 250 CHUNKING\n-- ready\n";
    let cases = include_str!("dialogue/client_chunks.txt");
    dialogue::run(&behind(hello, cases), start);
}

/// Every case begins behind the final dot of a message.
#[test]
fn messages_that_overlap() {
    let first = "S: 220 hi\nC: EHLO [127.0.0.1]\nS: 250-mx\nS: 250 PIPELINING\n-- ready\n\
                 -- > submit a@example.org b@example.org\n\
                 C: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.org>\nC: DATA\n\
                 S: 250 ok\nS: 250 ok\nS: 354 go\n\
                 -- sender 250 ok\n-- recipient 0 250 ok\n-- content\n\
                 -- > body hi\nC: hi\nC: .\n";
    let cases = include_str!("dialogue/client_overlap.txt");
    dialogue::run(&behind(first, cases), start);
}

/// The cases, each behind this beginning.
fn behind(beginning: &str, cases: &str) -> String {
    let mut script = String::new();
    for case in cases.split("\n# ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        script += &format!("\n# {title}\n{beginning}{rest}\n");
    }
    script
}

#[test]
fn bad_replies_and_lost_connections() {
    dialogue::run(include_str!("dialogue/client_trouble.txt"), start);
}

/// Reply lines that no server may send, and what is said of them.
const FAULTS: &[(&str, &str)] = &[
    ("999 hi", "sent a line that is no SMTP reply"),
    ("25 ok", "sent a line that is no SMTP reply"),
    ("2500 ok", "sent a line that is no SMTP reply"),
    ("250\\tok", "sent a line that is no SMTP reply"),
    ("150 wait", "sent a line that is no SMTP reply"),
    ("", "sent a line that is no SMTP reply"),
    ("250\\0ok", "sent a line that is no SMTP reply"),
    ("550-a\\r\\n551 b", "changed the code inside one reply"),
    ("250 ok\\n250 ok", "sent a line end that is not CR LF"),
    ("250 ok\\r250 ok", "sent a line end that is not CR LF"),
    ("250 {x*5000}", "sent a line that is too long"),
];

/// Everything that can go wrong, at every place of a dialogue.
#[test]
fn trouble_everywhere() {
    let mut script = String::new();
    for place in include_str!("dialogue/client_places.txt")
        .split("\n# ")
        .skip(1)
    {
        let (title, so_far) = place.split_once('\n').unwrap();
        let (name, rest) = title.split_once(" | ").unwrap();
        let (stage, limit) = rest.split_once(", ").unwrap();
        let unknown = "; it is unknown whether the message was accepted";
        let dot_sent = if name == "the verdict" { unknown } else { "" };
        let refusal = match stage {
            "the message" => "not delivered, the message",
            _ => &format!("refused {stage}"),
        };
        let mut case = |what: &str, rest: &str| {
            script += &format!("\n# {what} at {name}\n{so_far}{rest}\n");
        };
        case(
            "no answer",
            &format!(
                "-- > timeout\n-- after {limit}\n\
                 -- error: the server took too long at {stage}{dot_sent}\n-- > eof"
            ),
        );
        case(
            "connection lost",
            &format!("-- > eof\n-- error: the connection was lost at {stage}{dot_sent}"),
        );
        case(
            "421",
            &format!(
                "S: 421-4.3.2 going\nS: 421 4.3.2 gone\n-- {refusal}: 421 4.3.2 gone\n\
                 -- > quit\n-- no: the dialogue is over\n-- > eof"
            ),
        );
        for (line, fault) in FAULTS {
            case(
                line,
                &format!("S: {line}\n-- error: at {stage} the peer {fault}{dot_sent}"),
            );
        }
    }
    dialogue::run(&script, start);
}
