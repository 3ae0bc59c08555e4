//! A program that uses the parts of the core as a firmware does and is never run: `cargo xtask size` builds
//! it with each part and looks at the difference.

#![no_std]
#![no_main]
// What comes from elsewhere is not made in C either.
#![allow(improper_ctypes)]

use core::hint::black_box;
use core::panic::PanicInfo;

#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    #[cfg(feature = "message-text")]
    black_box(message as fn())();
    #[cfg(feature = "server")]
    black_box(server as fn())();
    loop {}
}

#[cfg(any(feature = "client", feature = "message-text"))]
fn text() -> &'static str {
    black_box("some text")
}

#[cfg(any(feature = "client", feature = "server"))]
fn now() -> sansmtp::Instant {
    sansmtp::Instant::from_millis(black_box(1))
}

#[cfg(any(feature = "client", feature = "server", feature = "message-text"))]
fn octets() -> &'static [u8] {
    black_box(b"some octets".as_slice())
}

/// Every method that a driver needs, each kept whole: what is counted is the core, not a program around it.
#[cfg(feature = "client")]
mod client {
    use sansmtp::client::{Body, Client, Event, Session};
    use sansmtp::config::Config;
    use sansmtp::envelope::Envelope;
    use sansmtp::{Error, Instant, Machine};

    #[used]
    static CLIENT_STATE: [u8; size_of::<Client<'_>>()] = [0; size_of::<Client<'_>>()];

    type C = Client<'static>;
    type Received<'a> = Result<(usize, Option<Event<'a>>), Error>;

    #[used]
    static CLIENT_METHODS: (
        fn(&'static Config<'static>, &'static mut [u8], Instant) -> C,
        for<'a> fn(&'a mut C, Instant, &'a [u8]) -> Received<'a>,
        fn(&mut C) -> Result<(), Error>,
        fn(&mut C, Instant, &mut [u8]) -> usize,
        fn(&C) -> Option<Instant>,
        fn(&mut C, Instant) -> Result<(), Error>,
        fn(&C) -> bool,
        fn(&mut C, Instant) -> Result<(), Error>,
        fn(&C) -> bool,
        fn(&mut C, &'static Envelope<'static>, Instant) -> Result<(), Error>,
    ) = (
        C::new,
        C::receive,
        C::receive_eof,
        C::transmit,
        C::poll_timeout,
        C::handle_timeout,
        C::wants_tls,
        C::tls_established,
        C::is_closed,
        C::submit,
    );

    #[used]
    static CLIENT_METHODS_2: (
        fn(&mut C, Instant) -> Result<(), Error>,
        fn(&mut Body<'static, 'static>, Instant, &[u8], &mut [u8]) -> (usize, usize),
        fn(Body<'static, 'static>, Instant),
        fn(&'static mut C) -> Option<Body<'static, 'static>>,
        fn(&C) -> bool,
        fn(&Error) -> bool,
    ) = (
        C::quit,
        Body::write,
        Body::finish,
        C::body,
        C::is_ready,
        Error::is_temporary,
    );
}

#[cfg(feature = "addresses")]
mod addresses {
    use sansmtp::wire::path::{ForwardPath, InvalidAddress, ReversePath};

    #[used]
    static ADDRESS_METHODS: (
        fn(&'static str) -> Result<ForwardPath<'static>, InvalidAddress>,
        fn(&'static str) -> Result<ReversePath<'static>, InvalidAddress>,
    ) = (ForwardPath::parse, ReversePath::parse);
}

#[cfg(feature = "message-text")]
fn message() {
    use sansmtp::message::{Address, Builder, Date, Writer};

    let (Ok(address), Ok(date)) = (Address::parse(text()), Date::from_unix(black_box(1), 0)) else {
        return;
    };
    let addresses = [address];
    let builder = Builder::new()
        .from(&addresses)
        .to(&addresses)
        .subject(text())
        .date(date)
        .entropy(black_box([0; 16]))
        .text(text());
    #[cfg(feature = "message")]
    let attachments = {
        use sansmtp::message::{Attachment, Content};
        let size = black_box(None);
        [Attachment::new(text(), text(), Content::Streamed { size })]
    };
    #[cfg(feature = "message")]
    let builder = builder.attachments(&attachments);
    let Ok(message) = builder.build() else { return };
    black_box(message.exact_len());
    let mut out = [0; 64];
    let mut writer = Writer::new(&message);
    black_box(writer.next(&mut out).is_ok());
    #[cfg(feature = "message")]
    black_box(writer.attachment(octets(), &mut out).is_ok());
    #[cfg(feature = "message")]
    black_box(writer.attachment_end().is_ok());
}

#[cfg(feature = "server")]
fn server() {
    use sansmtp::Machine;
    use sansmtp::server::{Config, Event, Server, Session};

    #[used]
    static SERVER_STATE: [u8; size_of::<Session>()] = [0; size_of::<Session>()];

    unsafe extern "C" {
        static SERVER_CONFIG: Config<'static>;
    }
    // SAFETY: the program is not run.
    let config = unsafe { &SERVER_CONFIG };
    let (mut line, mut reply, mut out) = ([0; 128], [0; 64], [0; 64]);
    let mut server = Server::new(config, &mut line, &mut reply, now());
    loop {
        match server.receive(now(), octets()) {
            Ok((_, Some(Event::Request(request)))) => {
                black_box(request.query());
                request.accept();
            }
            Ok((used, _)) => {
                black_box(used);
            }
            Err(_) => return,
        }
        black_box(server.transmit(now(), &mut out));
        black_box(server.poll_timeout());
        black_box(server.handle_timeout(now()).is_ok());
        if server.wants_tls() {
            black_box(server.tls_established(now()).is_ok());
        }
        black_box((server.receive_eof().is_ok(), server.is_closed()));
    }
}

#[panic_handler]
fn panic_handler(_: &PanicInfo<'_>) -> ! {
    loop {}
}
