//! Who is measured, and how each is started.

use super::environment::Environment;
use crate::shell::Run;

/// A server: takes all mail on a port of 127.0.0.1 and drops it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerRow {
    pub(super) name: &'static str,
    pub(super) start: fn(&Environment, u16) -> Run,
}

/// A client.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientRow {
    pub(super) name: &'static str,
    pub(super) start: fn(&Environment, &Load) -> Run,
    /// It waits for the delayed acknowledgement of the other side, 40 ms for each message.
    pub(super) stalls: bool,
    pub(super) is_there: fn(&Environment) -> bool,
}

/// What a client is to send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) port: u16,
    pub(super) messages: usize,
    pub(super) size: usize,
    pub(super) sessions: usize,
}

pub(super) const OURS: &str = "sansmtp (tokio)";
pub(super) const SERIES: &str = "sansmtp (tokio), in a series";
pub(super) const FIXED_SERVER: &str = "limit: fixed octets, threads";
pub(super) const TWO_EXCHANGES: &str = "limit: fixed octets, two exchanges";
pub(super) const ONE_EXCHANGE: &str = "limit: fixed octets, one exchange";
pub(super) const SINK: &str = "smtp-sink";
pub(super) const SOURCE: &str = "smtp-source";
pub(super) const LETTRE: &str = "lettre 0.11";
pub(super) const LETTRE_NODELAY: &str = "lettre 0.11 with TCP_NODELAY";

pub(super) const SERVERS: &[ServerRow] = &[
    ServerRow {
        name: SINK,
        start: sink,
    },
    ServerRow {
        name: OURS,
        start: |env, port| env.ours().args(["serve", "--port", &port.to_string()]),
    },
    ServerRow {
        name: FIXED_SERVER,
        start: |env, port| {
            env.ours()
                .args(["fixed-serve", "--port", &port.to_string()])
        },
    },
    ServerRow {
        name: "smtp-proto 0.2 in a tokio loop",
        start: |env, port| env.peers().args(["serve", "smtp-proto", &port.to_string()]),
    },
    ServerRow {
        name: "mailin-embedded 0.8",
        start: |env, port| env.peers().args(["serve", "mailin", &port.to_string()]),
    },
    ServerRow {
        name: "smtp-server 3 (Node)",
        start: |env, port| {
            Run::new("node")
                .arg(env.node("serve.mjs"))
                .arg(port.to_string())
        },
    },
    ServerRow {
        name: "aiosmtpd 1.4",
        start: |env, port| env.python("serve.py").arg(port.to_string()),
    },
    ServerRow {
        name: "aiosmtpd 1.4 with uvloop",
        start: |env, port| env.python("serve.py").arg(port.to_string()).arg("uvloop"),
    },
];

pub(super) const CLIENTS: &[ClientRow] = &[
    ClientRow {
        name: SOURCE,
        start: |_, load| source(load),
        ..PLAIN
    },
    ClientRow {
        name: OURS,
        start: |env, load| ours(env, load),
        ..PLAIN
    },
    ClientRow {
        name: SERIES,
        start: |env, load| ours(env, load).arg("--series"),
        ..PLAIN
    },
    ClientRow {
        name: TWO_EXCHANGES,
        start: |env, load| fixed(env, load, "pipelining"),
        ..PLAIN
    },
    ClientRow {
        name: ONE_EXCHANGE,
        start: |env, load| fixed(env, load, "overlapping"),
        ..PLAIN
    },
    ClientRow {
        name: LETTRE,
        start: |env, load| peer(env, load, "lettre"),
        stalls: true,
        ..PLAIN
    },
    ClientRow {
        name: LETTRE_NODELAY,
        start: |env, load| peer(env, load, "lettre-nodelay"),
        ..PLAIN
    },
    ClientRow {
        name: "mail-send 0.7",
        start: |env, load| peer(env, load, "mail-send"),
        stalls: true,
        ..PLAIN
    },
    ClientRow {
        name: "mail-send 0.7 with TCP_NODELAY",
        start: |env, load| peer(env, load, "mail-send-nodelay"),
        ..PLAIN
    },
    ClientRow {
        name: "smtplib (Python)",
        start: |env, load| further(env.python("send.py").arg("smtplib"), load),
        ..PLAIN
    },
    ClientRow {
        name: "sansmtp.smtplib (Python)",
        start: |env, load| further(env.python("send.py").arg("sansmtp"), load),
        is_there: |env| env.has_binding,
        ..PLAIN
    },
    ClientRow {
        name: "aiosmtplib 5.1",
        start: |env, load| further(env.python("send.py").arg("aiosmtplib"), load),
        ..PLAIN
    },
    ClientRow {
        name: "nodemailer 10",
        start: |env, load| further(node(env).arg("nodemailer"), load),
        ..PLAIN
    },
    ClientRow {
        name: "sansmtp (Node, wasm)",
        start: |env, load| further(node(env).arg(env.npm_package()), load),
        is_there: |env| env.npm_package().is_file(),
        ..PLAIN
    },
];

const PLAIN: ClientRow = ClientRow {
    name: "",
    start: |_, load| source(load),
    stalls: false,
    is_there: |_| true,
};

/// Postfix's sink. As root it wants to be told whom to run as.
fn sink(env: &Environment, port: u16) -> Run {
    let run = Run::new("smtp-sink");
    let run = if env.is_root {
        run.args(["-u", "nobody"])
    } else {
        run
    };
    run.args(["-h", "sink.example.com", "-m", "20000"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("1000")
}

/// Postfix's source, over connections that it keeps.
pub(super) fn source(load: &Load) -> Run {
    Run::new("smtp-source")
        .args(["-d", "-M", "a.example.com"])
        .args(["-f", "alice@example.com", "-t", "bob@example.org"])
        .args(["-s", &load.sessions.to_string()])
        .args(["-l", &load.size.to_string()])
        .args(["-m", &load.messages.to_string()])
        .arg(format!("127.0.0.1:{}", load.port))
}

fn ours(env: &Environment, load: &Load) -> Run {
    env.ours()
        .arg("send")
        .arg(format!("127.0.0.1:{}", load.port))
        .args([load.messages, load.size].map(|number| number.to_string()))
        .args(["--sessions", &load.sessions.to_string()])
}

/// Fixed octets in this style.
pub(super) fn fixed(env: &Environment, load: &Load, style: &str) -> Run {
    env.ours()
        .arg("fixed-send")
        .arg(format!("127.0.0.1:{}", load.port))
        .args([load.messages, load.size].map(|number| number.to_string()))
        .args(["--sessions", &load.sessions.to_string()])
        .args(["--style", style])
}

fn peer(env: &Environment, load: &Load, name: &str) -> Run {
    further(env.peers().args(["send", name]), load)
}

fn node(env: &Environment) -> Run {
    Run::new("node").arg(env.node("send.mjs"))
}

/// `HOST PORT MESSAGES OCTETS new|reuse SESSIONS`
fn further(run: Run, load: &Load) -> Run {
    run.arg("127.0.0.1")
        .arg(load.port.to_string())
        .arg(load.messages.to_string())
        .arg(load.size.to_string())
        .arg("reuse")
        .arg(load.sessions.to_string())
}
