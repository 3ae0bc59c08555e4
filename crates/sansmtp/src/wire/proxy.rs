//! The PROXY protocol, versions 1 and 2: what a balancer says in front of
//! everything else, so that the server learns who the client is. HAProxy's
//! `proxy-protocol.txt` describes it.
//!
//! Whoever may send such a header may name any client. A server takes one only
//! from balancers that it knows, and from those it must be there: a driver that
//! only looked whether one comes would take it from everybody.

use super::ip;
use super::param::decimal;
use super::window::Window;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

/// The most octets of a header. Version 1 has at most 107; of version 2 the
/// addresses take 232, and what follows them seldom some hundred more.
pub const LIMIT: usize = 4096;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The two ends of the client's connection. `None` where the balancer speaks for
    /// itself, or does not know them: then the real ends of this connection count.
    pub endpoints: Option<Endpoints>,
    /// Whether the balancer speaks for itself, as in a health check. If not, there is
    /// a client behind it, also where nothing is known of it.
    pub local: bool,
    attributes: &'a [u8],
}

/// The two ends of a connection that was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// The client.
    pub source: SocketAddr,
    /// Where the client connected to.
    pub destination: SocketAddr,
}

/// How far a header has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// It is not complete.
    Incomplete {
        /// At least so many octets are missing. Who reads no more than that reads
        /// nothing of what follows.
        needed: usize,
    },
    /// It is complete.
    Complete {
        /// Its length in octets. What follows is the client's.
        length: usize,
        /// What it says.
        header: Header<'a>,
    },
}

/// Why octets are no header. The connection must be closed without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// It begins like neither version.
    Signature,
    /// It is longer than [`LIMIT`], or a line longer than 107 octets.
    TooLong,
    /// The version, command or family of addresses is not known.
    Unknown,
    /// An address or port can not be read.
    Address,
    /// The length does not fit the content.
    Length,
    /// The checksum is wrong.
    Checksum,
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "this is no header of the PROXY protocol",
            Self::TooLong => "the PROXY header is too long",
            Self::Unknown => "the PROXY header has a version, command or family that is not known",
            Self::Address => "an address or port in the PROXY header can not be read",
            Self::Length => "the length of the PROXY header does not fit its content",
            Self::Checksum => "the checksum of the PROXY header is wrong",
        })
    }
}

impl core::error::Error for InvalidHeader {}

/// Reads a header at the beginning of `input`. Work is linear in the length of
/// the header, and nothing behind it is looked at.
///
/// # Errors
/// [`InvalidHeader`] as soon as it is certain that this becomes no header.
pub fn parse(input: &[u8]) -> Result<Progress<'_>, InvalidHeader> {
    match input.first() {
        None => Ok(Progress::Incomplete {
            needed: SHORTEST_LINE.len(),
        }),
        Some(b'P') => parse_line(input),
        Some(_) => parse_binary(input),
    }
}

const SHORTEST_LINE: &[u8] = b"PROXY UNKNOWN\r\n";
const LINE_LIMIT: usize = 107;

/// `PROXY TCP4 192.0.2.1 198.51.100.1 50000 25 CRLF`, with single spaces.
fn parse_line(input: &[u8]) -> Result<Progress<'_>, InvalidHeader> {
    let keyword = b"PROXY ";
    let start = keyword.iter().zip(input);
    if start.into_iter().any(|(wanted, is)| wanted != is) {
        return Err(InvalidHeader::Signature);
    }
    let room = input.get(..LINE_LIMIT).unwrap_or(input);
    let printable = |b: &u8| matches!(b, b' '..=b'~');
    let Some(end) = room.iter().position(|&b| b == b'\n') else {
        let body = match room.split_last() {
            Some((b'\r', body)) => body,
            _ => room,
        };
        if !body.iter().all(printable) {
            return Err(InvalidHeader::Address);
        }
        if room.len() == LINE_LIMIT {
            return Err(InvalidHeader::TooLong);
        }
        return Ok(Progress::Incomplete {
            needed: missing(room),
        });
    };
    let line = room.get(keyword.len()..end).unwrap_or_default();
    let Some((b'\r', line)) = line.split_last() else {
        return Err(InvalidHeader::Address);
    };
    if !line.iter().all(printable) {
        return Err(InvalidHeader::Address);
    }
    let mut words = line.split(|&b| b == b' ');
    let endpoints = match words.next() {
        Some(b"UNKNOWN") => None,
        Some(b"TCP4") => Some(line_endpoints(words, |text| {
            ip::parse_v4(text).map(IpAddr::V4)
        })?),
        Some(b"TCP6") => Some(line_endpoints(words, |text| {
            ip::parse_v6(text).map(IpAddr::V6)
        })?),
        _ => return Err(InvalidHeader::Unknown),
    };
    Ok(Progress::Complete {
        length: end.wrapping_add(1),
        header: Header {
            endpoints,
            local: false,
            attributes: &[],
        },
    })
}

/// How many octets a line that has begun lacks at least.
fn missing(line: &[u8]) -> usize {
    let shortest = if line.starts_with(b"PROXY TCP4") {
        b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".len()
    } else if line.starts_with(b"PROXY TCP6") {
        b"PROXY TCP6 :: :: 0 0\r\n".len()
    } else {
        SHORTEST_LINE.len()
    };
    let end = if line.last() == Some(&b'\r') { 1 } else { 2 };
    shortest.saturating_sub(line.len()).max(end)
}

fn line_endpoints<'a>(
    mut words: impl Iterator<Item = &'a [u8]>,
    address: impl Fn(&[u8]) -> Option<IpAddr>,
) -> Result<Endpoints, InvalidHeader> {
    let mut next = || words.next().unwrap_or_default();
    let (source, destination) = (next(), next());
    let (source_port, destination_port) = (next(), next());
    let end = |text: &[u8], port: &[u8]| {
        let canonical = port.len() == 1 || port.first() != Some(&b'0');
        let port = decimal(port).filter(|_| canonical)?;
        let address = address(text)?;
        Some(SocketAddr::new(address, u16::try_from(port).ok()?))
    };
    match (
        end(source, source_port),
        end(destination, destination_port),
        words.next(),
    ) {
        (Some(source), Some(destination), None) => Ok(Endpoints {
            source,
            destination,
        }),
        _ => Err(InvalidHeader::Address),
    }
}

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED: usize = 16;

fn parse_binary(input: &[u8]) -> Result<Progress<'_>, InvalidHeader> {
    if SIGNATURE.iter().zip(input).any(|(wanted, is)| wanted != is) {
        return Err(InvalidHeader::Signature);
    }
    let Some((fixed, rest)) = input.split_first_chunk::<FIXED>() else {
        return Ok(Progress::Incomplete {
            needed: FIXED.saturating_sub(input.len()),
        });
    };
    let [.., version_and_command, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let total = length.wrapping_add(FIXED);
    let local = match version_and_command {
        0x20 => true,
        0x21 => false,
        _ => return Err(InvalidHeader::Unknown),
    };
    if total > LIMIT {
        return Err(InvalidHeader::TooLong);
    }
    let Some(rest) = rest.get(..length) else {
        return Ok(Progress::Incomplete {
            needed: length.saturating_sub(rest.len()),
        });
    };
    let (endpoints, attributes) = match family {
        // Not stated; what follows can not be told from addresses.
        0x00 => (None, &[][..]),
        0x11 => {
            let (octets, rest) = rest
                .split_first_chunk::<12>()
                .ok_or(InvalidHeader::Length)?;
            let [a, b, c, d, e, f, g, h, p, q, r, s] = *octets;
            let source = SocketAddr::from(([a, b, c, d], u16::from_be_bytes([p, q])));
            let destination = SocketAddr::from(([e, f, g, h], u16::from_be_bytes([r, s])));
            (Some((source, destination)), rest)
        }
        0x21 => {
            let (source, tail) = rest
                .split_first_chunk::<16>()
                .ok_or(InvalidHeader::Length)?;
            let (destination, tail) = tail
                .split_first_chunk::<16>()
                .ok_or(InvalidHeader::Length)?;
            let (&[p, q, r, s], tail) =
                tail.split_first_chunk::<4>().ok_or(InvalidHeader::Length)?;
            let source = SocketAddr::from((*source, u16::from_be_bytes([p, q])));
            let destination = SocketAddr::from((*destination, u16::from_be_bytes([r, s])));
            (Some((source, destination)), tail)
        }
        // Between two processes of one machine: there is no address.
        0x31 => (None, rest.get(216..).ok_or(InvalidHeader::Length)?),
        // SMTP does not go over datagrams.
        _ => return Err(InvalidHeader::Unknown),
    };
    let header = Header {
        endpoints: endpoints
            .filter(|_| !local)
            .map(|(source, destination)| Endpoints {
                source,
                destination,
            }),
        local,
        attributes,
    };
    header.check(input.get(..total).unwrap_or(input))?;
    Ok(Progress::Complete {
        length: total,
        header,
    })
}

/// The type of the attribute that holds a checksum.
const CHECKSUM: u8 = 0x03;

impl<'a> Header<'a> {
    /// The attributes of a header of version 2, as types and values (section 2.2
    /// of the description): 0x02 is the host name that the client asked for, 0x20
    /// tells of TLS that the balancer has ended.
    pub fn attributes(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut rest = self.attributes;
        core::iter::from_fn(move || {
            let (kind, value, tail) = attribute(rest)?;
            rest = tail;
            Some((kind, value))
        })
    }

    fn check(&self, whole: &[u8]) -> Result<(), InvalidHeader> {
        let mut rest = self.attributes;
        while !rest.is_empty() {
            let (kind, value, tail) = attribute(rest).ok_or(InvalidHeader::Length)?;
            if kind == CHECKSUM {
                let stated: [u8; 4] = value.try_into().map_err(|_| InvalidHeader::Length)?;
                let at = whole.len().saturating_sub(tail.len().saturating_add(4));
                if crc32c(whole, at) != u32::from_be_bytes(stated) {
                    return Err(InvalidHeader::Checksum);
                }
                // One is enough: more would let the work grow.
                return self.count_rest(tail);
            }
            rest = tail;
        }
        Ok(())
    }

    /// Looks whether the lengths of the rest fit.
    fn count_rest(&self, mut rest: &[u8]) -> Result<(), InvalidHeader> {
        while !rest.is_empty() {
            let (kind, _, tail) = attribute(rest).ok_or(InvalidHeader::Length)?;
            if kind == CHECKSUM {
                return Err(InvalidHeader::Checksum);
            }
            rest = tail;
        }
        Ok(())
    }
}

/// Type, value, and what follows.
fn attribute(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, high, low], rest) = octets.split_first_chunk::<3>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (value, rest) = rest.split_at_checked(length)?;
    Some((kind, value, rest))
}

/// CRC-32C (RFC 9260, appendix A) of the octets, with the four at `at` taken as 0.
fn crc32c(octets: &[u8], at: usize) -> u32 {
    let mut sum = u32::MAX;
    for (place, &octet) in octets.iter().enumerate() {
        let blank = place.wrapping_sub(at) < 4;
        sum ^= if blank { 0 } else { u32::from(octet) };
        for _ in 0..8 {
            let carry = if sum & 1 == 1 { 0x82f6_3b78 } else { 0 };
            sum = (sum >> 1) ^ carry;
        }
    }
    !sum
}

impl Endpoints {
    /// Writes a header of version 1 for this connection, as a balancer sends it, and
    /// returns its length; `None` if the two families differ, or it does not fit
    /// into `out`. 107 octets are enough.
    pub fn write_v1(&self, out: &mut [u8]) -> Option<usize> {
        let (source, destination) = (self.source, self.destination);
        let mut window = Window::new(0, out);
        window.put(match (source, destination) {
            (SocketAddr::V4(_), SocketAddr::V4(_)) => b"PROXY TCP4 ",
            (SocketAddr::V6(_), SocketAddr::V6(_)) => b"PROXY TCP6 ",
            _ => return None,
        });
        for address in [source.ip(), destination.ip()] {
            ip::render(address, &mut window);
            window.put(b" ");
        }
        window.put_decimal(u64::from(source.port()));
        window.put(b" ");
        window.put_decimal(u64::from(destination.port()));
        window.put(b"\r\n");
        window.finished().then(|| window.written())
    }

    /// The same in version 2. 52 octets are enough.
    pub fn write_v2(&self, out: &mut [u8]) -> Option<usize> {
        let mut window = Window::new(0, out);
        window.put(&SIGNATURE);
        match (self.source, self.destination) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
                window.put(&[0x21, 0x11, 0, 12]);
                window.put(&source.ip().octets());
                window.put(&destination.ip().octets());
            }
            (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
                window.put(&[0x21, 0x21, 0, 36]);
                window.put(&source.ip().octets());
                window.put(&destination.ip().octets());
            }
            _ => return None,
        }
        window.put(&self.source.port().to_be_bytes());
        window.put(&self.destination.port().to_be_bytes());
        window.finished().then(|| window.written())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;
    use std::vec::Vec;

    fn complete(input: &[u8]) -> (usize, Header<'_>) {
        match parse(input) {
            Ok(Progress::Complete { length, header }) => (length, header),
            other => panic!("{other:?} of {input:?}"),
        }
    }

    fn ends(source: &str, destination: &str) -> Option<Endpoints> {
        Some(Endpoints {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
        })
    }

    #[test]
    fn lines() {
        for (line, expected) in [
            (
                "PROXY TCP4 192.0.2.1 198.51.100.7 50000 25\r\n",
                ends("192.0.2.1:50000", "198.51.100.7:25"),
            ),
            (
                "PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n",
                ends("255.255.255.255:65535", "0.0.0.0:0"),
            ),
            (
                "PROXY TCP6 2001:db8::1 ::1 1 25\r\n",
                ends("[2001:db8::1]:1", "[::1]:25"),
            ),
            (
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
                ends(
                    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
                    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
                ),
            ),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN and whatever it may be\r\n", None),
        ] {
            let input = format!("{line}EHLO x\r\n");
            let (length, header) = complete(input.as_bytes());
            assert_eq!((length, header.endpoints), (line.len(), expected), "{line}");
            assert_eq!(header.attributes().count(), 0);
        }
    }

    #[test]
    fn lines_that_are_none() {
        use InvalidHeader::*;
        for (line, why) in [
            ("EHLO x\r\n", Signature),
            ("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", Signature),
            ("PROXY\r\n", Signature),
            ("PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n", Signature),
            ("PROXY \r\n", Unknown),
            ("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", Unknown),
            ("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", Unknown),
            ("PROXY UNKNOWNX\r\n", Unknown),
            // As soon as it comes, so also with the whole line.
            ("PROXY UNKNOWN \0\r\n", Address),
            ("PROXY TCP4\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", Address),
            ("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", Address),
            ("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", Address),
            ("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", Address),
            ("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n", Address),
            ("PROXY TCP4 ::1 ::1 1 2\r\n", Address),
            ("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", Address),
            ("PROXY TCP6 ::1%1 ::1 1 2\r\n", Address),
            ("PROXY TCP6 [::1] ::1 1 2\r\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", Address),
            ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX", Address),
            ("PROXY UNKNOWN\0", Address),
        ] {
            assert_eq!(parse(line.as_bytes()), Err(why), "{line:?}");
        }
        let long = format!("PROXY UNKNOWN {}", "x".repeat(200));
        assert_eq!(parse(long.as_bytes()), Err(TooLong));
        let fits = format!("PROXY UNKNOWN {}\r\n", "x".repeat(91));
        assert_eq!(complete(fits.as_bytes()).0, 107);
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut octets = SIGNATURE.to_vec();
        octets.extend([command, family]);
        octets.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        octets.extend(rest);
        octets
    }

    const V4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 7, 0xc3, 0x50, 0, 25];

    #[test]
    fn binary_headers() {
        let v4 = ends("192.0.2.1:50000", "198.51.100.7:25");
        let attributes = [&V4[..], &[2, 0, 2, b'm', b'x', 0x20, 0, 0]].concat();
        for (command, family, rest, expected, count) in [
            (0x21, 0x11, &V4[..], v4, 0),
            (0x21, 0x11, &attributes, v4, 2),
            // Health checks, with or without addresses.
            (0x20, 0x00, &[], None, 0),
            (0x20, 0x11, &V4, None, 0),
            (0x21, 0x00, b"whatever", None, 0),
            (0x21, 0x31, &[0; 216], None, 0),
        ] {
            let header = binary(command, family, rest);
            let input = [&header[..], b"EHLO x\r\n"].concat();
            let (length, read) = complete(&input);
            assert_eq!((length, read.endpoints), (header.len(), expected));
            assert_eq!(read.attributes().count(), count);
        }
        let header = binary(0x21, 0x11, &attributes);
        let (_, header) = complete(&header);
        assert_eq!(header.attributes().next(), Some((2, &b"mx"[..])));
    }

    #[test]
    fn binary_headers_that_are_none() {
        use InvalidHeader::*;
        for (command, family, rest, why) in [
            (0x11, 0x11, &V4[..], Unknown),
            (0x22, 0x11, &V4, Unknown),
            (0x31, 0x11, &V4, Unknown),
            (0x21, 0x12, &V4, Unknown),
            (0x21, 0x41, &V4, Unknown),
            (0x21, 0x10, &V4, Unknown),
            (0x21, 0x11, &V4[..11], Length),
            (0x21, 0x11, &[], Length),
            (0x21, 0x21, &[0; 35], Length),
            (0x21, 0x31, &[0; 215], Length),
            (0x21, 0x11, &[&V4[..], &[2]].concat(), Length),
            (0x21, 0x11, &[&V4[..], &[2, 0, 1]].concat(), Length),
            (0x21, 0x11, &[&V4[..], &[2, 255, 255, 0]].concat(), Length),
            (0x21, 0x11, &[&V4[..], &[3, 0, 1, 0]].concat(), Length),
            (
                0x21,
                0x11,
                &[&V4[..], &[3, 0, 4, 0, 0, 0, 0]].concat(),
                Checksum,
            ),
        ] {
            assert_eq!(parse(&binary(command, family, rest)), Err(why));
        }
        let mut huge = binary(0x21, 0x11, &V4);
        huge[14] = 0xff;
        assert_eq!(parse(&huge), Err(TooLong));
        let mut other = binary(0x21, 0x11, &V4);
        other[4] = 1;
        assert_eq!(parse(&other), Err(Signature));
    }

    #[test]
    fn a_checksum_is_checked() {
        // The check value of CRC-32C.
        assert_eq!(crc32c(b"123456789", 100), 0xe306_9283);
        let rest = [&V4[..], &[3, 0, 4, 0, 0, 0, 0, 4, 0, 1, 0]].concat();
        let mut header = binary(0x21, 0x11, &rest);
        let at = FIXED + V4.len() + 3;
        let sum = crc32c(&header, at);
        header[at..at + 4].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(complete(&header).0, header.len());
        for place in (FIXED..header.len()).filter(|place| *place != at - 3) {
            let mut other = header.clone();
            other[place] ^= 1;
            assert!(
                parse(&other).is_err() || matches!(parse(&other), Ok(Progress::Incomplete { .. }))
            );
        }
        let twice = [&V4[..], &[3, 0, 4, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0]].concat();
        assert_eq!(
            parse(&binary(0x21, 0x11, &twice)),
            Err(InvalidHeader::Checksum)
        );
    }

    /// Reads as a careful driver does, and returns what it read.
    fn read_as_needed(stream: &[u8]) -> Result<usize, InvalidHeader> {
        let mut have = 0;
        loop {
            match parse(&stream[..have])? {
                Progress::Complete { length, .. } => {
                    assert_eq!(length, have, "nothing of what follows was read");
                    return Ok(have);
                }
                Progress::Incomplete { needed } => {
                    assert!(needed > 0);
                    have += needed;
                    assert!(have <= stream.len(), "{:?}", stream[..].to_vec());
                }
            }
        }
    }

    fn any_address() -> impl Strategy<Value = Endpoints> {
        let v4 = any::<([u8; 4], u16, [u8; 4], u16)>()
            .prop_map(|(a, p, b, q)| (SocketAddr::from((a, p)), SocketAddr::from((b, q))));
        let v6 = any::<([u16; 8], u16, [u16; 8], u16)>()
            .prop_map(|(a, p, b, q)| (SocketAddr::from((a, p)), SocketAddr::from((b, q))));
        prop_oneof![v4, v6].prop_map(|(source, destination)| Endpoints {
            source,
            destination,
        })
    }

    proptest! {
        #[test]
        fn there_and_back(ends in any_address()) {
            for write in [Endpoints::write_v1, Endpoints::write_v2] {
                let mut out = [0; LINE_LIMIT];
                let length = write(&ends, &mut out).unwrap();
                let stream = [&out[..length], b"EHLO x\r\n"].concat();
                prop_assert_eq!(complete(&stream).1.endpoints, Some(ends));
                prop_assert_eq!(read_as_needed(&stream), Ok(length));
                for short in 0..length {
                    let progress = parse(&stream[..short]);
                    let Ok(Progress::Incomplete { needed }) = progress else {
                        panic!("{progress:?}");
                    };
                    prop_assert!(short + needed <= length);
                }
                prop_assert_eq!(write(&ends, &mut out[..length - 1]), None);
            }
        }

        /// A header that was damaged is refused or read, and never read past.
        #[test]
        fn damage(ends in any_address(), place in 0_usize..52, octet: u8, v2: bool) {
            let mut out = [0; LINE_LIMIT];
            let length = match v2 {
                true => ends.write_v2(&mut out),
                false => ends.write_v1(&mut out),
            };
            let length = length.unwrap();
            out[place % length] = octet;
            let mut stream = out[..length].to_vec();
            stream.resize(LIMIT + 100, b'x');
            if let Ok(Progress::Complete { length, header }) = parse(&stream) {
                prop_assert!(length <= LIMIT);
                let _ = header.attributes().count();
            }
        }

        #[test]
        fn any_octets(mut tail in proptest::collection::vec(any::<u8>(), 0..300), v2: bool) {
            let mut stream = if v2 { SIGNATURE.to_vec() } else { b"PROXY ".to_vec() };
            stream.append(&mut tail);
            if let Ok(Progress::Complete { length, header }) = parse(&stream) {
                prop_assert!(length <= stream.len());
                let _ = header.attributes().count();
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(InvalidHeader::Signature.to_string().contains("PROXY"));
        let mixed = Endpoints {
            source: "192.0.2.1:1".parse().unwrap(),
            destination: "[::1]:2".parse().unwrap(),
        };
        assert_eq!(mixed.write_v1(&mut [0; 107]), None);
        assert_eq!(mixed.write_v2(&mut [0; 107]), None);
    }
}
