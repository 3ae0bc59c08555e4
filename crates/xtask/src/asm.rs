//! Reads ARM assembly as rustc writes it, to name the functions that can panic.

use std::collections::{BTreeMap, BTreeSet};

use rustc_demangle::demangle;

/// How many callers above a panic are named.
const LEVELS: usize = 4;

/// One line for each function that calls into the panic machinery, with its callers: `panic <- f <- g`.
pub(crate) fn panic_callers(assembly: &str) -> Vec<String> {
    let callers = callers(assembly);
    let mut lines = BTreeSet::new();
    for (callee, direct) in &callers {
        if !is_panic(callee) {
            continue;
        }
        for function in direct.iter().filter(|function| !is_panic(function)) {
            let mut line = format!("  {} <- {}", name(callee), name(function));
            let mut seen = vec![*function];
            while let Some(next) = callers
                .get(seen.last().copied().unwrap_or_default())
                .and_then(|above| above.iter().find(|caller| !seen.contains(caller)))
                && seen.len() < LEVELS
            {
                line += &format!(" <- {}", name(next));
                seen.push(next);
            }
            lines.insert(line);
        }
    }
    lines.into_iter().collect()
}

/// For each function those that branch to it or take its address.
fn callers(assembly: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut callers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut current = None;
    for line in assembly.lines() {
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .collect();
        match *words.as_slice() {
            [".type", function, "%function"] => current = Some(function),
            // What follows is data until the next function.
            [".size", ..] => current = None,
            [
                "bl" | "b" | "b.w" | "blx" | ".long" | "movw" | "movt",
                ..,
                target,
            ] => {
                let target = target
                    .trim_start_matches("#:lower16:")
                    .trim_start_matches("#:upper16:");
                if let Some(current) = current
                    && !target.starts_with('.')
                {
                    callers.entry(target).or_default().insert(current);
                }
            }
            _ => {}
        }
    }
    callers
}

/// True for the handler and what `core` has on the way to it.
fn is_panic(symbol: &str) -> bool {
    let name = name(symbol);
    name.contains("core::panicking::")
        || name.contains("rust_begin_unwind")
        || name.contains("panic_handler")
        || name.starts_with("core::") && name.contains("fail")
}

fn name(symbol: &str) -> String {
    format!("{:#}", demangle(symbol))
}

#[cfg(test)]
mod tests {
    use super::panic_callers;

    #[test]
    fn callers_of_a_panic_are_named_upwards() {
        let assembly = "
\t.type\t_ZN4core9panicking9panic_fmt17h0123456789abcdefE,%function
_ZN4core9panicking9panic_fmt17h0123456789abcdefE:
\tbl\trust_begin_unwind
\t.size\t_ZN4core9panicking9panic_fmt17h0123456789abcdefE, 8
\t.long\t_ZN4demo5guilt17h0123456789abcdefE
\t.type\t_ZN4demo5guilt17h0123456789abcdefE,%function
\tbl\t_ZN4core9panicking9panic_fmt17h0123456789abcdefE
\t.type\t_ZN4demo8innocent17h0123456789abcdefE,%function
\tbl\t_ZN4demo5other17h0123456789abcdefE
\t.type\t_start,%function
\tbl\t_ZN4demo5guilt17h0123456789abcdefE
\tb\t.LBB0_1
";
        assert_eq!(
            panic_callers(assembly),
            ["  core::panicking::panic_fmt <- demo::guilt <- _start"]
        );
        assert!(panic_callers("\t.type\tf,%function\n\tbl\tg\n").is_empty());
    }
}
