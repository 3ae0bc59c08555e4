//! The server's side of PLAIN (RFC 4616) and LOGIN.

use crate::auth::Secret;
use crate::capability::Mechanism;
use crate::server::event::Login;
use crate::wire::base64;

/// What follows from a response of the client.
#[derive(Debug)]
pub(super) enum Progress<'a> {
    /// The credentials are complete.
    Login(Login<'a>),
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
    let (user, rest): (&[u8], &[u8]) = (user, rest);
    let response = rest.get(..decoded).unwrap_or_default();
    match (mechanism, held) {
        (Mechanism::Plain, _) => plain(response),
        (_, 0) if response.is_empty() => Progress::Malformed,
        (_, 0) => u16::try_from(decoded).map_or(Progress::Malformed, Progress::User),
        _ => login(Mechanism::Login, b"", user, response),
    }
}

/// `message = [authzid] UTF8NUL authcid UTF8NUL passwd`
fn plain(response: &[u8]) -> Progress<'_> {
    let mut parts = response.split(|&b| b == 0);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(authorization), Some(user), Some(password), None) => {
            login(Mechanism::Plain, authorization, user, password)
        }
        _ => Progress::Malformed,
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
