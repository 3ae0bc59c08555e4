//! How deep the stack gets: direct calls in Thumb code, and the frames along them.

use std::collections::BTreeMap;

/// A function as linked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Octets of stack that it takes itself.
    pub(crate) frame: u32,
    pub(crate) code: Vec<u8>,
}

/// What a chain of calls takes, from the function that is called first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Octets of stack, all frames together.
    pub(crate) depth: u32,
    /// From the outermost to the innermost.
    pub(crate) names: Vec<String>,
}

/// The deepest chain of direct calls among those that begin at a function that `is_first` picks; functions stand by their addresses.
///
/// # Errors
///
/// A function calls itself: then the depth can not be told.
pub(crate) fn deepest(
    functions: &BTreeMap<u32, Function>,
    is_first: impl Fn(&str) -> bool,
) -> Result<Chain, String> {
    let mut known = BTreeMap::new();
    let mut deepest = Chain::default();
    for (address, function) in functions {
        if is_first(&function.name) {
            let chain = below(functions, *address, &mut known, &mut Vec::new())?;
            if chain.depth > deepest.depth {
                deepest = chain;
            }
        }
    }
    Ok(deepest)
}

fn below(
    functions: &BTreeMap<u32, Function>,
    address: u32,
    known: &mut BTreeMap<u32, Chain>,
    above: &mut Vec<u32>,
) -> Result<Chain, String> {
    if let Some(chain) = known.get(&address) {
        return Ok(chain.clone());
    }
    let Some(function) = functions.get(&address) else {
        return Ok(Chain::default());
    };
    if above.contains(&address) {
        return Err(format!("{} calls itself", function.name));
    }
    let is_function = |target: &u32| functions.contains_key(target);
    above.push(address);
    let mut chain = Chain::default();
    // A jump within the function is no call.
    for target in calls(address, &function.code)
        .into_iter()
        .filter(|it| *it != address)
        .filter(is_function)
    {
        let deeper = below(functions, target, known, above)?;
        if deeper.depth > chain.depth {
            chain = deeper;
        }
    }
    above.pop();
    chain.depth += function.frame;
    chain.names.insert(0, function.name.clone());
    known.insert(address, chain.clone());
    Ok(chain)
}

/// Where the code at this address branches to by BL and B.W, the second of which also ends a function with a call (Arm
/// v7-M manual, A7.7.12 and A7.7.18). Calls through a register are left out: they lead to what the caller lends, such as
/// a source of content. Constants between the instructions are read as such, too; hardly one looks like a branch to the
/// first octet of a function.
fn calls(address: u32, code: &[u8]) -> Vec<u32> {
    let mut halves = code
        .as_chunks::<2>()
        .0
        .iter()
        .map(|half| u16::from_le_bytes(*half));
    let (mut targets, mut at) = (Vec::new(), address);
    while let Some(first) = halves.next() {
        if first >> 11 < 0b11101 {
            at = at.wrapping_add(2);
            continue;
        }
        let second = halves.next().unwrap_or_default();
        if first >> 11 == 0b11110 && second & 0x9000 == 0x9000 {
            targets.push(
                at.wrapping_add(4)
                    .wrapping_add_signed(offset(first, second)),
            );
        }
        at = at.wrapping_add(4);
    }
    targets
}

/// The signed offset of BL (T1) and B.W (T4).
fn offset(first: u16, second: u16) -> i32 {
    let [first, second] = [first, second].map(u32::from);
    let bit = |value: u32, number: u32| value >> number & 1;
    let sign = bit(first, 10);
    let [i1, i2] = [13, 11].map(|number| 1 ^ bit(second, number) ^ sign);
    let value = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1;
    (value << 7) as i32 >> 7
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, frame: u32, halves: &[u16]) -> Function {
        Function {
            name: name.to_owned(),
            frame,
            code: halves.iter().flat_map(|half| half.to_le_bytes()).collect(),
        }
    }

    /// `bl` forwards from 0 to 0x20 and from 0x22 to 0x40, `b.w` back from 0x40 to 0.
    #[test]
    fn chains_are_followed_to_their_ends() {
        let mut functions = BTreeMap::from([
            (0, function("a", 8, &[0xF000, 0xF80E, 0x4770])),
            (0x20, function("b", 16, &[0xBF00, 0xF000, 0xF80D])),
            (0x40, function("c", 100, &[0x4770])),
            (0x60, function("d", 4, &[0x4770])),
        ]);
        let chain = deepest(&functions, |name| name == "a").unwrap();
        assert_eq!(
            (chain.depth, chain.names.join(" ")),
            (124, "a b c".to_owned())
        );
        assert_eq!(deepest(&functions, |name| name == "d").unwrap().depth, 4);

        functions.insert(0x40, function("c", 100, &[0xF7FF, 0xBFDE]));
        let error = deepest(&functions, |name| name == "a").unwrap_err();
        assert_eq!(error, "a calls itself");
    }
}
