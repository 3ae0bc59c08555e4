//! Connections that are used again, and those that can not be.

use super::peer::{Listener, ONE};
use super::{MESSAGE, envelope, recipients};
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::{Content, Error, PoolConfig};
use sansmtp_tokio::sansmtp::config::Security;
use std::time::Duration;

fn mailer(listener: &Listener, pool: PoolConfig) -> Mailer {
    let config = listener.config(Security::DangerPlaintext);
    Mailer::builder(config).pool(pool).build().unwrap()
}

#[tokio::test]
async fn one_connection_for_many_messages() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        for _ in 0..5 {
            peer.take_message().await;
        }
        peer.quit().await;
    };
    let client = async {
        // All at once: they wait for each other.
        let (a, b, c) = tokio::join!(
            mailer.send(&envelope, MESSAGE),
            mailer.send(&envelope, MESSAGE),
            mailer.send(&envelope, MESSAGE),
        );
        assert!(
            [a, b, c]
                .into_iter()
                .all(|sent| sent.unwrap().all_delivered())
        );
        mailer.send(&envelope, MESSAGE).await.unwrap();
        mailer.send(&envelope, MESSAGE).await.unwrap();
        mailer.close().await;
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        assert!(matches!(error, Error::MailerClosed));
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn messages_at_the_same_time_use_several_connections() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, PoolConfig::default());
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        // Both are open before either is answered.
        let mut one = listener.accept_session("").await;
        let mut two = listener.accept_session("").await;
        two.take_message().await;
        one.take_message().await;
        tokio::join!(one.quit(), two.quit());
    };
    let client = async {
        let (a, b) = tokio::join!(
            mailer.send(&envelope, MESSAGE),
            mailer.send(&envelope, MESSAGE),
        );
        assert!(a.unwrap().all_delivered() && b.unwrap().all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_connection_is_left_after_so_many_messages() {
    let listener = Listener::bind().await;
    let pool = PoolConfig {
        max_messages_per_connection: 2,
        ..ONE
    };
    let mailer = mailer(&listener, pool);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        peer.take_message().await;
        peer.quit().await;
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        for _ in 0..3 {
            mailer.send(&envelope, MESSAGE).await.unwrap();
        }
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn an_idle_connection_is_left_after_its_time() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        // QUIT is not answered, and nobody minds.
        assert_eq!(peer.rest().await, "QUIT\r\n");
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap();
        tokio::time::pause();
        tokio::time::Instant::now()
    };
    let (_, since) = tokio::join!(server, client);
    let waited = since.elapsed().as_secs();
    assert!((60..=66).contains(&waited), "{waited}");
}

/// The server ends an idle connection, in the way of `farewell`; the next message
/// is delivered over a new connection.
async fn survives(farewell: Option<&str>) {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let (ended, has_ended) = tokio::sync::oneshot::channel();
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        if let Some(line) = farewell {
            peer.say(line).await;
        }
        drop(peer);
        ended.send(()).unwrap();
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap();
        has_ended.await.unwrap();
        assert!(
            mailer
                .send(&envelope, MESSAGE)
                .await
                .unwrap()
                .all_delivered()
        );
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_421_in_idle_is_survived() {
    survives(Some("421 4.4.2 idle for too long")).await;
}

#[tokio::test]
async fn a_close_in_idle_is_survived() {
    survives(None).await;
}

/// The server answers the first command with `farewell` and closes.
async fn survives_late(farewell: Option<&str>) {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        peer.expect("MAIL FROM:<me@example.org>").await;
        if let Some(line) = farewell {
            peer.say(line).await;
        }
        drop(peer);
        let mut peer = listener.accept_session("").await;
        assert_eq!(peer.take_message().await, "only once");
        peer.quit().await;
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap();
        let content = Content::reader(&b"only once\r\n"[..]);
        assert!(
            mailer
                .send(&envelope, content)
                .await
                .unwrap()
                .all_delivered()
        );
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_close_at_the_first_command_is_survived() {
    survives_late(None).await;
}

#[tokio::test]
async fn a_421_to_the_first_command_is_survived() {
    survives_late(Some("421 4.3.2 shutting down")).await;
}

#[tokio::test]
async fn a_fresh_connection_that_is_lost_is_an_error() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.expect("MAIL FROM:<me@example.org>").await;
    };
    let (_, result) = tokio::join!(server, mailer.send(&envelope, MESSAGE));
    let error = result.unwrap_err();
    assert!(error.is_temporary() && !error.outcome_unknown(), "{error}");
}

#[tokio::test]
async fn after_a_refused_message_the_connection_is_reset_and_used_again() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.line().await;
        peer.say("250 ok").await;
        peer.line().await;
        peer.say("450 later").await;
        peer.expect("RSET").await;
        peer.say("250 ok").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap_err();
        mailer.send(&envelope, MESSAGE).await.unwrap();
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_message_that_is_given_up_does_not_spoil_the_next() {
    let listener = Listener::bind().await;
    let mailer = mailer(&listener, ONE);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let (stuck, is_stuck) = tokio::sync::oneshot::channel();
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        peer.line().await;
        peer.say("250 ok").await;
        peer.line().await;
        stuck.send(()).unwrap();
        assert_eq!(peer.rest().await, "");
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap();
        tokio::select! {
            _ = mailer.send(&envelope, MESSAGE) => panic!("the server does not answer"),
            stuck = is_stuck => stuck.unwrap(),
        }
        // The connection and its place are free again.
        let again = tokio::time::timeout(Duration::from_secs(60), mailer.send(&envelope, MESSAGE));
        assert!(again.await.unwrap().unwrap().all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_a_few_connections() {
    let listener = Listener::bind().await;
    let pool = PoolConfig {
        max_connections: 3,
        ..ONE
    };
    let mailer = mailer(&listener, pool);
    let server = tokio::spawn(async move {
        // Nobody is served before all are there. A connection beyond the limit
        // would never be served, and the test would not end.
        let mut peers = Vec::new();
        for _ in 0..3 {
            peers.push(listener.accept_session("").await);
        }
        let mut serving = tokio::task::JoinSet::new();
        for mut peer in peers {
            serving.spawn(async move {
                let mut messages = 0;
                while peer.next_is("MAIL FROM:<me@example.org>").await {
                    peer.finish_message().await;
                    messages += 1;
                }
                messages
            });
        }
        serving.join_all().await.into_iter().sum::<i32>()
    });
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..30 {
        let mailer = mailer.clone();
        sending.spawn(async move {
            let to = recipients(&["a@example.org"]);
            let content = format!("Subject: {number}\r\n\r\n");
            mailer.send(&envelope(&to), &content).await.unwrap()
        });
    }
    let reports = sending.join_all().await;
    assert!(reports.iter().all(|report| report.all_delivered()));
    mailer.close().await;
    assert_eq!(server.await.unwrap(), 30);
}
