//! The client as the subcommands use it.

use crate::args::Connect;
use crate::client_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::target::Target;
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::{PoolConfig, Tap, Tls};
use std::path::Path;
use std::sync::Arc;

/// A mailer for this target; `tap` sees the dialogue.
pub(crate) fn mailer(target: &Target, args: &Connect, tap: Option<Arc<dyn Tap>>) -> Result<Mailer> {
    let mut builder = Mailer::builder(target.config.clone()).pool(PoolConfig::default());
    if let Some(path) = &args.ca {
        builder = builder.tls(roots(path)?);
    }
    if let Some(tap) = tap {
        builder = builder.tap(tap);
    }
    builder
        .build()
        .map_err(|error| client_failure::failure(&error))
}

/// Runs on one thread: the command waits for one server most of the time.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Exit::Software,
                format_args!("the system gives no event queue: {error}"),
                "check the limits of the system, such as open files",
            )
        })?;
    runtime.block_on(future)
}

fn roots(path: &Path) -> Result<Tls> {
    let pem = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
    Tls::pem(&pem).map_err(|error| {
        Failure::new(
            Exit::Config,
            format_args!("{} can not be used: {error}", path.display()),
            "give a PEM file with `BEGIN CERTIFICATE` lines",
        )
    })
}
