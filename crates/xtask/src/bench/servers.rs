//! Servers under the same load, and what each message costs them.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Effort;
use super::environment::Environment;
use super::measure::{Running, Samples, cost_of};
use super::page::{Goal, Page};
use super::rows::{self, FIXED_SERVER, Load, OURS, SERVERS, SINK, ServerRow};
use super::table::{Table, number, size};
use crate::shell::Run;

/// A way to load a server.
struct Scenario {
    title: &'static str,
    size: usize,
    sessions: usize,
    pipelining: bool,
    /// Our messages per second and processor time, as multiples of smtp-sink's.
    goals: (f64, Option<f64>),
    full: bool,
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

const SCENARIOS: &[Scenario] = &[
    Scenario {
        title: "lock-step, one connection kept",
        size: KIB,
        sessions: 1,
        pipelining: false,
        goals: (1.1, Some(0.8)),
        full: false,
    },
    Scenario {
        title: "PIPELINING, one connection kept",
        size: KIB,
        sessions: 1,
        pipelining: true,
        goals: (1.5, None),
        full: false,
    },
    Scenario {
        title: "lock-step, one connection kept",
        size: MIB,
        sessions: 1,
        pipelining: false,
        goals: (5.0, Some(0.1)),
        full: false,
    },
    Scenario {
        title: "lock-step, 20 connections kept",
        size: KIB,
        sessions: 20,
        pipelining: false,
        goals: (1.0, None),
        full: true,
    },
];

#[derive(Default)]
struct Figures {
    rate: Samples,
    cpu: Samples,
}

pub(super) fn run(env: &Environment, effort: Effort, page: &mut Page) -> Result<()> {
    let mut running = Vec::new();
    for row in SERVERS {
        running.push((
            row,
            Running::start(row.name, |port| (row.start)(env, port))?,
        ));
    }
    for scenario in SCENARIOS.iter().filter(|it| effort.full || !it.full) {
        let mut figures: BTreeMap<&str, Figures> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let load = |server: &Running, messages: usize| -> Run {
            let load = Load {
                port: server.port,
                messages,
                size: scenario.size,
                sessions: scenario.sessions,
            };
            match scenario.pipelining {
                true => rows::fixed(env, &load, "overlapping"),
                false => rows::source(&load),
            }
        };
        for _ in 0..effort.rounds {
            for (row, server) in &running {
                let count = match counts.get(row.name) {
                    Some(count) => *count,
                    None => {
                        let few =
                            if scenario.size > 100 * KIB { 4 } else { 40 } * scenario.sessions;
                        let wall = cost_of(load(server, few))?.wall.max(0.001);
                        let fitting = few as f64 * effort.seconds / wall;
                        (fitting as usize).clamp(few, 40_000)
                    }
                };
                counts.insert(row.name, count);
                let before = server.cpu()?;
                let cost = cost_of(load(server, count))?;
                let cpu = server.cpu()? - before;
                let figures = figures.entry(row.name).or_default();
                figures.rate.push(count as f64 / cost.wall);
                figures.cpu.push(cpu / count as f64 * 1e6);
            }
        }
        page.add(table(scenario, &running, &figures));
        judge(scenario, &figures, page);
        let title = format!("servers: {}, {}", scenario.title, size(scenario.size));
        let bars = running.iter().filter_map(|(row, _)| {
            let figures = figures.get(row.name)?;
            Some((row.name.to_owned(), figures.cpu.median()))
        });
        page.plot(&title, "µs of processor time per message", bars.collect());
    }
    Ok(())
}

fn table(
    scenario: &Scenario,
    running: &[(&ServerRow, Running)],
    figures: &BTreeMap<&str, Figures>,
) -> Table {
    let load = match scenario.pipelining {
        true => "fixed octets, the content together with the next envelope",
        false => "smtp-source",
    };
    let title = format!(
        "Servers: {}, {}, under {load}",
        size(scenario.size),
        scenario.title
    );
    let head = [
        "server",
        "messages/s",
        "spread",
        "to smtp-sink",
        "CPU µs/message",
        "spread",
        "to smtp-sink",
    ];
    let mut table = Table::new(title, &head);
    let base = figures.get(SINK);
    for (row, _) in running {
        let Some(it) = figures.get(row.name) else {
            continue;
        };
        let to = |value: f64, base: Option<f64>| match base {
            Some(base) => format!("{}x", number(value / base)),
            None => String::new(),
        };
        table.rows.push(vec![
            row.name.to_owned(),
            number(it.rate.median()),
            number(it.rate.spread()),
            to(it.rate.median(), base.map(|base| base.rate.median())),
            number(it.cpu.median()),
            number(it.cpu.spread()),
            to(it.cpu.median(), base.map(|base| base.cpu.median())),
        ]);
    }
    table
}

fn judge(scenario: &Scenario, figures: &BTreeMap<&str, Figures>, page: &mut Page) {
    let (Some(ours), Some(sink)) = (figures.get(OURS), figures.get(SINK)) else {
        return;
    };
    let (rate, cpu) = scenario.goals;
    let what = format!("{}, {}", size(scenario.size), scenario.title);
    let rate_of = |it: &Figures| it.rate.median() / sink.rate.median();
    let cpu_of = |it: &Figures| it.cpu.median() / sink.cpu.median();
    let limit = figures.get(FIXED_SERVER);
    page.goal(
        Goal::at_least(
            format!("server: messages/s to smtp-sink's, {what}"),
            rate_of(ours),
            rate,
        )
        .limit(limit.map(rate_of)),
    );
    if let Some(cpu) = cpu {
        page.goal(
            Goal::at_most(
                format!("server: CPU to smtp-sink's, {what}"),
                cpu_of(ours),
                cpu,
            )
            .limit(limit.map(cpu_of)),
        );
    }
}
