//! The client's exchange.

use super::{Derived, Hash, LEAST_ITERATIONS, Output, Sink, attribute, decode, in_base64, xor};
use crate::auth::{ChannelBinding, Credentials};
use crate::wire::base64::Encoder;
use crate::wire::param::decimal;
use crate::wire::window::Window;
use subtle::ConstantTimeEq;

/// The longest nonce, in octets, of both sides together.
const NONCE_LIMIT: usize = 112;
/// The longest challenge, in octets of base64.
const CHALLENGE_LIMIT: usize = 512;
/// Octets of the client's own nonce: 18 random octets in base64.
const OWN_NONCE: usize = 24;

/// The client's use of channel bindings: the flag of the GS2 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// The client has none.
    Impossible,
    /// The client has one, but the server does not offer -PLUS.
    NotOffered,
    /// The exchange is bound.
    Bound(ChannelBinding),
}

impl Binding {
    /// `gs2-header`, and behind it the channel binding: what `c=` stands for.
    fn render(&self, header_only: bool, f: Sink<'_>) {
        match self {
            Self::Impossible => f(b"n,,"),
            Self::NotOffered => f(b"y,,"),
            Self::Bound(binding) => {
                f(b"p=");
                f(binding.kind().name().as_bytes());
                f(b",,");
                if !header_only {
                    f(binding.octets());
                }
            }
        }
    }
}

/// The client's exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientExchange {
    hash: Hash,
    binding: Binding,
    place: Place,
    nonce: [u8; NONCE_LIMIT],
    nonce_len: u8,
    proof: Output,
    signature: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The client-first message is due or out.
    First,
    /// The client-final message is due or out.
    Final,
    /// The server has proven that it knows the password.
    Proven,
}

/// It holds a proof, so that it is not shown.
impl core::fmt::Debug for ClientExchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientExchange")
            .field("hash", &self.hash)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl ClientExchange {
    pub(crate) fn new(hash: Hash, binding: Binding, entropy: &[u8; 18]) -> Self {
        let mut nonce = [0; NONCE_LIMIT];
        let mut window = Window::new(0, &mut nonce);
        let mut encoder = Encoder::default();
        encoder.put(entropy, &mut window);
        encoder.finish(&mut window);
        Self {
            hash,
            binding,
            place: Place::First,
            nonce,
            nonce_len: OWN_NONCE as u8,
            proof: [0; 32],
            signature: [0; 32],
        }
    }

    /// Whether the server has proven that it knows the password, so that its
    /// success counts.
    pub(crate) fn is_proven(&self) -> bool {
        self.place == Place::Proven
    }

    fn nonce(&self) -> &[u8] {
        self.nonce
            .get(..usize::from(self.nonce_len))
            .unwrap_or_default()
    }

    /// Writes the message that is due, in base64.
    pub(crate) fn render(&self, credentials: &Credentials<'_>, out: &mut Window<'_>) {
        let mut encoder = Encoder::default();
        let mut put = |piece: &[u8]| encoder.put(piece, out);
        match self.place {
            Place::First => {
                self.binding.render(true, &mut put);
                self.first_bare(credentials.for_scram().0, &mut put);
            }
            Place::Final => {
                self.final_without_proof(&mut put);
                put(b",p=");
                in_base64(|f| f(self.hash.trimmed(&self.proof)), &mut put);
            }
            Place::Proven => {}
        }
        encoder.finish(out);
    }

    /// Takes a challenge, in base64. `None` ends the exchange: the challenge is
    /// malformed, or the server does not know the password.
    pub(crate) fn challenge(
        &mut self,
        credentials: &Credentials<'_>,
        most_iterations: u32,
        challenge: &[u8],
    ) -> Option<()> {
        let mut buffer = [0; CHALLENGE_LIMIT];
        let text = decode(challenge, &mut buffer)?;
        match self.place {
            Place::First => self.take_first(credentials, most_iterations, text),
            Place::Final => {
                // `server-final-message = (server-error / verifier) ["," extensions]`
                let mut attributes = text.split(|&b| b == b',');
                let mut signature = [0; 64];
                let given = decode(attribute(attributes.next()?, b'v')?, &mut signature)?;
                let ours = self.hash.trimmed(&self.signature);
                if !bool::from(ours.ct_eq(given)) || attributes.any(is_mandatory) {
                    return None;
                }
                self.place = Place::Proven;
                Some(())
            }
            Place::Proven => None,
        }
    }

    /// `server-first-message = [reserved-mext ","] nonce "," salt ","
    /// iteration-count ["," extensions]`; a mandatory extension is not known.
    fn take_first(
        &mut self,
        credentials: &Credentials<'_>,
        most_iterations: u32,
        text: &[u8],
    ) -> Option<()> {
        let mut attributes = text.split(|&b| b == b',');
        let nonce = attribute(attributes.next()?, b'r')?;
        let salt = attribute(attributes.next()?, b's')?;
        let iterations = decimal(attribute(attributes.next()?, b'i')?)?;
        let iterations = u32::try_from(iterations).ok()?;
        let continued = nonce.len() > OWN_NONCE && nonce.starts_with(self.nonce());
        let printable = nonce.iter().all(u8::is_ascii_graphic);
        let mut buffer = [0; 128];
        let salt = decode(salt, &mut buffer).filter(|salt| !salt.is_empty())?;
        if !continued
            || !printable
            || nonce.len() > NONCE_LIMIT
            || !(LEAST_ITERATIONS..=most_iterations).contains(&iterations)
        {
            return None;
        }
        for (to, from) in self.nonce.iter_mut().zip(nonce) {
            *to = *from;
        }
        self.nonce_len = u8::try_from(nonce.len()).ok()?;
        // Extensions may follow, but not one that must be understood.
        if attributes.any(is_mandatory) {
            return None;
        }
        let (user, password) = credentials.for_scram();
        let keys = Derived::new(self.hash, password.reveal(), salt, iterations);
        let auth_message = |f: Sink<'_>| {
            self.first_bare(user, f);
            f(b",");
            f(text);
            f(b",");
            self.final_without_proof(f);
        };
        let stored_key = self.hash.hash(&keys.client_key);
        let client_signature = self.hash.hmac(&stored_key, auth_message);
        let proof = xor(keys.client_key, &client_signature);
        let signature = self.hash.hmac(&keys.server_key, auth_message);
        self.proof = proof;
        self.signature = signature;
        self.place = Place::Final;
        Some(())
    }

    /// `client-first-message-bare = username "," nonce`
    fn first_bare(&self, user: &str, f: Sink<'_>) {
        f(b"n=");
        for byte in user.as_bytes() {
            match byte {
                b',' => f(b"=2C"),
                b'=' => f(b"=3D"),
                other => f(core::slice::from_ref(other)),
            }
        }
        f(b",r=");
        f(self.nonce.get(..OWN_NONCE).unwrap_or_default());
    }

    /// `client-final-message-without-proof = channel-binding "," nonce`
    fn final_without_proof(&self, f: Sink<'_>) {
        f(b"c=");
        in_base64(|f| self.binding.render(false, f), f);
        f(b",r=");
        f(self.nonce());
    }
}

/// Whether it is an extension that must be understood (RFC 5802, section 5.1).
fn is_mandatory(attribute: &[u8]) -> bool {
    attribute.starts_with(b"m=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::scram::padded;
    use crate::auth::{BindingKind, StoredKeys};
    use crate::wire::base64;
    use std::string::String;
    use std::vec::Vec;

    fn coded(text: &str) -> Vec<u8> {
        let mut out = std::vec![0; base64::encoded_len(text.len())];
        let mut window = Window::new(0, &mut out);
        let mut encoder = Encoder::default();
        encoder.put(text.as_bytes(), &mut window);
        encoder.finish(&mut window);
        out
    }

    fn said(exchange: &ClientExchange, credentials: &Credentials<'_>) -> String {
        let mut out = [0; 512];
        let mut window = Window::new(0, &mut out);
        exchange.render(credentials, &mut window);
        let written = window.written();
        let mut text = out[..written].to_vec();
        let length = base64::decode_in_place(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    }

    /// An exchange whose own nonce is this text, which is what the examples of the
    /// standards have; they are shorter than ours.
    fn with_nonce(hash: Hash, nonce: &str) -> ClientExchange {
        let mut exchange = ClientExchange::new(hash, Binding::Impossible, &[0; 18]);
        exchange.nonce = [0; NONCE_LIMIT];
        exchange.nonce[..nonce.len()].copy_from_slice(nonce.as_bytes());
        exchange.nonce_len = nonce.len() as u8;
        exchange
    }

    #[test]
    fn example_of_rfc_7677() {
        let credentials = Credentials::password("user", "pencil").unwrap();
        // The example's nonce has 20 octets, so its keys are checked alone.
        let mut salt = *b"W22ZaJ0SNY7soEsUEjb6gQ==";
        let length = base64::decode_in_place(&mut salt).unwrap();
        let keys = Derived::new(Hash::Sha256, "pencil", &salt[..length], 4096);
        let auth_message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let stored = StoredKeys::derive(Hash::Sha256, "pencil", &salt[..length], 4096).unwrap();
        let signature = Hash::Sha256.hmac(&stored.stored_key, |f| f(auth_message.as_bytes()));
        let proof = xor(keys.client_key, &signature);
        let mut text = Vec::new();
        in_base64(|f| f(&proof), &mut |piece| text.extend_from_slice(piece));
        assert_eq!(text, b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let server = Hash::Sha256.hmac(&stored.server_key, |f| f(auth_message.as_bytes()));
        text.clear();
        in_base64(|f| f(&server), &mut |piece| text.extend_from_slice(piece));
        assert_eq!(text, b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert!(stored.verify("pencil") && !stored.verify("pencils"));
        assert_eq!(
            said(&with_nonce(Hash::Sha256, "x"), &credentials).get(..8),
            Some("n,,n=use")
        );
    }

    #[test]
    fn an_exchange_in_full() {
        for hash in [Hash::Sha1, Hash::Sha256] {
            let credentials = Credentials::password("a=b,c", "pencil").unwrap();
            let mut exchange = ClientExchange::new(hash, Binding::NotOffered, &[7; 18]);
            let first = said(&exchange, &credentials);
            let nonce = first.strip_prefix("y,,n=a=3Db=2Cc,r=").unwrap();
            let server_first = std::format!("r={nonce}SRV,s=c2FsdA==,i=4096");
            assert!(
                exchange
                    .challenge(&credentials, 4096, &coded(&server_first))
                    .is_some()
            );
            let last = said(&exchange, &credentials);
            assert!(
                last.starts_with(&std::format!("c=eSws,r={nonce}SRV,p=")),
                "{last}"
            );

            // The server's side of it.
            let keys = StoredKeys::derive(hash, "pencil", b"salt", 4096).unwrap();
            let (without_proof, proof) = last.split_once(",p=").unwrap();
            let message = std::format!("{},{server_first},{without_proof}", &first[3..]);
            let signature = hash.hmac(&keys.stored_key, |f| f(message.as_bytes()));
            let mut buffer = [0; 64];
            let proof = padded(decode(proof.as_bytes(), &mut buffer).unwrap());
            assert_eq!(hash.hash(&xor(proof, &signature)), keys.stored_key);

            assert!(!exchange.is_proven());
            let server = hash.hmac(&keys.server_key, |f| f(message.as_bytes()));
            let mut verifier = b"v=".to_vec();
            in_base64(|f| f(hash.trimmed(&server)), &mut |piece| {
                verifier.extend_from_slice(piece)
            });
            let mut copy = exchange;
            let wrong = coded("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
            assert!(copy.challenge(&credentials, 4096, &wrong).is_none());
            assert!(
                copy.challenge(&credentials, 4096, &coded("e=other-error"))
                    .is_none()
            );
            let verifier = String::from_utf8(verifier).unwrap();
            let with = |extensions: &str| coded(&std::format!("{verifier}{extensions}"));
            for refused in [",m=must", ",x=1,m=must", "A", "=", ";x=1"] {
                let mut copy = exchange;
                let answer = copy.challenge(&credentials, 4096, &with(refused));
                assert!(answer.is_none() && !copy.is_proven(), "{refused}");
            }
            // An extension that need not be understood is none of our business.
            let mut copy = exchange;
            let answer = copy.challenge(&credentials, 4096, &with(",x=1"));
            assert!(answer.is_some() && copy.is_proven());
            assert!(
                exchange
                    .challenge(&credentials, 4096, &coded(&verifier))
                    .is_some()
            );
            assert!(exchange.is_proven());
            assert!(
                exchange
                    .challenge(&credentials, 4096, &coded(&verifier))
                    .is_none()
            );
        }
    }

    #[test]
    fn a_bound_exchange_names_and_holds_the_binding() {
        let credentials = Credentials::password("user", "pencil").unwrap();
        let binding = ChannelBinding::new(BindingKind::TlsExporter, &[1; 32]).unwrap();
        let mut exchange = ClientExchange::new(Hash::Sha256, Binding::Bound(binding), &[7; 18]);
        let first = said(&exchange, &credentials);
        let nonce = first.strip_prefix("p=tls-exporter,,n=user,r=").unwrap();
        let server_first = std::format!("r={nonce}SRV,s=c2FsdA==,i=4096");
        exchange
            .challenge(&credentials, 4096, &coded(&server_first))
            .unwrap();
        let last = said(&exchange, &credentials);
        let (c, _) = last[2..].split_once(',').unwrap();
        let mut buffer = [0; 128];
        let c = decode(c.as_bytes(), &mut buffer).unwrap();
        assert_eq!(c, [b"p=tls-exporter,,".as_slice(), &[1; 32]].concat());
        assert!(ChannelBinding::new(BindingKind::TlsExporter, &[0; 65]).is_none());
        assert!(ChannelBinding::new(BindingKind::TlsExporter, &[]).is_none());
    }

    /// What SCRAM signs is the prepared form (RFC 5802, section 5.1).
    #[test]
    fn prepared_names_and_passwords() {
        let credentials = Credentials::password("I\u{ad}X", "\u{2168}")
            .unwrap()
            .with_prepared("IX", "IX")
            .unwrap();
        let plain = Credentials::password("IX", "IX").unwrap();
        let mut exchanges = [credentials, plain].map(|credentials| {
            let mut exchange = ClientExchange::new(Hash::Sha256, Binding::Impossible, &[7; 18]);
            let first = said(&exchange, &credentials);
            let nonce = first.strip_prefix("n,,n=IX,r=").unwrap();
            let server_first = std::format!("r={nonce}SRV,s=c2FsdA==,i=4096");
            exchange
                .challenge(&credentials, 4096, &coded(&server_first))
                .unwrap();
            said(&exchange, &credentials)
        });
        exchanges.sort();
        assert_eq!(exchanges[0], exchanges[1]);
        assert!(credentials.with_prepared("", "IX").is_err());
        assert!(credentials.with_prepared("a\r\n", "IX").is_err());
    }

    #[test]
    fn challenges_that_end_the_exchange() {
        let credentials = Credentials::password("user", "pencil").unwrap();
        let fresh = ClientExchange::new(Hash::Sha256, Binding::Impossible, &[7; 18]);
        let first = said(&fresh, &credentials);
        let nonce = first.strip_prefix("n,,n=user,r=").unwrap();
        for text in [
            std::format!("r={nonce}S,s=c2FsdA==,i=4095"),
            std::format!("r={nonce}S,s=c2FsdA==,i=1"),
            std::format!("r={nonce}S,s=c2FsdA==,i=10001"),
            std::format!("r={nonce}S,s=c2FsdA==,i=4294967295"),
            std::format!("r={nonce}S,s=c2FsdA==,i=4294971392"),
            std::format!("r={nonce}S,s=c2FsdA==,i=-1"),
            std::format!("r={nonce}S,s=c2FsdA=="),
            std::format!("r={nonce}S,s=,i=4096"),
            std::format!("r={nonce}S,s=!!!!,i=4096"),
            std::format!("r={nonce},s=c2FsdA==,i=4096"),
            std::format!("r=attacker{nonce},s=c2FsdA==,i=4096"),
            std::format!("r={nonce}\u{e9},s=c2FsdA==,i=4096"),
            std::format!("r={nonce}S,s=c2FsdA==,i=4096,m=must"),
            std::format!("m=must,r={nonce}S,s=c2FsdA==,i=4096"),
            std::format!("r={nonce}{},s=c2FsdA==,i=4096", "x".repeat(200)),
            String::new(),
            "e=other-error".into(),
        ] {
            let mut exchange = fresh;
            assert_eq!(
                exchange.challenge(&credentials, 10_000, &coded(&text)),
                None,
                "{text}"
            );
        }
        let mut exchange = fresh;
        assert_eq!(
            exchange.challenge(&credentials, 10_000, b"not base64"),
            None
        );
        let good = std::format!("r={nonce}S,s=c2FsdA==,i=4096,x=extension");
        assert_eq!(
            exchange.challenge(&credentials, 10_000, &coded(&good)),
            Some(())
        );
    }
}
