//! The operations that both roles have.

use crate::codec::Answer;
use crate::failure::told;
use sansmtp::{Instant, Machine};

/// Octets that one call of `transmit` gives at most.
const FLIGHT: usize = 64 * 1024;

/// The operations below those of a role.
pub(crate) const RECEIVE: u8 = 0;
const RECEIVE_EOF: u8 = 1;
const TRANSMIT: u8 = 2;
const POLL_TIMEOUT: u8 = 3;
const HANDLE_TIMEOUT: u8 = 4;
pub(crate) const TLS_ESTABLISHED: u8 = 5;
/// The first operation of a role's own.
pub(crate) const OWN: u8 = 8;

/// Carries out what does not depend on the role.
pub(crate) fn call(machine: &mut impl Machine, operation: u8, now: Instant, answer: &mut Answer) {
    match operation {
        RECEIVE_EOF => told(answer, machine.receive_eof()),
        TRANSMIT => {
            let mut piece = [0; 1024];
            while answer.0.len() < FLIGHT {
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
        _ => {}
    }
}
