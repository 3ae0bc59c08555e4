//! Sessions over a stream in memory, with a clock that tests move.

use super::super::desk::INPUT;
use super::*;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::task::JoinHandle;

/// Takes all mail and throws it away.
struct Sink;

impl Handler for Sink {
    type Body = Nowhere;

    async fn recipient(
        &self,
        _: &SessionInfo,
        _: sansmtp::wire::path::ForwardPath<'_>,
        _: &sansmtp::wire::param::RcptParameters<'_>,
    ) -> Verdict {
        Verdict::Accept
    }

    async fn data(&self, _: &SessionInfo, _: &MailEnvelope) -> Result<Nowhere, Refusal> {
        Ok(Nowhere)
    }
}

struct Nowhere;

impl Body for Nowhere {
    async fn write(&mut self, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    async fn finish(self) -> Verdict {
        Verdict::Accept
    }
}

/// Counts the writes to a stream.
struct Counting {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        if written.is_ready() {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

struct Running {
    client: DuplexStream,
    writes: Arc<AtomicUsize>,
    session: JoinHandle<()>,
    /// Without it, the server would be taken for gone.
    _shutdown: watch::Sender<Option<Instant>>,
}

/// A session that runs; `room` octets fit between the two ends.
fn start(security: Security, room: usize) -> Running {
    let (client, stream) = duplex(room);
    let writes = Arc::new(AtomicUsize::new(0));
    let stream = Counting {
        stream,
        writes: Arc::clone(&writes),
    };
    let (shutdown, stop) = watch::channel(None);
    let session = tokio::spawn(async move {
        let config = ServerConfig::new("mx.example.org").unwrap();
        let tls = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let tls = crate::server::tls_config(
            tls.cert.pem().as_bytes(),
            tls.signing_key.serialize_pem().as_bytes(),
        );
        let setup = Setup {
            handler: &Sink,
            config: &config,
            security,
            tls: Some(&tls.unwrap()),
            lender: &Lender::new(4096),
            refuse: false,
        };
        let address = SocketAddr::from(([192, 0, 2, 1], 25));
        let mut info = SessionInfo::new("1".to_owned(), address, address);
        run(&setup, stream, &mut info, &stop).await;
    });
    Running {
        client,
        writes,
        session,
        _shutdown: shutdown,
    }
}

impl Running {
    async fn expect(&mut self, text: &str) {
        let mut got = vec![0; text.len()];
        self.client.read_exact(&mut got).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&got), text);
    }

    async fn say(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
    }
}

const GREETING: &str = "220 mx.example.org ESMTP ready\r\n";
const TIMEOUT: &str = "421 4.4.2 Timeout, closing\r\n";

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_sent_away_after_five_minutes() {
    let mut running = start(Security::DangerPlaintext, 4096);
    running.expect(GREETING).await;
    let began = Instant::now();
    running.expect(TIMEOUT).await;
    assert_eq!(began.elapsed().as_secs(), 300);
    running.session.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_command_that_trickles_in_gets_no_more_time() {
    let mut running = start(Security::DangerPlaintext, 4096);
    running.expect(GREETING).await;
    let began = Instant::now();
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    for octet in ["H", "E", "L", "O"] {
        minutes.tick().await;
        running.say(octet).await;
    }
    running.expect(TIMEOUT).await;
    assert_eq!(began.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn content_that_stops_is_given_up_after_three_minutes() {
    let mut running = start(Security::DangerPlaintext, 4096);
    running.expect(GREETING).await;
    running
        .say("HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nSubject: x\r\n")
        .await;
    running
        .expect(
            "250 mx.example.org\r\n250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n\
             354 Start mail input; end with <CRLF>.<CRLF>\r\n",
        )
        .await;
    let began = Instant::now();
    running.expect(TIMEOUT).await;
    assert_eq!(began.elapsed().as_secs(), 180);
    running.session.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_has_a_deadline() {
    let mut running = start(Security::ImplicitTls, 4096);
    let began = Instant::now();
    let mut nothing = Vec::new();
    running.client.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty());
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_given_up() {
    let mut running = start(Security::DangerPlaintext, 64);
    let began = Instant::now();
    running.say("EHLO client.example.org\r\n").await;
    running.session.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_flight_is_answered_in_one_write() {
    let mut running = start(Security::DangerPlaintext, 64 * 1024);
    running.expect(GREETING).await;
    let recipients = 100;
    let mut flight = "MAIL FROM:<>\r\n".to_owned();
    for n in 0..recipients {
        flight.push_str(&format!("RCPT TO:<r{n}@example.org>\r\n"));
    }
    flight.push_str("DATA\r\n");
    assert!(flight.len() < INPUT, "it can come in one read");
    running.say("HELO c\r\n").await;
    running.expect("250 mx.example.org\r\n").await;
    assert_eq!(running.writes.load(Ordering::Relaxed), 2);
    running.say(&flight).await;
    running.expect("250 2.1.0 Sender ok\r\n").await;
    running
        .expect(&"250 2.1.5 Recipient ok\r\n".repeat(recipients))
        .await;
    running
        .expect("354 Start mail input; end with <CRLF>.<CRLF>\r\n")
        .await;
    assert_eq!(running.writes.load(Ordering::Relaxed), 3);
    running.say("x\r\n.\r\nQUIT\r\n").await;
    running
        .expect("250 2.0.0 Message accepted\r\n221 2.0.0 mx.example.org closing, goodbye\r\n")
        .await;
    assert_eq!(running.writes.load(Ordering::Relaxed), 4);
}

/// What an idle session keeps, besides its socket, is this future.
#[tokio::test]
async fn a_session_is_small() {
    let (_client, stream) = duplex(64);
    let config = ServerConfig::new("mx.example.org").unwrap();
    let lender = Lender::new(4096);
    let (_shutdown, stop) = watch::channel(None);
    let setup = Setup {
        handler: &Sink,
        config: &config,
        security: Security::DangerPlaintext,
        tls: None,
        lender: &lender,
        refuse: false,
    };
    let address = SocketAddr::from(([192, 0, 2, 1], 25));
    let mut info = SessionInfo::new("1".to_owned(), address, address);
    let size = size_of_val(&run(&setup, stream, &mut info, &stop));
    assert!(size <= 1664, "{size} octets");
}
