//! Alerts that were not sent yet: a bounded queue that survives a warm reset.
//!
//! Each slot is written whole and then declared full by one word, so that a reset at any moment leaves the slot
//! as it was or as it is meant to be. Before the end of a message leaves the device, its slot is marked: if the
//! device is reset then, nobody knows whether the server took the mail, and it is not sent twice.

use crate::board::retained;

/// Alerts that fit.
const SLOTS: usize = 12;
/// Words of a slot: its state, and the rest in the order of [`Alert::words`].
const SLOT: usize = 2 + CONTENT;
const CONTENT: usize = 7;
/// The first words: how often the device was reset, and a check of that.
const BOOTS: usize = 0;
const BOOTS_CHECK: usize = 1;
const FIRST: usize = 2;
const _: () = assert!(FIRST + SLOTS * SLOT <= retained::WORDS);

/// States of a slot; everything else means empty. They differ in many bits.
const WAITING: u32 = 0x5741_4954;
const ENDING: u32 = 0x454E_444E;

/// What must be known to write an alert, again and again the same: also its Message-ID.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Alert {
    /// Counts the alerts of a device.
    pub(super) number: u32,
    /// When, in seconds since 1970.
    pub(super) time: u32,
    /// How many readings its log has.
    pub(super) readings: u32,
    /// Random, for the Message-ID and the boundary of its parts.
    pub(super) entropy: [u8; 16],
}

/// The queue, in memory that a warm reset leaves alone.
pub(super) struct Queue {
    boots: u32,
}

impl Queue {
    /// Finds what is left from before, and counts this start. After power-on the queue is empty.
    pub(super) fn open() -> Self {
        let before = retained::read(BOOTS);
        let warm = retained::read(BOOTS_CHECK) == !before;
        let boots = if warm { before.wrapping_add(1) } else { 1 };
        if !warm {
            for slot in 0..SLOTS {
                retained::write(place(slot), 0);
            }
        }
        retained::write(BOOTS, boots);
        retained::write(BOOTS_CHECK, !boots);
        Self { boots }
    }

    /// Starts since power-on, this one included.
    pub(super) fn boots(&self) -> u32 {
        self.boots
    }

    /// How many alerts wait.
    pub(super) fn len(&self) -> u32 {
        (0..SLOTS)
            .filter(|slot| self.alert(*slot).is_some())
            .count() as u32
    }

    /// Keeps an alert until it is [removed](Self::remove). False if there is no room: the older ones tell
    /// enough.
    pub(super) fn push(&mut self, alert: &Alert) -> bool {
        let Some(slot) = (0..SLOTS).find(|slot| self.alert(*slot).is_none()) else {
            return false;
        };
        let words = alert.words();
        for (index, word) in words.into_iter().enumerate() {
            retained::write(place(slot) + 2 + index, word);
        }
        retained::write(place(slot) + 1, check(&words));
        retained::write(place(slot), WAITING);
        true
    }

    /// The oldest alert, and whether its end was under way when the device was reset.
    pub(super) fn oldest(&self) -> Option<(Alert, bool)> {
        let slots = (0..SLOTS).filter_map(|slot| Some((self.alert(slot)?, slot)));
        let (alert, slot) = slots.min_by_key(|(alert, _)| alert.number)?;
        Some((alert, retained::read(place(slot)) == ENDING))
    }

    /// Says whether the end of this alert may have reached the server from now on.
    pub(super) fn mark(&self, alert: &Alert, ending: bool) {
        if let Some(slot) = self.find(alert) {
            retained::write(place(slot), if ending { ENDING } else { WAITING });
        }
    }

    /// Forgets an alert.
    pub(super) fn remove(&mut self, alert: &Alert) {
        if let Some(slot) = self.find(alert) {
            retained::write(place(slot), 0);
        }
    }

    fn find(&self, alert: &Alert) -> Option<usize> {
        (0..SLOTS).find(|slot| {
            self.alert(*slot)
                .is_some_and(|it| it.number == alert.number)
        })
    }

    /// What stands in a slot, if it is full and unharmed.
    fn alert(&self, slot: usize) -> Option<Alert> {
        if !matches!(retained::read(place(slot)), WAITING | ENDING) {
            return None;
        }
        let mut words = [0; CONTENT];
        for (index, word) in words.iter_mut().enumerate() {
            *word = retained::read(place(slot) + 2 + index);
        }
        (retained::read(place(slot) + 1) == check(&words)).then(|| Alert::from_words(words))
    }
}

impl Alert {
    /// What the sensor said until then.
    #[cfg(feature = "message")]
    pub(super) fn log(&self) -> super::sensor::Log {
        super::sensor::Log {
            readings: self.readings,
        }
    }

    fn words(&self) -> [u32; CONTENT] {
        let mut words = [self.number, self.time, self.readings, 0, 0, 0, 0];
        for (word, octets) in words.iter_mut().skip(3).zip(self.entropy.as_chunks().0) {
            *word = u32::from_le_bytes(*octets);
        }
        words
    }

    fn from_words([number, time, readings, rest @ ..]: [u32; CONTENT]) -> Self {
        let mut entropy = [0; 16];
        for (octets, word) in entropy.as_chunks_mut().0.iter_mut().zip(rest) {
            *octets = word.to_le_bytes();
        }
        Self {
            number,
            time,
            readings,
            entropy,
        }
    }
}

/// The index of a slot's first word.
fn place(slot: usize) -> usize {
    FIRST + slot * SLOT
}

/// Fletcher's check sum, so that words that were left by chance are no alert.
fn check(words: &[u32]) -> u32 {
    let (mut a, mut b) = (0x5341_4E53_u32, 0_u32);
    for word in words {
        a = a.wrapping_add(*word);
        b = b.rotate_left(7).wrapping_add(a);
    }
    a ^ b
}
