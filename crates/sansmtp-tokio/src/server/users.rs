//! User names and passwords.

use super::handler::Verdict;
use super::reply::OwnedReply;
use crate::random;
use crate::saslprep;
use sansmtp::auth::{Hash, LEAST_ITERATIONS, StoredKeys};
use sansmtp::server::{KeysWanted, Login};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// The longest password in octets.
const PASSWORD_LIMIT: usize = 1024;

/// Users and the keys that follow from their passwords (RFC 5802, section 3). The
/// passwords themselves are not kept. Names and passwords are compared in their
/// SASLprep forms (RFC 4013), else exactly; a check is some milliseconds of work, and
/// for an unknown user the same.
#[derive(Default)]
pub struct Users {
    keys: HashMap<String, Keys>,
}

struct Keys {
    sha1: StoredKeys,
    sha256: StoredKeys,
}

/// Why a user can not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUser {
    /// The name is empty or holds a control character.
    Name,
    /// The password is empty, longer than 1,024 octets, or holds a NUL.
    Password,
    /// The operating system gives no random octets for the salt.
    NoRandom,
}

impl fmt::Display for InvalidUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the user name is empty or holds a control character",
            Self::Password => {
                "the password is empty, longer than 1024 octets, or holds a NUL character"
            }
            Self::NoRandom => "the operating system gives no random octets",
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
        if !is_password(password) {
            return Err(InvalidUser::Password);
        }
        let prepared = Zeroizing::new(prepared(password).into_owned());
        let derive = |hash| {
            let salt: [u8; 16] = random::octets().ok()?;
            StoredKeys::derive(hash, &prepared, &salt, LEAST_ITERATIONS)
        };
        let (sha1, sha256) = derive(Hash::Sha1)
            .zip(derive(Hash::Sha256))
            .ok_or(InvalidUser::NoRandom)?;
        let name = self::prepared(name).into_owned();
        self.keys.insert(name, Keys { sha1, sha256 });
        Ok(())
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether user and password belong together, and the user wants to act for
    /// nobody else (RFC 4616, section 2).
    pub fn check(&self, login: &Login<'_>) -> bool {
        let known = self.keys(login.user, Hash::Sha256);
        let is_known = known.is_some();
        let Some(keys) = known.or_else(|| nobody(login.user, Hash::Sha256)) else {
            return false;
        };
        let password = login.password.reveal();
        let prepared = Zeroizing::new(prepared(password).into_owned());
        let equal = is_password(password) && keys.verify(&prepared);
        let for_self = login.authorization.is_empty() || login.authorization == login.user;
        equal && is_known && for_self
    }

    /// What [`Users::check`] means as an answer of
    /// [`Handler::auth`](super::Handler::auth): yes, or 535 5.7.8.
    pub fn verdict(&self, login: &Login<'_>) -> Verdict {
        if self.check(login) {
            Verdict::Accept
        } else {
            OwnedReply::bad_credentials().into()
        }
    }

    /// The keys of a user for SCRAM.
    pub fn keys(&self, user: &str, hash: Hash) -> Option<StoredKeys> {
        let keys = self.keys.get(&*prepared(user))?;
        Some(match hash {
            Hash::Sha1 => keys.sha1.clone(),
            Hash::Sha256 => keys.sha256.clone(),
        })
    }
}

/// What SCRAM gets for a user who does not exist.
pub(super) fn pretend(wanted: &KeysWanted<'_>) -> Option<StoredKeys> {
    nobody(wanted.user, wanted.hash)
}

/// `None` if the operating system gave no random octets.
fn nobody(user: &str, hash: Hash) -> Option<StoredKeys> {
    static SECRET: LazyLock<Option<[u8; 32]>> = LazyLock::new(|| random::octets().ok());
    let secret = SECRET.as_ref()?;
    Some(StoredKeys::pretend(hash, secret, user, LEAST_ITERATIONS))
}

/// Shows the names only.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

/// What can not be prepared counts as it stands.
fn prepared(text: &str) -> Cow<'_, str> {
    saslprep::prepare(text).unwrap_or(Cow::Borrowed(text))
}

fn is_password(password: &str) -> bool {
    !password.is_empty() && password.len() <= PASSWORD_LIMIT && !password.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use sansmtp::auth::Secret;
    use sansmtp::capability::Mechanism;

    #[test]
    fn however_it_was_typed() {
        let mut users = Users::new();
        users.add("Zo\u{eb}", "\u{2168}\u{ad}").unwrap();
        let login = |user, password| Login {
            mechanism: Mechanism::Plain,
            authorization: "",
            user,
            password: Secret::new(password),
        };
        assert!(users.check(&login("Zoe\u{308}", "IX")));
        assert!(users.keys("Zoe\u{308}", Hash::Sha1).is_some());
        assert!(!users.check(&login("Zoe", "IX")));
    }

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
        for hash in [Hash::Sha1, Hash::Sha256] {
            assert!(users.keys("alice", hash).unwrap().verify("s3cret"));
            assert!(users.keys("Alice", hash).is_none());
        }
    }
}
