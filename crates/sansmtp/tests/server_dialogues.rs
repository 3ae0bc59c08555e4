//! The server against written clients, good and bad.

mod dialogue;

use dialogue::{Common, Driver};
use sansmtp::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{Config, Event, Limits, Query, Request, Server};
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::handling::Handling;
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};

struct ServerDriver {
    server: Server<'static>,
    common: Common,
    content: Vec<u8>,
    /// Questions that are left open, by their first word.
    hold: Vec<String>,
    /// The recipient whose content is refused.
    deny: Option<u32>,
    failed: bool,
}

/// Options: `mta` offers the rarer extensions, `lmtp` speaks LMTP, where `deny=N`
/// refuses the content for recipient N; `msgs=N` as a limit; `starttls` or `tls`; `auth` for PLAIN and LOGIN, `clear` to take
/// passwords without TLS; `max=N` octets; `rcpts=N`, `errors=N`, `line=N`,
/// `eat=N` as limits; `no-8bitmime` and `no-chunking` do not offer them; `ask` to be asked who may connect; `hold-mail` and so on to leave a
/// question open.
fn start(options: &str, read: usize, write: usize) -> ServerDriver {
    let words: Vec<&str> = options.split(' ').collect();
    let has = |word: &str| words.contains(&word);
    let number = |name: &str| {
        let value = words.iter().find_map(|word| word.strip_prefix(name));
        value.map(|value| value.parse::<u32>().unwrap())
    };
    let security = match () {
        () if has("tls") => Security::ImplicitTls,
        () if has("starttls") => Security::StartTls,
        () => Security::DangerPlaintext,
    };
    let mut config = Config::new(EhloName::parse("mx.example.org").unwrap(), security);
    if has("auth") {
        config = config.mechanisms(
            Mechanisms::NONE
                .with(Mechanism::Plain)
                .with(Mechanism::Login),
        );
    }
    if has("clear") {
        config = config.danger_plaintext_auth();
    }
    if has("required") {
        config = config.require_auth();
    }
    config.capabilities = config.capabilities.with(Extension::Dsn);
    for (word, extension) in [
        ("no-8bitmime", Extension::EightBitMime),
        ("no-chunking", Extension::Chunking),
    ] {
        if has(word) {
            config.capabilities = config.capabilities.without(extension);
        }
    }
    if has("bare") {
        config.capabilities = Capabilities::NONE;
    }
    let mut limits = Limits::default();
    limits.recipients = number("rcpts=").map_or(limits.recipients, |n| n as u16);
    limits.errors = number("errors=").map_or(limits.errors, |n| n as u16);
    limits.text_line = number("line=").unwrap_or(0);
    limits.refused_chunk = number("eat=").map_or(limits.refused_chunk, u64::from);
    config = config
        .limits(limits)
        .max_size(number("max=").map_or(1_048_576, u64::from));
    limits.messages = number("msgs=").map_or(limits.messages, |n| n as u16);
    config = config.limits(limits);
    if has("lmtp") {
        config = config.lmtp();
    }
    if has("mta") {
        config = [
            Extension::RequireTls,
            Extension::DeliverBy,
            Extension::FutureRelease,
            Extension::MtPriority,
            Extension::Limits,
            Extension::Etrn,
            Extension::XClient,
        ]
        .into_iter()
        .fold(config, Config::offer);
        let bounds = &mut config.capabilities.bounds;
        bounds.min_by_time = 60;
        bounds.hold_seconds = 86_400;
        bounds.hold_until = DateTime::parse("2030-01-01T00:00:00Z").unwrap();
    }
    let common = Common::new(read, write);
    let config: &'static Config<'static> = Box::leak(Box::new(config));
    let line = Box::leak(vec![0; 512].into_boxed_slice());
    let reply = Box::leak(vec![0; 64].into_boxed_slice());
    let mut driver = ServerDriver {
        server: Server::new(config, line, reply, common.now),
        common,
        content: Vec::new(),
        hold: words
            .iter()
            .filter_map(|word| word.strip_prefix("hold-"))
            .map(str::to_owned)
            .collect(),
        deny: number("deny="),
        failed: false,
    };
    if !has("silent") {
        driver.work();
    }
    driver
}

impl ServerDriver {
    /// Moves octets until nothing more happens.
    fn work(&mut self) {
        let mut out = vec![0; self.common.write];
        loop {
            loop {
                let written = self.server.transmit(self.common.now, &mut out);
                if written == 0 {
                    break;
                }
                self.common.output.extend_from_slice(&out[..written]);
            }
            let input = self.common.input.clone();
            let piece = &input[..input.len().min(self.common.read)];
            let (used, event) = match self.server.receive(self.common.now, piece) {
                Ok(taken) => taken,
                Err(error) => {
                    if !std::mem::replace(&mut self.failed, true) {
                        self.common.tell(format!("error: {error}"));
                    }
                    self.common.input.clear();
                    return;
                }
            };
            let silent = event.is_none();
            match event {
                None | Some(Event::Hello { .. }) => {}
                Some(Event::Request(request)) => {
                    let content = &mut self.content;
                    decide(request, &self.hold, self.deny, &mut self.common, content);
                }
                Some(Event::Content(stretch)) => self.content.extend_from_slice(stretch),
                Some(Event::Reset) => {
                    self.content.clear();
                    self.common.tell("reset".into());
                }
                Some(Event::StartTls) => self.common.tell("starttls".into()),
                Some(other) => panic!("{other:?}"),
            }
            self.common.input.drain(..used);
            if used == 0 && silent {
                return;
            }
        }
    }
}

/// Says yes, but no to names that begin with "no" and to wrong passwords.
fn decide(
    request: Request<'_>,
    hold: &[String],
    deny: Option<u32>,
    common: &mut Common,
    content: &mut Vec<u8>,
) {
    let query = request.query();
    let name = format!("{query:?}").to_lowercase();
    let (name, _) = name.split_once([' ', '(']).unwrap_or((&name, ""));
    let refused = match query {
        Query::Mail {
            reverse_path,
            parameters,
        } => {
            if parameters.handling != Handling::NONE {
                common.tell(format!("{:?}", parameters.handling));
            }
            reverse_path.as_str().starts_with("no")
        }
        Query::Delivery { recipient, size } => {
            assert_eq!(size, content.len() as u64);
            common.tell(format!("delivery {recipient} of {size} octets"));
            deny == Some(recipient.into())
        }
        Query::Etrn(node) => {
            common.tell(format!("etrn {node}"));
            node.starts_with("no")
        }
        Query::XClient(attributes) => {
            common.tell(format!("xclient {attributes:?}"));
            attributes.address().is_none()
        }
        Query::Recipient { forward_path, .. } => forward_path.as_str().starts_with("no"),
        Query::Authenticate(login) => {
            let authorization = login.authorization;
            common.tell(format!(
                "login {} {authorization:?} {:?} {:?}",
                login.mechanism,
                login.user,
                login.password.reveal()
            ));
            login.password.reveal() != "s3cret-pw"
        }
        Query::Message { size } => {
            assert_eq!(size, content.len() as u64);
            let text = String::from_utf8_lossy(content);
            common.tell(match content.len() {
                0..80 => format!("message {text:?}"),
                length => format!("message of {length} octets"),
            });
            content.clear();
            false
        }
        _ => false,
    };
    if hold.iter().any(|held| held == name) {
        // Dropped without an answer; it comes later, by the server itself.
        common.tell(format!("asked {name}"));
    } else if refused {
        let code = EnhancedCode::new(5, 7, 1);
        request.answer(&Reply::new(550, code, "no").unwrap());
    } else {
        request.accept();
    }
}

impl Driver for ServerDriver {
    const PEER: &'static str = "C: ";

    fn arrive(&mut self, octets: &[u8]) {
        self.common.input.extend_from_slice(octets);
        self.work();
    }

    fn act(&mut self, action: &str) {
        let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
        let now = self.common.now;
        let done = match verb {
            "tls" => self.server.tls_established(now),
            "accept" => self.server.accept(),
            "answer" => {
                let (code, text) = rest.split_once(' ').unwrap();
                let text = text.replace("\\n", "\n");
                let reply = Reply::new(code.parse().unwrap(), None, &text).unwrap();
                self.server.answer(&reply)
            }
            "shutdown" => {
                self.server.shutdown();
                Ok(())
            }
            "eof" => self.server.receive_eof(),
            "pass" => {
                self.common.now = now.after(rest.parse().unwrap());
                Ok(())
            }
            "timeout" => {
                let deadline = self.server.poll_timeout().expect("a deadline");
                let before = Instant::from_millis(deadline.millis() - 1);
                self.server.handle_timeout(before).unwrap();
                self.common.now = deadline;
                self.common
                    .tell(format!("after {} ms", deadline.since(now)));
                self.server.handle_timeout(deadline)
            }
            _ => panic!("no such action: {action}"),
        };
        if let Err(error) = done {
            self.failed |= self.server.is_closed();
            self.common.tell(format!("no: {error}"));
        }
        self.work();
    }

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn check(&mut self) {
        let waits = !self.server.is_asking() && !self.server.is_closed() && !self.failed;
        assert_eq!(
            self.server.poll_timeout().is_some(),
            waits,
            "a deadline stands if and only if the client has to do something: {:?}",
            self.server
        );
    }
}

#[test]
fn rarer_extensions() {
    dialogue::run(include_str!("dialogue/server_mta.txt"), start);
}

#[test]
fn lmtp() {
    dialogue::run(include_str!("dialogue/server_lmtp.txt"), start);
}

#[test]
fn sessions() {
    dialogue::run(include_str!("dialogue/server_session.txt"), start);
}

#[test]
fn order_of_commands() {
    dialogue::run(include_str!("dialogue/server_order.txt"), start);
}

#[test]
fn authentication() {
    dialogue::run(include_str!("dialogue/server_auth.txt"), start);
}

#[test]
fn content() {
    dialogue::run(include_str!("dialogue/server_content.txt"), start);
}

/// A case begins behind RCPT, if it is `fresh` behind HELO, if it is `whole`
/// before the greeting.
#[test]
fn chunks() {
    let hello = "S: 220 mx.example.org ESMTP ready\nC: HELO c\nS: 250 mx.example.org\n";
    let envelope = "C: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.org>\n\
                    S: 250 2.1.0 Sender ok\nS: 250 2.1.5 Recipient ok\n";
    let mut script = String::new();
    for case in include_str!("dialogue/server_chunks.txt")
        .split("\n# ")
        .skip(1)
    {
        let (title, rest) = case.split_once('\n').unwrap();
        let (_, options) = title.split_once(" | ").unwrap_or((title, ""));
        let before = match options.split(' ').next() {
            Some("whole") => String::new(),
            Some("fresh") => hello.to_owned(),
            _ => format!("{hello}{envelope}"),
        };
        script += &format!("\n# {title}\n{before}{rest}\n");
    }
    dialogue::run(&script, start);
}

#[test]
fn hostile_commands() {
    dialogue::run(include_str!("dialogue/server_hostile.txt"), start);
}
