//! Sizes in a 32-bit little-endian ELF file, as linked for a microcontroller.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::calls::{self, Chain, Function};

/// What of a file matters here.
#[derive(Debug, Default)]
pub(crate) struct Image {
    /// Octets that are stored in flash: code, constants, and first values of variables.
    pub(crate) flash: u32,
    /// Octets of RAM for static variables.
    pub(crate) statics: u32,
    /// Names and sizes.
    pub(crate) symbols: Vec<(String, u32)>,
    /// By their addresses; with their stack frames, if the compiler was told to write them.
    functions: BTreeMap<u32, Function>,
}

impl Image {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let octets = fs::read(file).with_context(|| file.display().to_string())?;
        Self::parse(&octets).with_context(|| file.display().to_string())
    }

    pub(crate) fn parse(file: &[u8]) -> Result<Self> {
        if file.get(..6) != Some(b"\x7fELF\x01\x01") {
            bail!("no 32-bit little-endian ELF file");
        }
        let table = word(file, 0x20)? as usize;
        let (entry, count) = (half(file, 0x2E)? as usize, half(file, 0x30)? as usize);
        let names = table + half(file, 0x32)? as usize * entry;
        let names = word(file, names + 16)? as usize;
        let mut image = Self::default();
        let mut frames = Vec::new();
        let mut ends = Vec::new();
        let mut code = Vec::new();
        for section in (0..count).map(|number| table + number * entry) {
            let (kind, flags) = (word(file, section + 4)?, word(file, section + 8)?);
            let size = word(file, section + 20)?;
            let (allocated, writable, stored) = (flags & 2 != 0, flags & 1 != 0, kind != 8);
            if allocated && stored {
                image.flash += size;
            }
            if allocated && writable {
                image.statics += size;
            }
            if allocated && stored {
                let [address, start] = [12, 16].map(|field| word(file, section + field));
                code.push((address?, start? as usize, size));
            }
            if kind == 2 {
                let strings = table + word(file, section + 24)? as usize * entry;
                let strings = word(file, strings + 16)? as usize;
                let start = word(file, section + 16)? as usize;
                for symbol in (0..size as usize / 16).map(|number| start + number * 16) {
                    let name = name(file, strings + word(file, symbol)? as usize)?;
                    let name = format!("{:#}", rustc_demangle::demangle(&name));
                    if file.get(symbol + 12).is_some_and(|kind| kind & 15 == 2) {
                        let address = word(file, symbol + 4)? & !1;
                        ends.push((address, word(file, symbol + 8)?, name.clone()));
                    }
                    image.symbols.push((name, word(file, symbol + 8)?));
                }
            }
            if name(file, names + word(file, section)? as usize)? == ".stack_sizes" {
                let start = word(file, section + 16)? as usize;
                let octets = file.get(start..start + size as usize);
                frames = stack_sizes(octets.context("a section outside of the file")?)?;
            }
        }
        for (address, size, name) in ends {
            let within =
                |(start, _, size): &&(u32, usize, u32)| (*start..*start + *size).contains(&address);
            let code = code.iter().find(within).and_then(|(start, offset, _)| {
                let at = offset + (address - start) as usize;
                file.get(at..at + size as usize)
            });
            let function = Function {
                name,
                frame: 0,
                code: code.unwrap_or_default().to_vec(),
            };
            image.functions.insert(address, function);
        }
        for (address, frame) in frames {
            if let Some(function) = image.functions.get_mut(&(address & !1)) {
                function.frame = frame;
            }
        }
        Ok(image)
    }

    /// The deepest chain of calls from the functions that `is_one` picks; Thumb only.
    pub(crate) fn deepest_chain(&self, is_one: impl Fn(&str) -> bool) -> Result<Chain> {
        calls::deepest(&self.functions, is_one).map_err(anyhow::Error::msg)
    }

    /// The largest stack frame of the functions that `is_one` picks, and whose it is.
    pub(crate) fn largest_frame(&self, is_one: impl Fn(&str) -> bool) -> (u32, String) {
        let picked = self.functions.values().filter(|it| is_one(&it.name));
        let largest = picked.max_by_key(|it| it.frame);
        largest.map_or((0, String::new()), |it| (it.frame, it.name.clone()))
    }

    /// The octets of all symbols that `is_one` picks.
    pub(crate) fn sum(&self, is_one: impl Fn(&str) -> bool) -> u32 {
        let picked = self.symbols.iter().filter(|(name, _)| is_one(name));
        picked.map(|(_, size)| size).sum()
    }
}

/// A place in a source file that can panic.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The places in an image as `core::panic::Location` holds them: address and length of the file name, line, column.
pub(crate) fn panic_places(file: &[u8]) -> Result<BTreeSet<Place>> {
    let table = word(file, 0x20)? as usize;
    let (entry, count) = (half(file, 0x2E)? as usize, half(file, 0x30)? as usize);
    // Address, place in the file and size of each section that is stored in flash.
    let mut stored = Vec::new();
    for section in (0..count).map(|number| table + number * entry) {
        if word(file, section + 8)? & 2 != 0 && word(file, section + 4)? != 8 {
            let [address, offset, size] = [12, 16, 20].map(|field| word(file, section + field));
            stored.push((address?, offset? as usize, size? as usize));
        }
    }
    let text = |address: u32, length: u32| {
        let (start, offset, size) = stored
            .iter()
            .find(|(start, _, size)| (*start..*start + *size as u32).contains(&address))?;
        let at = (address - start) as usize;
        let text = file.get(offset + at..offset + (at + length as usize).min(*size))?;
        std::str::from_utf8(text)
            .ok()
            .filter(|text| text.ends_with(".rs"))
    };
    let mut places = BTreeSet::new();
    for (_, offset, size) in &stored {
        for at in (*offset..offset + size.saturating_sub(15)).step_by(4) {
            let [address, length, line, column] =
                [0, 4, 8, 12].map(|field| word(file, at + field).unwrap_or(0));
            if (4..256).contains(&length)
                && line > 0
                && column > 0
                && let Some(file) = text(address, length)
            {
                places.insert(Place {
                    file: file.to_owned(),
                    line,
                    column,
                });
            }
        }
    }
    Ok(places)
}

/// An address and the size of a stack frame in LEB128, again and again.
fn stack_sizes(mut section: &[u8]) -> Result<Vec<(u32, u32)>> {
    let mut sizes = Vec::new();
    while let Some((address, mut rest)) = section.split_first_chunk() {
        let (mut size, mut shift) = (0, 0);
        loop {
            let (&octet, behind) = rest.split_first().context("a size is cut off")?;
            rest = behind;
            size |= u32::from(octet & 127).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if octet < 128 {
                break;
            }
        }
        sizes.push((u32::from_le_bytes(*address), size));
        section = rest;
    }
    Ok(sizes)
}

fn name(file: &[u8], at: usize) -> Result<String> {
    let name = file.get(at..).context("a name outside of the file")?;
    let name = name.split(|octet| *octet == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

fn word(file: &[u8], at: usize) -> Result<u32> {
    let octets = file.get(at..at + 4).context("the file is cut off")?;
    Ok(u32::from_le_bytes(octets.try_into()?))
}

fn half(file: &[u8], at: usize) -> Result<u16> {
    let octets = file.get(at..at + 2).context("the file is cut off")?;
    Ok(u16::from_le_bytes(octets.try_into()?))
}

#[cfg(test)]
mod tests {
    use super::Image;

    #[test]
    fn stack_sizes_are_read() {
        let section = [1, 2, 0, 0, 16, 5, 2, 0, 0, 0x80, 2];
        let sizes = super::stack_sizes(&section).unwrap();
        assert_eq!(sizes, [(0x201, 16), (0x205, 256)]);
        assert!(super::stack_sizes(&section[..10]).is_err());
    }

    #[test]
    fn what_is_no_image_is_refused() {
        assert!(Image::parse(b"").is_err());
        assert!(Image::parse(b"\x7fELF\x02\x01").is_err());
        assert!(Image::parse(b"\x7fELF\x01\x01").is_err());
    }
}
