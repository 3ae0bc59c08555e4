//! Help that teaches.

use crate::support::run;

#[test]
fn the_commands_and_exit_codes_are_shown() {
    let text = run(&["--help"]).success();
    for word in [
        "send",
        "serve",
        "check",
        "providers",
        "demo",
        "Examples:",
        "sansmtp demo",
        "sysexits",
        "  75  not now",
    ] {
        assert!(text.contains(word), "no {word:?} in\n{text}");
    }
}

#[test]
fn every_command_has_examples() {
    for command in ["send", "serve", "check", "providers"] {
        for arguments in [
            &[command, "--help"][..],
            &["help", command],
            &[command, "-h"],
        ] {
            let text = run(arguments).success();
            assert!(text.contains("Example"), "{command}:\n{text}");
            assert!(text.contains(&format!("sansmtp {command}")), "{text}");
            assert!(
                text.lines().all(|line| line.chars().count() <= 100),
                "{text}"
            );
        }
    }
    assert!(
        run(&["demo", "--help"])
            .success()
            .contains("Nothing leaves")
    );
}

#[test]
fn no_command_is_a_wrong_command_line_with_help() {
    run(&[]).expect(64, &["Usage: sansmtp", "Examples:"]);
    run(&["sedn"]).expect(64, &["unrecognized subcommand 'sedn'", "send"]);
    run(&["send", "--form", "a@b"]).expect(64, &["unexpected argument '--form'", "--from"]);
}

#[test]
fn the_version_is_that_of_the_package() {
    let expected = format!("sansmtp {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"]).success(), expected);
}

#[test]
fn no_colours_without_a_terminal() {
    for arguments in [&["providers"][..], &["--help"], &["providers", "nope"]] {
        let ended = run(arguments);
        assert!(!ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'));
    }
}
