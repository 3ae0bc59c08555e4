//! THE list of what the link test covers: one function for each public entry of the core's machines.
//!
//! A new entry point is a function here, called with input that goes through [`black_box`] (else the
//! compiler works the result out and drops the code), its result given to `black_box` too, and a line in
//! [`ALL`].

use core::hint::black_box;

use sansmtp::config::Security;

/// Every entry point.
pub const ALL: &[fn()] = &[security];

fn security() {
    let security = black_box(Security::StartTls);
    black_box(security == black_box(Security::ImplicitTls));
}
