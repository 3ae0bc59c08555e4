//! Which steps the machines take, for the tests of this crate.

use super::{State, Step};
use std::cell::RefCell;
use std::collections::HashSet;

std::thread_local! {
    static TAKEN: RefCell<HashSet<(State, Step)>> = RefCell::default();
}

/// A machine in this state takes this step.
pub(crate) fn note(state: State, step: Step) {
    TAKEN.with_borrow_mut(|taken| taken.insert((state, step)));
}

/// All that were taken by this thread, which are then forgotten.
pub(crate) fn all() -> HashSet<(State, Step)> {
    TAKEN.take()
}
