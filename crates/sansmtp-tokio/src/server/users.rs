//! User names and passwords.

use sansmtp::server::Login;
use std::collections::HashMap;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The longest password in octets.
const PASSWORD_LIMIT: usize = 1024;

/// A password, filled up with zeros, so that a comparison takes the same time
/// for passwords of any length. It is wiped when dropped.
type Padded = Zeroizing<[u8; PASSWORD_LIMIT]>;

/// Users and their passwords. Names are compared exactly, passwords in constant
/// time; an unknown user takes as long as a wrong password.
#[derive(Default)]
pub struct Users {
    passwords: HashMap<String, Box<Padded>>,
}

/// Why a user can not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUser {
    /// The name is empty or holds a control character.
    Name,
    /// The password is empty, longer than 1,024 octets, or holds a NUL.
    Password,
}

impl fmt::Display for InvalidUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the user name is empty or holds a control character",
            Self::Password => {
                "the password is empty, longer than 1024 octets, or holds a NUL character"
            }
        })
    }
}

impl std::error::Error for InvalidUser {}

impl Users {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user, or sets another password.
    ///
    /// # Errors
    /// If no client could send them.
    pub fn add(&mut self, name: &str, password: &str) -> Result<(), InvalidUser> {
        if name.is_empty() || name.bytes().any(|b| b.is_ascii_control()) {
            return Err(InvalidUser::Name);
        }
        let padded = pad(password).ok_or(InvalidUser::Password)?;
        self.passwords.insert(name.to_owned(), padded);
        Ok(())
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.passwords.is_empty()
    }

    /// Whether user and password belong together, and the user wants to act for
    /// nobody else (RFC 4616, section 2).
    pub fn check(&self, login: &Login<'_>) -> bool {
        let nobody = Padded::new([0; PASSWORD_LIMIT]);
        let known = self.passwords.get(login.user);
        let stored = known.map_or(&nobody, |padded| padded);
        let given = pad(login.password.reveal());
        let given_or_wrong = given.as_deref().unwrap_or(&nobody);
        let equal: bool = stored.as_slice().ct_eq(given_or_wrong.as_slice()).into();
        let for_self = login.authorization.is_empty() || login.authorization == login.user;
        equal && known.is_some() && given.is_some() && for_self
    }
}

/// Shows the names only.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.passwords.keys()).finish()
    }
}

fn pad(password: &str) -> Option<Box<Padded>> {
    let bytes = password.as_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        return None;
    }
    let mut padded = Box::new(Padded::new([0; PASSWORD_LIMIT]));
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sansmtp::auth::Secret;
    use sansmtp::capability::Mechanism;

    #[test]
    fn only_the_right_password_of_the_right_user() {
        let mut users = Users::new();
        users.add("alice", "s3cret").unwrap();
        let (longest, too_long) = ("x".repeat(1024), "x".repeat(1025));
        users.add("bob", &longest).unwrap();
        let check = |authorization, user, password| {
            users.check(&Login {
                mechanism: Mechanism::Plain,
                authorization,
                user,
                password: Secret::new(password),
            })
        };
        assert!(check("", "alice", "s3cret"));
        assert!(check("alice", "alice", "s3cret"));
        assert!(check("", "bob", &longest));
        for (authorization, user, password) in [
            ("bob", "alice", "s3cret"),
            ("", "alice", "s3cre"),
            ("", "alice", "s3cret\0"),
            ("", "alice", "s3crets"),
            ("", "alice", ""),
            ("", "Alice", "s3cret"),
            ("", "carol", "s3cret"),
            ("", "carol", ""),
            ("", "carol", "\0"),
            ("", "bob", &too_long),
        ] {
            assert!(!check(authorization, user, password), "{user} {password:?}");
        }
        assert_eq!(users.add("", "x"), Err(InvalidUser::Name));
        assert_eq!(users.add("a\n", "x"), Err(InvalidUser::Name));
        assert_eq!(users.add("a", ""), Err(InvalidUser::Password));
        assert_eq!(users.add("a", "x\0"), Err(InvalidUser::Password));
        assert!(!format!("{users:?}").contains("s3cret"));
    }
}
