//! Counts connections, in total and by peer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections that there are.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    counts: Arc<Mutex<Counts>>,
    total: usize,
    per_peer: usize,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    turned_away: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// The place of one connection; it is given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    counts: Arc<Mutex<Counts>>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Peer(IpAddr),
    /// It counts for no peer.
    Balancer,
    /// It is being turned away.
    TurnedAway,
}

/// How many connections are told at the same time that there are too many;
/// beyond that nothing is said.
const TURNED_AWAY: usize = 64;

impl Connections {
    pub(super) fn new(total: usize, per_peer: usize) -> Self {
        Self {
            counts: Arc::default(),
            total,
            per_peer,
        }
    }

    /// A place for a connection from `peer`.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Place> {
        let peer = network(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= self.total
            || counts.by_peer.get(&peer).copied().unwrap_or_default() >= self.per_peer
        {
            return None;
        }
        counts.total += 1;
        *counts.by_peer.entry(peer).or_default() += 1;
        Some(self.place(Kind::Peer(peer)))
    }

    /// A place for a connection from a balancer, whose peer is not known yet.
    pub(super) fn admit_balancer(&self) -> Option<Place> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= self.total {
            return None;
        }
        counts.total += 1;
        Some(self.place(Kind::Balancer))
    }

    /// A place for saying no.
    pub(super) fn turn_away(&self) -> Option<Place> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.turned_away >= TURNED_AWAY {
            return None;
        }
        counts.turned_away += 1;
        Some(self.place(Kind::TurnedAway))
    }

    /// Counts a connection from a balancer for the peer behind it. `false` if that has
    /// too many already.
    pub(super) fn count_for(&self, place: &mut Place, peer: IpAddr) -> bool {
        if place.kind != Kind::Balancer {
            return true;
        }
        let peer = network(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.by_peer.entry(peer).or_default();
        if *count >= self.per_peer {
            return false;
        }
        *count += 1;
        place.kind = Kind::Peer(peer);
        true
    }

    fn place(&self, kind: Kind) -> Place {
        Place {
            counts: Arc::clone(&self.counts),
            kind,
        }
    }
}

impl Place {
    /// Whether the connection is to be turned away.
    pub(super) fn is_for_refusal(&self) -> bool {
        self.kind == Kind::TurnedAway
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = match self.kind {
            Kind::TurnedAway => {
                counts.turned_away -= 1;
                return;
            }
            Kind::Balancer => None,
            Kind::Peer(peer) => Some(peer),
        };
        counts.total -= 1;
        if let Some(peer) = peer
            && let Some(count) = counts.by_peer.get_mut(&peer)
        {
            *count -= 1;
            if *count == 0 {
                counts.by_peer.remove(&peer);
            }
        }
    }
}

/// Who counts as one peer: an IPv4 address, or an IPv6 /64, which is what one
/// site has at least.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_balancer_it_is_the_client_that_counts() {
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let connections = Connections::new(3, 1);
        let mut one = connections.admit_balancer().unwrap();
        let mut two = connections.admit_balancer().unwrap();
        let _three = connections.admit_balancer().unwrap();
        assert!(connections.admit_balancer().is_none(), "total");
        assert!(connections.count_for(&mut one, client));
        assert!(!connections.count_for(&mut two, client));
        drop(two);
        let mut four = connections.admit_balancer().unwrap();
        drop(one);
        assert!(connections.count_for(&mut four, client));
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let peer = |text: &str| text.parse::<IpAddr>().unwrap();
        let connections = Connections::new(3, 2);
        let one = connections.admit(peer("192.0.2.1")).unwrap();
        let _two = connections.admit(peer("::ffff:192.0.2.1")).unwrap();
        assert!(connections.admit(peer("192.0.2.1")).is_none());
        let three = connections.admit(peer("2001:db8::1")).unwrap();
        assert!(connections.admit(peer("192.0.2.2")).is_none(), "total");
        drop(one);
        let _four = connections.admit(peer("2001:db8::ffff:1:2:3")).unwrap();
        assert!(connections.admit(peer("2001:db8::2")).is_none());
        drop(three);
        assert!(connections.admit(peer("2001:db8::3")).is_some());
        let refusals: Vec<_> = std::iter::from_fn(|| connections.turn_away()).collect();
        assert_eq!(refusals.len(), TURNED_AWAY);
        drop(refusals);
        assert!(connections.turn_away().is_some());
    }
}
