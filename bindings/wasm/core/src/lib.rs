//! The wasm module of the npm package `sansmtp`: both machines, the message writer and the wire's parsers, in
//! a form that JavaScript can hold.
//!
//! It decides nothing. A machine here is a session of the core as plain data plus the data that the core
//! borrows; each call takes the session up, does its work, and puts it aside again. What the peer does comes
//! back as events, failures included; only a wrong call or argument is refused. People use the TypeScript
//! layer above it, which gives all this types and idiomatic names.
//!
//! The border is narrow, since each exported function costs room on both sides: a call is a number and a row
//! of fields in octets ([`codec`]), and so is its answer.
#![cfg_attr(target_arch = "wasm32", no_std)]
extern crate alloc;

mod client;
mod codec;
#[cfg(feature = "message")]
mod composer;
mod driver;
mod envelope;
mod failure;
mod server;
#[cfg(feature = "tools")]
mod tools;
#[cfg(feature = "tools")]
mod transcript;

use alloc::boxed::Box;
use alloc::vec::Vec;
use codec::{Answer, Arguments};
use failure::Refused;
use sansmtp::Instant;
use wasm_bindgen::prelude::*;

/// A machine: a client, a server or, with the feature `tools`, a transcript.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Machine(Role);

// Boxed one by one: moved together, they would be taken to pieces and put together field by field.
#[derive(Debug, Default)]
enum Role {
    /// Not set up.
    #[default]
    None,
    Client(Box<client::Client>),
    Server(Box<server::Server>),
    #[cfg(feature = "tools")]
    Transcript(Box<transcript::Transcript>),
}

#[wasm_bindgen]
impl Machine {
    /// A machine that is still to be set up.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Machine {
        Self::default()
    }

    /// Makes it a client (0), a server (1) or a transcript (2) by these settings.
    pub fn set_up(&mut self, role: u8, now: f64, settings: Vec<u8>) -> Vec<u8> {
        answered(|answer| {
            let now = instant(now);
            self.0 = match role {
                0 => Role::Client(Box::new(client::Client::new(settings, now, answer)?)),
                1 => Role::Server(Box::new(server::Server::new(settings, now, answer)?)),
                #[cfg(feature = "tools")]
                2 => Role::Transcript(Box::new(transcript::Transcript::new(&settings))),
                _ => Role::None,
            };
            Ok(())
        })
    }

    /// Carries out one operation. `now` is in milliseconds.
    pub fn call(&mut self, operation: u8, now: f64, argument: Vec<u8>) -> Vec<u8> {
        answered(|answer| match &mut self.0 {
            Role::None => Ok(()),
            Role::Client(client) => client.call(operation, instant(now), argument, answer),
            Role::Server(server) => server.call(operation, instant(now), argument, answer),
            #[cfg(feature = "tools")]
            Role::Transcript(transcript) => {
                transcript.call(operation, &argument, answer);
                Ok(())
            }
        })
    }
}

/// What needs no machine: takes a line apart, writes a message.
#[cfg(any(feature = "tools", feature = "message"))]
#[wasm_bindgen]
pub fn tool(operation: u8, argument: &[u8]) -> Vec<u8> {
    answered(|answer| match operation {
        #[cfg(feature = "message")]
        0 => composer::compose(Arguments::new(argument), answer),
        #[cfg(feature = "tools")]
        _ => {
            tools::call(operation, argument, answer);
            Ok(())
        }
        #[cfg(not(feature = "tools"))]
        _ => Ok(()),
    })
}

/// Runs an operation. The first octet of the answer says how it went: 0 well, 1 a text says what is wrong with
/// an argument, 2 a failure says what is wrong with the call.
fn answered(work: impl FnOnce(&mut Answer) -> Result<(), Refused>) -> Vec<u8> {
    let mut answer = Answer::new();
    // A refusal is in the answer.
    let _ = work(&mut answer);
    answer.into_octets()
}

/// Milliseconds of a JavaScript clock; the fraction does not count.
fn instant(now: f64) -> Instant {
    Instant::from_millis(now as u64)
}

#[cfg(target_arch = "wasm32")]
mod runtime {
    use lol_alloc::{FreeListAllocator, LockedAllocator};

    /// Frees what is freed, in a few hundred octets of code.
    #[global_allocator]
    static ALLOCATOR: LockedAllocator<FreeListAllocator> =
        LockedAllocator::new(FreeListAllocator::new());

    /// The core can not panic; what is left is memory that ran out.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}

#[cfg(test)]
mod tests {
    use sansmtp::error::{Actor, Fault, Misuse, Requirement, Stage};
    use sansmtp::state::{State, Step};
    use std::fmt::Debug;

    const NAMES: &str = include_str!("../../src/names.ts");

    /// Checks a list of `names.ts` against an enumeration: `last` is its last value.
    fn check<T: Debug>(list: &str, of_number: impl Fn(u8) -> Option<T>) {
        let start = NAMES.find(&format!("export const {list} = [")).unwrap();
        let (_, rest) = NAMES[start..].split_once('[').unwrap();
        let (names, _) = rest.split_once(']').unwrap();
        let names: Vec<&str> = names
            .split(',')
            .map(|name| name.trim().trim_matches('"'))
            .filter(|name| !name.is_empty())
            .collect();
        let simple = |name: &str| name.replace('-', "").to_lowercase();
        for (number, name) in (0..).zip(&names) {
            let value = format!("{:?}", of_number(number).expect(name));
            let value = value.replace("EightBitMime", "8BitMime");
            assert_eq!(simple(name), simple(&value), "{list} at {number}");
        }
        assert!(
            of_number(names.len() as u8).is_none(),
            "{list} lacks a name"
        );
    }

    /// The value of a field-less enumeration with this number, among those that are listed.
    macro_rules! numbered {
        ($kind:ident: $($name:ident)*) => {
            |number: u8| [$($kind::$name),*].into_iter().find(|value| *value as u8 == number)
        };
    }

    #[test]
    fn names_stand_in_the_order_of_the_core() {
        check(
            "STAGES",
            numbered!(Stage: Greeting Hello StartTls Auth Idle Mail Rcpt Data Content Rset Query Quit),
        );
        check(
            "STATES",
            numbered!(State: Opening Greeted Ready Handshake Authenticating Mail Recipients Content Chunking Verdict Closing Closed),
        );
        check(
            "STEPS",
            numbered!(Step: Greet TurnAway Hello AgreeTls TlsUp Challenge Authenticate DenyAuthentication Mail Recipient
                GoAhead Chunk Complete Judge Reset Introduce Part Close),
        );
        check(
            "FAULTS",
            numbered!(Fault: NotAReply LineTooLong TooManyLines BareLineEnd CodeChanged Unsolicited UnexpectedCode
                PlaintextAfterStartTls BadChallenge ServerNotProven),
        );
        check(
            "REQUIREMENTS",
            numbered!(Requirement: StartTls Auth Mechanism TlsForPassword Size SmtpUtf8 EightBitMime BinaryMime Dsn
                RequireTls DeliverBy FutureRelease MtPriority Etrn XClient Recipients Messages Recipient),
        );
        check(
            "MISUSES",
            numbered!(Misuse: Busy TlsNotWanted NothingToAnswer ContentCutShort Over),
        );
        check("ACTORS", numbered!(Actor: User Server Time Program));
    }
}
