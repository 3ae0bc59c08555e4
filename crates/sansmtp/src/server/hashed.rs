//! The server's side of the mechanisms with a hash function: SCRAM (RFC 5802, RFC
//! 7677) and CRAM-MD5 (RFC 2195).
//!
//! Between two messages the line buffer begins with what the client's next one is
//! checked against (`held` octets: the client-first message, or the challenge of
//! CRAM-MD5), and the reply buffer with the server-first message.

use super::auth::unescape;
use super::dialogue::Dialogue;
use super::event::{Digest, Event, Identity, KeysWanted, Query};
use super::replies::{AUTH_UNAVAILABLE, MALFORMED, RESPONSE_TOO_LONG};
use super::session::{Outbox, Session, Words};
use crate::auth::scram::{ClientFinal, ClientFirst, in_base64, write_challenge};
use crate::auth::{ChannelBinding, Hash, StoredKeys, cram_md5};
use crate::capability::Mechanism;
use crate::state::Step;
use crate::wire::base64::{self, Encoder};
use crate::wire::reply::Code;
use crate::wire::window::Window;
use zeroize::Zeroize;

/// What the session remembers for these mechanisms.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hashed {
    /// What the next nonce is made of.
    entropy: Option<[u8; 32]>,
    /// One of each type.
    bindings: [Option<ChannelBinding>; 2],
    place: Place,
    stored_key: [u8; 32],
    server_key: [u8; 32],
    /// Octets of base64 in the reply buffer: the server-first message.
    challenge: u16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// The client-first message is due.
    #[default]
    First,
    /// The client-final message is due.
    Final,
    /// The acknowledgement of the server's signature is due.
    Proven,
}

/// It holds keys, so that they are not shown.
impl core::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hashed")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Hashed {
    pub(super) fn set_entropy(&mut self, entropy: [u8; 32]) {
        self.entropy = Some(entropy);
    }

    pub(super) fn has_entropy(&self) -> bool {
        self.entropy.is_some()
    }

    pub(super) fn set_binding(&mut self, binding: ChannelBinding) {
        for place in &mut self.bindings {
            if place.is_none_or(|other| other.kind() == binding.kind()) {
                *place = Some(binding);
                return;
            }
        }
    }

    pub(super) fn has_binding(&self) -> bool {
        self.bindings.iter().any(Option::is_some)
    }

    /// Forgets the exchange.
    pub(super) fn forget(&mut self) {
        self.place = Place::First;
        self.stored_key.zeroize();
        self.server_key.zeroize();
        self.challenge = 0;
    }

    /// Octets that were never used before and can not be foreseen.
    fn nonce(&mut self) -> [u8; 18] {
        let mut nonce = [0; 18];
        if let Some(entropy) = &mut self.entropy {
            let fresh = Hash::Sha256.hmac(entropy, |f| f(b"nonce"));
            *entropy = Hash::Sha256.hmac(entropy, |f| f(b"next"));
            for (to, from) in nonce.iter_mut().zip(fresh) {
                *to = from;
            }
        }
        nonce
    }
}

impl Session {
    /// Goes on with the keys that the driver gave. `first` is the client-first
    /// message's nonce.
    pub(super) fn answer_with_keys(
        &mut self,
        client_nonce: &[u8],
        keys: &StoredKeys,
        buffer: &mut [u8],
    ) {
        self.asked = None;
        let hash = self.mechanism.and_then(Hash::of);
        let mut own_nonce = [0; 24];
        let mut window = Window::new(0, &mut own_nonce);
        let mut encoder = Encoder::default();
        encoder.put(&self.hashed.nonce(), &mut window);
        encoder.finish(&mut window);
        let written = write_challenge(client_nonce, &own_nonce, keys, buffer);
        match written.and_then(|length| u16::try_from(length).ok()) {
            Some(length) if hash == Some(keys.hash) => {
                self.hashed.place = Place::Final;
                self.hashed.stored_key = keys.stored_key;
                self.hashed.server_key = keys.server_key;
                self.hashed.challenge = length;
                self.challenge_with(length);
            }
            // The buffer is too small, or the keys are for another mechanism.
            _ => {
                self.held = 0;
                self.step(Step::DenyAuthentication);
                self.say(AUTH_UNAVAILABLE);
            }
        }
    }

    /// Sends the challenge at the beginning of the reply buffer.
    fn challenge_with(&mut self, length: u16) {
        self.step(Step::Challenge);
        self.outbox = Outbox::Custom {
            code: CHALLENGE,
            enhanced: None,
            length,
        };
    }
}

/// The nonce in the client-first message that `line` begins with.
pub(super) fn client_nonce(line: &[u8]) -> &[u8] {
    ClientFirst::parse(line).map_or(b"", |first| first.nonce)
}

impl Dialogue<'_> {
    /// Begins CRAM-MD5.
    pub(super) fn begin_cram_md5<'a>(
        &mut self,
        line: &mut [u8],
        reply: &mut [u8],
    ) -> Option<Event<'a>> {
        let mut octets = [0; 16];
        for (to, from) in octets.iter_mut().zip(self.session.hashed.nonce()) {
            *to = from;
        }
        let mut window = Window::new(0, line);
        let hostname = self.config.hostname.as_str().as_bytes();
        for part in [b"<", &cram_md5::hex(octets)[..], b"@", hostname, b">"] {
            window.put(part);
        }
        let (held, fits) = (window.written(), window.finished());
        let mut window = Window::new(0, reply);
        let mut encoder = Encoder::default();
        encoder.put(line.get(..held).unwrap_or_default(), &mut window);
        encoder.finish(&mut window);
        let (length, fits) = (window.written(), fits && window.finished());
        match (u16::try_from(held), u16::try_from(length)) {
            (Ok(held), Ok(length)) if fits => {
                self.session.held = held;
                self.session.challenge_with(length);
                None
            }
            _ => self.deny(AUTH_UNAVAILABLE),
        }
    }

    /// `response = user SP digest`
    pub(super) fn take_cram_md5<'a>(
        &'a mut self,
        line: &'a mut [u8],
        length: usize,
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let held = usize::from(core::mem::take(&mut self.session.held));
        let Some((challenge, response)) = line.split_at_mut_checked(held) else {
            return self.deny(MALFORMED);
        };
        let response = decode(response, length);
        let response = response.and_then(|response| core::str::from_utf8(response).ok());
        match response.and_then(|response| crate::octets::split_last(response, b' ')) {
            Some((user, digest)) if is_name(user) => {
                let query = Query::Digest(Digest {
                    user,
                    challenge,
                    digest,
                });
                Some(self.ask(query, reply))
            }
            _ => self.deny(MALFORMED),
        }
    }

    /// Takes a message of SCRAM.
    pub(super) fn take_scram<'a>(
        &'a mut self,
        mechanism: Mechanism,
        line: &'a mut [u8],
        length: usize,
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        match self.session.hashed.place {
            Place::First => self.take_first(mechanism, line, length, reply),
            Place::Final => self.take_final(mechanism, line, length, reply),
            Place::Proven if length == 0 => self.take_acknowledgement(mechanism, line, reply),
            Place::Proven => self.deny(MALFORMED),
        }
    }

    fn take_first<'a>(
        &'a mut self,
        mechanism: Mechanism,
        line: &'a mut [u8],
        length: usize,
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let Some(decoded) = decode(line, length).map(|decoded| decoded.len()) else {
            return self.deny(MALFORMED);
        };
        let Some((message, rest)) = line.split_at_mut_checked(decoded) else {
            return self.deny(MALFORMED);
        };
        let message: &'a [u8] = message;
        let Some(first) = ClientFirst::parse(message) else {
            return self.deny(MALFORMED);
        };
        let plus = Mechanism::ScramSha1Plus;
        let we_offer_plus = [plus, Mechanism::ScramSha256Plus]
            .into_iter()
            .any(|plus| self.mechanisms().has(plus));
        if !first.is_fitting(mechanism.binds_channel(), we_offer_plus) {
            return self.deny(NOT_BOUND);
        }
        // The message is needed as it came; the name is put behind it in clear.
        let Some(copy) = rest.get_mut(..first.user.len()) else {
            return self.deny(RESPONSE_TOO_LONG);
        };
        for (to, from) in copy.iter_mut().zip(first.user) {
            *to = *from;
        }
        let user = name(copy).filter(|user| is_name(user));
        let (Some(user), Some(hash), Ok(held)) =
            (user, Hash::of(mechanism), u16::try_from(decoded))
        else {
            return self.deny(MALFORMED);
        };
        self.session.held = held;
        let query = Query::Keys(KeysWanted {
            mechanism,
            hash,
            user,
            nonce: first.nonce,
        });
        Some(self.ask(query, reply))
    }

    fn take_final<'a>(
        &'a mut self,
        mechanism: Mechanism,
        line: &'a mut [u8],
        length: usize,
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let session = &self.session;
        let hashed = &session.hashed;
        let signature = line
            .split_at_mut_checked(usize::from(session.held))
            .and_then(|(message, response)| {
                let hash = Hash::of(mechanism)?;
                let first = ClientFirst::parse(message)?;
                let length = decode(response, length)?.len();
                let response = response.get_mut(..length)?;
                let server_first = decode(reply, usize::from(hashed.challenge))?;
                let message = ClientFinal::parse(
                    response,
                    &first,
                    server_first,
                    hash,
                    &hashed.stored_key,
                    &hashed.server_key,
                )?;
                Some(message.check(&first, &hashed.bindings).map(|s| (hash, s)))
            });
        self.session.hashed.forget();
        let (hash, signature) = match signature {
            None => return self.deny(MALFORMED),
            Some(None) => return self.deny(WRONG),
            Some(Some(signature)) => signature,
        };
        let mut window = Window::new(0, reply);
        let mut encoder = Encoder::default();
        let mut put = |piece: &[u8]| encoder.put(piece, &mut window);
        put(b"v=");
        in_base64(|f| f(hash.trimmed(&signature)), &mut put);
        encoder.finish(&mut window);
        match u16::try_from(window.written()) {
            Ok(length) if window.finished() => {
                self.session.hashed.place = Place::Proven;
                self.session.challenge_with(length);
                None
            }
            _ => self.deny(AUTH_UNAVAILABLE),
        }
    }

    /// The client has taken the server's signature.
    fn take_acknowledgement<'a>(
        &'a mut self,
        mechanism: Mechanism,
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let held = usize::from(core::mem::take(&mut self.session.held));
        self.session.hashed.forget();
        let place = line.get(..held).and_then(ClientFirst::parse).map(|first| {
            // The authorization comes first, and the user behind it.
            let header = first.header_len();
            (first.authorization.len(), header, first.user.len())
        });
        let names = place.and_then(|(authorization, header, user)| {
            let (header, bare) = line.split_at_mut_checked(header)?;
            let end = header.len().checked_sub(1)?;
            let authorization = header.get_mut(end.checked_sub(authorization)?..end)?;
            let user = bare.get_mut(2..)?.get_mut(..user)?;
            Some((name(authorization)?, name(user)?))
        });
        let Some((authorization, user)) = names else {
            return self.deny(MALFORMED);
        };
        let query = Query::Authorize(Identity {
            mechanism,
            authorization,
            user,
        });
        Some(self.ask(query, reply))
    }
}

/// Decodes what the buffer begins with.
fn decode(buffer: &mut [u8], length: usize) -> Option<&[u8]> {
    let decoded = base64::decode_in_place(buffer.get_mut(..length)?)?;
    buffer.get(..decoded)
}

fn name(escaped: &mut [u8]) -> Option<&str> {
    core::str::from_utf8(unescape(escaped)?).ok()
}

/// Whether this may be a user's name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.bytes().any(|b| b.is_ascii_control())
}

const CHALLENGE: Code = match Code::new(334) {
    Some(code) => code,
    None => Code::OK,
};

const WRONG: Words = "535 5.7.8 Authentication credentials invalid\r\n";
const NOT_BOUND: Words = "535 5.7.8 Channel binding does not fit the mechanisms offered\r\n";
