//! What a line asks for, and in which order commands may come.

use super::dialogue::{Dialogue, Taken};
use super::event::{Event, Query};
#[cfg(feature = "mta")]
use super::replies::TOO_MANY_MESSAGES;
use super::replies::{
    BARE_LINE_END, NO_ENVELOPE, ONLY_QUIT, RECIPIENT_NEEDS_SMTPUTF8, RESPONSE_TOO_LONG,
    SENDER_NEEDS_SMTPUTF8, TOO_LARGE, complaint, out_of_order,
};
use super::session::{Outbox, Words};
use crate::capability::{Extension, Mechanism};
use crate::config::Security;
use crate::error::{Error, Fault, Stage};
use crate::machine::Instant;
use crate::octets;
use crate::state::{State, Step};
use crate::wire::command::{Command, CommandError, is_auth, is_bdat};
use crate::wire::param::Body;

impl Dialogue<'_> {
    /// Takes the next line: a command, or a response within AUTH.
    #[inline(always)]
    pub(super) fn take_line<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Taken<'a> {
        // Nearly always a command that lies whole in the input, and is taken there.
        if cfg!(feature = "memchr")
            && self.session.framing.pending() == 0
            && self.session.state != State::Authenticating
            && let Some(length) = octets::line_end(input)
            && length <= line.len()
            && let Some((text, [b'\r', b'\n', rest @ ..])) = input.split_at_checked(length)
            && !is_auth(text)
        {
            self.arm(now);
            let used = length.wrapping_add(2);
            return Ok((used, self.take_text(now, text, !rest.is_empty(), reply)));
        }
        self.put_line_together(now, input, line, reply)
    }

    /// The same, by way of the line buffer.
    fn put_line_together<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Taken<'a> {
        let held = usize::from(self.session.held);
        let storage = line.get_mut(held..).unwrap_or_default();
        let (used, framed) = self.session.framing.take_into(storage, input);
        let Some((length, bare)) = framed else {
            return Ok((used, None));
        };
        self.arm(now);
        let room = storage.len();
        let length = length as usize;
        if self.session.state == State::Authenticating {
            self.session.secret = true;
            let event = if bare {
                self.deny(BARE_LINE_END)
            } else if length > room {
                self.deny(RESPONSE_TOO_LONG)
            } else if storage.get(..length) == Some(b"*".as_slice()) {
                self.deny("501 5.7.0 Authentication cancelled\r\n")
            } else {
                self.take_response(line, length, reply)
            };
            return Ok((used, event));
        }
        if length > room || bare {
            let start = storage.get(..length).unwrap_or(storage);
            let refusal = if bare {
                BARE_LINE_END
            } else {
                "500 5.5.2 Line too long\r\n"
            };
            self.refuse_line(start, refusal);
            return Ok((used, None));
        }
        // AUTH first: its argument is decoded where it lies.
        let text = line.get(..length).unwrap_or_default();
        if is_auth(text)
            && let Ok(Command::Auth {
                mechanism,
                initial_response,
            }) = self.parse(text)
        {
            self.session.secret = true;
            let mechanism = Mechanism::from_name(mechanism.as_bytes());
            let response = initial_response.map(|response| {
                let end = text.trim_ascii_end().len();
                let length = if response == "=" { 0 } else { response.len() };
                (end.wrapping_sub(response.len()), length)
            });
            return Ok((used, self.take_auth(mechanism, response, line, reply)));
        }
        let text = line.get(..length).unwrap_or_default();
        let leftover = used < input.len();
        Ok((used, self.take_text(now, text, leftover, reply)))
    }

    /// Takes a command line but AUTH, without its CR LF; `leftover` says that there is
    /// input behind it.
    #[inline(always)]
    fn take_text<'a>(
        &'a mut self,
        now: Instant,
        text: &'a [u8],
        leftover: bool,
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        match self.parse(text) {
            Ok(Command::Bdat { size, last }) => self.take_bdat(now, size, last, reply),
            Ok(command) => self.take_command(command, leftover, reply),
            Err(CommandError::Chunk { size: Some(size) }) => {
                self.refuse_chunk(now, size, complaint(CommandError::Arguments));
                None
            }
            Err(error) => {
                self.refuse_line(text, complaint(error));
                None
            }
        }
    }

    fn parse<'t>(&self, text: &'t [u8]) -> Result<Command<'t>, CommandError> {
        Command::parse_with(text, &|| self.offered())
    }

    /// Refuses a line that is no command.
    #[cold]
    fn refuse_line(&mut self, line: &[u8], refusal: Words) {
        // It may have been meant as AUTH.
        self.session.secret = true;
        if is_bdat(line) && self.offered().has(Extension::Chunking) {
            // What follows may be content, and must not be carried out.
            self.part(refusal);
        } else {
            self.session.say(refusal);
        }
    }

    fn take_command<'a>(
        &'a mut self,
        command: Command<'a>,
        leftover: bool,
        buffer: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let session = &mut self.session;
        if session.state == State::Closing && command != Command::Quit {
            session.say(ONLY_QUIT);
            return None;
        }
        let in_transaction = matches!(
            session.state,
            State::Mail | State::Recipients | State::Chunking
        );
        let query = match command {
            Command::Ehlo(_) | Command::Helo(_) if session.is_lmtp() => {
                // RFC 2033, section 4.1
                session.say("500 5.5.1 This is LMTP: use LHLO\r\n");
                return None;
            }
            #[cfg(feature = "mta")]
            Command::Lhlo(_) if !session.is_lmtp() => {
                session.say(complaint(CommandError::Unrecognized));
                return None;
            }
            #[cfg(feature = "mta")]
            Command::Lhlo(name) => {
                session.end_transaction(Step::Hello);
                session.outbox = Outbox::Ehlo;
                return Some(Event::Hello {
                    name,
                    extended: true,
                });
            }
            Command::Ehlo(name) | Command::Helo(name) => {
                let extended = matches!(command, Command::Ehlo(_));
                session.end_transaction(Step::Hello);
                session.outbox = if extended {
                    Outbox::Ehlo
                } else {
                    Outbox::Hello
                };
                return Some(Event::Hello { name, extended });
            }
            Command::StartTls => return self.take_starttls(leftover),
            // Taken before.
            Command::Auth { .. } | Command::Bdat { .. } => return None,
            Command::Mail {
                reverse_path,
                parameters,
            } => {
                let limit = self.config.capabilities.max_size;
                #[cfg(feature = "mta")]
                let most = self.config.limits.messages;
                #[cfg(feature = "mta")]
                if most > 0 && session.messages >= most && session.state == State::Ready {
                    // RFC 9422, section 4
                    self.part(TOO_MANY_MESSAGES);
                    return None;
                }
                let refusal = if session.state.next(Step::Mail).is_none() {
                    Some(out_of_order(session.state))
                } else if self.config.require_auth && !session.authenticated {
                    Some("530 5.7.0 Authentication required\r\n")
                } else if limit > 0 && parameters.size.is_some_and(|size| size > limit) {
                    Some(TOO_LARGE)
                } else if !reverse_path.as_str().is_ascii() && !parameters.smtputf8 {
                    Some(SENDER_NEEDS_SMTPUTF8)
                } else {
                    #[cfg(feature = "mta")]
                    {
                        self.refuse_handling(&parameters.handling)
                    }
                    #[cfg(not(feature = "mta"))]
                    None
                };
                let session = &mut self.session;
                if let Some(refusal) = refusal {
                    session.say(refusal);
                    return None;
                }
                session.smtputf8 = parameters.smtputf8;
                session.binary = parameters.body == Some(Body::BinaryMime);
                Query::Mail {
                    reverse_path,
                    parameters,
                }
            }
            Command::Rcpt {
                forward_path,
                parameters,
            } => {
                let refusal = if session.state == State::Chunking {
                    Some(out_of_order(session.state))
                } else if !in_transaction {
                    Some("503 5.5.1 MAIL comes first\r\n")
                } else if session.recipients >= self.config.limits.recipients {
                    Some("452 4.5.3 Too many recipients\r\n")
                } else if !session.smtputf8
                    && (!forward_path.as_str().is_ascii()
                        || parameters.orcpt.is_some_and(|it| it.needs_smtputf8()))
                {
                    Some(RECIPIENT_NEEDS_SMTPUTF8)
                } else {
                    None
                };
                if let Some(refusal) = refusal {
                    session.say(refusal);
                    return None;
                }
                Query::Recipient {
                    forward_path,
                    parameters,
                }
            }
            Command::Data => match session.state {
                State::Chunking => {
                    session.say(out_of_order(session.state));
                    return None;
                }
                State::Mail | State::Recipients if session.binary => {
                    // RFC 3030, section 3
                    session.say("503 5.5.1 BINARYMIME needs BDAT\r\n");
                    return None;
                }
                State::Recipients => {
                    session.chunked = false;
                    Query::Data
                }
                State::Mail => {
                    // RFC 2033, section 4.2
                    session.say(if session.is_lmtp() {
                        "503 5.5.1 No valid recipients\r\n"
                    } else {
                        "554 5.5.1 No valid recipients\r\n"
                    });
                    return None;
                }
                _ => {
                    session.say(NO_ENVELOPE);
                    return None;
                }
            },
            Command::Rset => {
                session.end_transaction(Step::Reset);
                session.say("250 2.0.0 Reset\r\n");
                return in_transaction.then_some(Event::Reset);
            }
            Command::Noop => {
                session.say("250 2.0.0 Ok\r\n");
                return None;
            }
            Command::Quit => {
                if session.state != State::Closing {
                    session.step(Step::Part);
                }
                session.shutdown = true;
                session.outbox = Outbox::Goodbye;
                return in_transaction.then_some(Event::Reset);
            }
            #[cfg(feature = "mta")]
            Command::Etrn(_) | Command::XClient(_) if session.state != State::Ready => {
                session.say(out_of_order(session.state));
                return None;
            }
            #[cfg(feature = "mta")]
            Command::Etrn(node) => Query::Etrn(node),
            #[cfg(feature = "mta")]
            Command::XClient(attributes) => Query::XClient(attributes),
            Command::Vrfy(name) => Query::Verify(name),
            Command::Expn(name) => Query::Expand(name),
            Command::Help(subject) => Query::Help(subject),
        };
        Some(self.ask(query, buffer))
    }

    fn take_starttls<'a>(&mut self, leftover: bool) -> Option<Event<'a>> {
        let session = &mut self.session;
        let refusal = if session.tls {
            Some("503 5.5.1 TLS is up already\r\n")
        } else if self.config.security != Security::StartTls {
            Some("502 5.5.1 STARTTLS is not available\r\n")
        } else if session.state.next(Step::AgreeTls).is_none() {
            Some(out_of_order(session.state))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            session.say(refusal);
            return None;
        }
        session.step(Step::AgreeTls);
        session.say("220 2.0.0 Go ahead with TLS\r\n");
        if leftover {
            // Somebody may have put it there (RFC 3207, section 6). The dialogue
            // goes as if it had come later; TLS is not wanted any more.
            self.fail(Error::Peer {
                stage: Stage::StartTls,
                fault: Fault::PlaintextAfterStartTls,
                outcome_unknown: false,
            });
        }
        Some(Event::StartTls)
    }
}
