//! What our client and server add to TLS.

use anyhow::Result;

use super::Effort;
use super::environment::Environment;
use super::measure::{Running, Samples, cost_of};
use super::page::{Goal, Page};
use super::table::{Table, number};
use crate::shell::Run;

const MIB: usize = 1 << 20;

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
    let messages = if effort.full { 64 } else { 16 };
    let address = |port: u16| format!("127.0.0.1:{port}");
    let send = |count: usize| {
        env.ours()
            .arg("send")
            .arg(address(ours.port))
            .args([count.to_string(), MIB.to_string()])
            .arg("--tls")
            .arg(&env.certificate)
    };
    let write = |count: usize| {
        env.peers()
            .arg("tls")
            .arg(address(alone.port))
            .arg(&env.certificate)
            .arg((count * MIB).to_string())
    };
    let mut client = [Samples::default(), Samples::default()];
    let mut server = [Samples::default(), Samples::default()];
    let per_mib = 1e6 / (messages - 1) as f64;
    for _ in 0..effort.rounds {
        for side in 0..2 {
            let running = [&ours, &alone][side];
            let run = |count| match side {
                0 => cost_of(send(count)),
                _ => cost_of(write(count)),
            };
            let zero = running.cpu()?;
            let one = run(1)?;
            let first = running.cpu()?;
            let all = run(messages)?;
            let last = running.cpu()?;
            client[side].push((all.cpu - one.cpu) * per_mib);
            server[side].push(((last - first) - (first - zero)) * per_mib);
        }
    }
    let head = ["", "CPU µs/MiB", "spread", "to rustls alone"];
    let mut table = Table::new(
        "TLS: messages of 1 MiB, and rustls alone in blocks of 64 KiB",
        &head,
    );
    for (role, samples) in [("client", &client), ("server", &server)] {
        let ratio = samples[0].median() / samples[1].median();
        for (name, side) in [("sansmtp", 0), ("rustls alone", 1)] {
            table.rows.push(vec![
                format!("{name}, {role}"),
                number(samples[side].median()),
                number(samples[side].spread()),
                if side == 0 {
                    format!("{}x", number(ratio))
                } else {
                    String::new()
                },
            ]);
        }
        page.goal(Goal::at_most(
            format!("{role}: CPU of TLS bulk to rustls alone"),
            ratio,
            1.1,
        ));
    }
    page.add(table);
    Ok(())
}
