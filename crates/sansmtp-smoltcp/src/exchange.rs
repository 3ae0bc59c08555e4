//! Moves octets between a dialogue and a TCP socket.

use sansmtp::Instant;
use smoltcp::socket::tcp;

/// One side of an SMTP connection, as [`exchange`] moves it.
pub trait Dialogue {
    /// Takes octets from the peer and returns how many; the rest is offered again after a
    /// [`transmit`](Self::transmit).
    fn receive(&mut self, now: Instant, input: &[u8]) -> usize;

    /// The peer will send nothing more, or the connection is gone.
    fn receive_eof(&mut self, now: Instant);

    /// Writes what is to be sent into `out` and returns how many octets that is.
    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> usize;

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Tells the time. A call before the deadline is harmless.
    fn handle_timeout(&mut self, now: Instant);

    /// Whether nothing more is to be said or heard.
    fn is_over(&self) -> bool;
}

/// Moves what can be moved now between `dialogue` and a connected `socket`, straight between the
/// buffers of the socket and the dialogue. Call it after each poll of the interface.
///
/// The work is bounded by what the socket's buffers hold. Nothing is closed here: when
/// [`Dialogue::is_over`] says so, close or abort the socket.
pub fn exchange(dialogue: &mut impl Dialogue, now: Instant, socket: &mut tcp::Socket<'_>) {
    dialogue.handle_timeout(now);
    loop {
        let mut moved = 0;
        while !dialogue.is_over() && socket.can_send() {
            let sent = socket.send(|out| {
                let written = dialogue.transmit(now, out);
                (written, written)
            });
            match sent {
                Ok(written) if written > 0 => moved += written,
                _ => break,
            }
        }
        while !dialogue.is_over() && socket.can_recv() {
            let taken = socket.recv(|input| {
                let taken = dialogue.receive(now, input);
                (taken, taken)
            });
            match taken {
                Ok(taken) if taken > 0 => moved += taken,
                _ => break,
            }
        }
        if moved == 0 || dialogue.is_over() {
            break;
        }
    }
    // What came before the end is read first; what can not be answered any more is not waited for.
    if !dialogue.is_over() && (!socket.may_recv() || !socket.is_active()) {
        dialogue.receive_eof(now);
    }
}
