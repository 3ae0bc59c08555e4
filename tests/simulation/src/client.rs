//! The client's side: the machine and a driver that sends all mails.

use crate::Choices;
use crate::check::{Property, Sabotage, Violation, hold};
use crate::run::{Fate, Setting, TURNS, World};
use crate::scenario::PASSWORD;
use sansmtp::client::{Client, Event, Query, Session};
use sansmtp::error::{Error, Requirement};
use sansmtp::state::State;
use sansmtp::wire::reply::Class;
use sansmtp::{Instant, Machine};

const ROOM: usize = 512;
/// The most octets that are read or written at a time.
const READ: usize = 4096;

/// The client's machine, put aside, and what its driver keeps.
pub(crate) struct ClientSide {
    session: Option<Session>,
    line: [u8; ROOM],
    /// The mail that is under way.
    current: Option<usize>,
    /// The one before, whose verdict is open, and for how many recipients it was accepted.
    earlier: Option<(usize, u32)>,
    /// How often that was so.
    pub(crate) early: u64,
    query: Option<Query<'static>>,
    /// Octets of its content that were pushed.
    pushed: usize,
    /// The next recipient whose answer is due, and how many were accepted.
    recipients: (usize, u32),
    /// In LMTP, how many verdicts came, and the place behind the last one's recipient.
    verdicts: (u32, usize),
    asked: u32,
    /// Which mails were begun on this connection.
    tried: Vec<bool>,
    pub(crate) error: Option<Error>,
    pub(crate) over: bool,
    pub(crate) wants_tls: bool,
    /// STARTTLS was sent.
    pub(crate) asked_tls: bool,
    /// Plain text was put behind STARTTLS.
    pub(crate) injected: bool,
    /// What the last turn sent.
    pub(crate) sent: Vec<u8>,
    deadline: Option<Instant>,
    /// The line of the server that is being read, as far as its code.
    reading: (u8, [u8; 4]),
    /// The last whole line that was read begins so.
    last_line: [u8; 4],
}

impl std::fmt::Debug for ClientSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSide")
            .field("session", &self.session)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl ClientSide {
    pub(crate) fn new(setting: &Setting<'_>) -> Self {
        let mut line = [0; ROOM];
        let mut client = Client::new(setting.client, &mut line, Instant::from_millis(0));
        client.set_entropy([3; 18]);
        let (wants_tls, deadline) = (client.wants_tls(), client.poll_timeout());
        Self {
            session: Some(client.suspend()),
            line,
            current: None,
            earlier: None,
            early: 0,
            query: None,
            pushed: 0,
            recipients: (0, 0),
            verdicts: (0, 0),
            asked: 0,
            tried: vec![false; setting.scenario.mails.len()],
            error: None,
            over: false,
            wants_tls,
            asked_tls: false,
            injected: false,
            sent: Vec::new(),
            deadline,
            reading: (0, [0; 4]),
            last_line: [0; 4],
        }
    }

    /// Takes the machine up again for one turn.
    fn enter<'c>(&mut self, setting: &'c Setting<'c>, line: &'c mut [u8; ROOM]) -> Client<'c> {
        *line = self.line;
        let session = self.session.take().expect("the machine is put aside");
        let envelope = self.current.map(|at| &setting.scenario.mails[at].envelope);
        Client::resume(session, setting.client, line, envelope, self.query)
    }

    /// Puts it aside.
    fn leave(&mut self, client: Client<'_>) {
        self.wants_tls = client.wants_tls();
        self.deadline = client.poll_timeout();
        self.session = Some(client.suspend());
    }

    pub(crate) fn tls_established(&mut self, setting: &Setting<'_>, now: Instant) {
        let mut line = [0; ROOM];
        let mut client = self.enter(setting, &mut line);
        client.tls_established(now).expect("TLS is wanted");
        if let Some(binding) = crate::server::binding() {
            client.set_channel_binding(binding);
        }
        self.leave(client);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.filter(|_| !self.over)
    }

    pub(crate) fn time_passes(
        &mut self,
        setting: &Setting<'_>,
        world: &mut World,
        now: Instant,
    ) -> Result<(), Violation> {
        if self.over {
            return Ok(());
        }
        let mut line = [0; ROOM];
        let mut client = self.enter(setting, &mut line);
        let done = match client.handle_timeout(now) {
            Err(error) => self.fail(error, &mut client, world, now),
            Ok(()) => Ok(()),
        };
        if client.is_closed() {
            self.hang_up(world);
        }
        self.leave(client);
        self.line = line;
        done
    }

    /// Reads, acts, and sends; tells whether anything moved.
    pub(crate) fn turn(
        &mut self,
        setting: &Setting<'_>,
        world: &mut World,
        now: Instant,
        room: usize,
        choices: &mut Choices<'_>,
    ) -> Result<bool, Violation> {
        self.sent.clear();
        if self.over {
            let waste = world.to_client.front(room).len();
            world.to_client.take(waste);
            return Ok(waste > 0);
        }
        let mut line = [0; ROOM];
        let mut client = self.enter(setting, &mut line);
        let mut driver = Driver {
            side: self,
            setting,
            world,
            now,
        };
        let mut done = driver.read(&mut client, room, choices);
        if let Ok(moved) = done {
            done = driver
                .write(&mut client, choices)
                .map(|wrote| moved | wrote);
        }
        let waits = client.error().is_none() && !client.is_ready() && !client.is_closed();
        let deadline = client.poll_timeout();
        self.leave(client);
        self.line = line;
        hold(deadline.is_some() == waits, Property::Deadline, || {
            format!("{deadline:?} in {self:?}")
        })?;
        done
    }

    /// The machine failed: the driver hangs up, or says QUIT where that is still polite.
    fn fail(
        &mut self,
        error: Error,
        client: &mut Client<'_>,
        world: &mut World,
        now: Instant,
    ) -> Result<(), Violation> {
        world.note(|| format!("-- client: {error}"));
        let again = client.receive(now, b"250 ok\r\n");
        hold(
            matches!(again, Err(same) if same == error),
            Property::Sticky,
            || format!("{error:?}, then {again:?}"),
        )?;
        self.error.get_or_insert(error);
        let polite = matches!(error, Error::Refused { .. } | Error::Unmet(_));
        if !polite || client.quit(now).is_err() {
            self.hang_up(world);
        }
        Ok(())
    }

    fn hang_up(&mut self, world: &mut World) {
        self.over = true;
        world.to_server.closed = true;
        world.note(|| "-- the client hangs up".into());
    }

    /// Reads along, to know the last line by itself.
    fn overhear(&mut self, octets: &[u8]) {
        for &octet in octets {
            let (length, begin) = &mut self.reading;
            if octet == b'\n' {
                self.last_line = *begin;
                self.reading = (0, [0; 4]);
            } else if *length < 4 {
                begin[usize::from(*length)] = octet;
                *length += 1;
            }
        }
    }
}

struct Driver<'d, 'c> {
    side: &'d mut ClientSide,
    setting: &'c Setting<'c>,
    world: &'d mut World,
    now: Instant,
}

/// What an event asks of the driver.
enum Next {
    Nothing,
    Work,
    Verdict(bool, bool),
    Failed,
}

impl<'c> Driver<'_, 'c> {
    fn read(
        &mut self,
        client: &mut Client<'c>,
        room: usize,
        choices: &mut Choices<'_>,
    ) -> Result<bool, Violation> {
        let pace = self.setting.scenario.pace.client_reads;
        let before = self.world.to_client.taken;
        let mut piece = [0; READ];
        let (mut at, mut end) = (0, 0);
        let mut progress = false;
        for _ in 0..TURNS {
            if self.side.over {
                return Ok(true);
            }
            if at == end {
                let pipe = &self.world.to_client;
                let left = room.saturating_sub((pipe.taken - before) as usize);
                let next = pipe.front(pace.draw(choices).min(left));
                (at, end) = (0, next.len());
                piece[..end].copy_from_slice(next);
            }
            let rest = &piece[at..end];
            let received = client.receive(self.now, rest);
            let (used, event) = match received {
                Ok(received) => received,
                Err(error) => {
                    self.world.to_client.take(rest.len());
                    self.side.fail(error, client, self.world, self.now)?;
                    return Ok(true);
                }
            };
            self.side.overhear(&rest[..used]);
            self.world.to_client.take(used);
            at += used;
            progress |= used > 0 || event.is_some();
            let Some(event) = event else {
                if used > 0 {
                    continue;
                }
                break;
            };
            self.world.note(|| format!("-- client: {event:?}"));
            let next = self.hear(&event)?;
            self.follow(next, client, choices)?;
        }
        let pipe = &mut self.world.to_client;
        if pipe.closed && pipe.is_empty() && !pipe.frozen && !pipe.eof_told {
            pipe.eof_told = true;
            progress = true;
            if let Err(error) = client.receive_eof() {
                self.side.error.get_or_insert(error);
                self.world.note(|| format!("-- client: {error}"));
            }
            self.side.hang_up(self.world);
        }
        Ok(progress)
    }

    fn hear(&mut self, event: &Event<'_>) -> Result<Next, Violation> {
        let side = &mut *self.side;
        Ok(match event {
            Event::Ready => {
                hold(!side.injected, Property::NothingSurvivesTls, || {
                    "the session is ready though plain text was put in".into()
                })?;
                Next::Work
            }
            Event::Answer { .. } => Next::Work,
            Event::Recipient { index, reply } => {
                let due = side.recipients.0;
                hold(*index == due, Property::OneVerdict, || {
                    format!("recipient {index} is answered, {due} is due")
                })?;
                if self.setting.sabotage != Sabotage::LoseRecipient {
                    side.recipients.0 += 1;
                }
                side.recipients.1 += u32::from(reply.code.class() == Class::Positive);
                Next::Nothing
            }
            Event::Content if self.setting.sabotage == Sabotage::SuccessAtDemand => {
                Next::Verdict(true, false)
            }
            Event::Delivered { .. } => Next::Verdict(true, false),
            Event::Verdict { index, reply, last } => {
                let good = reply.code.class() == Class::Positive;
                self.recipient_verdict(*index, good, *last)?
            }
            Event::NotDelivered { reply, .. } => {
                let temporary = reply.is_none_or(|it| it.code.class() == Class::Transient);
                Next::Verdict(false, temporary)
            }
            Event::Refused { .. } => Next::Failed,
            Event::Closed => {
                side.hang_up(self.world);
                Next::Nothing
            }
            _ => Next::Nothing,
        })
    }

    fn follow(
        &mut self,
        next: Next,
        client: &mut Client<'c>,
        choices: &mut Choices<'_>,
    ) -> Result<(), Violation> {
        match next {
            Next::Nothing => Ok(()),
            Next::Failed => {
                let error = client.error();
                let error = error.expect("a refused session has failed");
                // A failure of the transaction may still be to be told.
                self.side.fail(error, client, self.world, self.now)
            }
            Next::Verdict(good, temporary) => {
                self.verdict(good, temporary)?;
                self.work(client, choices)
            }
            Next::Work => self.work(client, choices),
        }
    }

    /// The verdict for one recipient, in LMTP.
    fn recipient_verdict(
        &mut self,
        mut index: usize,
        good: bool,
        last: bool,
    ) -> Result<Next, Violation> {
        if self.setting.sabotage == Sabotage::MixVerdicts {
            index ^= 1;
        }
        let side = &mut *self.side;
        let Some(current) = side.current else {
            return hold(false, Property::OneVerdict, || {
                "a verdict without a mail".into()
            })
            .map(|()| Next::Nothing);
        };
        let record = &mut self.world.records[current];
        let kept = record.kept >> index & 1 > 0;
        let seen = |what: &str| format!("mail {current}, recipient {index}: {what}, {record:?}");
        let property = match good {
            true => Property::SuccessAfterFinalReply,
            false => Property::NoFalseFailure,
        };
        hold(index >= side.verdicts.1, Property::OneVerdict, || {
            seen("out of order")
        })?;
        hold(kept == good, property, || seen("told otherwise"))?;
        record.told |= u128::from(good) << index;
        side.verdicts = (side.verdicts.0 + 1, index + 1);
        let all = side.verdicts.0 == side.recipients.1;
        hold(all == last, Property::OneVerdict, || {
            format!(
                "{} verdicts, {} recipients",
                side.verdicts.0, side.recipients.1
            )
        })?;
        if !last {
            return Ok(Next::Nothing);
        }
        record.fate = match record.told {
            0 => Fate::Failed,
            _ => Fate::Delivered,
        };
        side.current = None;
        Ok(Next::Work)
    }

    fn verdict(&mut self, good: bool, temporary: bool) -> Result<(), Violation> {
        let sabotage = self.setting.sabotage;
        if sabotage == Sabotage::LoseVerdict {
            return Ok(());
        }
        let side = &mut *self.side;
        let about = match side.earlier.take() {
            Some(earlier) => Some(earlier),
            None => side.current.take().map(|at| (at, side.recipients.1)),
        };
        self.world.earlier = None;
        let Some((current, accepted)) = about else {
            return hold(false, Property::OneVerdict, || {
                "a verdict without a mail".into()
            });
        };
        let record = &mut self.world.records[current];
        let seen = |record: &crate::run::Record| format!("mail {current}: {record:?}");
        if !good {
            let stored = record.stored;
            hold(stored == 0, Property::NoFalseFailure, || seen(record))?;
            if !temporary {
                record.fate = Fate::Failed;
            }
            return Ok(());
        }
        let last = side.last_line;
        let told = record.stored > 0
            && self.world.to_client.taken > record.stored_at
            && last[..3] == *b"250"
            && last[3] != b'-';
        hold(told, Property::SuccessAfterFinalReply, || seen(record))?;
        hold(record.stored == 1, Property::ExactlyOnce, || seen(record))?;
        hold(record.recipients == accepted, Property::Whole, || {
            seen(record)
        })?;
        record.fate = match sabotage {
            Sabotage::HideDelivery => Fate::Failed,
            _ => Fate::Delivered,
        };
        Ok(())
    }

    /// Begins the next thing to be done, once the machine is ready for it.
    fn work(
        &mut self,
        client: &mut Client<'c>,
        choices: &mut Choices<'_>,
    ) -> Result<(), Violation> {
        if !client.is_ready() {
            return Ok(());
        }
        let scenario = self.setting.scenario;
        if scenario.asks && self.side.asked < 4 && choices.one_in(2) {
            self.side.asked += 1;
            let query = choices.pick(&[Query::NOOP, Query::RSET]);
            self.side.query = Some(query);
            client.query(query, self.now).expect("the client is ready");
            return Ok(());
        }
        if !self.submit(client) {
            client.quit(self.now).expect("the client is ready");
        }
        Ok(())
    }

    /// Submits the next mail, if there is one.
    fn submit(&mut self, client: &mut Client<'c>) -> bool {
        while let Some(next) = self.next_mail() {
            self.side.tried[next] = true;
            self.world.note(|| format!("-- client: sends mail {next}"));
            match client.submit(&self.setting.scenario.mails[next].envelope, self.now) {
                Ok(()) => {
                    let side = &mut *self.side;
                    self.world.earlier = side.current;
                    side.earlier = side.current.map(|at| (at, side.recipients.1));
                    side.early += u64::from(side.earlier.is_some());
                    self.world.current = Some(next);
                    side.current = Some(next);
                    side.pushed = 0;
                    side.recipients = (0, 0);
                    side.verdicts = (0, 0);
                    return true;
                }
                // Another session may take it.
                Err(Error::Unmet(Requirement::Messages)) => {}
                Err(error) => {
                    self.world.note(|| format!("-- client: {error}"));
                    self.world.records[next].fate = Fate::Failed;
                }
            }
        }
        false
    }

    /// The next mail that was not tried on this connection.
    fn next_mail(&self) -> Option<usize> {
        let records = self.world.records.iter().zip(&self.side.tried);
        records
            .into_iter()
            .position(|(record, tried)| record.fate == Fate::Open && !tried)
    }

    fn write(
        &mut self,
        client: &mut Client<'c>,
        choices: &mut Choices<'_>,
    ) -> Result<bool, Violation> {
        let mut out = [0; READ];
        let mut progress = false;
        if self.setting.sabotage == Sabotage::SecretInClear && client.state() == State::Greeted {
            self.send(PASSWORD.as_bytes());
        }
        for _ in 0..TURNS {
            if self.side.over {
                return Ok(true);
            }
            let room = self.setting.scenario.pace.client_writes.draw(choices);
            let written = client.transmit(self.now, &mut out[..room]);
            self.send(&out[..written]);
            progress |= written > 0;
            if client.is_closed() {
                self.side.hang_up(self.world);
                return Ok(true);
            }
            if written == 0 {
                let early = self.setting.scenario.overlaps && client.awaits_verdict();
                let pushed = self.push(client, choices) || early && self.submit(client);
                progress |= pushed;
                if !pushed {
                    self.side.asked_tls |= self.side.sent.ends_with(b"STARTTLS\r\n");
                    return Ok(progress);
                }
            }
        }
        hold(false, Property::Ends, || {
            "the client sends without an end".into()
        })?;
        Ok(progress)
    }

    /// Pushes a piece of the content; tells whether there was anything to do.
    fn push(&mut self, client: &mut Client<'c>, choices: &mut Choices<'_>) -> bool {
        let Some(current) = self.side.current else {
            return false;
        };
        let whole = &self.setting.scenario.mails[current].body;
        let Some(mut body) = client.body() else {
            return false;
        };
        if let Some(at) = self.setting.faults.abandon
            && self.side.pushed >= at as usize
        {
            self.world
                .note(|| "-- client: gives up within the content".into());
            self.side.hang_up(self.world);
            return true;
        }
        let rest = &whole[self.side.pushed..];
        let piece = &rest[..self
            .setting
            .scenario
            .pace
            .pushes
            .draw(choices)
            .min(rest.len())];
        self.side.pushed += piece.len();
        let sabotage = self.setting.sabotage;
        if sabotage == Sabotage::CommandInBody && self.side.pushed == whole.len() {
            self.send(b"RSET\r\n");
        }
        let mut out = [0; READ];
        if sabotage == Sabotage::RawBody {
            self.send(piece);
        } else {
            let mut left = piece;
            loop {
                let room = self.setting.scenario.pace.client_writes.draw(choices);
                let (read, written) = body.write(self.now, left, &mut out[..room]);
                self.send(&out[..written]);
                left = &left[read..];
                if (read, written) == (0, 0) {
                    break;
                }
            }
        }
        if self.side.pushed == whole.len() {
            body.finish(self.now);
        }
        true
    }

    fn send(&mut self, octets: &[u8]) {
        if !octets.is_empty() {
            self.world.send(true, octets);
            self.side.sent.extend_from_slice(octets);
        }
    }
}

/// What must hold when the connection is over.
pub(crate) fn end(
    side: &mut ClientSide,
    setting: &Setting<'_>,
    world: &mut World,
) -> Result<(), Violation> {
    let (earlier, current) = (side.earlier.take(), side.current.take());
    if let (Some(_), Some(current)) = (earlier, current) {
        // Nothing of it can have been taken before the verdict on the one before.
        let record = &world.records[current];
        hold(record.stored == 0, Property::NoFalseFailure, || {
            format!("mail {current} was taken early: {record:?}")
        })?;
    }
    let Some(current) = earlier.map(|it| it.0).or(current) else {
        return Ok(());
    };
    let unknown = side.error.is_some_and(|error| error.outcome_unknown());
    let record = &mut world.records[current];
    let abandoned = setting.faults.abandon.is_some() && side.error.is_none();
    hold(
        side.error.is_some() || abandoned,
        Property::OneVerdict,
        || format!("mail {current} has got no verdict"),
    )?;
    if unknown {
        if setting.sabotage != Sabotage::RetryUnknown {
            record.fate = Fate::Unknown;
        }
        return Ok(());
    }
    if setting.scenario.lmtp && record.told > 0 {
        record.fate = Fate::Delivered;
        return hold(record.kept == record.told, Property::NoFalseFailure, || {
            format!("mail {current}: {:?}, {record:?}", side.error)
        });
    }
    hold(record.stored == 0, Property::NoFalseFailure, || {
        format!("mail {current}: {:?}, {record:?}", side.error)
    })
}
