//! The server's side: the client's messages taken apart and checked.
//!
//! The decoded client-first message stays at the beginning of the line buffer
//! while the exchange goes on, the server-first message in the reply buffer.

use super::{Hash, Output, StoredKeys, attribute, in_base64, padded, xor};
use crate::auth::{BindingKind, ChannelBinding};
use crate::wire::base64::{self, Encoder};
use crate::wire::window::Window;
use subtle::ConstantTimeEq;

/// The longest nonce of a client, in octets.
const NONCE_LIMIT: usize = 128;

/// `client-first-message = gs2-cbind-flag "," [authzid] "," username "," nonce
/// ["," extensions]` (RFC 5802, section 7); a mandatory extension is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientFirst<'a> {
    pub(crate) flag: Flag<'a>,
    /// The header with both of its commas.
    header: &'a [u8],
    bare: &'a [u8],
    /// Escaped, as `user` is.
    pub(crate) authorization: &'a [u8],
    pub(crate) user: &'a [u8],
    pub(crate) nonce: &'a [u8],
}

/// The client's use of channel bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag<'a> {
    /// The client has none.
    Impossible,
    /// The client thinks that this server has none.
    NotOffered,
    /// The exchange is bound, to this type of binding.
    Bound(&'a [u8]),
}

impl<'a> ClientFirst<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let mut parts = text.splitn(3, |&b| b == b',');
        let (flag, authorization) = (parts.next()?, parts.next()?);
        let bare = parts.next()?;
        let header = text.get(..text.len().checked_sub(bare.len())?)?;
        let flag = match flag {
            b"n" => Flag::Impossible,
            b"y" => Flag::NotOffered,
            other => Flag::Bound(attribute(other, b'p')?),
        };
        let authorization = match authorization {
            b"" => b"",
            other => attribute(other, b'a').filter(|name| !name.is_empty())?,
        };
        let mut attributes = bare.split(|&b| b == b',');
        let user = attribute(attributes.next()?, b'n').filter(|name| !name.is_empty())?;
        let nonce = attribute(attributes.next()?, b'r')?;
        let fit = (1..=NONCE_LIMIT).contains(&nonce.len())
            && nonce.iter().all(u8::is_ascii_graphic)
            && !attributes.any(|attribute| attribute.starts_with(b"m="));
        fit.then_some(Self {
            flag,
            header,
            bare,
            authorization,
            user,
            nonce,
        })
    }

    /// Octets of the header, whose last one is a comma.
    pub(crate) fn header_len(&self) -> usize {
        self.header.len()
    }

    /// Whether the header fits the mechanism. A client that could bind, but
    /// thinks that we can not, was told so by somebody in between.
    pub(crate) fn is_fitting(&self, plus: bool, we_offer_plus: bool) -> bool {
        match self.flag {
            Flag::Impossible => !plus,
            Flag::NotOffered => !plus && !we_offer_plus,
            Flag::Bound(name) => plus && BindingKind::from_name(name).is_some(),
        }
    }
}

/// Writes `server-first-message` in base64, and returns its length; `None` if it
/// does not fit.
pub(crate) fn write_challenge(
    client_nonce: &[u8],
    own_nonce: &[u8],
    keys: &StoredKeys,
    out: &mut [u8],
) -> Option<usize> {
    let mut digits = [0; 10];
    let mut window = Window::new(0, &mut digits);
    window.put_decimal(u64::from(keys.iterations()));
    let length = window.written();
    let iterations = digits.get(..length).unwrap_or_default();
    let mut window = Window::new(0, out);
    let mut encoder = Encoder::default();
    let mut put = |piece: &[u8]| encoder.put(piece, &mut window);
    put(b"r=");
    put(client_nonce);
    put(own_nonce);
    put(b",s=");
    in_base64(|f| f(keys.salt()), &mut put);
    put(b",i=");
    put(iterations);
    encoder.finish(&mut window);
    window.finished().then_some(window.written())
}

/// `client-final-message = channel-binding "," nonce ["," extensions] "," proof`
#[derive(Debug)]
pub(crate) struct ClientFinal<'a> {
    /// The value of `c`, in base64.
    binding: &'a mut [u8],
    nonce_fits: bool,
    signature: Output,
    proven: bool,
}

impl<'a> ClientFinal<'a> {
    /// Takes the message apart and computes the signatures. `None` if it is
    /// malformed.
    pub(crate) fn parse(
        text: &'a mut [u8],
        first: &ClientFirst<'_>,
        server_first: &[u8],
        hash: Hash,
        stored_key: &Output,
        server_key: &Output,
    ) -> Option<Self> {
        let proof_at = text.windows(3).rposition(|w| w == b",p=")?;
        let (without_proof, proof) = text.split_at_mut_checked(proof_at)?;
        let proof = proof.get_mut(3..)?;
        let length = base64::decode_in_place(proof)?;
        let proof = proof
            .get(..length)
            .filter(|proof| proof.len() == hash.output_len())?;
        let mut attributes = without_proof.split(|&b| b == b',');
        let binding = attribute(attributes.next()?, b'c')?.len();
        let nonce = attribute(attributes.next()?, b'r')?;
        if attributes.any(|attribute| attribute.starts_with(b"m=")) {
            return None;
        }
        let sent = server_first.split(|&b| b == b',').next();
        let nonce_fits = sent.and_then(|sent| attribute(sent, b'r')) == Some(nonce);
        let auth_message = |f: super::Sink<'_>| {
            f(first.bare);
            f(b",");
            f(server_first);
            f(b",");
            f(without_proof);
        };
        let client_signature = hash.hmac(stored_key, auth_message);
        let signature = hash.hmac(server_key, auth_message);
        let proof = padded(proof);
        let client_key = xor(proof, &client_signature);
        let proven = hash
            .trimmed(&hash.hash(&client_key))
            .ct_eq(hash.trimmed(stored_key));
        Some(Self {
            binding: without_proof.get_mut(2..)?.get_mut(..binding)?,
            nonce_fits,
            signature,
            proven: proven.into(),
        })
    }

    /// Whether the client knows the password, and the exchange is that of this
    /// connection. Then the server's own signature is returned.
    pub(crate) fn check(
        self,
        first: &ClientFirst<'_>,
        bindings: &[Option<ChannelBinding>],
    ) -> Option<Output> {
        let length = base64::decode_in_place(self.binding)?;
        let given = self.binding.get(..length)?;
        let (header, data) = given.split_at_checked(first.header.len())?;
        let bound = match first.flag {
            Flag::Impossible | Flag::NotOffered => data.is_empty(),
            Flag::Bound(name) => {
                let kind = BindingKind::from_name(name)?;
                let mut ours = bindings.iter().flatten();
                let ours = ours.find(|binding| binding.kind() == kind)?;
                ours.octets().ct_eq(data).into()
            }
        };
        let fits = self.proven && self.nonce_fits && bound && header == first.header;
        fits.then_some(self.signature)
    }
}
