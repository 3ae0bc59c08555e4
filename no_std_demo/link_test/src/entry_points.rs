//! THE list of what the link test covers: one function for each group of public entries of the core.
//!
//! A new entry point is a call here, with input that goes through [`black_box`] (else the compiler works
//! the result out and drops the code), its result given to `black_box` too; a new group is a line in
//! [`ALL`].

use core::hint::black_box;

use sansmtp::auth::{BindingKind, ChannelBinding, Credentials, Hash, Secret, StoredKeys};
use sansmtp::capability::{Extension, Mechanisms};
use sansmtp::client::{Client, Query};
use sansmtp::config::{Config, EhloName, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::message::{Address, Attachment, Builder, Content, Date, Writer};
use sansmtp::provider::{Provider, Refusal, explain};
use sansmtp::server::{self, Server};
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::handling::{DeliverBy, Handling, Hold, Priority};
use sansmtp::wire::param::Xtext;
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::proxy;
use sansmtp::wire::reply::Reply;
use sansmtp::wire::xclient::XClient;
use sansmtp::{Instant, Machine};

/// Every entry point.
pub const ALL: &[fn()] = &[client, server, message, provider, mta, scram];

fn octets() -> &'static [u8] {
    black_box(b"some octets".as_slice())
}

fn text() -> &'static str {
    black_box("some text")
}

fn now() -> Instant {
    Instant::from_millis(black_box(1))
}

fn client() {
    let Ok(config) = Config::new(text(), black_box(Security::StartTls)) else {
        return;
    };
    let (Ok(password), Ok(name)) = (
        Credentials::password(text(), text()),
        EhloName::parse(text()),
    ) else {
        return;
    };
    black_box(Credentials::oauth2(text(), text()).is_ok());
    let config = config.credentials(password).ehlo_name(name);
    let (Ok(sender), Ok(recipient)) = (ReversePath::parse(text()), Recipient::parse(text())) else {
        return;
    };
    let recipients = [recipient; 2];
    let mut envelope = Envelope::new(sender, black_box(&recipients));
    envelope.size = black_box(Some(1));
    let mut line = [0; 128];
    let mut out = [0; 64];
    let mut client = Client::new(&config, &mut line, now());
    drive(&mut client, &mut out);
    black_box(client.submit(&envelope, now()).is_ok());
    if let Some(mut body) = client.body() {
        black_box(body.write(now(), octets(), &mut out));
        black_box(body.pass(now(), octets(), black_box(1)));
        body.finish(now());
    }
    if let Ok(query) = Query::vrfy(text()) {
        black_box(client.query(query, now()).is_ok());
    }
    black_box(client.quit(now()).is_ok());
    black_box((client.stage(), client.state(), client.error()));
    let session = black_box(client.suspend());
    let mut client = Client::resume(session, &config, &mut line, Some(&envelope), None);
    drive(&mut client, &mut out);
}

fn server() {
    let Ok(name) = EhloName::parse(text()) else {
        return;
    };
    let config = server::Config::new(name, black_box(Security::StartTls))
        .mechanisms(black_box(sansmtp::capability::Mechanisms::NONE));
    let (mut line, mut reply, mut out) = ([0; 128], [0; 64], [0; 64]);
    let mut server = Server::new(&config, &mut line, &mut reply, now());
    drive(&mut server, &mut out);
    if let Ok(Some((_, server::Event::Request(request)))) = server
        .receive(now(), octets())
        .map(|(used, event)| event.map(|event| (used, event)))
    {
        black_box(request.query());
        match Reply::new(black_box(550), None, text()) {
            Ok(reply) => request.answer(&reply),
            Err(_) => request.accept(),
        }
    }
    black_box(server.accept().is_ok());
    server.shutdown();
    let session = black_box(server.suspend());
    drive(
        &mut Server::resume(session, &config, &mut line, &mut reply),
        &mut out,
    );
}

/// All that a driver calls.
fn drive(machine: &mut impl Machine, out: &mut [u8]) {
    black_box(machine.receive(now(), octets()).is_ok());
    black_box(machine.transmit(now(), out));
    black_box(machine.poll_timeout());
    black_box(machine.handle_timeout(now()).is_ok());
    black_box((machine.wants_tls(), machine.is_closed()));
    black_box(machine.tls_established(now()).is_ok());
    black_box(machine.receive_eof().is_ok());
}

/// What mail servers and mailing programs need: the rarer extensions.
fn mta() {
    let (Ok(config), Ok(name)) = (
        Config::new(text(), black_box(Security::StartTls)),
        EhloName::parse(text()),
    ) else {
        return;
    };
    let config = config.lmtp();
    let Ok(recipient) = Recipient::parse(text()) else {
        return;
    };
    let recipients = [recipient; 2];
    let mut envelope = Envelope::new(ReversePath::Null, black_box(&recipients));
    envelope.handling = Handling {
        require_tls: black_box(true),
        deliver_by: DeliverBy::parse(text()),
        hold: DateTime::parse(text()).map(Hold::Until),
        priority: Priority::parse(text()),
    };
    let (mut line, mut reply, mut out) = ([0; 128], [0; 64], [0; 64]);
    let mut client = Client::new(&config, &mut line, now());
    drive(&mut client, &mut out);
    let mut allowance = client.allowance();
    black_box(allowance.admit(&recipient));
    black_box(client.submit(&envelope, now()).is_ok());
    drive(&mut client, &mut out);
    let attributes = XClient::parse(text());
    if let Some(attributes) = &attributes {
        black_box((
            attributes.address(),
            attributes.port(),
            attributes.protocol(),
        ));
        black_box(client.query(Query::xclient(attributes), now()).is_ok());
    }
    if let Ok(query) = Query::etrn(text()) {
        black_box(client.query(query, now()).is_ok());
    }
    let mut encoded = [0; 64];
    black_box(Xtext::encode(text(), &mut encoded).is_some());

    let mut config = server::Config::new(name, black_box(Security::StartTls)).lmtp();
    for extension in Extension::ALL {
        config = config.offer(extension);
    }
    config.capabilities.bounds = black_box(config.capabilities.bounds);
    let mut server = Server::new(&config, &mut line, &mut reply, now());
    drive(&mut server, &mut out);
    black_box(server.accept().is_ok());

    if let Ok(proxy::Progress::Complete { header, .. }) = proxy::parse(octets()) {
        black_box(header.attributes().count());
        if let Some(endpoints) = header.endpoints {
            black_box(endpoints.write_v1(&mut out).is_some());
            black_box(endpoints.write_v2(&mut out).is_some());
        }
    }
}

/// The mechanisms that hash, in both roles.
fn scram() {
    let Ok(config) = Config::new(text(), black_box(Security::ImplicitTls)) else {
        return;
    };
    let (Ok(password), Ok(name)) = (
        Credentials::password(text(), text()),
        EhloName::parse(text()),
    ) else {
        return;
    };
    let config = config
        .credentials(password)
        .mechanisms(black_box(Mechanisms::ALL));
    let Some(binding) = ChannelBinding::new(BindingKind::TlsExporter, octets()) else {
        return;
    };
    let (mut line, mut reply, mut out) = ([0; 128], [0; 64], [0; 64]);
    let mut client = Client::new(&config, &mut line, now());
    client.set_entropy(black_box([1; 18]));
    client.set_channel_binding(binding);
    drive(&mut client, &mut out);

    let config = server::Config::new(name, black_box(Security::ImplicitTls))
        .mechanisms(black_box(Mechanisms::ALL));
    let mut server = Server::new(&config, &mut line, &mut reply, now());
    server.set_entropy(black_box([1; 32]));
    server.set_channel_binding(binding);
    drive(&mut server, &mut out);
    let keys = StoredKeys::derive(black_box(Hash::Sha256), text(), octets(), black_box(4096));
    if let Some(keys) = keys {
        black_box(keys.verify(text()));
        black_box(server.answer_with_keys(&keys).is_ok());
    }
    if let Ok((_, Some(server::Event::Request(request)))) = server.receive(now(), octets()) {
        if let server::Query::Digest(digest) = request.query() {
            black_box(digest.proves(Secret::new(text())));
        }
        request.accept();
    }
    let keys = StoredKeys::pretend(black_box(Hash::Sha1), &[1; 32], text(), black_box(4096));
    black_box(keys.stored_key());
}

fn message() {
    let Ok(address) = Address::parse(text()) else {
        return;
    };
    let Ok(date) = Date::from_unix(black_box(1), black_box(60)) else {
        return;
    };
    let attachments = [
        Attachment::new(text(), text(), Content::Streamed { size: None }),
        Attachment::new(text(), text(), Content::Bytes(octets())).inline(text()),
    ];
    let addresses = [address];
    let headers = [(text(), text())];
    let message = Builder::new()
        .from(&addresses)
        .to(&addresses)
        .subject(text())
        .date(date)
        .entropy(black_box([0; 16]))
        .headers(&headers)
        .text(text())
        .html(text())
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

fn provider() {
    let provider = Provider::find(text()).or_else(|| Provider::by_host(text()));
    black_box(Provider::did_you_mean(text()).is_some());
    let refusal = Refusal {
        code: black_box(535),
        enhanced: None,
        text: octets(),
        stage: black_box(sansmtp::error::Stage::Auth),
    };
    black_box(explain(provider, &refusal).is_some());
}
