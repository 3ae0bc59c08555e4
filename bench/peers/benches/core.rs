//! The time of the core's work beside smtp-proto's, by criterion.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sansmtp::capability::Capabilities;
use sansmtp::wire::{command, dot, ehlo, reply};
use smtp_proto::request::receiver::DataReceiver;
use smtp_proto::{EhloResponse, Request};

/// What a session holds, in its order.
const LINES: [&str; 8] = [
    "EHLO client.example.com",
    "MAIL FROM:<alice@example.com>",
    "RCPT TO:<bob@example.org>",
    "RCPT TO:<carol.long-name+tag@mail.department.example.net>",
    "DATA",
    "RSET",
    "NOOP",
    "QUIT",
];

const EHLO: &str = "250-smtp.example.com at your service\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n\
250-AUTH LOGIN PLAIN XOAUTH2 OAUTHBEARER\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250-CHUNKING\r\n\
250 SMTPUTF8\r\n";

fn text(octets: usize) -> Vec<u8> {
    let line = [b"x".repeat(76), b"\r\n".to_vec()].concat();
    line.repeat(octets / line.len())
}

fn commands(c: &mut Criterion) {
    let mut group = c.benchmark_group("eight command lines");
    let offered = Capabilities::NONE;
    group.bench_function("sansmtp", |b| {
        b.iter(|| {
            for line in LINES {
                let _ = black_box(command::Command::parse(
                    black_box(line.as_bytes()),
                    &offered,
                ));
            }
        });
    });
    let lines = LINES.map(|line| format!("{line}\r\n"));
    group.bench_function("smtp-proto", |b| {
        b.iter(|| {
            for line in &lines {
                let _ = black_box(Request::parse(&mut black_box(line.as_bytes()).iter()));
            }
        });
    });
    group.finish();
}

fn replies(c: &mut Criterion) {
    let mut group = c.benchmark_group("an EHLO reply of eight lines");
    group.bench_function("sansmtp", |b| {
        b.iter(|| {
            let mut offered = Capabilities::NONE;
            for line in black_box(EHLO).lines() {
                if let Some(line) = reply::ReplyLine::parse(line.as_bytes()) {
                    ehlo::parse_line(line.text, &mut offered);
                }
            }
            black_box(offered)
        });
    });
    group.bench_function("smtp-proto", |b| {
        b.iter(|| black_box(EhloResponse::parse(&mut black_box(EHLO.as_bytes()).iter())));
    });
    group.finish();
}

fn content(c: &mut Criterion) {
    let text = text(64 * 1024);
    let mut group = c.benchmark_group("64 KiB of content");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let mut out = vec![0; 2 * text.len()];
    group.bench_function("sansmtp puts dots in", |b| {
        b.iter(|| black_box(dot::Encoder::default().encode(black_box(&text), &mut out)));
    });
    group.bench_function("sansmtp takes dots out", |b| {
        b.iter(|| {
            let mut decoder = dot::Decoder::default();
            let mut rest = black_box(text.as_slice());
            while !rest.is_empty() {
                let (read, stretch) = decoder.decode(rest);
                black_box(stretch);
                rest = &rest[read..];
            }
        });
    });
    let mut message = Vec::with_capacity(2 * text.len());
    group.bench_function("smtp-proto takes dots out", |b| {
        b.iter(|| {
            message.clear();
            DataReceiver::new().ingest(&mut black_box(&text).iter(), &mut message)
        });
    });
    group.finish();
}

criterion_group!(core, commands, replies, content);
criterion_main!(core);
