//! The operations that both roles have.

use crate::codec::Answer;
use crate::failure::told;
use alloc::vec::Vec;
use sansmtp::{Error, Instant, Machine};
use zeroize::Zeroize;

/// Octets that one call of `transmit` gives at most.
const FLIGHT: usize = 64 * 1024;

/// The operations below those of a role.
pub(crate) const RECEIVE: u8 = 0;
const RECEIVE_EOF: u8 = 1;
const TRANSMIT: u8 = 2;
const POLL_TIMEOUT: u8 = 3;
const HANDLE_TIMEOUT: u8 = 4;
const TLS_ESTABLISHED: u8 = 5;
/// The first operation of a role's own.
pub(crate) const OWN: u8 = 8;

/// Carries out what does not depend on the role. `input` is what the machine did not take yet.
pub(crate) fn call(
    machine: &mut impl Machine,
    operation: u8,
    now: Instant,
    input: &mut Vec<u8>,
    answer: &mut Answer,
) -> Result<(), Error> {
    match operation {
        RECEIVE_EOF => told(answer, machine.receive_eof()),
        TRANSMIT => {
            let mut piece = [0; 1024];
            while answer.len() < FLIGHT {
                let written = machine.transmit(now, &mut piece);
                if written == 0 {
                    break;
                }
                answer.raw(piece.get(..written).unwrap_or_default());
            }
        }
        POLL_TIMEOUT => {
            if let Some(deadline) = answer.some(machine.poll_timeout()) {
                answer.number(deadline.millis() as f64);
            }
        }
        HANDLE_TIMEOUT => told(answer, machine.handle_timeout(now)),
        TLS_ESTABLISHED => {
            // What came in the clear behind the agreement is told first.
            let early = core::mem::take(input);
            if machine.wants_tls()
                && !early.is_empty()
                && let Err(spoilt) = machine.receive(now, &early)
            {
                told(answer, Err(spoilt));
            } else {
                return machine.tls_established(now);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Wipes what the machine took and keeps the rest, which is mostly nothing.
#[inline(never)]
pub(crate) fn drop_front(input: &mut Vec<u8>, taken: usize) {
    let rest = input.get(taken..).unwrap_or_default().to_vec();
    input.zeroize();
    *input = rest;
}
