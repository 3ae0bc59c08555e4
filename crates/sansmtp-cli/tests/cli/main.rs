//! The command as a user sees it: what it prints, and how it ends.

mod bad_input;
mod check;
mod demo;
mod dry_run;
mod extensions;
mod help;
mod outcome;
mod providers;
mod round_trip;
mod serve;
mod served;
mod support;
