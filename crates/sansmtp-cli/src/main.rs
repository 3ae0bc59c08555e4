//! The command `sansmtp`: send, receive and check mail over SMTP.

mod addresses;
mod args;
mod certificate;
mod check;
mod client;
mod client_failure;
mod compose;
mod demo;
mod eml;
mod exit;
mod failure;
mod handling;
mod help;
mod listen;
mod output;
mod password;
mod progress;
mod providers;
mod send;
mod serve;
mod target;
mod transcript;

use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // The text that was asked for is no error.
            let exit = match error.use_stderr() {
                true => ExitCode::from(Exit::Usage),
                false => ExitCode::SUCCESS,
            };
            let _ = error.print();
            return exit;
        }
    };
    let result = match &cli.command {
        Command::Providers(args) => providers::run(args),
        Command::Send(args) => send::run(args),
        Command::Check(args) => check::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
    };
    match result.and_then(|()| output::complete()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit.into()
        }
    }
}
