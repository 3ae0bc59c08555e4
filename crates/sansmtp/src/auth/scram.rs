//! SCRAM (RFC 5802, RFC 7677): what a server keeps of a password, and the
//! computations of both sides.
//!
//! The core has no tables of Unicode: what is not ASCII is prepared with SASLprep (RFC
//! 4013) outside of it. A client hands the forms in by
//! [`Credentials::with_prepared`](crate::auth::Credentials::with_prepared); a server derives keys from
//! the prepared password, and looks users up by the prepared name.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub(crate) use client::{Binding, ClientExchange};
#[cfg(feature = "server")]
pub(crate) use server::{ClientFinal, ClientFirst, write_challenge};

use super::hash::{Function, Hmac};
use crate::capability::Mechanism;
use crate::wire::base64::{self, Encoder};
use crate::wire::window::Window;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// The least number of iterations that is taken (RFC 7677, section 4).
pub const LEAST_ITERATIONS: u32 = 4096;

/// The hash function of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SCRAM-SHA-1.
    Sha1,
    /// SCRAM-SHA-256.
    Sha256,
}

pub(crate) use super::hash::Output;

/// Receives a text in pieces.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(&[u8]);

impl Hash {
    /// The hash function of a mechanism, if it is a kind of SCRAM.
    pub const fn of(mechanism: Mechanism) -> Option<Self> {
        match mechanism {
            Mechanism::ScramSha1 | Mechanism::ScramSha1Plus => Some(Self::Sha1),
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => Some(Self::Sha256),
            _ => None,
        }
    }

    const fn function(self) -> Function {
        match self {
            Self::Sha1 => Function::Sha1,
            Self::Sha256 => Function::Sha256,
        }
    }

    const fn output_len(self) -> usize {
        self.function().length()
    }

    /// The octets of an output that count.
    pub(crate) fn trimmed(self, output: &Output) -> &[u8] {
        output.get(..self.output_len()).unwrap_or(output)
    }

    /// `H(str)`
    pub(crate) fn hash(self, text: &Output) -> Output {
        self.function().hash(self.trimmed(text))
    }

    /// `HMAC(key, str)`
    pub(crate) fn hmac(self, key: &Output, text: impl FnOnce(Sink<'_>)) -> Output {
        Hmac::new(self.function(), self.trimmed(key)).code(text)
    }

    /// `Hi(str, salt, i)`
    fn stretch(self, password: &str, salt: &[u8], iterations: u32) -> Output {
        Hmac::new(self.function(), password.as_bytes()).stretch(salt, iterations)
    }
}

fn padded(digest: &[u8]) -> Output {
    let mut padded = [0; 32];
    for (to, from) in padded.iter_mut().zip(digest) {
        *to = *from;
    }
    padded
}

fn xor(mut left: Output, right: &Output) -> Output {
    for (to, from) in left.iter_mut().zip(right) {
        *to ^= *from;
    }
    left
}

/// What a server keeps of a password (RFC 5802, section 3): enough to check a
/// client's proof, not enough to give one. It is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKeys {
    pub(crate) hash: Hash,
    iterations: u32,
    salt: [u8; Self::SALT_LIMIT],
    salt_len: u8,
    pub(crate) stored_key: Output,
    pub(crate) server_key: Output,
}

impl core::fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StoredKeys")
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl Drop for StoredKeys {
    fn drop(&mut self) {
        self.stored_key.zeroize();
        self.server_key.zeroize();
    }
}

impl StoredKeys {
    /// The longest salt, in octets.
    pub const SALT_LIMIT: usize = 64;

    /// Computes the keys of a password. The work grows with `iterations`, of
    /// which there are at least [`LEAST_ITERATIONS`]. `None` if the salt is empty
    /// or longer than [`StoredKeys::SALT_LIMIT`]. Take 16 random octets, others
    /// for each user.
    pub fn derive(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Option<Self> {
        let iterations = iterations.max(LEAST_ITERATIONS);
        let mut keys = Self::without_keys(hash, iterations, salt)?;
        let derived = Derived::new(hash, password, salt, iterations);
        keys.stored_key = hash.hash(&derived.client_key);
        keys.server_key = derived.server_key;
        Some(keys)
    }

    /// Keys that were kept elsewhere: `StoredKey` and `ServerKey` of RFC 5802,
    /// 20 octets each for SHA-1, 32 for SHA-256. `None` if a length does not fit,
    /// or if there are less than [`LEAST_ITERATIONS`].
    pub fn from_parts(
        hash: Hash,
        iterations: u32,
        salt: &[u8],
        stored_key: &[u8],
        server_key: &[u8],
    ) -> Option<Self> {
        let length = hash.output_len();
        if iterations < LEAST_ITERATIONS || stored_key.len() != length || server_key.len() != length
        {
            return None;
        }
        let mut keys = Self::without_keys(hash, iterations, salt)?;
        keys.stored_key = padded(stored_key);
        keys.server_key = padded(server_key);
        Some(keys)
    }

    /// Keys for a user who does not exist, so that an answer does not tell (RFC
    /// 5802, section 9). No proof fits them. `secret` is 32 random octets that stay
    /// the same, so that a name always gets the same salt; `iterations` is what
    /// the users who exist have.
    pub fn pretend(hash: Hash, secret: &[u8; 32], user: &str, iterations: u32) -> Self {
        let make = |what: &[u8]| {
            Hash::Sha256.hmac(secret, |f| {
                f(what);
                f(user.as_bytes());
            })
        };
        let salt = make(b"salt ");
        let mut keys = Self {
            hash,
            iterations: iterations.max(LEAST_ITERATIONS),
            salt: [0; Self::SALT_LIMIT],
            salt_len: 16,
            stored_key: make(b"stored key "),
            server_key: make(b"server key "),
        };
        for (to, from) in keys.salt.iter_mut().zip(salt.iter().take(16)) {
            *to = *from;
        }
        keys
    }

    fn without_keys(hash: Hash, iterations: u32, salt: &[u8]) -> Option<Self> {
        if salt.is_empty() || salt.len() > Self::SALT_LIMIT {
            return None;
        }
        let mut kept = [0; Self::SALT_LIMIT];
        for (to, from) in kept.iter_mut().zip(salt) {
            *to = *from;
        }
        Some(Self {
            hash,
            iterations,
            salt: kept,
            salt_len: u8::try_from(salt.len()).ok()?,
            stored_key: [0; 32],
            server_key: [0; 32],
        })
    }

    /// Whether this is the password, for PLAIN and LOGIN. The work grows with the
    /// iterations; the comparison takes constant time.
    pub fn verify(&self, password: &str) -> bool {
        let derived = Derived::new(self.hash, password, self.salt(), self.iterations);
        let stored_key = self.hash.hash(&derived.client_key);
        self.hash
            .trimmed(&stored_key)
            .ct_eq(self.hash.trimmed(&self.stored_key))
            .into()
    }

    /// The hash function.
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// How often the password was hashed.
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        self.salt
            .get(..usize::from(self.salt_len))
            .unwrap_or_default()
    }

    /// `StoredKey`, for keeping.
    pub fn stored_key(&self) -> &[u8] {
        self.hash.trimmed(&self.stored_key)
    }

    /// `ServerKey`, for keeping.
    pub fn server_key(&self) -> &[u8] {
        self.hash.trimmed(&self.server_key)
    }
}

/// The keys that follow from a password.
struct Derived {
    client_key: Output,
    server_key: Output,
}

impl Derived {
    fn new(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Self {
        let mut salted = hash.stretch(password, salt, iterations);
        let derived = Self {
            client_key: hash.hmac(&salted, |f| f(b"Client Key")),
            server_key: hash.hmac(&salted, |f| f(b"Server Key")),
        };
        salted.zeroize();
        derived
    }
}

impl Drop for Derived {
    fn drop(&mut self) {
        self.client_key.zeroize();
        self.server_key.zeroize();
    }
}

/// The value of an attribute `x=value`.
fn attribute(text: &[u8], name: u8) -> Option<&[u8]> {
    match text {
        [first, b'=', value @ ..] if *first == name => Some(value),
        _ => None,
    }
}

/// Decodes base64 into `buffer`.
pub(crate) fn decode<'b>(coded: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let buffer = buffer.get_mut(..coded.len())?;
    for (to, from) in buffer.iter_mut().zip(coded) {
        *to = *from;
    }
    let length = base64::decode_in_place(buffer)?;
    buffer.get(..length)
}

/// Passes on the base64 form of a text.
pub(crate) fn in_base64(text: impl FnOnce(Sink<'_>), f: Sink<'_>) {
    // A GS2 header with a channel binding is the longest.
    let mut buffer = [0; 128];
    let mut window = Window::new(0, &mut buffer);
    let mut encoder = Encoder::default();
    text(&mut |piece| encoder.put(piece, &mut window));
    encoder.finish(&mut window);
    let written = window.written();
    f(buffer.get(..written).unwrap_or_default());
}
