//! How the server starts, refuses to start, and stops.

use crate::served::Served;
use crate::support::run;

#[cfg(unix)]
#[test]
fn what_it_says_at_start() {
    let served = Served::start(&["--hostname", "mail.example.org"]);
    let pem = std::fs::read_to_string(served.path("ca.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    let ca = served.path("ca.pem");
    let (code, stdout, stderr) = served.stop("TERM");
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    for part in [
        "self-signed certificate made for this run, SHA-256 ",
        &ca,
        "stopping",
        "stopped",
    ] {
        assert!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    assert!(!stderr.contains("warning"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_waits_for_a_transaction() {
    use std::io::{BufRead, BufReader, Write};
    let listen = ["--listen", "smtp+danger-plaintext://127.0.0.1:0"];
    let served = Served::start_on(&listen, &["--danger-plaintext-auth"]);
    let address = served.urls[0].rsplit('/').next().unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut expect = |code: &str| {
        let mut line = String::new();
        while !line.starts_with(&format!("{code} ")) {
            line.clear();
            assert_ne!(reader.read_line(&mut line).unwrap(), 0, "no {code}");
        }
    };
    expect("220");
    stream.write_all(b"EHLO x\r\n").unwrap();
    expect("250");
    stream
        .write_all(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n")
        .unwrap();
    expect("354");
    let ended = std::thread::spawn(move || served.stop("INT"));
    stream
        .write_all(b"Subject: late\r\n\r\nstill\r\n.\r\n")
        .unwrap();
    expect("250");
    // Either it says goodbye or the connection ends.
    let _ = stream.write_all(b"QUIT\r\n");
    let (code, _, stderr) = ended.join().unwrap();
    assert_eq!(code, Some(0), "{stderr}");
}

#[cfg(unix)]
#[test]
fn what_it_warns_of() {
    let served = Served::start(&["--user", "you:pw", "--danger-plaintext-auth", "-v"]);
    let (_, _, stderr) = served.stop("TERM");
    assert!(
        stderr.contains("warning: a password on the command line"),
        "{stderr}"
    );
    assert!(
        stderr.contains("warning: passwords are taken without TLS"),
        "{stderr}"
    );
    assert!(stderr.contains("INFO"), "{stderr}");
    assert!(!stderr.contains("pw"), "{stderr}");
}

#[test]
fn what_it_refuses() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let mail = path("mail");
    let with = |more: &[&str]| run(&[&["serve", "--maildir", &mail], more].concat());
    run(&["serve"]).expect(64, &["--maildir"]);
    for (url, says) in [
        ("127.0.0.1:2525", "no smtp://"),
        ("http://x", "only smtp://, smtps:// and lmtp://"),
        ("smtp://x:99999", "from 0 to 65535"),
    ] {
        with(&["--listen", url]).expect(64, &[says, "next: write --listen"]);
    }
    with(&["--hostname", "a b"]).expect(64, &["--hostname"]);
    with(&["--domain", "a b"]).expect(64, &["--domain `a b`"]);
    with(&["--max-size", "lots"]).expect(64, &["as 500K, 25M or 1G"]);
    with(&["--user", "nocolon"]).expect(78, &["--user: there is no colon", "NAME:PASSWORD"]);
    with(&["--users", "/no/such/file"]).expect(66, &["can not read"]);
    std::fs::write(path("users"), "me:s3cret\nbroken\n").unwrap();
    let ended = with(&["--users", &path("users")]).expect(78, &["users line 2: there is no colon"]);
    assert!(!ended.stderr.contains("s3cret"));
    with(&["--cert", "/no/such/file", "--key", "/no/such/key"])
        .expect(78, &["can not be read", "--key"]);
    std::fs::write(path("empty"), "").unwrap();
    with(&["--cert", &path("empty"), "--key", &path("empty")]).expect(78, &["PEM text"]);
    with(&["--cert", "x"]).expect(64, &["--key"]);
    with(&[
        "--listen",
        "smtp://127.0.0.1:0",
        "--write-cert",
        "/no/such/dir/x",
    ])
    .expect(74, &["can not write"]);
    let below = format!("{}/mail", path("empty"));
    run(&[
        "serve",
        "--maildir",
        &below,
        "--listen",
        "smtp://127.0.0.1:0",
    ])
    .expect(74, &["the Maildir", "can not be made"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", taken.local_addr().unwrap());
    with(&["--listen", &url]).expect(69, &["can not listen on", "another program listens there"]);
}
