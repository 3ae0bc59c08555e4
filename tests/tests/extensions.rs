//! The rarer extensions against peers of other makers: LMTP, XCLIENT, the PROXY protocol, ETRN, DSN.

use sansmtp::Machine;
use sansmtp::client::{Client, Event, Query};
use sansmtp::config::{Config, OwnedConfig};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::param::{Notify, RcptParameters, Ret, Xtext};
use sansmtp::wire::path::{ForwardPath, ReversePath};
use sansmtp::wire::xclient::XClient;
use sansmtp_tests::certs::Certs;
use sansmtp_tests::peers::{MAILBOXES, Peer, Postfix};
use sansmtp_tests::{Security, tools};
use sansmtp_tokio::client::Mailer;
use sansmtp_tokio::server::{
    Body, Handler, MailEnvelope, MailRecipient, Network, OwnedReply, Refusal, Server, ServerConfig,
    SessionInfo, Verdict,
};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PLAIN: Security = Security::DangerPlaintext;

/// What our server got.
#[derive(Clone, Debug)]
struct Got {
    session: SessionInfo,
    envelope: MailEnvelope,
    message: String,
}

/// Takes all mail; the content not for recipients whose name begins with `full`.
#[derive(Clone, Default)]
struct Boxes(Arc<Mutex<Vec<Got>>>);

struct Letter {
    boxes: Boxes,
    got: Got,
}

impl Handler for Boxes {
    type Body = Letter;

    async fn recipient(
        &self,
        _: &SessionInfo,
        _: ForwardPath<'_>,
        _: &RcptParameters<'_>,
    ) -> Verdict {
        Verdict::Accept
    }

    async fn data(
        &self,
        session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> Result<Letter, Refusal> {
        Ok(Letter {
            boxes: self.clone(),
            got: Got {
                session: session.clone(),
                envelope: envelope.clone(),
                message: String::new(),
            },
        })
    }
}

impl Body for Letter {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.got.message.push_str(&String::from_utf8_lossy(chunk));
        Ok(())
    }

    async fn finish(self) -> Verdict {
        self.boxes.0.lock().unwrap().push(self.got);
        Verdict::Accept
    }

    async fn finish_each(self, recipients: &[MailRecipient]) -> Vec<Verdict> {
        let verdicts = recipients
            .iter()
            .map(|recipient| match recipient.address.starts_with("full") {
                true => OwnedReply::insufficient_storage().into(),
                false => Verdict::Accept,
            })
            .collect();
        let _ = self.finish().await;
        verdicts
    }
}

/// Our server with a listener for SMTP and one for LMTP.
struct Ours {
    boxes: Boxes,
    smtp: SocketAddr,
    lmtp: SocketAddr,
    _runtime: Runtime,
}

impl Ours {
    fn start(config: ServerConfig) -> Self {
        let runtime = Runtime::new().unwrap();
        let boxes = Boxes::default();
        let server = runtime.block_on(async {
            Server::builder(config, boxes.clone())
                .listen("127.0.0.1:0", PLAIN)
                .listen_lmtp("127.0.0.1:0", PLAIN)
                .bind()
                .await
                .unwrap()
        });
        let [smtp, lmtp] = server.local_addrs()[..] else {
            panic!("two listeners")
        };
        runtime.spawn(server.serve());
        Self {
            boxes,
            smtp,
            lmtp,
            _runtime: runtime,
        }
    }

    /// The first mail that came, within a while.
    fn mail(&self) -> Got {
        let begin = Instant::now();
        loop {
            if let Some(got) = self.boxes.0.lock().unwrap().first() {
                return got.clone();
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "no mail came");
            std::thread::yield_now();
        }
    }
}

fn config() -> ServerConfig {
    ServerConfig::new("mx.test").unwrap()
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text + &String::from_utf8_lossy(&output.stderr)
}

fn swaks(server: SocketAddr, more: &[&str]) -> String {
    let mut swaks = Command::new(tools::find("swaks").unwrap());
    swaks
        .args(["--server", "127.0.0.1", "--port"])
        .arg(server.port().to_string())
        .args(["--from", "a@client.test", "--to", "b@mx.test"])
        .args(["--ehlo", "client.test", "--timeout", "60"])
        .args(more);
    run(swaks)
}

/// It reads one reply behind the content, so that one recipient is all it can have.
#[test]
fn python_speaks_lmtp_to_us() {
    const SCRIPT: &str = r#"
import smtplib, sys
with smtplib.LMTP("127.0.0.1", int(sys.argv[1]), timeout=60) as lmtp:
    print(lmtp.sendmail("a@client.test", ["b@mx.test"], "Subject: x\r\n\r\ny\r\n"))
"#;
    let ours = Ours::start(config());
    let mut python = Command::new(tools::python().unwrap());
    python.args(["-c", SCRIPT, &ours.lmtp.port().to_string()]);
    let output = run(python);
    assert_eq!(output.trim(), "{}", "nobody is refused");
    let got = ours.mail();
    assert!(
        got.session.lmtp && got.message.contains("Subject: x"),
        "{got:?}"
    );
}

#[test]
fn swaks_speaks_lmtp_to_us() {
    let ours = Ours::start(config());
    let output = swaks(ours.lmtp, &["--protocol", "LMTP"]);
    assert!(output.contains("LHLO client.test"), "{output}");
    assert!(output.contains("250 2.1.5 Delivered"), "{output}");
    assert_eq!(ours.mail().envelope.recipients[0].address, "b@mx.test");
}

#[test]
fn swaks_comes_through_a_balancer() {
    let loopback: Network = "127.0.0.1".parse().unwrap();
    for version in ["1", "2"] {
        let ours = Ours::start(config().with_proxy_from(loopback));
        let proxy = [
            &["--proxy-version", version, "--proxy-family", "TCP4"][..],
            &[
                "--proxy-source",
                "192.0.2.7",
                "--proxy-source-port",
                "50000",
            ],
            &["--proxy-dest", "192.0.2.1", "--proxy-dest-port", "25"],
        ]
        .concat();
        let proxy: Vec<&str> = match version {
            "2" => [
                &proxy[..],
                &[
                    "--proxy-command",
                    "PROXY",
                    "--proxy-protocol",
                    "STREAM",
                    "--proxy-family",
                    "AF_INET",
                ],
            ]
            .concat(),
            _ => proxy,
        };
        let output = swaks(ours.smtp, &proxy);
        assert!(output.contains("250 2.0.0 Message accepted"), "{output}");
        let session = ours.mail().session;
        assert_eq!(session.peer, "192.0.2.7:50000".parse().unwrap());
        assert_eq!(session.local, "192.0.2.1:25".parse().unwrap());
        assert!(session.balancer.unwrap().ip().is_loopback());
    }
}

#[test]
fn swaks_introduces_another_client() {
    let loopback: Network = "127.0.0.1".parse().unwrap();
    let ours = Ours::start(config().with_xclient_from(loopback));
    let output = swaks(
        ours.smtp,
        &[
            "--xclient-addr",
            "192.0.2.7",
            "--xclient-name",
            "behind.test",
            "--xclient-login",
            "anna",
        ],
    );
    assert!(output.contains("250 2.0.0 Message accepted"), "{output}");
    let session = ours.mail().session;
    assert_eq!(session.peer.ip().to_string(), "192.0.2.7");
    assert_eq!(session.client_name.as_deref(), Some("behind.test"));
    assert_eq!(session.user.as_deref(), Some("anna"));
}

/// Postfix as an LMTP client.
#[test]
fn postfix_delivers_to_us_by_lmtp() {
    let ours = Ours::start(config());
    let main_cf = format!(
        "relay_domains = mda.test\ntransport_maps = inline:{{ mda.test=lmtp:inet:[127.0.0.1]:{} }}\n",
        ours.lmtp.port()
    );
    let certs = Certs::new().unwrap();
    let postfix = Postfix::start_with(&certs.server, &main_cf).unwrap();
    let recipients = ["b@mda.test", "full@mda.test"].map(|r| Recipient::parse(r).unwrap());
    send(&postfix, &recipients, |_| ());
    let got = ours.mail();
    let names: Vec<&str> = got
        .envelope
        .recipients
        .iter()
        .map(|recipient| recipient.address.as_str())
        .collect();
    assert_eq!(names, ["b@mda.test", "full@mda.test"]);
    assert_eq!(got.session.protocol(false), "LMTP");
    wait_for_log(
        &postfix,
        &["<b@mda.test>", "status=sent (250 2.1.5 Delivered)"],
    );
    wait_for_log(
        &postfix,
        &["<full@mda.test>", "452 4.3.1 Insufficient system storage"],
    );
}

/// A line of Postfix's log that holds all of these.
fn wait_for_log(postfix: &Postfix, parts: &[&str]) {
    let begin = Instant::now();
    loop {
        let log = postfix.log();
        // Postfix writes to=<b@mda.test>.
        if log
            .lines()
            .any(|line| parts.iter().all(|part| line.contains(part)))
        {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "{parts:?} in {log}"
        );
        std::thread::yield_now();
    }
}

fn send<'a>(
    postfix: &Postfix,
    recipients: &'a [Recipient<'a>],
    wishes: impl FnOnce(&mut Envelope<'a>),
) {
    let config = OwnedConfig::new("localhost", PLAIN)
        .unwrap()
        .with_port(postfix.port(PLAIN));
    let mailer = Mailer::new(config).unwrap();
    let sender = ReversePath::parse("a@client.test").unwrap();
    let mut envelope = Envelope::new(sender, recipients);
    wishes(&mut envelope);
    Runtime::new().unwrap().block_on(async {
        let report = mailer.send(&envelope, "Subject: x\r\n\r\ny\r\n").await;
        assert!(
            report.as_ref().is_ok_and(|r| r.all_delivered()),
            "{report:?}"
        );
        mailer.close().await;
    });
}

#[test]
fn postfix_takes_our_dsn_parameters() {
    let certs = Certs::new().unwrap();
    let postfix = Postfix::start(&certs.server).unwrap();
    let mut buffer = [0; 100];
    let envid = Xtext::encode("number 7", &mut buffer);
    let mut recipient = Recipient::parse(MAILBOXES[0]).unwrap();
    recipient.notify = Some(Notify {
        success: true,
        failure: true,
        delay: false,
    });
    let recipients = [recipient];
    send(&postfix, &recipients, |envelope| {
        envelope.ret = Some(Ret::Headers);
        envelope.envid = envid;
    });
    // The report on success goes to the sender.
    wait_for_log(&postfix, &["to=<a@client.test>"]);
}

/// Postfix as a server for balancers, and ETRN.
#[test]
fn postfix_takes_our_xclient_and_etrn() {
    let certs = Certs::new().unwrap();
    let main_cf = "smtpd_authorized_xclient_hosts = 127.0.0.1\nfast_flush_domains = mx.test\n";
    let postfix = Postfix::start_with(&certs.server, main_cf).unwrap();
    let config = Config::new("localhost", PLAIN).unwrap();
    let attributes =
        XClient::parse("NAME=behind.test ADDR=192.0.2.7 PORT=50000 HELO=behind.test").unwrap();
    let recipients = [Recipient::parse(MAILBOXES[0]).unwrap()];
    let sender = ReversePath::parse("a@client.test").unwrap();
    let envelope = Envelope::new(sender, &recipients);
    let mut stream = TcpStream::connect(("127.0.0.1", postfix.port(PLAIN))).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let begin = Instant::now();
    let now = || sansmtp::Instant::from_millis(begin.elapsed().as_millis() as u64);
    let (mut line, mut buffer, mut out) = ([0; 1024], [0; 4096], [0; 4096]);
    let mut client = Client::new(&config, &mut line, now());
    let (mut start, mut end) = (0, 0);
    let mut told = Vec::new();
    let mut ready = 0;
    while !client.is_closed() {
        let (used, event) = client.receive(now(), &buffer[start..end]).unwrap();
        start += used;
        let quiet = used == 0 && event.is_none();
        match event {
            Some(Event::Ready) => {
                ready += 1;
                match ready {
                    1 => client.query(Query::xclient(&attributes), now()).unwrap(),
                    _ => client
                        .query(Query::etrn("mx.test").unwrap(), now())
                        .unwrap(),
                }
            }
            Some(Event::Answer { reply }) => {
                told.push(reply.code.get());
                if told.len() == 2 {
                    client.submit(&envelope, now()).unwrap();
                }
            }
            Some(Event::Delivered { .. }) => client.quit(now()).unwrap(),
            Some(Event::NotDelivered { stage, reply }) => panic!("{stage} {reply:?}"),
            Some(Event::Refused { stage, reply }) => panic!("{stage} {reply}"),
            _ => {}
        }
        loop {
            let written = client.transmit(now(), &mut out);
            stream.write_all(&out[..written]).unwrap();
            if written == 0 {
                break;
            }
        }
        if let Some(mut body) = client.body() {
            let (_, written) = body.write(now(), b"Subject: x\r\n", &mut out);
            stream.write_all(&out[..written]).unwrap();
            client.body().unwrap().finish(now());
            let written = client.transmit(now(), &mut out);
            stream.write_all(&out[..written]).unwrap();
        }
        if quiet && !client.is_closed() {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "Postfix closed");
            (start, end) = (0, count);
        }
    }
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], 220);
    assert!((250..=253).contains(&told[1]), "{told:?}");
    wait_for_log(&postfix, &["client=behind.test[192.0.2.7]"]);
}
