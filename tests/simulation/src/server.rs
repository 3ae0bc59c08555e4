//! The server's side: the machine and a driver that decides.

use crate::Choices;
use crate::check::{Property, Sabotage, Violation, hold};
use crate::run::{Setting, TURNS, World, arrives};
use crate::scenario::{Login, PASSWORD, POISON, TOKEN};
use sansmtp::auth::{BindingKind, ChannelBinding, Hash, StoredKeys};
use sansmtp::capability::Extension;
use sansmtp::server::{Event, Query, Server, Session};
use sansmtp::wire::param::{MailParameters, RcptParameters};
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};
use std::sync::LazyLock;

const ROOM: usize = 1024;
/// The most octets that are read or written at a time.
const READ: usize = 4096;

/// The server's machine, put aside, and what its driver keeps.
pub(crate) struct ServerSide {
    session: Option<Session>,
    /// The buffers that the machine borrows.
    buffers: Option<Box<[[u8; ROOM]; 2]>>,
    /// Questions that were asked.
    questions: u32,
    /// An answer that is still owed, for how many turns, and whether it is one to a recipient.
    owed: Option<(Answer, u32, bool)>,
    /// Which mails got a verdict on this connection.
    judged: Vec<bool>,
    /// The recipients that were accepted.
    recipients: u32,
    /// How many were asked for in this transaction, and the places in the envelope of those
    /// that were accepted, in LMTP.
    asked: usize,
    accepted: Vec<usize>,
    pub(crate) over: bool,
    pub(crate) wants_tls: bool,
    /// STARTTLS was answered with 220.
    pub(crate) agreed_tls: bool,
    pub(crate) injected: bool,
    pub(crate) authenticated: bool,
    /// Lines of replies of which the beginning was written.
    saying: (u8, [u8; 4]),
    deadline: Option<Instant>,
}

impl std::fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSide")
            .field("session", &self.session)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

/// What the driver answers.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Accept,
    Refuse(u16),
    Keys(Hash),
    /// Yes to a message, which is kept.
    Keep(usize),
    /// Yes to a message for one recipient, in LMTP.
    KeepFor(usize, usize),
}

static KEYS: LazyLock<[StoredKeys; 2]> = LazyLock::new(|| {
    [Hash::Sha1, Hash::Sha256].map(|hash| {
        StoredKeys::derive(hash, PASSWORD, b"salt", 4096).expect("a password that can be prepared")
    })
});

/// What both ends of a virtual TLS connection know.
pub(crate) fn binding() -> Option<ChannelBinding> {
    ChannelBinding::new(BindingKind::TlsExporter, &[9; 32])
}

impl ServerSide {
    pub(crate) fn new(setting: &Setting<'_>) -> Self {
        let mut buffers = Box::new([[0; ROOM]; 2]);
        let [line, reply] = &mut *buffers;
        let now = Instant::from_millis(0);
        let mut server = Server::new(setting.server, line, reply, now);
        server.set_entropy([5; 32]);
        let (wants_tls, deadline) = (server.wants_tls(), server.poll_timeout());
        Self {
            session: Some(server.suspend()),
            buffers: Some(buffers),
            questions: 0,
            owed: None,
            judged: vec![false; setting.scenario.mails.len()],
            recipients: 0,
            asked: 0,
            accepted: Vec::new(),
            over: false,
            wants_tls,
            agreed_tls: false,
            injected: false,
            authenticated: false,
            saying: (0, [0; 4]),
            deadline,
        }
    }

    /// Calls `act` with the machine, which is put aside again afterwards.
    fn with<T>(
        &mut self,
        setting: &Setting<'_>,
        act: impl FnOnce(&mut Self, &mut Server<'_>) -> T,
    ) -> T {
        let session = self.session.take().expect("the machine is put aside");
        let mut buffers = self.buffers.take().expect("the buffers are there");
        let [line, reply] = &mut *buffers;
        let mut server = Server::resume(session, setting.server, line, reply);
        let done = act(self, &mut server);
        self.wants_tls = server.wants_tls();
        self.deadline = server.poll_timeout().filter(|_| !server.is_asking());
        self.session = Some(server.suspend());
        self.buffers = Some(buffers);
        done
    }

    pub(crate) fn tls_established(&mut self, setting: &Setting<'_>, now: Instant) {
        self.with(setting, |_, server| {
            server.tls_established(now).expect("TLS is wanted");
            if let Some(binding) = binding() {
                server.set_channel_binding(binding);
            }
        });
    }

    pub(crate) fn shut_down(&mut self, setting: &Setting<'_>, at_once: bool) {
        if self.over {
            return;
        }
        if at_once {
            // An open question is void.
            self.owed = None;
        }
        self.with(setting, |_, server| {
            if at_once {
                server.shutdown_now();
            } else {
                server.shutdown();
            }
        });
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.filter(|_| !self.over)
    }

    pub(crate) fn time_passes(&mut self, setting: &Setting<'_>, world: &mut World, now: Instant) {
        if self.over {
            return;
        }
        self.with(setting, |side, server| {
            if let Err(error) = server.handle_timeout(now) {
                world.note(|| format!("-- server: {error}"));
                side.hang_up(world);
            }
        });
    }

    fn hang_up(&mut self, world: &mut World) {
        self.over = true;
        world.to_client.closed = true;
        world.note(|| "-- the server hangs up".into());
    }

    /// Reads, decides, and answers; tells whether anything moved.
    pub(crate) fn turn(
        &mut self,
        setting: &Setting<'_>,
        world: &mut World,
        now: Instant,
        room: usize,
        choices: &mut Choices<'_>,
    ) -> Result<bool, Violation> {
        if self.over {
            let waste = world.to_server.front(room).len();
            world.to_server.take(waste);
            return Ok(waste > 0);
        }
        self.with(setting, |side, server| {
            side.work(server, setting, world, now, room, choices)
        })
    }

    fn work(
        &mut self,
        server: &mut Server<'_>,
        setting: &Setting<'_>,
        world: &mut World,
        now: Instant,
        room: usize,
        choices: &mut Choices<'_>,
    ) -> Result<bool, Violation> {
        let mut progress = false;
        if let Some((answer, turns, recipient)) = self.owed {
            if turns > 0 {
                self.owed = Some((answer, turns - 1, recipient));
                return Ok(true);
            }
            self.owed = None;
            world.note(|| format!("-- server: {answer:?}, at last"));
            let answer = self.note_answer(answer, recipient, setting, world);
            let done = match answer {
                Answer::Accept | Answer::Keep(_) | Answer::KeepFor(..) => server.accept(),
                Answer::Refuse(code) => server.answer(&refusal(code)),
                Answer::Keys(hash) => server.answer_with_keys(keys(hash)),
            };
            hold(done.is_ok(), Property::Ends, || format!("{done:?}"))?;
            progress = true;
        }
        let pace = setting.scenario.pace;
        let before = world.to_server.taken;
        let (mut piece, mut out) = ([0; READ], [0; READ]);
        let (mut at, mut end) = (0, 0);
        for _ in 0..TURNS {
            if at == end {
                let left = room.saturating_sub((world.to_server.taken - before) as usize);
                let next = world
                    .to_server
                    .front(pace.server_reads.draw(choices).min(left));
                (at, end) = (0, next.len());
                piece[..end].copy_from_slice(next);
            }
            let rest = &piece[at..end];
            let room = pace.server_writes.draw(choices);
            let written = server.transmit(now, &mut out[..room]);
            if written > 0 {
                progress = true;
                self.look(&out[..written])?;
                world.send(false, &out[..written]);
                continue;
            }
            if server.is_closed() {
                self.hang_up(world);
                return Ok(true);
            }
            let received = server.receive(now, rest);
            let (used, event) = match received {
                Ok(received) => received,
                Err(error) => {
                    world.note(|| format!("-- server: {error}"));
                    let again = server.receive(now, b"NOOP\r\n");
                    hold(
                        matches!(&again, Err(same) if *same == error),
                        Property::Sticky,
                        || format!("{error:?}, then {again:?}"),
                    )?;
                    self.hang_up(world);
                    return Ok(true);
                }
            };
            world.to_server.take(used);
            at += used;
            progress |= used > 0 || event.is_some();
            match event {
                Some(event) => self.hear(event, setting, world, choices)?,
                None if used > 0 => {}
                None => break,
            }
            if self.owed.is_some() {
                return Ok(true);
            }
        }
        let pipe = &mut world.to_server;
        if pipe.closed && pipe.is_empty() && !pipe.frozen && !pipe.eof_told {
            pipe.eof_told = true;
            progress = true;
            if let Err(error) = server.receive_eof() {
                world.note(|| format!("-- server: {error}"));
            }
            self.hang_up(world);
        }
        Ok(progress)
    }

    fn hear(
        &mut self,
        event: Event<'_>,
        setting: &Setting<'_>,
        world: &mut World,
        choices: &mut Choices<'_>,
    ) -> Result<(), Violation> {
        let request = match event {
            Event::Content(stretch) => {
                world.content.extend_from_slice(stretch);
                return Ok(());
            }
            Event::Reset | Event::Hello { .. } => {
                world.content.clear();
                self.recipients = 0;
                return Ok(());
            }
            Event::StartTls => {
                self.agreed_tls = true;
                return Ok(());
            }
            Event::Request(request) => request,
            _ => return Ok(()),
        };
        let query = request.query();
        let number = self.questions;
        self.questions += 1;
        world.note(|| format!("-- server is asked {number}: {query:?}"));
        let mut answer = self.decide(&query, setting, world)?;
        if let Some((at, code)) = setting.faults.refuse
            && at == number
        {
            answer = Answer::Refuse(code);
        }
        let recipient = matches!(query, Query::Recipient { .. });
        if setting.scenario.late && choices.one_in(3) {
            // The request is dropped, and answered through the machine.
            self.owed = Some((answer, choices.below(4), recipient));
            return Ok(());
        }
        world.note(|| format!("-- server: {answer:?}"));
        let answer = self.note_answer(answer, recipient, setting, world);
        match answer {
            Answer::Accept | Answer::Keep(_) | Answer::KeepFor(..) => request.accept(),
            Answer::Refuse(code) => request.answer(&refusal(code)),
            Answer::Keys(hash) => request.answer_with_keys(keys(hash)),
        }
        Ok(())
    }

    fn decide(
        &mut self,
        query: &Query<'_>,
        setting: &Setting<'_>,
        world: &mut World,
    ) -> Result<Answer, Violation> {
        let poison = |address: &str| {
            hold(
                address != POISON,
                if self.injected {
                    Property::NothingSurvivesTls
                } else {
                    Property::NoMixing
                },
                || "a line of a body was taken for a command".into(),
            )
        };
        let login = setting.scenario.login;
        let mut check = |good: bool| {
            self.authenticated |= good;
            Ok(if good {
                Answer::Accept
            } else {
                Answer::Refuse(535)
            })
        };
        match query {
            Query::Authenticate(it) => check(it.user == "user" && it.password.reveal() == PASSWORD),
            Query::Bearer(it) => check(it.user == "user" && it.token.reveal() == TOKEN),
            Query::Authorize(_) => check(login != Login::WrongPassword),
            Query::Digest(digest) => check(digest.proves(sansmtp::auth::Secret::new(PASSWORD))),
            Query::Keys(wanted) => Ok(Answer::Keys(wanted.hash)),
            Query::Mail {
                reverse_path,
                parameters,
            } => {
                poison(reverse_path.as_str())?;
                if !self.injected {
                    check_mail(parameters, setting, world)?;
                }
                world.content.clear();
                self.recipients = 0;
                self.asked = 0;
                self.accepted.clear();
                Ok(Answer::Accept)
            }
            Query::Recipient {
                forward_path,
                parameters,
            } => {
                poison(forward_path.as_str())?;
                let place = self.asked;
                self.asked += 1;
                if !self.injected {
                    check_recipient(forward_path.as_str(), parameters, place, setting, world)?;
                }
                Ok(if forward_path.as_str().starts_with("nobody") {
                    Answer::Refuse(550)
                } else {
                    Answer::Accept
                })
            }
            Query::Delivery { recipient, size } if *recipient > 0 => {
                // The content was looked at for the first.
                let mail = world.current.expect("a mail is under way");
                let content = &world.content;
                hold(*size == content.len() as u64, Property::Whole, || {
                    format!("{size} octets are told for another recipient")
                })?;
                Ok(self.keep_for(mail, *recipient))
            }
            Query::Message { size } | Query::Delivery { size, .. } => {
                let content = &world.content;
                hold(*size == content.len() as u64, Property::Whole, || {
                    format!("{size} octets are told, {} came", content.len())
                })?;
                let mails = &setting.scenario.mails;
                // The one that is under way: no other was begun and not ended.
                let earlier = world.earlier.filter(|at| !self.judged[*at]);
                let under_way = earlier.or(world.current);
                let found = under_way.filter(|at| arrives(&mails[*at], content));
                let Some(mail) = found else {
                    return hold(false, Property::Whole, || {
                        format!("no mail has the content {}", content.escape_ascii())
                    })
                    .map(|()| Answer::Accept);
                };
                self.judged[mail] = true;
                Ok(match query {
                    Query::Delivery { recipient, .. } => self.keep_for(mail, *recipient),
                    _ => Answer::Keep(mail),
                })
            }
            _ => Ok(Answer::Accept),
        }
    }

    /// Yes for one recipient, in LMTP, or no for some of them.
    fn keep_for(&self, mail: usize, recipient: u16) -> Answer {
        let place = self.accepted[usize::from(recipient)];
        match place % 3 {
            2 => Answer::Refuse(452),
            _ => Answer::KeepFor(mail, place),
        }
    }

    /// Keeps what an answer promises to keep. Returns the answer to be given.
    fn note_answer(
        &mut self,
        answer: Answer,
        recipient: bool,
        setting: &Setting<'_>,
        world: &mut World,
    ) -> Answer {
        match answer {
            Answer::Accept => {
                if recipient {
                    self.recipients += 1;
                    self.accepted.push(self.asked - 1);
                }
            }
            Answer::KeepFor(mail, place) => {
                let record = &mut world.records[mail];
                let bit = 1 << place;
                let twice =
                    record.kept & bit > 0 || setting.sabotage == Sabotage::KeepRecipientTwice;
                record.stored = record.stored.max(1 + u32::from(twice));
                record.kept |= bit;
                if setting.sabotage == Sabotage::KeepAndRefuse {
                    return Answer::Refuse(451);
                }
            }
            Answer::Keep(mail) => {
                let record = &mut world.records[mail];
                record.stored += 1 + u32::from(setting.sabotage == Sabotage::KeepTwice);
                record.recipients = self.recipients;
                record.stored_at = world.to_client.sent;
                world.content.clear();
                if setting.sabotage == Sabotage::KeepAndRefuse {
                    return Answer::Refuse(451);
                }
            }
            Answer::Refuse(_) | Answer::Keys(_) => {}
        }
        answer
    }

    /// The client of the simulation makes no syntax errors, so no reply may speak of one.
    fn look(&mut self, octets: &[u8]) -> Result<(), Violation> {
        for &octet in octets {
            let (length, begin) = &mut self.saying;
            if octet == b'\n' {
                let line = *begin;
                self.saying = (0, [0; 4]);
                let syntax = [&b"500"[..], b"501", b"502", b"504", b"555"].contains(&&line[..3]);
                hold(!syntax || self.injected, Property::NoMixing, || {
                    format!("the server complains: {}", line.escape_ascii())
                })?;
            } else if *length < 4 {
                begin[usize::from(*length)] = octet;
                *length += 1;
            }
        }
        Ok(())
    }
}

/// Whether what MAIL declares is what the client was told to declare.
fn check_mail(
    heard: &MailParameters<'_>,
    setting: &Setting<'_>,
    world: &World,
) -> Result<(), Violation> {
    let scenario = setting.scenario;
    let envelope = world.current.map(|at| &scenario.mails[at].envelope);
    let offers = |extension| scenario.offered.has(extension);
    let eight = offers(Extension::EightBitMime) || offers(Extension::BinaryMime);
    let sent = envelope.map(|envelope| MailParameters {
        size: envelope.size.filter(|_| offers(Extension::Size)),
        body: envelope.body.filter(|_| eight),
        smtputf8: false,
        ret: envelope.ret,
        envid: envelope.envid,
        auth: None,
        handling: envelope.handling,
    });
    let mut heard = *heard;
    if setting.sabotage == Sabotage::LoseParameter {
        heard.envid = None;
        heard.handling.priority = None;
    }
    hold(sent == Some(heard), Property::Parameters, || {
        format!("{sent:?} was sent, {heard:?} came")
    })
}

/// The same for RCPT, for the recipient at this place of the envelope.
fn check_recipient(
    address: &str,
    heard: &RcptParameters<'_>,
    place: usize,
    setting: &Setting<'_>,
    world: &World,
) -> Result<(), Violation> {
    let envelope = world.current.map(|at| &setting.scenario.mails[at].envelope);
    let recipient = envelope.and_then(|envelope| envelope.recipients.get(place));
    let sent = recipient.map(|it| (it.forward_path.as_str(), it.notify, it.orcpt));
    let orcpt = match setting.sabotage {
        Sabotage::LoseRecipientParameter => None,
        _ => heard.orcpt,
    };
    let came = (address, heard.notify, orcpt);
    hold(sent == Some(came), Property::Parameters, || {
        format!("{sent:?} was sent, {came:?} came")
    })
}

fn keys(hash: Hash) -> &'static StoredKeys {
    match hash {
        Hash::Sha1 => &KEYS[0],
        _ => &KEYS[1],
    }
}

fn refusal(code: u16) -> Reply<'static> {
    Reply::new(code, None, "No\nfor a reason of its own").expect("a code of the test's own")
}
