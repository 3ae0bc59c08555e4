//! Client and server machine against each other: octets choose the scenario, the pieces and the faults, and
//! every property of the simulation holds.

use sansmtp_simulation::{Choices, Sabotage, World, play, transcript};
use std::cell::RefCell;

/// Checks the session that the octets choose.
pub fn check(data: &[u8]) {
    thread_local! {
        static WORLD: RefCell<World> = RefCell::default();
    }
    let choices = Choices::Given(data);
    let played = WORLD.with_borrow_mut(|world| play(world, choices.clone(), Sabotage::None));
    if let Err(violation) = played {
        let (text, _) = transcript(choices, Sabotage::None);
        panic!("{text}\n{violation}");
    }
}
