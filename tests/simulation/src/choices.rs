//! Where decisions come from: a seed, or the octets of a fuzzer.

/// A source of decisions that gives the same ones again.
#[derive(Clone, Debug)]
pub enum Choices<'a> {
    /// Drawn from a seed.
    Seeded(u64),
    /// Read from octets, one for each decision; behind their end always the first choice.
    Given(&'a [u8]),
}

impl Choices<'_> {
    /// Decisions that follow from this seed.
    pub const fn seeded(seed: u64) -> Self {
        Self::Seeded(seed)
    }

    /// A number from 0 to one below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        match self {
            Self::Seeded(state) => {
                // splitmix64
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                let high = (z ^ (z >> 31)) >> 32;
                ((high * u64::from(bound.max(1))) >> 32) as u32
            }
            Self::Given(octets) => {
                let mut value = 0;
                let mut range = 1;
                while range < bound {
                    let Some((first, rest)) = octets.split_first() else {
                        break;
                    };
                    value = value << 8 | u32::from(*first);
                    *octets = rest;
                    range <<= 8;
                }
                value % bound.max(1)
            }
        }
    }

    /// True once in `many` times.
    pub fn one_in(&mut self, many: u32) -> bool {
        self.below(many) + 1 == many
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }
}
