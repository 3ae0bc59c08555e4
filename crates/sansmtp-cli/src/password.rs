//! Where a password or token comes from: a file, the environment, a prompt.

use crate::args::Connect;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{note, warn};
use sansmtp::config::OwnedCredentials;
use sansmtp::provider::Provider;
use std::io::{IsTerminal, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// The variable that is looked at without being named.
pub(crate) const DEFAULT_VARIABLE: &str = "SANSMTP_PASSWORD";

/// More is no password; it may be that somebody named the wrong file.
const LARGEST: u64 = 16 * 1024;

/// Finds the secret for `user`, or says how to give it.
pub(crate) fn credentials(
    args: &Connect,
    user: &str,
    provider: Option<&Provider>,
) -> Result<OwnedCredentials> {
    if let Some(token) = token(args)? {
        return OwnedCredentials::oauth2(user, &token).map_err(|error| {
            let next = "check the token: it is one line of letters, digits and punctuation";
            Failure::new(Exit::Config, error, next)
        });
    }
    // A password that was given is tried: providers change, and tables age.
    let given = args.password.is_some()
        || args.password_file.is_some()
        || environment(&args.password_env)?.is_some();
    if let Some(provider) = provider
        && !provider.sign_in.accepts_password()
        && provider.sign_in.accepts_oauth2()
        && !given
    {
        let what = format!("{} takes no password", provider.name);
        let next = "give an OAuth2 access token with --oauth2-token-file or --oauth2-token-env";
        return Err(
            Failure::new(Exit::Config, what, next).explained(provider.help, provider.help_url)
        );
    }
    let password = password(args, user, provider)?;
    OwnedCredentials::password(user, &password).map_err(|error| {
        Failure::new(
            Exit::Config,
            error,
            "check the user name and where the password comes from",
        )
    })
}

fn token(args: &Connect) -> Result<Option<Zeroizing<String>>> {
    if let Some(path) = &args.oauth2_token_file {
        return first_line(path).map(Some);
    }
    let Some(variable) = &args.oauth2_token_env else {
        return Ok(None);
    };
    match environment(variable)? {
        Some(token) => Ok(Some(token)),
        None => Err(Failure::new(
            Exit::Config,
            format_args!("no OAuth2 token: the environment variable {variable} is not set"),
            format_args!("set {variable}, or name a file with --oauth2-token-file"),
        )),
    }
}

fn password(args: &Connect, user: &str, provider: Option<&Provider>) -> Result<Zeroizing<String>> {
    if let Some(password) = &args.password {
        warn(
            "a password on the command line can be seen by other users of this machine; \
             --password-file or the environment is safer",
        );
        return Ok(Zeroizing::new(password.clone()));
    }
    if let Some(path) = &args.password_file {
        return first_line(path);
    }
    if let Some(password) = environment(&args.password_env)? {
        return Ok(password);
    }
    if args.password_env == DEFAULT_VARIABLE && std::io::stdin().is_terminal() {
        if let Some(provider) = provider
            && provider.sign_in.refuses_ordinary_password()
        {
            note(provider.help);
        }
        return rpassword::prompt_password(format!("Password for {user}: "))
            .map(Zeroizing::new)
            .map_err(|error| {
                let next = "name a file with --password-file";
                Failure::new(Exit::Config, format_args!("no password: {error}"), next)
            });
    }
    let failure = Failure::new(
        Exit::Config,
        format_args!(
            "no password for {user}: the environment variable {} is not set",
            args.password_env
        ),
        format_args!(
            "set {}, or name a file with --password-file",
            args.password_env
        ),
    );
    Err(match provider {
        Some(provider) => failure.explained(provider.help, provider.help_url),
        None => failure,
    })
}

fn environment(variable: &str) -> Result<Option<Zeroizing<String>>> {
    match std::env::var(variable) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(Zeroizing::new(value))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::new(
            Exit::Config,
            format_args!("the environment variable {variable} is not UTF-8"),
            "set it again in UTF-8",
        )),
    }
}

/// The first line of a secret file, without its line end.
pub(crate) fn first_line(path: &Path) -> Result<Zeroizing<String>> {
    let mut text = read_secret(path)?;
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::new(
            Exit::Config,
            format_args!("the first line of {} is empty", path.display()),
            "write the secret into its first line",
        ));
    }
    Ok(text)
}

/// A file with secrets. Warns if others can read it.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>> {
    let unreadable = |error| Failure::unreadable(path, &error);
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    warn_if_readable(path, &file);
    // Room from the start, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LARGEST as usize + 1));
    let read = (&mut file)
        .take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if read as u64 > LARGEST {
        return Err(Failure::new(
            Exit::Data,
            format_args!(
                "{} is larger than {LARGEST} bytes and so no file of secrets",
                path.display()
            ),
            "check the path",
        ));
    }
    Ok(text)
}

#[cfg(unix)]
fn warn_if_readable(path: &Path, file: &std::fs::File) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = file.metadata() else {
        return;
    };
    // A pipe, as from `<(pass show mail)`, is nobody else's to read.
    if metadata.is_file() && metadata.permissions().mode() & 0o044 != 0 {
        let path = path.display();
        warn(format_args!(
            "other users can read {path}; run: chmod 600 {path}"
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_readable(_path: &Path, _file: &std::fs::File) {}
