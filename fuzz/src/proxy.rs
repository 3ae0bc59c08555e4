//! Headers of the PROXY protocol: a naive parser agrees, no beginning of a header is one, and what is written
//! reads back.

use crate::input::Input;
use sansmtp::wire::proxy::{Endpoints, Progress, parse};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Checks octets as what a balancer sends, and as the ends of a connection.
pub fn check(data: &[u8]) {
    let parsed = parse(data);
    if let Ok(Progress::Complete { length, header }) = &parsed {
        assert!(*length <= data.len());
        if data[0] == b'P' {
            assert_eq!(Some(header.endpoints), line(&data[..*length]), "{data:?}");
        } else {
            let attributes: usize = header.attributes().map(|(_, value)| 3 + value.len()).sum();
            assert!(attributes + 16 <= *length);
        }
        // What follows is the client's; what comes before is not enough.
        for end in 0..*length {
            match parse(&data[..end]) {
                Ok(Progress::Incomplete { needed }) => {
                    assert!(needed > 0 && end + needed <= *length, "{end} and {needed}");
                }
                other => panic!("{other:?} after {end} of {length} octets"),
            }
        }
    } else if let Some(end) = data.windows(2).take(106).position(|two| two == b"\r\n")
        && data[0] == b'P'
    {
        assert_eq!(line(&data[..end + 2]), None, "{parsed:?}");
    }
    endpoints(Input::new(data));
}

/// Version 1, by words.
fn line(line: &[u8]) -> Option<Option<Endpoints>> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let (keyword, rest) = text.split_once(' ')?;
    if keyword != "PROXY" || line.len() > 107 || text.contains(|c: char| !(' '..='~').contains(&c))
    {
        return None;
    }
    let words: Vec<&str> = rest.split(' ').collect();
    if words[0] == "UNKNOWN" {
        return Some(None);
    }
    let [family, source, destination, from, to] = words[..] else {
        return None;
    };
    let address = |text: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => text.parse().ok().map(IpAddr::V4),
            "TCP6" => text.parse().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let port = |text: &str| -> Option<u16> {
        let port: u16 = text.parse().ok()?;
        (port.to_string() == text).then_some(port)
    };
    Some(Some(Endpoints {
        source: SocketAddr::new(address(source)?, port(from)?),
        destination: SocketAddr::new(address(destination)?, port(to)?),
    }))
}

fn endpoints(mut input: Input<'_>) {
    let six = input.octet() & 1 != 0;
    let mut end = || {
        let address: IpAddr = if six {
            let groups = [(); 8].map(|()| input.short());
            Ipv6Addr::from(groups).into()
        } else {
            Ipv4Addr::from([(); 4].map(|()| input.octet())).into()
        };
        SocketAddr::new(address, input.short())
    };
    let ends = Endpoints {
        source: end(),
        destination: end(),
    };
    let mut out = [0; 256];
    for write in [Endpoints::write_v1, Endpoints::write_v2] {
        let length = write(&ends, &mut out).expect("256 octets are enough");
        match parse(&out[..length]) {
            Ok(Progress::Complete {
                length: read,
                header,
            }) => assert_eq!((read, header.endpoints), (length, Some(ends))),
            other => panic!("{other:?} from {ends:?}"),
        }
        assert_eq!(write(&ends, &mut out[..length - 1]), None);
    }
}
