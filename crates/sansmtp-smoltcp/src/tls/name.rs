//! Whether a certificate is for a host (RFC 9525).

use super::certificate::any_name;

/// Tag numbers of GeneralName (RFC 5280, section 4.2.1.6).
const DNS_NAME: u8 = 2;
const IP_ADDRESS: u8 = 7;

/// Whether one of the alternative names is `host`, a DNS name or an IPv4 address. The common name of the
/// subject does not count (RFC 9525, section 6.4.4).
pub(crate) fn is_for(alternative_names: &[u8], host: &str) -> bool {
    if let Ok(address) = host.parse::<core::net::Ipv4Addr>() {
        let octets = address.octets();
        return any_name(alternative_names, |tag, name| {
            tag == IP_ADDRESS && name == octets
        });
    }
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    any_name(alternative_names, |tag, name| {
        tag == DNS_NAME && matches(name, host)
    })
}

/// `*` may stand for the whole leftmost label, and for one label only (RFC 9525, section 6.3); two labels
/// must follow it, so that nobody gets a certificate for a top-level domain.
fn matches(pattern: &[u8], host: &[u8]) -> bool {
    if let Some(parent) = pattern.strip_prefix(b"*.") {
        let mut parts = host.splitn(2, |octet| *octet == b'.');
        let label = parts.next().unwrap_or_default();
        let rest = parts.next().unwrap_or_default();
        return !label.is_empty()
            && parent.contains(&b'.')
            && !parent.contains(&b'*')
            && parent.eq_ignore_ascii_case(rest);
    }
    !host.is_empty() && !pattern.contains(&b'*') && pattern.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn names() {
        for (pattern, host, expected) in [
            ("mx.example.org", "mx.example.org", true),
            ("MX.example.ORG", "mx.EXAMPLE.org", true),
            ("*.example.org", "mx.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", ".example.org", false),
            ("*.example.org", "a.mx.example.org", false),
            ("*.org", "example.org", false),
            ("*", "localhost", false),
            ("m*.example.org", "mx.example.org", false),
            ("*x.example.org", "mx.example.org", false),
            ("mx.*.org", "mx.example.org", false),
            ("*.*.org", "mx.example.org", false),
            ("mx.example.org\0.evil.example", "mx.example.org", false),
            ("", "", false),
        ] {
            let result = matches(pattern.as_bytes(), host.as_bytes());
            assert_eq!(result, expected, "{pattern:?} for {host:?}");
        }
    }
}
