//! The network: Ethernet, an address by DHCP, and the sockets of this device.

use crate::board::clock;
use crate::board::lan9118::{Lan9118, NoController};
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet, SocketStorage};
#[cfg(feature = "dns")]
use smoltcp::socket::dns;
use smoltcp::socket::{dhcpv4, tcp};
use smoltcp::time::Duration;
#[cfg(feature = "dns")]
use smoltcp::wire::IpAddress;
use smoltcp::wire::IpCidr;

/// Octets of each TCP buffer.
pub(crate) const TCP_BUFFER: usize = 1024;

/// The network stack.
pub(crate) struct Network<'a> {
    device: &'a mut Lan9118,
    pub(crate) interface: Interface,
    pub(crate) sockets: SocketSet<'a>,
    dhcp: SocketHandle,
    #[cfg(feature = "dns")]
    pub(crate) dns: SocketHandle,
    pub(crate) tcp: SocketHandle,
}

impl<'a> Network<'a> {
    /// `window` is how much of the TCP buffers is used: with 1, each segment has one octet.
    pub(crate) fn new(
        device: &'a mut Lan9118,
        storage: &'a mut [SocketStorage<'a>; 3],
        #[cfg(feature = "dns")] queries: &'a mut [Option<dns::DnsQuery>; 1],
        buffers: &'a mut [[u8; TCP_BUFFER]; 2],
        window: usize,
        seed: u64,
    ) -> Result<Self, NoController> {
        let mut config = Config::new(Lan9118::address()?.into());
        config.random_seed = seed;
        let interface = Interface::new(config, device, clock::stack_now());
        let mut sockets = SocketSet::new(&mut storage[..]);
        let dhcp = sockets.add(dhcpv4::Socket::new());
        #[cfg(feature = "dns")]
        let dns = sockets.add(dns::Socket::new(&[], &mut queries[..]));
        let [receive, transmit] = buffers.each_mut().map(|buffer| {
            let window = window.clamp(1, buffer.len());
            tcp::SocketBuffer::new(buffer.get_mut(..window).unwrap_or_default())
        });
        let tcp = sockets.add(tcp::Socket::new(receive, transmit));
        Ok(Self {
            device,
            interface,
            sockets,
            dhcp,
            #[cfg(feature = "dns")]
            dns,
            tcp,
        })
    }

    /// Lets the stack work, and follows what DHCP says. If nothing is to be done, it sleeps until the next
    /// tick of the clock.
    pub(crate) fn poll(&mut self) {
        let result = self
            .interface
            .poll(clock::stack_now(), self.device, &mut self.sockets);
        if result == PollResult::None {
            cortex_m::asm::wfi();
        }
        let event = self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).poll();
        match event {
            None => {}
            Some(dhcpv4::Event::Deconfigured) => {
                self.interface
                    .update_ip_addrs(|addresses| addresses.clear());
                self.interface.routes_mut().remove_default_ipv4_route();
            }
            Some(dhcpv4::Event::Configured(lease)) => {
                let router = lease.router;
                #[cfg(feature = "dns")]
                let server = lease.dns_servers.first().copied().map(IpAddress::Ipv4);
                let address = IpCidr::Ipv4(lease.address);
                self.interface.update_ip_addrs(|addresses| {
                    addresses.clear();
                    addresses.push(address).ok();
                });
                if let Some(router) = router {
                    let routes = self.interface.routes_mut();
                    routes.add_default_ipv4_route(router).ok();
                }
                #[cfg(feature = "dns")]
                self.sockets
                    .get_mut::<dns::Socket<'_>>(self.dns)
                    .update_servers(server.as_slice());
            }
        }
    }

    /// Waits for an address. False if none came in time.
    pub(crate) fn wait_for_address(&mut self, limit: Duration) -> bool {
        let end = clock::stack_now() + limit;
        while self.interface.ip_addrs().is_empty() {
            if clock::stack_now() >= end {
                return false;
            }
            self.poll();
        }
        true
    }
}
