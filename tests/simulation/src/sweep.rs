//! Every fault at every place of some usual sessions.

use crate::check::{Sabotage, Violation};
use crate::scenario::{Faults, Login, Loss, Mail, Pace, REFUSALS, Scenario, Size};
use crate::{Choices, Tally, World, run};
use sansmtp::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use sansmtp::config::Security;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Swept {
    /// Scenarios that were played.
    pub scenarios: u64,
    /// What happened in them.
    pub tally: Tally,
}

/// The usual sessions: each protection, with and without AUTH, in chunks, in groups, and one by one.
pub fn usual() -> Vec<Scenario> {
    let mut all = Vec::new();
    for security in [
        Security::DangerPlaintext,
        Security::StartTls,
        Security::ImplicitTls,
    ] {
        for login in [Login::None, Login::Password] {
            for chunking in [false, true] {
                for pipelining in [false, true] {
                    let body = b"Subject: t\r\n\r\n.dot\r\nRSET\r\n.\r\nend".to_vec();
                    let mut mail = Mail::new(0, 3, body, true);
                    mail.envelope.size = mail.envelope.size.filter(|_| pipelining);
                    let again = Mail::new(2, 2, b"".to_vec(), true);
                    let mut scenario = Scenario::calm(security, vec![mail, again]);
                    scenario.chunking = chunking;
                    scenario.login = login;
                    scenario.danger = true;
                    scenario.mechanisms = Mechanisms::NONE
                        .with(Mechanism::Plain)
                        .with(Mechanism::Login);
                    if !pipelining {
                        scenario.offered = Capabilities::NONE.with(Extension::Size);
                        scenario.mechanisms = Mechanisms::NONE.with(Mechanism::Login);
                    }
                    all.push(scenario);
                }
            }
        }
    }
    all
}

/// Plays a session with each loss at each octet, each refusal of each question, and each shutdown at each
/// octet, in pieces of `size`; a second connection without faults follows.
///
/// # Errors
/// The property that does not hold, and the scenario.
pub fn sweep(usual: &Scenario, size: Size) -> Result<Swept, (Violation, Box<Scenario>)> {
    let mut swept = Swept::default();
    let mut world = World::default();
    let mut scenario = Scenario {
        pace: Pace::all(size),
        ..usual.clone()
    };
    let mut play = |scenario: &Scenario| {
        let mut choices = Choices::seeded(1);
        match run(&mut world, scenario, &mut choices, Sabotage::None) {
            Ok(tally) => {
                swept.scenarios += 1;
                swept.tally.add(&tally);
                Ok(tally)
            }
            Err(violation) => Err((violation, Box::new(scenario.clone()))),
        }
    };
    let octets = play(&scenario)?.octets as u32;
    let mut faulty = |faults: Faults| {
        scenario.connections = vec![faults, Faults::default()];
        play(&scenario).map(|_| ())
    };
    let none = Faults::default();
    for at in 0..=octets {
        for loss in Loss::ALL {
            faulty(Faults {
                lost: Some((at, loss)),
                ..none
            })?;
        }
        for at_once in [false, true] {
            faulty(Faults {
                shutdown: Some((at, at_once)),
                ..none
            })?;
        }
    }
    for question in 0..14 {
        for code in REFUSALS {
            faulty(Faults {
                refuse: Some((question, code)),
                ..none
            })?;
        }
    }
    for inject in [false, true] {
        faulty(Faults {
            inject: Some(inject),
            ..none
        })?;
    }
    for abandon in 0..40 {
        faulty(Faults {
            abandon: Some(abandon),
            ..none
        })?;
    }
    Ok(swept)
}
