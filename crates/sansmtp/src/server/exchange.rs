//! The AUTH exchange (RFC 4954): which response is due, and what it leads to.

use super::auth::{Progress, take_response};
use super::dialogue::Dialogue;
use super::event::{Event, Query};
use super::replies::{MALFORMED, ONLY_QUIT, out_of_order};
use super::session::Words;
use crate::capability::Mechanism;
use crate::state::{State, Step};

impl Dialogue<'_> {
    /// Takes an AUTH command; `response` tells where in `line` the initial
    /// response begins and how long it is.
    pub(super) fn take_auth<'a>(
        &'a mut self,
        mechanism: Option<Mechanism>,
        response: Option<(usize, usize)>,
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let usable = self.mechanisms();
        let nothing = self.configured().next().is_none();
        let mechanism = mechanism.filter(|wanted| self.configured().any(|m| m == *wanted));
        let needs_tls = |mechanism| !usable.has(mechanism);
        let session = &mut self.session;
        let refusal = if session.state == State::Closing {
            ONLY_QUIT
        } else if nothing {
            "502 5.5.1 AUTH is not available\r\n"
        } else if session.authenticated {
            "503 5.5.1 Already authenticated\r\n"
        } else if session.state != State::Ready {
            out_of_order(session.state)
        } else if usable.is_empty() || mechanism.is_some_and(needs_tls) {
            "538 5.7.11 TLS is required first: use STARTTLS\r\n"
        } else if let Some(mechanism) = mechanism {
            return self.begin(mechanism, response, line, reply);
        } else {
            "504 5.5.4 Mechanism is not available\r\n"
        };
        session.say(refusal);
        None
    }

    /// Begins an exchange.
    fn begin<'a>(
        &'a mut self,
        mechanism: Mechanism,
        response: Option<(usize, usize)>,
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let session = &mut self.session;
        session.mechanism = Some(mechanism);
        session.held = 0;
        session.token_refused = false;
        #[cfg(feature = "scram")]
        session.hashed.forget();
        match (mechanism, response) {
            #[cfg(feature = "scram")]
            (Mechanism::CramMd5, None) => self.begin_cram_md5(line, reply),
            // The server speaks first.
            (Mechanism::CramMd5, Some(_)) => self.deny(MALFORMED),
            (Mechanism::Login, None) => self.challenge(USER_NAME),
            (_, None) => self.challenge("334 \r\n"),
            (_, Some((start, length))) => {
                let end = start.saturating_add(length).min(line.len());
                line.copy_within(start.min(end)..end, 0);
                self.take_response(line, length, reply)
            }
        }
    }

    /// Takes a response, which lies in `line` behind the octets held from before.
    pub(super) fn take_response<'a>(
        &'a mut self,
        line: &'a mut [u8],
        length: usize,
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let Some(mechanism) = self.session.mechanism else {
            return self.deny(MALFORMED);
        };
        if core::mem::take(&mut self.session.token_refused) {
            return self.deny("535 5.7.8 The token is not valid\r\n");
        }
        #[cfg(feature = "scram")]
        match mechanism {
            Mechanism::CramMd5 => return self.take_cram_md5(line, length, reply),
            _ if mechanism.hashes() => return self.take_scram(mechanism, line, length, reply),
            _ => {}
        }
        let held = usize::from(self.session.held);
        let query = match take_response(mechanism, line, held, length) {
            Progress::Malformed => return self.deny(MALFORMED),
            Progress::User(length) => {
                self.session.held = length;
                return self.challenge(PASSWORD);
            }
            Progress::Login(login) => Query::Authenticate(login),
            Progress::Bearer(bearer) => Query::Bearer(bearer),
            Progress::External(identity) => Query::Authorize(identity),
        };
        self.session.held = 0;
        Some(self.ask(query, reply))
    }

    fn challenge<'a>(&mut self, words: Words) -> Option<Event<'a>> {
        self.session.step(Step::Challenge);
        self.session.say(words);
        None
    }

    /// Ends an AUTH exchange without asking anybody.
    pub(super) fn deny<'a>(&mut self, reply: Words) -> Option<Event<'a>> {
        let session = &mut self.session;
        session.held = 0;
        session.token_refused = false;
        #[cfg(feature = "scram")]
        session.hashed.forget();
        session.step(Step::DenyAuthentication);
        session.say(reply);
        None
    }
}

/// "Username:" and "Password:", which is what LOGIN clients expect.
const USER_NAME: Words = "334 VXNlcm5hbWU6\r\n";
const PASSWORD: Words = "334 UGFzc3dvcmQ6\r\n";
