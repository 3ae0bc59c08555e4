//! Where the server is.

#[cfg(feature = "dns")]
use smoltcp::iface::SocketHandle;
use smoltcp::iface::{Interface, SocketSet};
#[cfg(feature = "dns")]
use smoltcp::socket::dns::{GetQueryResultError, QueryHandle, Socket};
#[cfg(feature = "dns")]
use smoltcp::wire::DnsQueryType;
use smoltcp::wire::IpAddress;

/// Where the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// At this address. The host of the configuration is then only the name that its certificate must
    /// be for.
    Address(IpAddress),
    /// At the host of the configuration, which this DNS socket looks up unless it is an address.
    #[cfg(feature = "dns")]
    Dns(SocketHandle),
}

/// A look-up under way.
#[derive(Default)]
pub(crate) struct LookUp {
    #[cfg(feature = "dns")]
    query: Option<QueryHandle>,
}

impl Peer {
    /// Starts or goes on with a look-up of `host`: `Ok(None)` while it is under way. If there are several addresses,
    /// each `turn` takes the next, so that one dead server does not spoil all attempts.
    #[cfg_attr(not(feature = "dns"), expect(unused_variables))]
    pub(crate) fn look_up(
        self,
        look_up: &mut LookUp,
        host: &str,
        turn: u8,
        interface: &mut Interface,
        sockets: &mut SocketSet<'_>,
    ) -> Result<Option<IpAddress>, NotFound> {
        match self {
            Self::Address(address) => Ok(Some(address)),
            #[cfg(feature = "dns")]
            Self::Dns(handle) => {
                let socket = sockets.get_mut::<Socket<'_>>(handle);
                let Some(query) = look_up.query else {
                    if let Ok(address) = host.parse::<core::net::Ipv4Addr>() {
                        return Ok(Some(address.into()));
                    }
                    // A final dot marks a name as complete; smoltcp wants none.
                    let name = host.strip_suffix('.').unwrap_or(host);
                    let query = socket
                        .start_query(interface.context(), name, DnsQueryType::A)
                        .map_err(|_| NotFound)?;
                    look_up.query = Some(query);
                    return Ok(None);
                };
                let result = socket.get_query_result(query);
                if let Err(GetQueryResultError::Pending) = result {
                    return Ok(None);
                }
                // The socket has freed the query.
                look_up.query = None;
                let addresses = result.map_err(|_| NotFound)?;
                let place = usize::from(turn).checked_rem(addresses.len()).unwrap_or(0);
                addresses.get(place).copied().map(Some).ok_or(NotFound)
            }
        }
    }

    /// Ends a look-up before its end.
    #[cfg_attr(not(feature = "dns"), expect(unused_variables))]
    pub(crate) fn cancel(self, look_up: &mut LookUp, sockets: &mut SocketSet<'_>) {
        match self {
            Self::Address(_) => {}
            #[cfg(feature = "dns")]
            Self::Dns(handle) => {
                if let Some(query) = look_up.query.take() {
                    sockets.get_mut::<Socket<'_>>(handle).cancel_query(query);
                }
            }
        }
    }
}

/// The name could not be resolved.
pub(crate) struct NotFound;
