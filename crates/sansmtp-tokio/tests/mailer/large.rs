//! Large content in memory goes out from where it lies, as far as nothing is to be
//! changed, and arrives as it should.

use super::peer::Listener;
use super::{envelope, recipients};
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::{Content, Tls};
use sansmtp_tokio::sansmtp::config::Security;
use sansmtp_tokio::testing::TestServer;
use std::time::Duration;

/// Lines that pass as they are.
fn clean(octets: usize) -> String {
    let lines = (0..).map(|number| format!("Line {number} is like all the others.\r\n"));
    let mut text = String::new();
    lines
        .take_while(|line| {
            text.push_str(line);
            text.len() < octets
        })
        .for_each(drop);
    text
}

/// Contents, with what is to arrive.
fn contents() -> Vec<(String, String)> {
    let (much, some) = (clean(300_000), clean(40_000));
    let sent = [
        much.clone(),
        format!("{much}.dot\r\n{much}"),
        format!("{much}..\r\n.\r\n{some}no CR\n{much}no LF\r{some}"),
        format!(".{some}{much}"),
        format!("{much}without an end"),
        format!("{much}\r"),
        format!("\n{much}"),
        clean(200_000).replace("\r\n", "\r\n."),
        clean(200_000).replace("\r\n", "\n"),
    ];
    let arrives = |text: &String| {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines = lines.strip_suffix('\n').unwrap_or(&lines);
        lines.replace('\n', "\r\n") + "\r\n"
    };
    let pairs = sent.iter().map(|text| (text.clone(), arrives(text)));
    pairs.collect()
}

async fn arrives(security: Security, chunking: bool, series: bool) {
    let server = TestServer::builder()
        .security(security)
        .start()
        .await
        .unwrap();
    let mailer = Mailer::builder(server.config().with_chunking(chunking));
    let mailer = match security {
        Security::DangerPlaintext => mailer,
        _ => mailer.tls(Tls::pem(server.certificate().as_bytes()).unwrap()),
    };
    let mailer = mailer.build().unwrap();
    let to = recipients(&["a@example.org"]);
    let contents = contents();
    if series {
        let messages = contents
            .iter()
            .map(|(sent, _)| (envelope(&to), Content::from(sent)));
        let told = |number, result: Result<_, _>| {
            result.unwrap_or_else(|error| panic!("{number}: {error}"));
        };
        mailer.send_all(messages, told).await;
    } else {
        for (sent, _) in &contents {
            mailer.send(&envelope(&to), sent).await.unwrap();
        }
    }
    mailer.close().await;
    let messages = server.messages();
    assert_eq!(messages.len(), contents.len());
    for (number, (message, (_, expected))) in messages.iter().zip(&contents).enumerate() {
        assert!(message.text() == *expected, "content {number}");
        assert_eq!(message.envelope.size, Some(expected.len() as u64));
    }
}

#[tokio::test]
async fn by_data() {
    arrives(Security::DangerPlaintext, false, false).await;
}

#[tokio::test]
async fn in_chunks() {
    arrives(Security::DangerPlaintext, true, false).await;
}

#[tokio::test]
async fn in_a_series() {
    arrives(Security::DangerPlaintext, false, true).await;
    arrives(Security::DangerPlaintext, true, true).await;
}

#[tokio::test]
async fn over_tls() {
    arrives(Security::ImplicitTls, false, false).await;
    arrives(Security::ImplicitTls, true, true).await;
}

/// A link that takes much longer for the whole content than the time-out for a block
/// allows for one (RFC 5321, section 4.5.3.2.5: three minutes).
#[tokio::test]
async fn over_a_slow_link() {
    const STEP: usize = 512 * 1024;
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let text = clean(32 * STEP);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(b"250 ok\r\n250 ok\r\n354 go\r\n").await;
        tokio::time::pause();
        let since = tokio::time::Instant::now();
        let (mut came, mut until) = (Vec::new(), STEP);
        while !came.ends_with(b"\r\n.\r\n") {
            let flight = peer.flight_octets().await;
            assert!(!flight.is_empty(), "given up after {:?}", since.elapsed());
            came.extend(flight);
            if came.len() >= until {
                until += STEP;
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        }
        assert!(since.elapsed() > Duration::from_secs(900));
        peer.say("250 taken").await;
        (peer, came)
    };
    let ((_peer, came), result) = tokio::join!(server, mailer.send(&envelope, &text));
    result.unwrap();
    assert_eq!(came.len(), text.len() + ".\r\n".len());
}
