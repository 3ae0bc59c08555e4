//! AES-128-GCM for embedded-tls, with an eye on what comes in.
//!
//! After the handshake the library panics on handshake messages other than a ticket or a new key, and it
//! reads tickets without looking at their length. Only here, between decryption and the library, such a
//! message can be seen, so it is replaced here. A cipher has no state; whether the handshake is over comes
//! with each record: the guard marks the version number in its header, which means nothing in TLS 1.3.

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{AeadCore, AeadInPlace, Error, Key, KeyInit, KeySizeUser, Nonce, Tag};
use embedded_tls::{Aes128GcmSha256, TlsCipherSuite};
use sha2::Sha256;

/// The version in the header of every protected record (RFC 8446, section 5.2): its second octet, and what
/// the guard makes of it once the handshake is over.
pub(crate) const VERSION: u8 = 3;
pub(crate) const VERSION_OPEN: u8 = 0xFF;

/// Content types of a protected record.
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// Handshake message that may come at any time (RFC 8446, section 4.6).
const NEW_SESSION_TICKET: u8 = 4;

/// `TLS_AES_128_GCM_SHA256`.
#[derive(Debug)]
pub(crate) struct Suite;

impl TlsCipherSuite for Suite {
    const CODE_POINT: u16 = Aes128GcmSha256::CODE_POINT;
    type Cipher = Cipher;
    type KeyLen = <Aes128GcmSha256 as TlsCipherSuite>::KeyLen;
    type IvLen = <Aes128GcmSha256 as TlsCipherSuite>::IvLen;
    type Hash = Sha256;
    type LabelBufferSize = <Aes128GcmSha256 as TlsCipherSuite>::LabelBufferSize;
}

pub(crate) struct Cipher(Aes128Gcm);

impl KeySizeUser for Cipher {
    type KeySize = <Aes128Gcm as KeySizeUser>::KeySize;
}

impl KeyInit for Cipher {
    fn new(key: &Key<Self>) -> Self {
        Self(Aes128Gcm::new(key))
    }
}

impl AeadCore for Cipher {
    type NonceSize = <Aes128Gcm as AeadCore>::NonceSize;
    type TagSize = <Aes128Gcm as AeadCore>::TagSize;
    type CiphertextOverhead = <Aes128Gcm as AeadCore>::CiphertextOverhead;
}

impl AeadInPlace for Cipher {
    fn encrypt_in_place_detached(
        &self,
        nonce: &Nonce<Self>,
        header: &[u8],
        buffer: &mut [u8],
    ) -> Result<Tag<Self>, Error> {
        self.0.encrypt_in_place_detached(nonce, header, buffer)
    }

    fn decrypt_in_place_detached(
        &self,
        nonce: &Nonce<Self>,
        header: &[u8],
        buffer: &mut [u8],
        tag: &Tag<Self>,
    ) -> Result<(), Error> {
        let Ok([content, major, minor, high, low]) = <[u8; 5]>::try_from(header) else {
            return Err(Error);
        };
        let header = [content, major, VERSION, high, low];
        self.0
            .decrypt_in_place_detached(nonce, &header, buffer, tag)?;
        if minor == VERSION_OPEN {
            replace_handshake(buffer);
        }
        Ok(())
    }
}

/// Replaces handshake messages after the handshake: tickets, which nobody here uses, by nothing, and all
/// others by a content type that the library refuses without looking further.
fn replace_handshake(plaintext: &mut [u8]) {
    let end = plaintext.iter().rposition(|octet| *octet != 0);
    let Some((messages, HANDSHAKE)) = end.and_then(|end| {
        let content = plaintext.get(end)?;
        Some((plaintext.get(..end)?, *content))
    }) else {
        return;
    };
    let content = match are_tickets(messages) {
        true => APPLICATION_DATA,
        false => CHANGE_CIPHER_SPEC,
    };
    plaintext.fill(0);
    if let Some(first) = plaintext.first_mut() {
        *first = content;
    }
}

fn are_tickets(mut messages: &[u8]) -> bool {
    while let [NEW_SESSION_TICKET, high, middle, low, rest @ ..] = messages {
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        match rest.get(length..) {
            Some([]) => return true,
            Some(next) => messages = next,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::replace_handshake;
    use std::vec::Vec;

    fn replaced(plaintext: &[u8]) -> Vec<u8> {
        let mut plaintext = Vec::from(plaintext);
        replace_handshake(&mut plaintext);
        plaintext
    }

    #[test]
    fn only_tickets_are_passed_over() {
        let nothing = |length| {
            let mut plaintext = Vec::from([0; 64]);
            plaintext[0] = 23;
            plaintext.truncate(length);
            plaintext
        };
        let refused = |length| {
            let mut plaintext = nothing(length);
            plaintext[0] = 20;
            plaintext
        };
        // Application data and alerts stay, also with padding, and what has no content type at all.
        for other in [
            &b"250 ok\r\n\x17"[..],
            b"\x16\x17\0\0",
            b"\x02\x28\x15",
            b"\0\0",
            b"",
        ] {
            assert_eq!(replaced(other), other);
        }
        assert_eq!(replaced(&[4, 0, 0, 2, 7, 7, 22]), nothing(7));
        assert_eq!(
            replaced(&[4, 0, 0, 0, 4, 0, 0, 1, 9, 22, 0, 0]),
            nothing(12)
        );
        // Finished, a new key, a ticket that hides something behind its length or is cut off, nothing.
        for bad in [
            &[20, 0, 0, 1, 7, 22][..],
            &[24, 0, 0, 1, 0, 22],
            &[4, 0, 0, 1, 7, 20, 0, 0, 0, 22],
            &[4, 0, 0, 9, 7, 22],
            &[4, 0, 0, 22],
            &[22],
        ] {
            assert_eq!(replaced(bad), refused(bad.len()), "{bad:?}");
        }
    }
}
