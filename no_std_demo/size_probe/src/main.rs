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
    #[cfg(feature = "client")]
    black_box(client as fn())();
    #[cfg(feature = "message")]
    black_box(message as fn())();
    #[cfg(feature = "server")]
    black_box(server as fn())();
    loop {}
}

#[cfg(any(feature = "client", feature = "message"))]
fn text() -> &'static str {
    black_box("some text")
}

#[cfg(any(feature = "client", feature = "server"))]
fn now() -> sansmtp::Instant {
    sansmtp::Instant::from_millis(black_box(1))
}

#[cfg(any(feature = "client", feature = "server", feature = "message"))]
fn octets() -> &'static [u8] {
    black_box(b"some octets".as_slice())
}

/// Addresses of a firmware are known to be good, so parsing is not counted: a parsed envelope comes from
/// somewhere.
#[cfg(feature = "client")]
fn client() {
    use sansmtp::client::{Client, Event};
    use sansmtp::config::Config;
    use sansmtp::envelope::Envelope;
    use sansmtp::{Machine, client::Session};

    #[used]
    static CLIENT_STATE: [u8; size_of::<Session>()] = [0; size_of::<Session>()];

    unsafe extern "C" {
        /// A configuration and an envelope, made elsewhere.
        static CONFIG: Config<'static>;
        static ENVELOPE: Envelope<'static>;
    }
    // SAFETY: the program is not run.
    let (config, envelope) = unsafe { (&CONFIG, &ENVELOPE) };
    let (mut line, mut out) = ([0; 128], [0; 64]);
    let mut client = Client::new(config, &mut line, now());
    loop {
        match client.receive(now(), octets()) {
            Ok((_, Some(Event::Ready))) => {
                black_box(client.submit(envelope, now()).is_ok());
            }
            Ok((_, Some(Event::Delivered { reply }))) => {
                black_box(reply.code);
                black_box(client.quit(now()).is_ok());
            }
            Ok((used, _)) => {
                black_box(used);
            }
            Err(error) => {
                black_box(error.is_temporary());
                return;
            }
        }
        if let Some(mut body) = client.body() {
            black_box(body.write(now(), octets(), &mut out));
            body.finish(now());
        }
        black_box(client.transmit(now(), &mut out));
        black_box(client.poll_timeout());
        black_box(client.handle_timeout(now()).is_ok());
        if client.wants_tls() {
            black_box(client.tls_established(now()).is_ok());
        }
        black_box((client.receive_eof().is_ok(), client.is_closed()));
    }
}

#[cfg(feature = "message")]
fn message() {
    use sansmtp::message::{Address, Attachment, Builder, Content, Date, Writer};

    let (Ok(address), Ok(date)) = (Address::parse(text()), Date::from_unix(black_box(1), 0)) else {
        return;
    };
    let addresses = [address];
    let content = Content::Streamed {
        size: black_box(None),
    };
    let attachments = [Attachment::new(text(), text(), content)];
    let message = Builder::new()
        .from(&addresses)
        .to(&addresses)
        .subject(text())
        .date(date)
        .entropy(black_box([0; 16]))
        .text(text())
        .attachments(&attachments)
        .build();
    let Ok(message) = message else { return };
    black_box(message.exact_len());
    let mut out = [0; 64];
    let mut writer = Writer::new(&message);
    black_box(writer.next(&mut out).is_ok());
    black_box(writer.attachment(octets(), &mut out).is_ok());
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
