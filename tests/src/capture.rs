//! What went over a cable, recorded in the format of tcpdump.

use std::fs;
use std::path::Path;

use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, TcpPacket};

use crate::Error;

/// A TCP segment, as it went over the cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The port of the sender.
    pub source_port: u16,
    /// The port of the receiver.
    pub destination_port: u16,
    /// The place of its first octet in the stream.
    pub sequence: i32,
    /// It begins, ends or breaks a connection.
    pub is_control: bool,
    /// The connection is broken.
    pub is_reset: bool,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// Reads the TCP segments of a capture, in their order. Whatever else is in it is left out.
///
/// # Errors
/// If the file can not be read, or is no capture.
pub fn segments(file: &Path) -> Result<Vec<Segment>, Error> {
    let capture = fs::read(file).map_err(|e| Error::during(file.display(), e))?;
    let broken = || Error::new(format!("{} is no capture", file.display()));
    let (header, mut rest) = capture.split_at_checked(24).ok_or_else(broken)?;
    // Microseconds, this machine's order of octets; Ethernet.
    if header.get(..4) != Some(&0xA1B2_C3D4_u32.to_ne_bytes()) {
        return Err(broken());
    }
    let mut segments = Vec::new();
    while !rest.is_empty() {
        let (record, behind) = rest.split_at_checked(16).ok_or_else(broken)?;
        let length = record.get(8..12).and_then(|it| it.try_into().ok());
        let length = length.map(u32::from_ne_bytes).ok_or_else(broken)?;
        let (frame, behind) = behind
            .split_at_checked(length as usize)
            .ok_or_else(broken)?;
        segments.extend(segment(frame));
        rest = behind;
    }
    Ok(segments)
}

fn segment(frame: &[u8]) -> Option<Segment> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    if frame.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
    if packet.next_header() != IpProtocol::Tcp {
        return None;
    }
    let segment = TcpPacket::new_checked(packet.payload()).ok()?;
    Some(Segment {
        source_port: segment.src_port(),
        destination_port: segment.dst_port(),
        sequence: segment.seq_number().0,
        is_control: segment.syn() || segment.fin() || segment.rst(),
        is_reset: segment.rst(),
        payload: segment.payload().to_vec(),
    })
}
