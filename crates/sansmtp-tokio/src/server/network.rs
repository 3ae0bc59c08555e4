//! Networks of addresses, for lists of who is trusted.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network: an address and the number of its leading bits that count. One address
/// is a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text is neither an address nor a network such as `192.0.2.0/24`, or bits are
/// set behind the ones that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidNetwork;

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither an IP address nor a network such as 192.0.2.0/24 or 2001:db8::/32")
    }
}

impl std::error::Error for InvalidNetwork {}

impl Network {
    /// The network of the addresses that begin like `address`.
    ///
    /// # Errors
    /// [`InvalidNetwork`] if there are not so many bits, or one behind them is set.
    pub fn new(address: IpAddr, bits: u8) -> Result<Self, InvalidNetwork> {
        let network = Self { address, bits };
        if bits > width(address) || network.masked(address) != Some(value(address)) {
            return Err(InvalidNetwork);
        }
        Ok(network)
    }

    /// Whether the address is in the network. An IPv4 address in IPv6 form counts as
    /// the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.masked(address) == Some(value(self.address))
    }

    /// The bits of an address of the same family that count.
    fn masked(&self, address: IpAddr) -> Option<u128> {
        let width = width(address);
        if width != self::width(self.address) {
            return None;
        }
        let dropped = u32::from(width.saturating_sub(self.bits));
        let kept = u128::MAX.checked_shl(dropped).unwrap_or(0);
        Some(value(address) & kept)
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            bits: width(address),
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let bits = match bits {
            None => width(address),
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => {
                bits.parse().map_err(|_| InvalidNetwork)?
            }
            Some(_) => return Err(InvalidNetwork),
        };
        Self::new(address, bits)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_which_network() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network}");
            assert!(!network.contains(outside.parse().unwrap()), "{network}");
            assert_eq!(network.to_string().parse(), Ok(network));
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "",
            "localhost",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/-1",
            "192.0.2.0/+8",
            "192.0.2.1/24",
            "192.0.2/24",
            "::1/129",
            "2001:db8::1/32",
            "192.0.2.0/24/24",
        ] {
            assert_eq!(text.parse::<Network>(), Err(InvalidNetwork), "{text}");
        }
    }
}
