//! Clients into the same server, and what each message costs them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Effort;
use super::environment::Environment;
use super::measure::{Cost, Running, Samples, cost_of};
use super::page::{Goal, Page};
use super::rows::{
    CLIENTS, ClientRow, LETTRE, Load, ONE_EXCHANGE, OURS, SERIES, SERVERS, SINK, SOURCE,
    TWO_EXCHANGES,
};
use super::table::{Table, number, size};
use crate::exchanges;

const SIZES: [usize; 2] = [1 << 10, 1 << 20];

#[derive(Default)]
struct Figures {
    rate: Samples,
    cpu: Samples,
    messages: usize,
    start: Cost,
}

pub(super) fn run(env: &Environment, effort: Effort, page: &mut Page) -> Result<()> {
    for octets in SIZES {
        // smtp-sink looks at each octet by itself, and would hide what clients do with large messages.
        let (sink, server) = if octets > 100_000 {
            let server = |port: u16| {
                env.ours()
                    .args(["fixed-serve", "--port", &port.to_string()])
            };
            (
                "the server of fixed octets",
                Running::start("the sink", server)?,
            )
        } else {
            let row = SERVERS.iter().find(|row| row.name == SINK);
            let row = row.context("smtp-sink is a row")?;
            (SINK, Running::start(SINK, |port| (row.start)(env, port))?)
        };
        let figures = measure(env, effort, &server, octets)?;
        page.add(table(sink, octets, &figures));
        judge(octets, &figures, page);
        let title = format!("clients: {} into {sink}", size(octets));
        let bars = CLIENTS.iter().filter_map(|row| {
            let figures = figures.get(row.name)?;
            Some((row.name.to_owned(), figures.cpu.median()))
        });
        page.plot(&title, "µs of processor time per message", bars.collect());
    }
    page.add(system_calls(env)?);
    Ok(())
}

fn measure(
    env: &Environment,
    effort: Effort,
    server: &Running,
    octets: usize,
) -> Result<BTreeMap<&'static str, Figures>> {
    let mut figures: BTreeMap<&str, Figures> = BTreeMap::new();
    let load = |messages| Load {
        port: server.port,
        messages,
        size: octets,
        sessions: 1,
    };
    for round in 0..effort.rounds {
        for row in CLIENTS.iter().filter(|row| (row.is_there)(env)) {
            let run = |messages| cost_of((row.start)(env, &load(messages)));
            let figures = figures.entry(row.name).or_default();
            if round == 0 {
                // What it costs to start, and how many messages fill the time.
                let (one, two) = (run(1)?, run(1)?);
                figures.start = Cost {
                    wall: one.wall.min(two.wall),
                    cpu: one.cpu.min(two.cpu),
                };
                let few = if octets > 100_000 { 4 } else { 20 };
                let wall = (run(few)?.wall - figures.start.wall).max(0.002);
                let fitting = (few as f64 * effort.seconds / wall) as usize;
                figures.messages =
                    fitting.clamp(few, if octets > 100_000 { 2_000 } else { 20_000 });
            }
            if row.stalls && round >= 3 {
                // It is always the same 40 milliseconds.
                continue;
            }
            let cost = run(figures.messages)?;
            let more = (figures.messages - 1) as f64;
            let wall = (cost.wall - figures.start.wall).max(1e-4);
            figures.rate.push(more / wall);
            let cpu = (cost.cpu - figures.start.cpu).max(0.0);
            figures.cpu.push(cpu / more * 1e6);
        }
    }
    Ok(figures)
}

fn table(sink: &str, octets: usize, figures: &BTreeMap<&str, Figures>) -> Table {
    let title = format!("Clients: {} into {sink}, connection reused", size(octets));
    let head = [
        "client",
        "messages/s",
        "spread",
        "CPU µs/message",
        "spread",
        "to smtp-source",
        "to lettre",
    ];
    let mut table = Table::new(title, &head);
    for row in CLIENTS {
        let Some(it) = figures.get(row.name) else {
            continue;
        };
        let to = |name: &str| match figures.get(name) {
            Some(base) => format!("{}x", number(it.cpu.median() / base.cpu.median())),
            None => String::new(),
        };
        table.rows.push(vec![
            row.name.to_owned(),
            number(it.rate.median()),
            number(it.rate.spread()),
            number(it.cpu.median()),
            number(it.cpu.spread()),
            to(SOURCE),
            to(LETTRE),
        ]);
    }
    table.note = "The start of each program is taken off: a run with one message.".to_owned();
    table
}

fn judge(octets: usize, figures: &BTreeMap<&str, Figures>, page: &mut Page) {
    let (peer, word, goal) = match octets > 100_000 {
        true => (LETTRE, "lettre's", 0.2),
        false => (SOURCE, "smtp-source's", 0.45),
    };
    let cpu = |name: &str| Some(figures.get(name)?.cpu.median() / figures.get(peer)?.cpu.median());
    for (ours, how, limit) in [
        (OURS, "one at a time", TWO_EXCHANGES),
        (SERIES, "in a series", ONE_EXCHANGE),
    ] {
        if let Some(reached) = cpu(ours) {
            let what = format!("client: CPU to {word}, {}, {how}", size(octets));
            page.goal(Goal::at_most(what, reached, goal).limit(cpu(limit)));
        }
    }
}

/// Exact, unlike times.
fn system_calls(env: &Environment) -> Result<Table> {
    let row = SERVERS.iter().find(|row| row.name == SINK);
    let row = row.context("smtp-sink is a row")?;
    let server = Running::start(SINK, |port| (row.start)(env, port))?;
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("calls");
    let head = ["client", "calls/message", "most of them"];
    let mut table = Table::new("System calls of clients per message, into smtp-sink", &head);
    table.note = "By DATA a message takes two exchanges with PIPELINING. Where a program waits for readiness, as \
        on tokio, each costs three calls: write, wait, read; where it blocks in the read, two. So 6 is the least \
        of a tokio client that sends one at a time, and 3 in a series or with CHUNKING, where there is one exchange."
        .to_owned();
    for row in CLIENTS.iter().filter(|row| (row.is_there)(env)) {
        let calls = |messages| calls(env, row, &server, messages, &log);
        let (short, long) = (calls(20)?, calls(60)?);
        let per_message = |name: &String, count: &u64| {
            let before = short.get(name).copied().unwrap_or(0);
            (*count as f64 - before as f64) / 40.0
        };
        let mut each: Vec<(&String, f64)> = long
            .iter()
            .map(|(name, count)| (name, per_message(name, count)))
            .collect();
        each.sort_by(|a, b| b.1.total_cmp(&a.1));
        let total: f64 = each.iter().map(|(_, count)| count).sum();
        let most = each.iter().take(4).filter(|(_, count)| *count > 0.1);
        let most: Vec<String> = most
            .map(|(name, count)| format!("{name} {count:.1}"))
            .collect();
        table.rows.push(vec![
            row.name.to_owned(),
            format!("{total:.1}"),
            most.join(", "),
        ]);
    }
    Ok(table)
}

fn calls(
    env: &Environment,
    row: &ClientRow,
    server: &Running,
    messages: usize,
    log: &std::path::Path,
) -> Result<exchanges::Calls> {
    let load = Load {
        port: server.port,
        messages,
        size: 1024,
        sessions: 1,
    };
    exchanges::traced(log)
        .words_of((row.start)(env, &load))
        .run_quietly()?;
    exchanges::read_calls(log)
}
