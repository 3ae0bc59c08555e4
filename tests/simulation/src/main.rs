//! `simulate`: plays sessions from seeds until one breaks a property.
//!
//! ```text
//! simulate [--sessions N] [--from SEED] [--no-sweep]   sweeps the usual sessions, then plays N drawn ones
//! simulate --seed SEED                                 plays one, with a transcript
//! ```

use sansmtp_simulation::scenario::Size;
use sansmtp_simulation::{
    Choices, Sabotage, Scenario, Tally, Violation, World, play, run, sweep, transcript,
};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

const SESSIONS: u64 = 1_000_000;
/// How many seeds a thread takes at a time.
const BATCH: u64 = 256;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut sessions, mut from, mut seed, mut sweeps) = (SESSIONS, 0, None, true);
    while let Some(argument) = arguments.next() {
        if argument == "--no-sweep" {
            sweeps = false;
            continue;
        }
        let number = arguments.next().and_then(|it| it.parse().ok());
        let Some(number) = number else {
            eprintln!("usage: simulate [--sessions N] [--from SEED] [--no-sweep] | --seed SEED");
            return ExitCode::from(64);
        };
        match argument.as_str() {
            "--sessions" => sessions = number,
            "--from" => from = number,
            "--seed" => seed = Some(number),
            _ => {
                eprintln!("there is no {argument}");
                return ExitCode::from(64);
            }
        }
    }
    match seed {
        Some(seed) => one(seed),
        None => many(from, sessions, sweeps),
    }
}

/// Plays the session of one seed and shows it.
fn one(seed: u64) -> ExitCode {
    let (text, result) = transcript(Choices::seeded(seed), Sabotage::None);
    print!("{text}");
    match result {
        Ok(tally) => {
            println!("seed {seed}: every property holds\n{tally:#?}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("seed {seed}: {violation}");
            ExitCode::FAILURE
        }
    }
}

fn many(from: u64, sessions: u64, sweeps: bool) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if sweeps {
        for size in [Size::Whole, Size::Few] {
            if let Err((violation, scenario)) = sweep_all(size, threads) {
                println!("{scenario:#?}");
                let mut world = World::with_transcript();
                let mut choices = Choices::seeded(1);
                // It was seen to fail; what counts is the transcript.
                let _ = run(&mut world, &scenario, &mut choices, Sabotage::None);
                print!("{}", world.into_transcript());
                println!("sweep: {violation}");
                return ExitCode::FAILURE;
            }
        }
    }
    let start = Instant::now();
    let next = AtomicU64::new(from);
    let end = from.saturating_add(sessions);
    let lowest = AtomicU64::new(u64::MAX);
    let tallies = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&next, end, &lowest)))
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|it| it.unwrap_or_default()).collect::<Vec<_>>()
    });
    let failing = lowest.load(Ordering::Relaxed);
    if failing != u64::MAX {
        let _ = one(failing);
        println!("to see it again: cargo xtask simulate --seed {failing}");
        return ExitCode::FAILURE;
    }
    let mut sum = Tally::default();
    for tally in &tallies {
        sum.add(tally);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{sum:#?}");
    println!(
        "{sessions} sessions in {seconds:.1} s on {threads} threads ({:.0} a minute): every property holds",
        sessions as f64 / seconds * 60.0
    );
    ExitCode::SUCCESS
}

/// Sweeps the usual sessions, some at the same time.
fn sweep_all(size: Size, threads: usize) -> Result<(), (Violation, Box<Scenario>)> {
    let start = Instant::now();
    let usual = sweep::usual();
    let next = AtomicUsize::new(0);
    let results = std::thread::scope(|scope| {
        let one = || {
            let mut sum = 0;
            while let Some(scenario) = usual.get(next.fetch_add(1, Ordering::Relaxed)) {
                sum += sweep::sweep(scenario, size)?.scenarios;
            }
            Ok(sum)
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined
            .map(|it| it.expect("no panic in a sweep"))
            .collect::<Vec<_>>()
    });
    let mut sum: u64 = 0;
    for result in results {
        sum += result?;
    }
    println!(
        "{sum} sessions with each fault at each place, pieces {size:?}, in {:.1} s",
        start.elapsed().as_secs_f32()
    );
    Ok(())
}

fn work(next: &AtomicU64, end: u64, lowest: &AtomicU64) -> Tally {
    let mut world = World::default();
    let mut sum = Tally::default();
    loop {
        let batch = next.fetch_add(BATCH, Ordering::Relaxed);
        if batch >= end {
            return sum;
        }
        for seed in batch..end.min(batch + BATCH) {
            // A panic is a finding too, with its seed.
            let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                play(&mut world, Choices::seeded(seed), Sabotage::None)
            }));
            match played {
                Ok(Ok(tally)) => sum.add(&tally),
                Ok(Err(_)) | Err(_) => {
                    lowest.fetch_min(seed, Ordering::Relaxed);
                    return sum;
                }
            }
        }
    }
}
