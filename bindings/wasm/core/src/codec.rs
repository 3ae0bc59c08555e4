//! Fields in a row of octets, as arguments and answers cross the border.
//!
//! A number is the eight octets of a double, little end first; a text or octet string its length in four
//! octets, then itself; a list its length as a number, then its members. An argument that is missing is 0 or
//! empty. `src/codec.ts` is the other side.

use alloc::vec::Vec;
use core::fmt::{Display, Write};
use sansmtp::wire::param::Xtext;

/// Fields that are written one by one, behind an octet that says how it went.
#[derive(Debug)]
pub(crate) struct Answer(Vec<u8>);

impl Answer {
    pub(crate) fn new() -> Self {
        Self(alloc::vec![0])
    }

    /// Drops what was written, and says how it went.
    pub(crate) fn begin_anew(&mut self, outcome: u8) {
        self.0.clear();
        self.byte(outcome);
    }

    pub(crate) fn into_octets(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(never)]
    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.byte(u8::from(value));
    }

    #[inline(never)]
    pub(crate) fn number(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    #[inline(never)]
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.raw(&(octets.len() as u32).to_le_bytes());
        self.raw(octets);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.octets(text.as_bytes());
    }

    #[inline(never)]
    pub(crate) fn shown(&mut self, value: &dyn Display) {
        self.measured(|answer| answer.show(value));
    }

    /// Text without a length.
    pub(crate) fn show(&mut self, value: &dyn Display) {
        // Nothing of the core fails to be shown, and memory that ran out stops the module.
        let _ = write!(self, "{value}");
    }

    #[inline(never)]
    pub(crate) fn decoded(&mut self, text: Xtext<'_>) {
        self.measured(|answer| text.decoded().for_each(|octet| answer.byte(octet)));
    }

    /// A field whose length is not known before.
    pub(crate) fn measured(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.octets(&[]);
        let before = self.0.len();
        write(self);
        let length = self.0.len().saturating_sub(before) as u32;
        let place = self.0.get_mut(start..before).unwrap_or_default();
        place.copy_from_slice(&length.to_le_bytes());
    }

    /// Whether there is a value; it is the next field.
    pub(crate) fn some<T>(&mut self, value: Option<T>) -> Option<T> {
        self.flag(value.is_some());
        value
    }

    /// Octets without a length, up to the end.
    #[inline(never)]
    pub(crate) fn raw(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
}

impl Write for Answer {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.raw(text.as_bytes());
        Ok(())
    }
}

/// Fields that are read one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arguments<'a>(&'a [u8]);

impl<'a> Arguments<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    #[inline(never)]
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() != 0
    }

    #[inline(never)]
    pub(crate) fn number(&mut self) -> f64 {
        <[u8; 8]>::try_from(self.take(8)).map_or(0.0, f64::from_le_bytes)
    }

    #[inline(never)]
    pub(crate) fn octets(&mut self) -> &'a [u8] {
        let length = <[u8; 4]>::try_from(self.take(4)).map_or(0, u32::from_le_bytes);
        self.take(length as usize)
    }

    /// The encoder on the other side writes nothing but UTF-8.
    #[inline(never)]
    pub(crate) fn text(&mut self) -> &'a str {
        core::str::from_utf8(self.octets()).unwrap_or_default()
    }

    /// A text, unless it is empty.
    pub(crate) fn text_if_any(&mut self) -> Option<&'a str> {
        Some(self.text()).filter(|text| !text.is_empty())
    }

    pub(crate) fn some(&mut self) -> Option<&mut Self> {
        if self.flag() { Some(self) } else { None }
    }

    /// The numbers of a list's members.
    pub(crate) fn list(&mut self) -> core::ops::Range<u32> {
        0..self.number() as u32
    }
}
