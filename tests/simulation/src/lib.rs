//! Client and server machine of sansmtp joined by a virtual network and a virtual clock.
//!
//! A seed decides everything: how the connection is protected, what is offered, the mails, in which pieces
//! octets move, what is refused, where the connection is lost. [`run()`] plays a [`Scenario`] and checks every
//! [`Property`] while it goes. The same seed plays the same session again, with a transcript.

pub mod check;
mod choices;
mod client;
mod network;
mod run;
pub mod scenario;
mod server;
pub mod sweep;

pub use check::{Property, Sabotage, Violation};
pub use choices::Choices;
pub use run::{Tally, World, run};
pub use scenario::Scenario;

/// Plays the session that follows from these choices.
///
/// # Errors
/// The property that does not hold.
pub fn play(
    world: &mut World,
    mut choices: Choices<'_>,
    sabotage: Sabotage,
) -> Result<Tally, Violation> {
    let scenario = Scenario::draw(&mut choices);
    run(world, &scenario, &mut choices, sabotage)
}

/// Plays it again with a transcript.
pub fn transcript(choices: Choices<'_>, sabotage: Sabotage) -> (String, Result<Tally, Violation>) {
    let mut world = World::with_transcript();
    let mut drawn = choices.clone();
    world.note(|| format!("{:#?}", Scenario::draw(&mut drawn)));
    let result = play(&mut world, choices, sabotage);
    (world.into_transcript(), result)
}
