//! The seed corpus, and some octets around each seed, through every oracle.

use std::fs;
use std::path::Path;

#[test]
fn every_target_takes_its_seeds_and_their_neighbours() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut ran = 0;
    for (name, check) in sansmtp_fuzz::TARGETS {
        let folder = corpus.join(name);
        let mut seeds = 0;
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let seed = fs::read(entry.unwrap().path()).unwrap();
            seeds += 1;
            check(&seed);
            for at in 0..seed.len().min(64) {
                for octet in [0, b'\r', b'\n', b'.', b' ', 0xff, seed[at] ^ 0x20] {
                    let mut near = seed.clone();
                    near[at] = octet;
                    check(&near);
                    ran += 1;
                }
                check(&seed[at..]);
                check(&seed[..at]);
                ran += 2;
            }
        }
        assert!(seeds > 0, "{name} has no seed");
    }
    println!("{ran} neighbours of seeds");
    assert!(ran > 1_000);
}

#[test]
fn every_oracle_has_a_target() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in sansmtp_fuzz::TARGETS {
        let file = manifest.join(format!("fuzz_targets/{name}.rs"));
        assert!(file.is_file(), "{}", file.display());
    }
    assert_eq!(
        fs::read_dir(manifest.join("fuzz_targets")).unwrap().count(),
        sansmtp_fuzz::TARGETS.len()
    );
}
