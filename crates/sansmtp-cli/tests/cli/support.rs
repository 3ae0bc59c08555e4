//! Running the command, and servers that say what a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// The command without the environment's colours and passwords.
pub(crate) fn sansmtp(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sansmtp"));
    command
        .args(arguments)
        .env_remove("SANSMTP_PASSWORD")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env("COLUMNS", "90")
        .stdin(Stdio::null());
    command
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The exit code and a part of what was said on standard error.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in says {
            assert!(self.stderr.contains(text), "no {text:?} in {self:#?}");
        }
        self
    }

    /// Exit code 0; standard output.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }
}

/// Runs to the end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    finish(sansmtp(arguments), b"")
}

/// Runs to the end with something on standard input.
pub(crate) fn run_with(arguments: &[&str], stdin: &[u8]) -> Ended {
    finish(sansmtp(arguments), stdin)
}

/// Runs a prepared command to the end.
pub(crate) fn finish(mut command: Command, stdin: &[u8]) -> Ended {
    if !stdin.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    if let Some(mut pipe) = child.stdin.take() {
        // A command that fails early does not read it all.
        let _ = pipe.write_all(stdin);
    }
    let output = child.wait_with_output().expect("the command ends");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What a scripted server does next.
pub(crate) enum Do {
    /// Says this, line end excluded.
    Say(&'static str),
    /// Closes the connection without a word.
    HangUp,
}

/// A server without TLS that answers as a script says. The script gets each
/// command in upper case up to the first colon or space, and `.` for the end of
/// the content.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(crate) fn start(script: impl Fn(&str, &str) -> Do + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let notes = log.clone();
        // Ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                notes.lock().unwrap().push("CONNECT".to_owned());
                // A client that goes away is none of a server's errors.
                let _ = dialogue(stream, &script, &notes);
            }
        });
        Self { address, log }
    }

    /// For `--server`.
    pub(crate) fn url(&self) -> String {
        format!("smtp+danger-plaintext://{}", self.address)
    }

    /// All that clients said, with `CONNECT` for each connection.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// Says yes to everything.
pub(crate) fn agreeable(verb: &str) -> Do {
    Do::Say(match verb {
        "CONNECT" => "220 scripted",
        "EHLO" => {
            "250-scripted\r\n250-AUTH PLAIN LOGIN\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING"
        }
        "AUTH" => "235 2.7.0 welcome",
        "DATA" => "354 go on",
        "." => "250 2.0.0 taken",
        "QUIT" => "221 bye",
        _ => "250 2.0.0 ok",
    })
}

fn dialogue(
    mut stream: TcpStream,
    script: &impl Fn(&str, &str) -> Do,
    notes: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::from("CONNECT");
    // What was accepted, since a refusal must not be followed by a yes.
    let (mut sender, mut recipient) = (false, false);
    loop {
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        let verb = verb.to_ascii_uppercase();
        let reply = match script(&verb, &line) {
            Do::Say(_) if verb == "RCPT" && !sender => "503 5.5.1 MAIL first",
            Do::Say(_) if verb == "DATA" && !recipient => "554 5.5.1 no valid recipients",
            Do::Say(reply) => reply,
            Do::HangUp => return Ok(()),
        };
        match verb.as_str() {
            "MAIL" => sender = reply.starts_with('2'),
            "RCPT" => recipient |= reply.starts_with('2'),
            _ => {}
        }
        let content = reply.starts_with("354");
        stream.write_all(format!("{reply}\r\n").as_bytes())?;
        loop {
            let mut bytes = Vec::new();
            if (&mut reader).take(1 << 20).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(());
            }
            line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            notes.lock().unwrap().push(line.clone());
            if !content || line == "." {
                break;
            }
        }
    }
}
