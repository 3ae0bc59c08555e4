//! How costs grow: with connections, with the size of a message, with its recipients.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::Effort;
use super::environment::Environment;
use super::measure::{Running, cost_of};
use super::page::{Goal, Page};
use super::rows::{self, Load, OURS, SERVERS};
use super::table::{Table, number, size};
use crate::shell::Run;

pub(super) fn run(env: &Environment, effort: Effort, page: &mut Page) -> Result<()> {
    let idle = idle_connections(env, effort, page)?;
    page.add(idle);
    page.add(many_connections(env, effort)?);
    page.add(sizes(env, effort)?);
    page.add(recipients(env, effort)?);
    Ok(())
}

/// A server, and whether it speaks TLS.
type Holder<'e> = (&'static str, bool, Box<dyn Fn(u16) -> Run + 'e>);

fn idle_connections(env: &Environment, effort: Effort, page: &mut Page) -> Result<Table> {
    let files = |run: Run| run.arg(&env.certificate).arg(&env.key);
    let server = |name: &str| {
        let row = SERVERS.iter().find(|row| row.name == name);
        row.map(|row| row.start).context("a row")
    };
    let (sink, aiosmtpd) = (server(rows::SINK)?, server("aiosmtpd 1.4")?);
    let holders: [Holder<'_>; 6] = [
        (
            OURS,
            false,
            Box::new(|port| env.ours().args(["serve", "--port", &port.to_string()])),
        ),
        ("smtp-sink", false, Box::new(move |port| sink(env, port))),
        (
            "aiosmtpd 1.4",
            false,
            Box::new(move |port| aiosmtpd(env, port)),
        ),
        (
            "limit: echo in a tokio loop",
            false,
            Box::new(|port| env.peers().args(["serve", "echo", &port.to_string()])),
        ),
        (
            "sansmtp (tokio), TLS",
            true,
            Box::new(|port| {
                files(
                    env.ours()
                        .args(["serve", "--port", &port.to_string(), "--tls"]),
                )
            }),
        ),
        (
            "limit: echo in a tokio loop, TLS",
            true,
            Box::new(|port| files(env.peers().args(["tls-echo", &port.to_string()]))),
        ),
    ];
    let numbers: &[usize] = if effort.full {
        &[1_000, 10_000]
    } else {
        &[1_000]
    };
    let mut head = vec!["server".to_owned()];
    head.extend(
        numbers
            .iter()
            .map(|number| format!("KiB each, {number} connections")),
    );
    let mut table = Table::new("Memory of idle connections", &[]);
    table.head = head;
    for (name, tls, start) in &holders {
        let mut row = vec![(*name).to_owned()];
        for connections in numbers.iter().copied() {
            let run = |port| start(port).with_descriptors(connections + 200);
            let server = Running::start_with(name, run, !tls)?;
            let cost = held(env, &server, connections, *tls).map(|kib| kib / connections as f64);
            if let Ok(kib) = &cost
                && *name == OURS
                && connections == 1_000
            {
                page.goal(Goal::at_most(
                    "server: KiB for each of 1,000 idle connections".to_owned(),
                    *kib,
                    4.0,
                ));
            }
            row.push(cost.map_or_else(|error| format!("failed: {error}"), number));
        }
        table.rows.push(row);
    }
    table.note = "Resident memory of the process, without the kernel's for the sockets. Each client has said EHLO. \
        The echo holds a buffer of 2 KiB for each connection."
        .to_owned();
    Ok(table)
}

/// How much the server has grown in KiB when it holds the connections.
fn held(env: &Environment, server: &Running, connections: usize, tls: bool) -> Result<f64> {
    let before = server.memory("VmRSS")?;
    let hold = env
        .ours()
        .arg("hold")
        .arg(format!("127.0.0.1:{}", server.port))
        .arg(connections.to_string());
    let hold = if tls {
        hold.arg("--tls").arg(&env.certificate)
    } else {
        hold
    };
    let mut child = hold
        .with_descriptors(connections + 200)
        .into_command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child.stdout.take().context("no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let after = server.memory("VmRSS")?;
    if let Some(input) = &mut child.stdin {
        // It may have ended.
        let _ = input.write_all(b"\n");
    }
    child.wait()?;
    if line.trim() != "held" {
        bail!("not all connections were held");
    }
    Ok((after - before) as f64)
}

fn many_connections(env: &Environment, effort: Effort) -> Result<Table> {
    let names = [OURS, rows::SINK, "smtp-proto 0.2 in a tokio loop"];
    let numbers = [1, 10, 100, 1_000];
    let mut table = Table::new(
        "Messages of 1 KiB a second, by connections at the same time",
        &[],
    );
    table.head = std::iter::once("server".to_owned())
        .chain(numbers.iter().map(|number| format!("{number} connections")))
        .collect();
    for row in SERVERS.iter().filter(|row| names.contains(&row.name)) {
        let start = |port| (row.start)(env, port).with_descriptors(1_500);
        let server = Running::start(row.name, start)?;
        let mut cells = vec![row.name.to_owned()];
        for sessions in numbers {
            let load = |messages| Load {
                port: server.port,
                messages,
                size: 1024,
                sessions,
            };
            // The better of two runs: a connection that is asked for when many are waits a
            // whole second now and then.
            let wall = |messages| -> Result<f64> {
                let run = || cost_of(rows::source(&load(messages)).with_descriptors(1_500));
                Ok(run()?.wall.min(run()?.wall))
            };
            let few = sessions * 2;
            let more = ((20_000.0 * effort.seconds) as usize).max(sessions * 20);
            let rate = wall(few).and_then(|few_take| {
                let took = wall(few + more)? - few_take;
                anyhow::ensure!(took > 0.0, "the set-up hides the rest");
                Ok(more as f64 / took)
            });
            cells.push(rate.map_or_else(|_| "failed".to_owned(), number));
        }
        table.rows.push(cells);
    }
    table.note = "Under smtp-source; the time to make the connections is taken off, and the better of two runs taken.".to_owned();
    Ok(table)
}

fn sizes(env: &Environment, effort: Effort) -> Result<Table> {
    let sizes: &[usize] = if effort.full {
        &[1 << 10, 1 << 20, 64 << 20, 1 << 30]
    } else {
        &[1 << 10, 1 << 20, 64 << 20]
    };
    let head = ["size", "client: peak MiB", "server: peak MiB", "MB/s"];
    let mut table = Table::new(
        "One message, read from a stream and sent to our server",
        &head,
    );
    for octets in sizes.iter().copied() {
        let serve = |port: u16| env.ours().args(["serve", "--port", &port.to_string()]);
        let server = Running::start(OURS, serve)?;
        let start = std::time::Instant::now();
        let said = env
            .ours()
            .arg("send")
            .arg(format!("127.0.0.1:{}", server.port))
            .args(["1", &octets.to_string(), "--streamed"])
            .stdout()?;
        let seconds = start.elapsed().as_secs_f64();
        let client: f64 = said.trim().parse().context("the peak of memory")?;
        table.rows.push(vec![
            size(octets),
            format!("{:.1}", client / 1024.0),
            format!("{:.1}", server.memory("VmHWM")? as f64 / 1024.0),
            number(octets as f64 / 1e6 / seconds),
        ]);
    }
    table.note =
        "The largest resident memory of each process, program and libraries included.".to_owned();
    Ok(table)
}

fn recipients(env: &Environment, effort: Effort) -> Result<Table> {
    let head = ["recipients", "client: CPU µs each", "server: CPU µs each"];
    let mut table = Table::new("One message to many recipients", &head);
    let serve = |port: u16| env.ours().args(["serve", "--port", &port.to_string()]);
    let server = Running::start(OURS, serve)?;
    for recipients in [1_usize, 10, 100, 1_000, 10_000] {
        let send = |messages: usize| {
            cost_of(
                env.ours()
                    .arg("send")
                    .arg(format!("127.0.0.1:{}", server.port))
                    .args([messages.to_string(), "1024".to_owned()])
                    .args(["--recipients", &recipients.to_string()]),
            )
        };
        let messages = ((40_000.0 * effort.seconds) as usize / recipients).max(2);
        let one = send(1)?;
        let before = server.cpu()?;
        let all = send(messages + 1)?;
        let all_server = server.cpu()? - before;
        let each = 1e6 / (messages * recipients) as f64;
        table.rows.push(vec![
            recipients.to_string(),
            number((all.cpu - one.cpu).max(0.0) * each),
            number(all_server * each),
        ]);
    }
    Ok(table)
}
