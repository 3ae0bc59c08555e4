//! The command as a user sees it: what it prints, and how it ends.

mod bad_input;
mod dry_run;
mod help;
mod outcome;
mod providers;
mod support;
