//! Messages over a link with a delay.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Effort;
use super::environment::Environment;
use super::measure::{Running, cost_of};
use super::page::{Goal, Page};
use super::rows::{CLIENTS, LETTRE, Load, OURS, SERIES, SERVERS, SINK};
use super::table::{Table, number};

pub(super) fn run(env: &Environment, effort: Effort, page: &mut Page) -> Result<()> {
    let row = SERVERS.iter().find(|row| row.name == SINK);
    let row = row.context("smtp-sink is a row")?;
    let server = Running::start(SINK, |port| (row.start)(env, port))?;
    let trips: &[(u64, usize)] = match effort.full {
        true => &[(1, 100), (20, 100), (100, 30)],
        false => &[(20, 20)],
    };
    for (millis, messages) in trips.iter().copied() {
        let delay = Duration::from_millis(millis) / 2;
        let port = slow_link(server.port, delay)?;
        let title = format!(
            "{messages} messages of 1 KiB over a link with {millis} ms there and back, into smtp-sink"
        );
        let head = ["client", "seconds", "round trips/message", "to lettre"];
        let mut table = Table::new(title, &head);
        let mut times = Vec::new();
        for row in CLIENTS.iter().filter(|row| (row.is_there)(env)) {
            let load = |messages| Load {
                port,
                messages,
                size: 1024,
                sessions: 1,
            };
            // The session is set up once.
            let one = cost_of((row.start)(env, &load(1)))?.wall;
            let all = cost_of((row.start)(env, &load(messages + 1)))?.wall;
            times.push((row.name, (all - one).max(0.0)));
        }
        let time = |name: &str| times.iter().find(|it| it.0 == name).map(|it| it.1);
        let lettre = time(LETTRE).unwrap_or(f64::NAN);
        for (name, seconds) in &times {
            let trips = seconds / messages as f64 / (millis as f64 / 1e3);
            table.rows.push(vec![
                (*name).to_owned(),
                number(*seconds),
                number(trips),
                format!("{}x", number(seconds / lettre)),
            ]);
        }
        table.note =
            "A wait of 40 ms for a delayed acknowledgement shows as round trips, too.".to_owned();
        page.add(table);
        if millis == 20 {
            for name in [OURS, SERIES] {
                if let Some(ours) = time(name) {
                    let what = format!("{name}: time to lettre's over a link with 20 ms");
                    page.goal(Goal::at_most(what, ours / lettre, 1.0 / 3.0));
                }
            }
        }
        let bars = times
            .iter()
            .map(|(name, seconds)| ((*name).to_owned(), *seconds));
        let title = format!("{messages} messages over a link with {millis} ms");
        page.plot(&title, "seconds", bars.collect());
    }
    Ok(())
}

/// A port that leads to the server's, with octets late by `delay` in each direction. It ends with the process.
fn slow_link(server: u16, delay: Duration) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], server))) else {
                continue;
            };
            let pairs = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
            for (from, to) in pairs {
                if let (Ok(from), Ok(to)) = (from, to) {
                    carry(from, to, delay);
                }
            }
        }
    });
    Ok(port)
}

/// Carries octets one way.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    // What a late writer waits for must not be added by the system.
    let _ = to.set_nodelay(true);
    let (send, receive) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 256 * 1024];
        while let Ok(count) = from.read(&mut buffer) {
            let due = Instant::now() + delay;
            if count == 0 || send.send((due, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, octets) in receive {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&octets).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
