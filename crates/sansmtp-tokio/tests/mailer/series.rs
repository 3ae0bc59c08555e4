//! Many messages in a row: the next envelope leaves with the content before.

use super::peer::{Listener, ONE};
use super::{envelope, recipients};
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::{Content, Error, PoolConfig, Report};
use sansmtp_tokio::sansmtp::config::Security;
use sansmtp_tokio::sansmtp::envelope::Recipient;

const GROUP: &str = "MAIL FROM:<me@example.org>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n";
const YES: &str = "250 ok\r\n250 ok\r\n354 go\r\n";

/// Sends messages with these texts, and tells how each went, in order.
async fn send(mailer: &Mailer, texts: &[&str]) -> Vec<Result<Report, Error>> {
    let to = recipients(&["a@example.org"]);
    send_to(mailer, texts, &to).await
}

async fn send_to(
    mailer: &Mailer,
    texts: &[&str],
    to: &[Recipient<'_>],
) -> Vec<Result<Report, Error>> {
    let mut results = Vec::new();
    let messages = texts
        .iter()
        .map(|text| (envelope(to), Content::from(*text)));
    let told = |number, result| {
        assert_eq!(number, results.len(), "in their order");
        results.push(result);
    };
    mailer.send_all(messages, told).await;
    results
}

fn mailer(listener: &Listener, pool: PoolConfig) -> Mailer {
    let config = listener.config(Security::DangerPlaintext);
    Mailer::builder(config).pool(pool).build().unwrap()
}

#[tokio::test]
async fn one_flight_for_each_message() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        assert_eq!(peer.flight().await, GROUP);
        peer.write(YES.as_bytes()).await;
        for text in ["one", "two"] {
            assert_eq!(peer.flight().await, format!("{text}\r\n.\r\n{GROUP}"));
            peer.write(format!("250 took {text}\r\n{YES}").as_bytes())
                .await;
        }
        assert_eq!(peer.flight().await, "three\r\n.\r\n");
        peer.say("250 took three").await;
        peer.quit().await;
    };
    let client = async {
        let results = send(&mailer, &["one\n", "two\n", "three\n"]).await;
        for (result, text) in results.iter().zip(["one", "two", "three"]) {
            let report = result.as_ref().unwrap();
            assert!(report.all_delivered());
            assert_eq!(report.recipients[0].address(), "a@example.org");
            let reply = report.reply.as_ref().unwrap();
            assert_eq!(reply.to_string(), format!("250 took {text}"));
        }
        assert_eq!(results.len(), 3);
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn without_pipelining_each_waits_for_the_other() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        let results = send(&mailer, &["one\n", "two\n"]).await;
        assert!(results.into_iter().all(|result| result.is_ok()));
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_refusal_harms_the_others_not() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(YES.as_bytes()).await;
        peer.flight().await;
        // The first message is refused, and so is the second's sender.
        peer.write(b"550 5.7.1 spam\r\n550 no\r\n503 no\r\n503 no\r\n")
            .await;
        assert_eq!(peer.flight().await, GROUP);
        peer.write(YES.as_bytes()).await;
        assert_eq!(peer.flight().await, "three\r\n.\r\n");
        peer.say("250 taken").await;
        peer.quit().await;
    };
    let client = async {
        let results = send(&mailer, &["one\n", "two\n", "three\n"]).await;
        let [Err(one), Err(two), Ok(three)] = results.as_slice() else {
            panic!("{results:?}");
        };
        assert_eq!(one.reply().unwrap().to_string(), "550 5.7.1 spam");
        assert_eq!(two.reply().unwrap().to_string(), "550 no");
        assert!(three.all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn what_was_not_heard_goes_over_another_connection() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(YES.as_bytes()).await;
        assert_eq!(peer.flight().await, format!("one\r\n.\r\n{GROUP}"));
        // Nobody knows about the first; of the second nothing can have been taken.
        drop(peer);
        let mut peer = listener.accept_session("PIPELINING").await;
        assert_eq!(peer.flight().await, GROUP);
        peer.write(YES.as_bytes()).await;
        assert_eq!(peer.flight().await, "two\r\n.\r\n");
        peer.say("250 taken").await;
        peer.quit().await;
    };
    let client = async {
        let results = send(&mailer, &["one\n", "two\n"]).await;
        let [Err(one), Ok(two)] = results.as_slice() else {
            panic!("{results:?}");
        };
        assert!(one.outcome_unknown());
        assert!(two.all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_server_that_closes_with_its_verdict() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(YES.as_bytes()).await;
        peer.flight().await;
        peer.say("421 4.3.2 going down").await;
        drop(peer);
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.take_pipelined("two").await;
        peer.quit().await;
    };
    let client = async {
        let results = send(&mailer, &["one\n", "two\n"]).await;
        let [Err(one), Ok(two)] = results.as_slice() else {
            panic!("{results:?}");
        };
        assert_eq!(one.code().unwrap().get(), 421);
        assert!(two.all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn an_envelope_that_can_not_be_sent_keeps_the_order() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.take_pipelined("one").await;
        peer.take_pipelined("three").await;
        peer.quit().await;
    };
    let client = async {
        let to = recipients(&["a@example.org"]);
        let nobody = recipients(&[]);
        let messages = [
            (envelope(&to), Content::from("one\n")),
            (envelope(&nobody), Content::from("two\n")),
            (envelope(&to), Content::from("three\n")),
        ];
        let mut told = Vec::new();
        mailer
            .send_all(messages, |number, result| {
                told.push((number, result.is_ok()));
            })
            .await;
        assert_eq!(told, [(0, true), (1, false), (2, true)]);
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_connection_has_its_share() {
    let listener = Listener::bind().await;
    let pool = PoolConfig {
        max_messages_per_connection: 2,
        ..ONE
    };
    let mailer = mailer(&listener, pool);
    let server = async {
        for texts in [["one", "two"], ["three", "four"]] {
            let mut peer = listener.accept_session("PIPELINING").await;
            assert_eq!(peer.flight().await, GROUP);
            peer.write(YES.as_bytes()).await;
            assert_eq!(peer.flight().await, format!("{}\r\n.\r\n{GROUP}", texts[0]));
            peer.write(format!("250 taken\r\n{YES}").as_bytes()).await;
            assert_eq!(peer.flight().await, format!("{}\r\n.\r\n", texts[1]));
            peer.say("250 taken").await;
            peer.quit().await;
        }
    };
    let client = async {
        let results = send(&mailer, &["one\n", "two\n", "three\n", "four\n"]).await;
        assert!(results.into_iter().all(|result| result.is_ok()));
        mailer.close().await;
    };
    tokio::join!(server, client);
}

/// The message that needs several transactions does not suffer from the end of the one
/// before.
#[tokio::test]
async fn a_connection_ends_before_a_message_in_parts() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let (one, two) = (
        recipients(&["a@example.org"]),
        recipients(&["a@example.org", "b@example.org"]),
    );
    let server = async {
        let mut peer = listener.accept_session("PIPELINING LIMITS RCPTMAX=1").await;
        assert_eq!(peer.flight().await, GROUP);
        peer.write(YES.as_bytes()).await;
        assert_eq!(peer.content().await, "one");
        drop(peer);
        let mut peer = listener.accept_session("").await;
        peer.expect("MAIL FROM:<me@example.org>").await;
        peer.say("250 ok").await;
        for name in ["a", "b"] {
            peer.expect(&format!("RCPT TO:<{name}@example.org>")).await;
            peer.say("250 ok").await;
        }
        peer.expect("DATA").await;
        peer.say("354 go").await;
        assert_eq!(peer.content().await, "two");
        peer.say("250 taken").await;
        peer.quit().await;
    };
    let client = async {
        let messages = [
            (envelope(&one), Content::from("one\n")),
            (envelope(&two), Content::from("two\n")),
        ];
        let mut told = Vec::new();
        mailer
            .send_all(messages, |_, result| {
                told.push(result.map_err(|error| error.outcome_unknown()));
            })
            .await;
        assert_eq!(told[0], Err(true));
        assert!(told[1].as_ref().unwrap().all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}
