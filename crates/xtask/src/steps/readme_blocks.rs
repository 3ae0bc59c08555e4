//! Finds the shell blocks of a Markdown text and what a comment before a block says about its run:
//!
//! - `<!-- xtask: skip REASON -->` the block can not run here; the reason is printed;
//! - `<!-- xtask: dry-run -->` `--dry-run` is added to each `sansmtp send`;
//! - `<!-- xtask: background until TEXT -->` the block runs on while later blocks do, which start when it
//!   has printed TEXT.

use anyhow::{Result, bail};

/// A shell block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Line number of the first command.
    pub(super) line: usize,
    /// One command each, continued lines joined.
    pub(super) commands: Vec<String>,
    pub(super) mode: Mode,
}

/// How to run a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Run,
    DryRun,
    Background {
        until: String,
    },
    Skip {
        reason: String,
    },
}

/// The blocks that are marked `sh`, `bash`, `shell` or `console`.
pub(super) fn shell_blocks(markdown: &str) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut mode = Mode::Run;
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if let Some(directive) = line
            .strip_prefix("<!-- xtask:")
            .and_then(|rest| rest.strip_suffix("-->"))
        {
            mode = self::mode(number + 1, directive.trim())?;
        } else if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| line.trim() != "```")
                .collect();
            let mode = std::mem::take(&mut mode);
            match language.split([' ', ',']).next() {
                Some("sh" | "bash" | "shell") => blocks.push(Block {
                    line: number + 2,
                    commands: commands(text.into_iter()),
                    mode,
                }),
                Some("console") => blocks.push(Block {
                    line: number + 2,
                    commands: commands(text.into_iter().filter_map(|line| line.strip_prefix("$ "))),
                    mode,
                }),
                _ if mode != Mode::Run => {
                    bail!("line {}: a directive before no shell block", number + 1)
                }
                _ => {}
            }
        } else if !line.is_empty() && mode != Mode::Run {
            bail!("line {}: a directive before no shell block", number + 1);
        }
    }
    Ok(blocks)
}

fn mode(line: usize, directive: &str) -> Result<Mode> {
    Ok(match directive.split_once(' ') {
        None if directive == "dry-run" => Mode::DryRun,
        Some(("skip", reason)) => Mode::Skip {
            reason: reason.to_owned(),
        },
        Some(("background", until)) if until.starts_with("until ") => Mode::Background {
            until: until.trim_start_matches("until ").to_owned(),
        },
        _ => bail!("line {line}: unknown directive {directive:?}"),
    })
}

fn commands<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut commands = Vec::new();
    let mut open = String::new();
    for line in lines {
        match line.strip_suffix('\\') {
            Some(start) => open += start,
            None => {
                let command = std::mem::take(&mut open) + line;
                let is_comment = command.trim_start().starts_with('#');
                if !command.trim().is_empty() && !is_comment {
                    commands.push(command);
                }
            }
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_directives() {
        let text = "\
# Title

```sh
# a comment
sansmtp a \\
  --b
sansmtp c
```

```rust
let x = 1;
```

<!-- xtask: background until listening on -->
```console
$ sansmtp serve
listening on 127.0.0.1:25
```
<!-- xtask: skip needs an account -->

```sh
sansmtp send
```
<!-- xtask: dry-run -->
```bash
sansmtp send
```
";
        let blocks = shell_blocks(text).unwrap();
        let modes: Vec<(usize, &Mode)> = blocks
            .iter()
            .map(|block| (block.line, &block.mode))
            .collect();
        let until = "listening on".to_owned();
        let reason = "needs an account".to_owned();
        assert_eq!(
            modes,
            [
                (4, &Mode::Run),
                (16, &Mode::Background { until }),
                (22, &Mode::Skip { reason }),
                (26, &Mode::DryRun),
            ]
        );
        assert_eq!(blocks[0].commands, ["sansmtp a   --b", "sansmtp c"]);
        assert_eq!(blocks[1].commands, ["sansmtp serve"]);
    }

    #[test]
    fn directives_that_mean_nothing_are_errors() {
        assert!(shell_blocks("<!-- xtask: jump -->\n```sh\na\n```\n").is_err());
        assert!(shell_blocks("<!-- xtask: dry-run -->\ntext\n").is_err());
        assert!(shell_blocks("<!-- xtask: dry-run -->\n```rust\n```\n").is_err());
        assert!(shell_blocks("<!-- xtask: skip -->\n```sh\na\n```\n").is_err());
    }
}
