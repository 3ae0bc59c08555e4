//! The server's side of the mechanisms without a hash function: PLAIN (RFC 4616),
//! LOGIN, XOAUTH2, OAUTHBEARER (RFC 7628) and EXTERNAL (RFC 4422, appendix A).

use crate::auth::Secret;
use crate::capability::Mechanism;
use crate::octets;
use crate::server::event::{Bearer, Identity, Login};
use crate::wire::base64;

/// What follows from a response of the client.
#[derive(Debug)]
pub(super) enum Progress<'a> {
    /// The credentials are complete.
    Login(Login<'a>),
    /// A token.
    Bearer(Bearer<'a>),
    /// EXTERNAL: whom the client wants to act for.
    External(Identity<'a>),
    /// LOGIN: the user name is decoded at the beginning of the buffer, this many
    /// octets; the password is next.
    User(u16),
    /// The response is malformed.
    Malformed,
}

/// Takes the response that lies in `buffer` behind the `held` octets of a user
/// name that came before, and decodes it where it lies.
pub(super) fn take_response(
    mechanism: Mechanism,
    buffer: &mut [u8],
    held: usize,
    length: usize,
) -> Progress<'_> {
    let Some((user, rest)) = buffer.split_at_mut_checked(held) else {
        return Progress::Malformed;
    };
    let Some(decoded) = rest.get_mut(..length).and_then(base64::decode_in_place) else {
        return Progress::Malformed;
    };
    if mechanism == Mechanism::OAuthBearer {
        let response = rest.get_mut(..decoded).unwrap_or_default();
        return oauthbearer(response).map_or(Progress::Malformed, Progress::Bearer);
    }
    let (user, rest): (&[u8], &[u8]) = (user, rest);
    let response = rest.get(..decoded).unwrap_or_default();
    match (mechanism, held) {
        (Mechanism::Plain, _) => plain(response),
        (Mechanism::XOAuth2, _) => xoauth2(response).map_or(Progress::Malformed, Progress::Bearer),
        (Mechanism::External, _) => external(response),
        (_, 0) if response.is_empty() => Progress::Malformed,
        (_, 0) => u16::try_from(decoded).map_or(Progress::Malformed, Progress::User),
        _ => login(Mechanism::Login, b"", user, response),
    }
}

/// `message = [authzid] UTF8NUL authcid UTF8NUL passwd`
fn plain(response: &[u8]) -> Progress<'_> {
    let parts = split(response, 0).and_then(|(authorization, rest)| {
        let (user, password) = split(rest, 0)?;
        Some((authorization, user, password))
    });
    match parts {
        // `login` takes no NUL in a password.
        Some((authorization, user, password)) => {
            login(Mechanism::Plain, authorization, user, password)
        }
        None => Progress::Malformed,
    }
}

fn login<'a>(
    mechanism: Mechanism,
    authorization: &'a [u8],
    user: &'a [u8],
    password: &'a [u8],
) -> Progress<'a> {
    let texts = (
        core::str::from_utf8(authorization),
        core::str::from_utf8(user),
        core::str::from_utf8(password),
    );
    match texts {
        (Ok(authorization), Ok(user), Ok(password))
            if !user.is_empty()
                && !password.is_empty()
                // LOGIN has no separators, but NUL is no character of a name.
                && !user.bytes().chain(password.bytes()).any(|b| b == 0) =>
        {
            Progress::Login(Login {
                mechanism,
                authorization,
                user,
                password: Secret::new(password),
            })
        }
        _ => Progress::Malformed,
    }
}

/// `initial_client_response = "user=" user ^A "auth=Bearer " token ^A ^A`
fn xoauth2(response: &[u8]) -> Option<Bearer<'_>> {
    let (user, rest) = split(response, 1)?;
    let (auth, end) = split(rest, 1)?;
    if end != [1] {
        return None;
    }
    let user = after(user, b"user=")?;
    bearer(Mechanism::XOAuth2, user, auth)
}

/// `client-resp = gs2-header kvsep *kvpair kvsep` (RFC 7628, section 3.1)
fn oauthbearer(response: &mut [u8]) -> Option<Bearer<'_>> {
    let header = response.iter().position(|&b| b == 1)?;
    let (header, pairs) = response.split_at_mut_checked(header)?;
    let pairs = pairs.get(1..)?;
    // No channel binding, and a comma before and behind the name.
    let name = match header {
        [b'n' | b'y', b',', b'a', b'=', name @ .., b','] => name,
        [b'n' | b'y', b',', b','] => &mut [],
        _ => return None,
    };
    let user = unescape(name)?;
    // `strip_suffix` links a panic path.
    let (pairs, end) = pairs.split_at_checked(pairs.len().checked_sub(2)?)?;
    (end == b"\x01\x01").then_some(())?;
    let auth = pairs
        .split(|&b| b == 1)
        .find(|pair| pair.starts_with(b"auth="))?;
    bearer(Mechanism::OAuthBearer, user, auth)
}

fn bearer<'a>(mechanism: Mechanism, user: &'a [u8], auth: &'a [u8]) -> Option<Bearer<'a>> {
    let value = after(auth, b"auth=")?;
    let (scheme, token) = value.split_at_checked(7)?;
    let fits = scheme.eq_ignore_ascii_case(b"Bearer ")
        && !token.is_empty()
        && token.iter().all(u8::is_ascii_graphic)
        && !user.iter().any(u8::is_ascii_control);
    if !fits {
        return None;
    }
    Some(Bearer {
        mechanism,
        user: core::str::from_utf8(user).ok()?,
        token: Secret::new(core::str::from_utf8(token).ok()?),
    })
}

/// An empty response stands for whom the certificate names.
fn external(response: &[u8]) -> Progress<'_> {
    match core::str::from_utf8(response) {
        Ok(authorization) if !authorization.bytes().any(|b| b.is_ascii_control()) => {
            Progress::External(Identity {
                mechanism: Mechanism::External,
                authorization,
                user: "",
            })
        }
        _ => Progress::Malformed,
    }
}

/// What stands before and after the first of this octet.
fn split(octets: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let (before, behind) = octets.split_at_checked(octets::position(octets, octet)?)?;
    Some((before, behind.get(1..)?))
}

fn after<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    (start == prefix).then_some(rest)
}

/// `saslname` (RFC 5801, section 4): puts the octets that `=2C` and `=3D` stand for
/// in their places.
pub(super) fn unescape(name: &mut [u8]) -> Option<&[u8]> {
    let mut written = 0_usize;
    let mut at = 0_usize;
    while let Some(&byte) = name.get(at) {
        let plain = match (byte, name.get(at..at.saturating_add(3))) {
            (b'=', Some(b"=2C")) => b',',
            (b'=', Some(b"=3D")) => b'=',
            (b'=' | b',' | 0, _) => return None,
            _ => byte,
        };
        at = at.saturating_add(if byte == b'=' { 3 } else { 1 });
        *name.get_mut(written)? = plain;
        written = written.wrapping_add(1);
    }
    name.get(..written)
}
