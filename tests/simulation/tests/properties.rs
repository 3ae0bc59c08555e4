//! Every property holds in the first sessions; and each is seen to be broken where somebody breaks it.

use sansmtp_simulation::scenario::{Faults, Scenario};
use sansmtp_simulation::{Choices, Sabotage, World, play, run, sweep, transcript};

#[test]
fn the_first_sessions() {
    let mut world = World::default();
    let mut delivered = 0;
    for seed in 0..3_000 {
        let tally = play(&mut world, Choices::seeded(seed), Sabotage::None)
            .unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        delivered += tally.delivered;
    }
    assert!(delivered > 1_000, "{delivered}");
}

/// A check that can not fail is none.
#[test]
fn each_sabotage_is_found() {
    for (sabotage, by) in Sabotage::ALL {
        let mut world = World::default();
        let found = (0..5_000).find_map(|seed| {
            let violation = play(&mut world, Choices::seeded(seed), sabotage).err()?;
            by.contains(&violation.property).then_some(seed)
        });
        let seed = found.unwrap_or_else(|| panic!("{sabotage:?} is not found by {by:?}"));
        // The transcript plays the same again.
        let (text, again) = transcript(Choices::seeded(seed), sabotage);
        let violation = again.expect_err("it is found again");
        assert!(by.contains(&violation.property), "{violation}");
        assert!(text.contains("-- connection 0"), "{text}");
    }
}

#[test]
fn a_seed_plays_the_same_session_again() {
    for seed in [0, 1, 2, 77, 4_711] {
        let once = transcript(Choices::seeded(seed), Sabotage::None);
        let again = transcript(Choices::seeded(seed), Sabotage::None);
        assert_eq!(once, again);
    }
}

#[test]
fn the_usual_sessions_deliver() {
    let mut world = World::default();
    for scenario in sweep::usual() {
        let tally = run(
            &mut world,
            &scenario,
            &mut Choices::seeded(0),
            Sabotage::None,
        );
        let tally = tally.unwrap_or_else(|violation| panic!("{violation}\n{scenario:#?}"));
        assert_eq!((tally.delivered, tally.failed), (2, 0), "{scenario:#?}");
        let lost = Scenario {
            connections: vec![
                Faults {
                    lost: Some((60, sansmtp_simulation::scenario::Loss::Stall)),
                    ..Faults::default()
                },
                Faults::default(),
            ],
            ..scenario
        };
        let tally = run(&mut world, &lost, &mut Choices::seeded(0), Sabotage::None).unwrap();
        assert_eq!((tally.delivered, tally.connections), (2, 2), "{lost:#?}");
        assert!(tally.timeouts > 0);
    }
}

/// What a fuzzer does: octets choose.
#[test]
fn octets_choose_too() {
    let mut world = World::default();
    for first in 0..=255_u8 {
        let octets = [
            first,
            first.wrapping_mul(7),
            1,
            2,
            3,
            first,
            250,
            9,
            9,
            first,
        ];
        play(&mut world, Choices::Given(&octets), Sabotage::None).unwrap();
    }
}
