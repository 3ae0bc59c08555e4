//! What our client and server add to TLS.

use anyhow::Result;

use super::Effort;
use super::environment::Environment;
use super::measure::{Running, Samples, cost_of};
use super::page::{Goal, Page};
use super::rows::{self, Load};
use super::table::{Table, number};
use crate::shell::Run;

const MIB: usize = 1 << 20;

/// The ways that are compared, by their places.
const NAMES: [&str; 5] = [
    "sansmtp, TLS",
    "rustls alone",
    "limit: fixed octets, TLS",
    "sansmtp, plain",
    "limit: fixed octets, plain",
];
const OURS_TLS: usize = 0;
const ALONE_TLS: usize = 1;
const FIXED_TLS: usize = 2;
const OURS_PLAIN: usize = 3;

pub(super) fn run(env: &Environment, effort: Effort, page: &mut Page) -> Result<()> {
    let files = |run: Run| run.arg(&env.certificate).arg(&env.key);
    let ours = Running::start_with(
        "our server",
        |port| {
            files(
                env.ours()
                    .args(["serve", "--port", &port.to_string(), "--tls"]),
            )
        },
        false,
    )?;
    let alone = Running::start_with(
        "the TLS sink",
        |port| files(env.peers().args(["tls-sink", &port.to_string()])),
        false,
    )?;
    let plain = Running::start("our server", |port| {
        env.ours().args(["serve", "--port", &port.to_string()])
    })?;
    let messages = if effort.full { 64 } else { 16 };
    let ours_to = |port: u16, count: usize| {
        env.ours()
            .arg("send")
            .arg(format!("127.0.0.1:{port}"))
            .args([count.to_string(), MIB.to_string()])
    };
    let fixed_to = |port: u16, count: usize| {
        let load = Load {
            port,
            messages: count,
            size: MIB,
            sessions: 1,
        };
        rows::fixed(env, &load, "pipelining")
    };
    let send = |way: usize, count: usize| match way {
        OURS_TLS => ours_to(ours.port, count).arg("--tls").arg(&env.certificate),
        ALONE_TLS => env
            .peers()
            .args(["tls", &format!("127.0.0.1:{}", alone.port)])
            .arg(&env.certificate)
            .arg((count * MIB).to_string()),
        FIXED_TLS => fixed_to(ours.port, count)
            .arg("--tls")
            .arg(&env.certificate),
        OURS_PLAIN => ours_to(plain.port, count),
        _ => fixed_to(plain.port, count),
    };
    let servers = [&ours, &alone, &ours, &plain, &plain];
    let mut client: [Samples; 5] = Default::default();
    let mut server: [Samples; 5] = Default::default();
    let per_mib = 1e6 / (messages - 1) as f64;
    for _ in 0..effort.rounds {
        for way in 0..servers.len() {
            let running = servers[way];
            let zero = running.cpu()?;
            let one = cost_of(send(way, 1))?;
            let first = running.cpu()?;
            let all = cost_of(send(way, messages))?;
            let last = running.cpu()?;
            client[way].push((all.cpu - one.cpu) * per_mib);
            server[way].push(((last - first) - (first - zero)) * per_mib);
        }
    }
    let head = [
        "",
        "client: CPU µs/MiB",
        "spread",
        "server: CPU µs/MiB",
        "spread",
    ];
    let mut table = Table::new("Messages of 1 MiB over TLS, and what TLS is of that", &head);
    for (way, name) in NAMES.iter().enumerate() {
        table.rows.push(vec![
            (*name).to_owned(),
            number(client[way].median()),
            number(client[way].spread()),
            number(server[way].median()),
            number(server[way].spread()),
        ]);
    }
    table.note =
        "rustls alone writes one stream in blocks of 64 KiB, or reads it: it has no lines to look at, and waits for no \
        reply. The limit waits for two replies for each message, as a client must that sends them one at a time."
            .to_owned();
    for (role, samples) in [("client", &client), ("server", &server)] {
        let cpu = |way: usize| samples[way].median();
        let goal = Goal::at_most(
            format!("{role}: CPU of messages of 1 MiB over TLS to rustls alone"),
            cpu(OURS_TLS) / cpu(ALONE_TLS),
            1.1,
        );
        let limit = (role == "client").then(|| cpu(FIXED_TLS) / cpu(ALONE_TLS));
        page.goal(goal.limit(limit));
    }
    page.goal(Goal::at_most(
        "client: CPU of messages of 1 MiB over TLS to fixed octets over TLS".to_owned(),
        client[OURS_TLS].median() / client[FIXED_TLS].median(),
        1.1,
    ));
    page.add(table);
    Ok(())
}
