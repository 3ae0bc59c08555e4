//! What is on disk behind a reply.

use crate::support::{Directory, Running, config};
use sansmtp::config::Security;
use sansmtp::wire::param::RcptParameters;
use sansmtp::wire::path::ForwardPath;
use sansmtp_tokio::server::{
    Body, Handler, MailEnvelope, OwnedReply, Refusal, SessionInfo, Verdict,
};

const PLAIN: Security = Security::DangerPlaintext;

#[tokio::test]
async fn a_message_in_chunks_is_on_disk() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client
        .say("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nBDAT 14\r\nSubject: x\r\n\r\nBDAT 0\r\nBDAT 7 LAST\r\n.\r\nyo\r\nBDAT 6\r\nQUIT\r\n")
        .await;
    for begins in ["250 2.1.0", "250 2.1.5", "250 ", "250 "] {
        let reply = client.reply().await;
        assert!(reply.starts_with(begins), "{reply}");
    }
    let stored = client.reply().await;
    assert!(stored.starts_with("250 2.0.0 Stored as "), "{stored}");
    assert!(client.reply().await.starts_with("503 "));
    client.expect("QUIT", "221 ").await;
    client.ends().await;
    let content = directory.stored();
    assert!(
        content.ends_with("Subject: x\r\n\r\n.\r\nyo\r\n"),
        "{content}"
    );
}

#[tokio::test]
async fn a_message_in_chunks_may_end_within_a_line() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client
        .say("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nBDAT 14 LAST\r\nSubject: x\r\nReQUIT\r\n")
        .await;
    for begins in ["250 2.1.0", "250 2.1.5", "250 2.0.0 Stored as ", "221 "] {
        let reply = client.reply().await;
        assert!(reply.starts_with(begins), "{reply}");
    }
    let content = directory.stored();
    assert!(content.ends_with("Subject: x\r\nRe"), "{content}");
}

#[tokio::test]
async fn a_pipelined_message_is_on_disk_byte_by_byte() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client
        .say("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<x@example.net>\r\nRCPT TO:<c@EXAMPLE.ORG>\r\nDATA\r\n")
        .await;
    for begins in ["250 2.1.0", "250 2.1.5", "550 5.7.1", "250 2.1.5", "354 "] {
        let reply = client.reply().await;
        assert!(reply.starts_with(begins), "{reply}");
    }
    client
        .say("Subject: d\u{f6}ts\r\n\r\n..one\r\n...\r\n\r\n \r\nend\r\n.\r\nQUIT\r\n")
        .await;
    let stored = client.reply().await;
    assert!(stored.starts_with("250 2.0.0 Stored as "), "{stored}");
    // It is there when the reply is.
    let files = directory.files("new");
    assert!(client.reply().await.starts_with("221 "));
    client.ends().await;

    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    let content = std::fs::read_to_string(file).unwrap();
    let (trace, message) = content.split_once("Subject:").unwrap();
    assert_eq!(message, " d\u{f6}ts\r\n\r\n.one\r\n..\r\n\r\n \r\nend\r\n");
    let begins = "Return-Path: <a@example.net>\r\nDelivered-To: b@example.org\r\nDelivered-To: c@EXAMPLE.ORG\r\nReceived: from client.example.org ([127.0.0.1])\r\n\tby mx.example.org with ESMTP id ";
    let rest = trace.strip_prefix(begins).expect(trace);
    let (id, date) = rest.split_once(";\r\n\t").unwrap();
    assert_eq!(stored, format!("250 2.0.0 Stored as {id}"));
    assert_eq!(date.len(), "Tue, 01 Jul 2003 10:52:37 +0000\r\n".len());
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.ends_with(&format!(".mx.example.org,S={}", content.len())));
    assert!(directory.files("tmp").is_empty());
    running.stop().await;
}

#[tokio::test]
async fn the_original_recipient_is_kept() {
    let directory = Directory::new();
    let running = Running::start(config().dsn(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client.expect("MAIL FROM:<> RET=HDRS", "250 ").await;
    for (parameters, reply) in [
        ("NOTIFY=NEVER,SUCCESS", "501 "),
        ("ORCPT=rfc822;b+Z9", "501 "),
        ("NOTIFY=FAILURE ORCPT=rfc822;b+2Bc@example.net", "250 "),
    ] {
        let command = format!("RCPT TO:<b@example.org> {parameters}");
        client.expect(&command, reply).await;
    }
    client.expect("DATA", "354 ").await;
    client.expect("Subject: d\r\n.", "250 ").await;
    let content = std::fs::read_to_string(&directory.files("new")[0]).unwrap();
    let begins = "Return-Path: <>\r\nDelivered-To: b@example.org\r\nOriginal-Recipient: rfc822;b+c@example.net\r\nReceived: ";
    assert!(content.starts_with(begins), "{content}");
    running.stop().await;
}

#[tokio::test]
async fn a_large_message_and_one_recipient() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    let line = format!("{}\r\n", "0123456789".repeat(7));
    let body = line.repeat(50_000);
    for _ in 0..2 {
        client.until_content().await;
        client.say(&body).await;
        client.expect(".", "250 2.0.0 Stored as ").await;
    }
    let files = directory.files("new");
    assert_eq!(files.len(), 2);
    for file in files {
        let content = std::fs::read_to_string(file).unwrap();
        let trace = content.strip_suffix(&body).expect("the same octets");
        assert!(
            trace.contains("\r\n\tfor <b@example.org>;\r\n\t"),
            "{trace}"
        );
        assert!(trace.ends_with(" +0000\r\n"));
    }
    running.stop().await;
}

#[tokio::test]
async fn an_empty_message() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client.until_content().await;
    client.expect(".", "250 2.0.0").await;
    let content = std::fs::read_to_string(&directory.files("new")[0]).unwrap();
    assert!(content.ends_with(" +0000\r\n"), "{content}");
    running.stop().await;
}

#[tokio::test]
async fn a_name_that_is_no_domain_can_not_forge_trace_fields() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.connect().await;
    client.reply().await;
    client.expect("HELO x);(from\\evil", "250 ").await;
    client.until_content().await;
    client.expect(".", "250 2.0.0").await;
    let content = std::fs::read_to_string(&directory.files("new")[0]).unwrap();
    assert!(
        content.contains(
            "\r\nReceived: from [127.0.0.1] ([127.0.0.1] said x???from?evil)\r\n\tby mx.example.org with SMTP id "
        ),
        "{content}"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_leaves_nothing() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client.until_content().await;
    assert_eq!(directory.files("tmp").len(), 1);
    client.say(&"0123456789\r\n".repeat(20_000)).await;
    client.say("almost.\r\n.").await;
    drop(client);
    running.stop().await;
    assert!(directory.files("tmp").is_empty());
    assert!(directory.files("new").is_empty());
}

#[tokio::test]
async fn a_refused_message_leaves_nothing() {
    let directory = Directory::new();
    let config = config().max_size(100_000);
    let running = Running::start(config, directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client.until_content().await;
    client.say(&"0123456789\r\n".repeat(20_000)).await;
    client.expect(".", "552 5.3.4").await;
    assert!(directory.files("tmp").is_empty());
    client.until_content().await;
    client.say("a\nb\r\n").await;
    client.expect(".", "550 5.6.0").await;
    assert!(directory.files("tmp").is_empty());
    assert!(directory.files("new").is_empty());
    // The session goes on.
    client.until_content().await;
    client.expect("x\r\n.", "250 2.0.0").await;
    running.stop().await;
}

#[tokio::test]
async fn a_disk_that_fails_never_gives_250() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    let remove = |name: &str| std::fs::remove_dir_all(directory.path().join(name)).unwrap();

    // The last step fails.
    client.until_content().await;
    remove("new");
    client.expect("x\r\n.", "451 4.3.0").await;
    assert!(directory.files("tmp").is_empty());

    // The first step fails.
    remove("tmp");
    client.expect("MAIL FROM:<>", "250").await;
    client.expect("RCPT TO:<b@example.org>", "250").await;
    client.expect("DATA", "451 4.3.0").await;
    client.expect("RSET", "250").await;

    // It works again as soon as the disk does.
    for name in ["tmp", "new"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    client.until_content().await;
    client.expect("x\r\n.", "250 2.0.0").await;
    assert_eq!(directory.files("new").len(), 1);
    running.stop().await;
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_as_such() {
    let mut full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let error = std::io::Write::write_all(&mut full, b"x").unwrap_err();
    let reply = OwnedReply::storage_failure(&error);
    assert_eq!(reply, OwnedReply::insufficient_storage());
}

/// Fails while the content is on its way, with whatever it was given.
struct Failing(OwnedReply);

impl Handler for Failing {
    type Body = FailingBody;

    async fn recipient(
        &self,
        _: &SessionInfo,
        _: ForwardPath<'_>,
        _: &RcptParameters<'_>,
    ) -> Verdict {
        Verdict::Accept
    }

    async fn data(&self, _: &SessionInfo, _: &MailEnvelope) -> Result<FailingBody, Refusal> {
        Ok(FailingBody(self.0.clone()))
    }
}

struct FailingBody(OwnedReply);

impl Body for FailingBody {
    async fn write(&mut self, _: &[u8]) -> Result<(), Refusal> {
        Err(self.0.clone().into())
    }

    async fn finish(self) -> Verdict {
        panic!("a body that failed must not be finished")
    }
}

#[tokio::test]
async fn a_write_that_fails_midway_is_told_at_the_end() {
    let careless = OwnedReply::new(250, None, "no problem").unwrap();
    for (failure, begins) in [
        (OwnedReply::insufficient_storage(), "452 4.3.1"),
        (careless, "451 4.3.0"),
    ] {
        let running = Running::start(config(), Failing(failure), PLAIN).await;
        let mut client = running.hello().await;
        client.until_content().await;
        client.say("x\r\ny\r\n").await;
        client.expect("z\r\n.", begins).await;
        client.expect("NOOP", "250").await;
        running.stop().await;
    }
}

/// The line that the delivering server writes is the only one (RFC 5321, section 4.4).
#[tokio::test]
async fn a_return_path_that_came_along_is_replaced() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client
        .say("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        .await;
    for begins in ["250 2.1.0", "250 2.1.5", "354 "] {
        let reply = client.reply().await;
        assert!(reply.starts_with(begins), "{reply}");
    }
    client
        .say("Return-Path:\r\n <forged@example.net>\r\nSubject: x\r\n\r\nReturn-Path: text\r\n.\r\nQUIT\r\n")
        .await;
    assert!(client.reply().await.starts_with("250 2.0.0"));
    assert!(client.reply().await.starts_with("221 "));
    client.ends().await;
    let content = directory.stored();
    assert!(
        content.starts_with("Return-Path: <a@example.net>\r\n"),
        "{content}"
    );
    assert!(!content.contains("forged"), "{content}");
    assert!(
        content.ends_with("Subject: x\r\n\r\nReturn-Path: text\r\n"),
        "{content}"
    );
    running.stop().await;
}
