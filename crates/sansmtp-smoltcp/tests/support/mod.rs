//! Two machines with smoltcp stacks, joined by a cable in memory, on a clock that jumps from one event
//! to the next.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use sansmtp::server::Query;
use sansmtp::wire::reply::Reply;
use sansmtp_smoltcp::{Dialogue, Handler, Reception, core_instant, exchange, stack_instant};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

/// The address of the server machine.
pub(crate) const SERVER: IpAddress = IpAddress::v4(192, 0, 2, 25);
const CLIENT: IpAddress = IpAddress::v4(192, 0, 2, 7);

type Frames = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of the cable.
pub(crate) struct Port {
    incoming: Frames,
    outgoing: Frames,
    pub(crate) cut: Rc<RefCell<Cut>>,
}

/// When the cable loses frames.
#[derive(Debug)]
pub(crate) struct Cut {
    /// Frames that were sent from either side.
    pub(crate) frames: usize,
    /// Frames from this one on are lost...
    pub(crate) from: Option<usize>,
    /// ...until this time.
    pub(crate) until: Instant,
}

impl Device for Port {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sender<'a>;

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }

    fn receive(&mut self, now: Instant) -> Option<(Received, Sender<'_>)> {
        let frame = self.incoming.borrow_mut().pop_front()?;
        Some((Received(frame), Sender(self, now)))
    }

    fn transmit(&mut self, now: Instant) -> Option<Sender<'_>> {
        Some(Sender(self, now))
    }
}

pub(crate) struct Received(Vec<u8>);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct Sender<'a>(&'a Port, Instant);

impl phy::TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        let mut cut = self.0.cut.borrow_mut();
        cut.frames += 1;
        let lost = cut.from.is_some_and(|from| cut.frames > from) && self.1 < cut.until;
        if !lost {
            self.0.outgoing.borrow_mut().push_back(frame);
        }
        result
    }
}

/// A machine with an interface.
pub(crate) struct Host {
    pub(crate) interface: Interface,
    pub(crate) sockets: SocketSet<'static>,
    pub(crate) port: Port,
    pub(crate) tcp: SocketHandle,
}

impl Host {
    fn new(port: Port, address: IpAddress, number: u8, buffer: usize) -> Self {
        let mut port = port;
        let hardware = EthernetAddress([2, 0, 0, 0, 0, number]);
        let mut config = Config::new(hardware.into());
        config.random_seed = u64::from(number);
        let mut interface = Interface::new(config, &mut port, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(address, 24)).unwrap();
        });
        let buffers = || tcp::SocketBuffer::new(vec![0; buffer]);
        let mut sockets = SocketSet::new(vec![]);
        let tcp = sockets.add(tcp::Socket::new(buffers(), buffers()));
        Self {
            interface,
            sockets,
            port,
            tcp,
        }
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.port, &mut self.sockets);
    }
}

/// Both machines and their clock.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) client: Host,
    pub(crate) server: Host,
    pub(crate) cut: Rc<RefCell<Cut>>,
    names: SocketHandle,
}

impl World {
    /// `buffer` is the size of the TCP buffers on both sides: 1 makes segments of one octet.
    pub(crate) fn new(buffer: usize) -> Self {
        let (a, b) = (Frames::default(), Frames::default());
        let cut = Rc::new(RefCell::new(Cut {
            frames: 0,
            from: None,
            until: Instant::ZERO,
        }));
        let port = |incoming: &Frames, outgoing: &Frames, cut: &Rc<RefCell<Cut>>| Port {
            incoming: Rc::clone(incoming),
            outgoing: Rc::clone(outgoing),
            cut: Rc::clone(cut),
        };
        let client = Host::new(port(&a, &b, &cut), CLIENT, 1, buffer);
        let mut server = Host::new(port(&b, &a, &cut), SERVER, 2, buffer);
        let packets = || {
            let slots = vec![udp::PacketMetadata::EMPTY; 4];
            udp::PacketBuffer::new(slots, vec![0; 2048])
        };
        let names = server.sockets.add(udp::Socket::new(packets(), packets()));
        let socket = server.sockets.get_mut::<udp::Socket<'_>>(names);
        socket.bind(53).unwrap();
        Self {
            now: Instant::ZERO,
            client,
            server,
            cut,
            names,
        }
    }

    pub(crate) fn core_now(&self) -> sansmtp::Instant {
        core_instant(self.now)
    }

    /// Polls both stacks; answers questions for the address of `mx.example.org`.
    pub(crate) fn poll(&mut self) {
        self.client.poll(self.now);
        self.server.poll(self.now);
        let socket = self.server.sockets.get_mut::<udp::Socket<'_>>(self.names);
        if let Ok((question, from)) = socket.recv() {
            let answer = answer(question);
            socket.send_slice(&answer, from).unwrap();
        }
    }

    /// Sets the clock to what is due next; `also` are deadlines of the programs.
    pub(crate) fn advance(&mut self, also: &[Option<sansmtp::Instant>]) {
        if !self.client.port.incoming.borrow().is_empty()
            || !self.server.port.incoming.borrow().is_empty()
        {
            return;
        }
        let now = self.now;
        let mut due = Vec::new();
        for host in [&mut self.client, &mut self.server] {
            due.extend(host.interface.poll_at(now, &host.sockets));
        }
        due.extend(also.iter().flatten().map(|at| stack_instant(*at)));
        // A socket that is due now but has nothing to do must not stop the clock.
        let least = now + smoltcp::time::Duration::from_millis(1);
        self.now = due.into_iter().min().unwrap_or(least).max(least);
    }
}

/// A DNS answer (RFC 1035, section 4.1): the address of the server for `mx.example.org`; behind that of a dead one for
/// `m2.example.org`; else no such name.
fn answer(question: &[u8]) -> Vec<u8> {
    let addresses: &[u8] = match question.get(12..) {
        Some(b"\x02mx\x07example\x03org\x00\x00\x01\x00\x01") => &[25],
        Some(b"\x02m2\x07example\x03org\x00\x00\x01\x00\x01") => &[99, 25],
        _ => &[],
    };
    let mut answer = question.to_vec();
    answer[2] = 0x81;
    answer[3] = if addresses.is_empty() { 0x83 } else { 0x80 };
    answer[7] = addresses.len() as u8;
    for last in addresses {
        answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04");
        answer.extend([192, 0, 2, *last]);
    }
    answer
}

/// A mail that the server took.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) recipients: Vec<String>,
    pub(crate) content: Vec<u8>,
}

/// What the server does besides taking mail.
#[derive(Debug, Default, Clone)]
pub(crate) struct Mailboxes {
    pub(crate) stored: Vec<Stored>,
    pub(crate) current: Stored,
    /// Questions so far, and the number of the one that is answered with 451.
    pub(crate) questions: usize,
    pub(crate) fail_at: Option<usize>,
}

impl Handler for &mut Mailboxes {
    fn decide(&mut self, query: Query<'_>) -> Option<Reply<'_>> {
        self.questions += 1;
        if self.fail_at == Some(self.questions) {
            if let Query::Message { .. } = query {
                self.current = Stored::default();
            }
            return Some(Reply::new(451, None, "try again").unwrap());
        }
        match query {
            Query::Recipient { forward_path, .. } => {
                if forward_path.as_str().starts_with("no") {
                    return Some(Reply::new(550, None, "no such mailbox").unwrap());
                }
                self.current.recipients.push(forward_path.as_str().into());
            }
            Query::Message { .. } => self.stored.push(core::mem::take(&mut self.current)),
            _ => {}
        }
        None
    }

    fn content(&mut self, octets: &[u8]) {
        self.current.content.extend_from_slice(octets);
    }

    fn reset(&mut self) {
        self.current = Stored::default();
    }
}

/// Serves one connection after the other on port 25 until `until` says that it is enough.
///
/// `breaks` is asked before each exchange whether the server's machine shall reset the connection now.
pub(crate) fn serve(
    world: &mut World,
    mailboxes: &mut Mailboxes,
    config: &sansmtp::server::Config<'_>,
    mut breaks: impl FnMut(&Mailboxes, &tcp::Socket<'_>) -> bool,
    mut client: impl FnMut(&mut World) -> (bool, Option<sansmtp::Instant>),
) {
    let tcp = world.server.tcp;
    loop {
        let socket = world.server.sockets.get_mut::<tcp::Socket<'_>>(tcp);
        socket.abort();
        world.server.poll(world.now);
        let socket = world.server.sockets.get_mut::<tcp::Socket<'_>>(tcp);
        socket.listen(25).unwrap();
        socket.set_nagle_enabled(false);
        let (mut line, mut reply) = ([0; 512], [0; 128]);
        // Until somebody connects.
        for round in 0.. {
            assert!(round < 100_000, "nobody connects");
            world.poll();
            let socket = world.server.sockets.get::<tcp::Socket<'_>>(tcp);
            if socket.may_send() {
                break;
            }
            let (done, client_due) = client(world);
            if done {
                return;
            }
            world.advance(&[client_due]);
        }
        let now = world.core_now();
        let mut reception = Reception::new(config, &mut line, &mut reply, &mut *mailboxes, now);
        for round in 0.. {
            assert!(round < 1_000_000, "it does not end");
            world.poll();
            let now = world.core_now();
            let socket = world.server.sockets.get_mut::<tcp::Socket<'_>>(tcp);
            if !reception.is_over() {
                if breaks(reception.handler(), socket) {
                    socket.abort();
                }
                exchange(&mut reception, now, socket);
                if reception.is_over() {
                    socket.close();
                }
            }
            let over = reception.is_over() && !socket.is_active();
            let due = reception.poll_timeout().filter(|_| !reception.is_over());
            let (done, client_due) = client(world);
            if done {
                return;
            }
            if over {
                break;
            }
            world.advance(&[due, client_due]);
        }
    }
}
