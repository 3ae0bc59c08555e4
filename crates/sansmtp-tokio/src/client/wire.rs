//! Moves octets between machine and socket.

use super::content::Content;
use super::draft::Heard;
use super::tap::{Direction, Tap};
use crate::clock::{Alarm, Clock};
use sansmtp::client::{Client, Event};
use sansmtp::error::{Error as CoreError, Stage};
use sansmtp::wire::reply::ReplyLine;
use sansmtp::{Instant, Machine};
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use zeroize::{Zeroize, Zeroizing};

/// Socket, buffers and clock of one connection.
pub(super) struct Wire {
    pub(super) stream: Stream,
    pub(super) clock: Clock,
    /// The time when the work began, or went on behind the latest wait.
    now: Instant,
    /// There was a wait since.
    waited: bool,
    input: Buffer,
    output: Buffer,
    /// Octets at the front of the content that go out from where they lie, behind the
    /// output. While there are some, nothing is added to the output.
    direct: usize,
    /// The stream may hold back what was written.
    unflushed: bool,
    /// Writing failed; the server may have said why before, so reading goes on.
    write_error: Option<io::Error>,
    /// Octets that the machine gave were not taken by the stream.
    lost_output: bool,
    /// The lines so far of the reply that is coming in.
    gathered: Gathered,
    /// Octets of output that the stream has taken.
    written: u64,
    /// Where the final dot of a message ends in the output, if another message
    /// follows before its verdict.
    dot_at: Option<u64>,
    alarm: Alarm,
    watch: Watch,
}

/// The socket, plain or with TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Between the two, and when the handshake failed.
    Gone,
}

/// What the machine said. The text of a reply is to be had from [`Wire::text`]
/// until the next look at the machine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// A reply that moves the dialogue on.
    Reply { stage: Stage, heard: Heard },
    /// The handshake is due.
    TlsDue,
    /// The session is set up.
    Ready,
    /// The server refused the session or closes it.
    Refused { stage: Stage, heard: Heard },
    /// The reply to MAIL.
    Sender { heard: Heard },
    /// The reply to a RCPT.
    Recipient { index: usize, heard: Heard },
    /// The server refused a chunk of the content.
    ChunkRefused { heard: Heard },
    /// All of the message but its verdict is done, and what is left of it waits in
    /// the output for the next one.
    MayFollow,
    /// The server took the message.
    Delivered { heard: Heard },
    /// The verdict for one recipient, in LMTP.
    Verdict {
        index: usize,
        heard: Heard,
        last: bool,
    },
    /// The server took the message for nobody.
    NotDelivered { stage: Stage, heard: Option<Heard> },
    /// The dialogue is over.
    Closed,
}

/// Why the dialogue ended before its time.
#[derive(Debug)]
pub(super) enum Failure {
    /// The machine failed, perhaps since the socket did.
    Dialogue(CoreError, Option<io::Error>),
    /// The content could not be read.
    Content(io::Error),
}

/// One step of the work between two looks at the machine.
enum Turn {
    /// Something was read.
    Input,
    /// Nothing more will be read.
    Eof(Option<io::Error>),
    /// Something was written.
    Output,
    /// The next message may be submitted.
    MayFollow,
    /// The content could not be read.
    Content(io::Error),
    /// The machine's deadline has passed.
    Deadline,
}

/// 8 KiB hold any reply that servers give in practice.
const INPUT: usize = 8 * 1024;
/// A group of commands or a block of content leaves in one write of this size.
const OUTPUT: usize = 64 * 1024;
/// From how many octets on content in memory is not copied into the output. Below that
/// a copy costs less than a write of its own.
const DIRECT: usize = 32 * 1024;

/// The most content that goes out from there before the machine hears of it: the time for a block of content (RFC 5321,
/// section 4.5.3.2.5) runs anew from each, so a slow link must get one through in that time.
const BLOCK: usize = 512 * 1024;

impl Wire {
    pub(super) fn new(socket: TcpStream, clock: Clock, watch: Watch) -> Self {
        Self {
            stream: Stream::Plain(socket),
            clock,
            now: clock.now(),
            waited: false,
            input: Buffer::new(INPUT),
            output: Buffer::new(OUTPUT),
            direct: 0,
            unflushed: false,
            write_error: None,
            lost_output: false,
            gathered: Gathered::default(),
            written: 0,
            dot_at: None,
            alarm: Alarm::new(),
            watch,
        }
    }

    /// Works until the machine has something to say. Content is sent when the
    /// server waits for it, while its replies are listened for.
    ///
    /// With `follow` it does not wait for the verdict on the message, if the
    /// machine can take the next one before.
    ///
    /// Dropped half-way it leaves the connection in the middle of something; it
    /// must not be used again then.
    pub(super) async fn next(
        &mut self,
        client: &mut Client<'_>,
        content: &mut Content<'_>,
        follow: bool,
    ) -> Result<Told, Failure> {
        if self.input.filled().is_empty() {
            self.now = self.clock.now();
        }
        loop {
            let (taken, told) = self.receive(client)?;
            if let Some(told) = told {
                return Ok(told);
            }
            if taken {
                continue;
            }
            if client.wants_tls() {
                return Ok(Told::TlsDue);
            }
            if client.is_closed() {
                return Ok(Told::Closed);
            }
            match poll_fn(|cx| self.poll_turn(cx, client, content, follow)).await {
                Turn::Input | Turn::Output => {}
                Turn::MayFollow => {
                    self.dot_at = Some(self.written + self.output.filled().len() as u64);
                    return Ok(Told::MayFollow);
                }
                Turn::Content(error) => return Err(Failure::Content(error)),
                Turn::Deadline => client
                    .handle_timeout(self.clock.now())
                    .map_err(|error| self.failure(error, None))?,
                Turn::Eof(source) => {
                    let source = self.write_error.take().or(source);
                    client
                        .receive_eof()
                        .map_err(|error| self.failure(error, source))?;
                }
            }
        }
    }

    /// The text of the reply that was told last, lines separated by `\n`.
    pub(super) fn text(&self) -> &[u8] {
        &self.gathered.text
    }

    /// Drops what was read before TLS and wipes what was written.
    pub(super) fn clear(&mut self) {
        self.input.clear();
        self.output.clear();
    }

    /// Wipes what was written.
    pub(super) fn clear_output(&mut self) {
        self.output.octets.zeroize();
    }

    /// Whether nothing is left to be read by the machine or to be sent.
    pub(super) fn is_quiet(&self) -> bool {
        self.input.filled().is_empty() && self.has_sent_all() && self.write_error.is_none()
    }

    /// Whether the server has said or closed something while nothing was asked.
    pub(super) fn has_stirred(&mut self) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.poll_read(&mut cx).is_ready()
    }

    pub(super) fn tap_tls(&self) {
        self.watch.tls_established();
    }

    /// Hands input to the machine, at most one line. Says whether anything came of
    /// it.
    fn receive(&mut self, client: &mut Client<'_>) -> Result<(bool, Option<Told>), Failure> {
        let received = client.receive(self.now, self.input.filled());
        match received {
            Ok((used, event)) => {
                let happened = used > 0 || event.is_some();
                let told = event.and_then(|event| {
                    self.gathered.take(&event);
                    retell(&event)
                });
                self.input.consume(used);
                if matches!(
                    told,
                    Some(Told::Delivered { .. } | Told::NotDelivered { .. })
                ) {
                    self.dot_at = None;
                }
                Ok((happened, told))
            }
            Err(error) => Err(self.failure(error, None)),
        }
    }

    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Client<'_>,
        content: &mut Content<'_>,
        follow: bool,
    ) -> Poll<Turn> {
        if std::mem::take(&mut self.waited) {
            self.now = self.clock.now();
        }
        if let Poll::Ready(turn) = self.poll_read(cx) {
            return Poll::Ready(turn);
        }
        let mut source_is_slow = false;
        if self.write_error.is_none() {
            // What was left for the next message grows by its envelope.
            let may_grow = self.output.filled().is_empty() || self.dot_at.is_some();
            if may_grow && self.direct == 0 {
                match self.fill(cx, client, content) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Turn::Content(error)),
                    Poll::Pending => source_is_slow = true,
                }
            }
            if follow && client.awaits_verdict() {
                return Poll::Ready(Turn::MayFollow);
            }
            if self.poll_write(cx, content).is_ready() {
                return Poll::Ready(Turn::Output);
            }
        }
        // While there is nothing to send because our own source is slow, the
        // server is not late.
        let idle = source_is_slow && self.has_sent_all() && !self.unflushed;
        let deadline = client.poll_timeout().filter(|_| !idle);
        let deadline = deadline.map(|deadline| self.clock.at(deadline));
        let polled = self.alarm.poll(cx, deadline);
        self.waited = polled.is_pending();
        polled.map(|()| Turn::Deadline)
    }

    /// Fills the empty output with all that may be sent now. `Pending` says that
    /// the content's source has nothing at present.
    fn fill(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Client<'_>,
        content: &mut Content<'_>,
    ) -> Poll<io::Result<()>> {
        let now = self.now;
        loop {
            // The envelope may open the way for the content, and the content's end
            // for its terminator: all leaves in one write.
            let written = client.transmit(now, self.output.room());
            self.output.extend(written);
            let room = self.output.room();
            let Some(mut body) = client.body().filter(|_| !room.is_empty()) else {
                if written == 0 {
                    return Poll::Ready(Ok(()));
                }
                continue;
            };
            match content.poll_fill(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok([])) => body.finish(now),
                Poll::Ready(Ok(chunk)) => {
                    if chunk.len() >= DIRECT {
                        let block = chunk.get(..BLOCK).unwrap_or(chunk);
                        self.direct = body.pass(now, block, DIRECT);
                        if self.direct > 0 {
                            return Poll::Ready(Ok(()));
                        }
                    }
                    let (read, written) = body.write(now, chunk, room);
                    content.consume(read);
                    self.output.extend(written);
                }
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if self.input.room().is_empty() {
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::new(self.input.room());
        let polled = self.stream.poll_read(cx, &mut buffer);
        let count = buffer.filled().len();
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Turn::Eof(Some(error))),
            Poll::Ready(Ok(())) if count == 0 => Poll::Ready(Turn::Eof(None)),
            Poll::Ready(Ok(())) => {
                self.watch
                    .octets(Direction::Received, &buffer.filled()[..count]);
                self.input.extend(count);
                Poll::Ready(Turn::Input)
            }
        }
    }

    /// Writes and flushes. Ready if anything was written.
    fn poll_write(&mut self, cx: &mut Context<'_>, content: &mut Content<'_>) -> Poll<()> {
        if !self.has_sent_all() {
            let direct = content.held().get(..self.direct).unwrap_or_default();
            let output = self.output.filled();
            let polled = self.stream.poll_write(cx, output, direct);
            return match ready!(polled) {
                Ok(0) => self.give_up_writing(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    let buffered = count.min(output.len());
                    let passed = count - buffered;
                    for part in [&output[..buffered], &direct[..passed]] {
                        if !part.is_empty() {
                            self.watch.octets(Direction::Sent, part);
                        }
                    }
                    self.output.consume(buffered);
                    content.consume(passed);
                    self.direct -= passed;
                    self.written += count as u64;
                    self.unflushed = true;
                    Poll::Ready(())
                }
                Err(error) => self.give_up_writing(error),
            };
        }
        if self.unflushed {
            return match self.stream.poll_flush(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(())) => {
                    self.unflushed = false;
                    Poll::Pending
                }
                Poll::Ready(Err(error)) => self.give_up_writing(error),
            };
        }
        Poll::Pending
    }

    /// Whether nothing waits for the stream to take it.
    fn has_sent_all(&self) -> bool {
        self.output.filled().is_empty() && self.direct == 0
    }

    /// Whether content that the machine counts as sent has still to go out: then nothing else can be said.
    pub(super) fn is_within_content(&self) -> bool {
        self.direct > 0
    }

    fn give_up_writing(&mut self, error: io::Error) -> Poll<()> {
        self.write_error = Some(error);
        self.lost_output |= !self.has_sent_all();
        self.output.clear();
        self.direct = 0;
        Poll::Ready(())
    }

    /// The failure of the machine. It counts the final dot as sent once it is
    /// rendered; if it never left, the message was certainly not taken.
    fn failure(&self, error: CoreError, source: Option<io::Error>) -> Failure {
        let kept = match self.dot_at {
            Some(dot) => self.written < dot,
            None => self.lost_output || !self.has_sent_all(),
        };
        let error = match error {
            CoreError::Timeout { stage, .. } if kept => CoreError::Timeout {
                stage,
                outcome_unknown: false,
            },
            CoreError::Closed { stage, .. } if kept => CoreError::Closed {
                stage,
                outcome_unknown: false,
            },
            other => other,
        };
        Failure::Dialogue(error, source)
    }
}

/// Tells an event without its text. `None` for what the driver sees elsewhere.
fn retell(event: &Event<'_>) -> Option<Told> {
    Some(match event {
        Event::Reply { reply, .. } if !reply.last => return None,
        Event::Reply { stage, reply } => Told::Reply {
            stage: *stage,
            heard: Heard::of(reply),
        },
        Event::Refused { stage, reply } => Told::Refused {
            stage: *stage,
            heard: Heard::of(reply),
        },
        Event::Sender { reply } => Told::Sender {
            heard: Heard::of(reply),
        },
        Event::Recipient { index, reply } => Told::Recipient {
            index: *index,
            heard: Heard::of(reply),
        },
        Event::ChunkRefused { reply } => Told::ChunkRefused {
            heard: Heard::of(reply),
        },
        Event::Delivered { reply } => Told::Delivered {
            heard: Heard::of(reply),
        },
        Event::Verdict { index, reply, last } => Told::Verdict {
            index: *index,
            heard: Heard::of(reply),
            last: *last,
        },
        Event::NotDelivered { stage, reply } => Told::NotDelivered {
            stage: *stage,
            heard: reply.as_ref().map(Heard::of),
        },
        Event::Ready => Told::Ready,
        Event::Closed => Told::Closed,
        // The machine asks for TLS or the body itself, and no query is made.
        _ => return None,
    })
}

/// The line of a reply that an event tells.
fn reply_line<'e>(event: &Event<'e>) -> Option<ReplyLine<'e>> {
    match *event {
        Event::Reply { reply, .. }
        | Event::Refused { reply, .. }
        | Event::Sender { reply }
        | Event::Recipient { reply, .. }
        | Event::ChunkRefused { reply }
        | Event::Delivered { reply }
        | Event::Verdict { reply, .. } => Some(reply),
        Event::NotDelivered { reply, .. } => reply,
        _ => None,
    }
}

/// The text of a reply, lines separated by `\n`.
#[derive(Default)]
struct Gathered {
    text: Vec<u8>,
    /// The reply is complete; the next line begins another one.
    complete: bool,
}

impl Gathered {
    fn take(&mut self, event: &Event<'_>) {
        let line = reply_line(event);
        if std::mem::take(&mut self.complete) || line.is_none() {
            self.text.clear();
        }
        let Some(line) = line else { return };
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(line.text);
        self.complete = line.last;
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// Those who watch one connection.
pub(super) struct Watch {
    taps: Vec<Arc<dyn Tap>>,
    connection: u64,
}

impl Watch {
    pub(super) fn new(taps: Vec<Arc<dyn Tap>>, connection: u64) -> Self {
        Self { taps, connection }
    }

    pub(super) fn connected(&self, server: std::net::SocketAddr) {
        for tap in &self.taps {
            tap.connected(self.connection, server);
        }
    }

    fn octets(&self, direction: Direction, octets: &[u8]) {
        for tap in &self.taps {
            tap.octets(self.connection, direction, octets);
        }
    }

    fn tls_established(&self) {
        for tap in &self.taps {
            tap.tls_established(self.connection);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for tap in &self.taps {
            tap.closed(self.connection);
        }
    }
}

/// Octets on their way. They may hold credentials, so they are wiped.
struct Buffer {
    octets: Zeroizing<Box<[u8]>>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn new(size: usize) -> Self {
        Self {
            octets: Zeroizing::new(vec![0; size].into_boxed_slice()),
            start: 0,
            end: 0,
        }
    }

    fn filled(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or_default()
    }

    /// The free part behind what is filled.
    fn room(&mut self) -> &mut [u8] {
        self.octets.get_mut(self.end..).unwrap_or_default()
    }

    fn extend(&mut self, count: usize) {
        self.end += count;
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    fn clear(&mut self) {
        self.octets.zeroize();
        (self.start, self.end) = (0, 0);
    }
}

impl Stream {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }

    /// Writes some of `first` and what is behind it, at least one octet unless there is
    /// none.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        let one = if first.is_empty() { second } else { first };
        match self {
            Self::Plain(socket) if first.is_empty() || second.is_empty() => {
                Pin::new(socket).poll_write(cx, one)
            }
            Self::Plain(socket) => {
                let both = [IoSlice::new(first), IoSlice::new(second)];
                Pin::new(socket).poll_write_vectored(cx, &both)
            }
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, one),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }

    /// Closes politely; TLS says that the end is no accident.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        use tokio::io::AsyncWriteExt;
        match self {
            Self::Plain(socket) => socket.shutdown().await,
            Self::Tls(tls) => tls.shutdown().await,
            Self::Gone => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sansmtp::config::{Config, Security};
    use sansmtp::envelope::{Envelope, Recipient};
    use sansmtp::wire::path::ReversePath;
    use std::time::Duration;
    use tokio::net::TcpListener;

    /// A socket that takes no more octets, and its other end.
    async fn stuffed() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (far, _) = listener.accept().await.unwrap();
        let limit = Duration::from_millis(100);
        while tokio::time::timeout(limit, near.writable()).await.is_ok() {
            while near.try_write(&[0; 65536]).is_ok() {}
        }
        (near, far)
    }

    #[tokio::test]
    async fn a_final_dot_that_never_left_leaves_no_doubt() {
        let (near, _far) = stuffed().await;
        let config = Config::new("127.0.0.1", Security::DangerPlaintext).unwrap();
        let recipients = [Recipient::parse("a@example.org").unwrap()];
        let envelope = Envelope::new(ReversePath::Null, &recipients);
        let mut line = [0; 512];
        let clock = Clock::start();
        let mut client = Client::new(&config, &mut line, clock.now());
        let mut out = [0; 512];
        for replies in [
            "220 hi\r\n",
            "250 hello\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "354 go\r\n",
        ] {
            let (_, event) = client.receive(clock.now(), replies.as_bytes()).unwrap();
            if let Some(Event::Ready) = event {
                client.submit(&envelope, clock.now()).unwrap();
            }
            client.transmit(clock.now(), &mut out);
        }
        let mut wire = Wire::new(near, clock, Watch::new(Vec::new(), 1));
        tokio::time::pause();
        let mut content = Content::bytes(b"hi\r\n");
        let result = wire.next(&mut client, &mut content, false).await;
        let Err(Failure::Dialogue(error, None)) = result else {
            panic!("{result:?}");
        };
        // The machine has rendered the final dot; more it can not know.
        assert!(client.error().unwrap().outcome_unknown());
        let expected = CoreError::Timeout {
            stage: Stage::Content,
            outcome_unknown: false,
        };
        assert_eq!(error, expected);
    }
}
