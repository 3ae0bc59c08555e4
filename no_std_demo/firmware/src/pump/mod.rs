//! The client role: a pump that sends an alert when its bearing runs hot.

mod alert;
#[cfg(feature = "message")]
mod mail;
#[cfg(not(feature = "message"))]
#[path = "brief.rs"]
mod mail;
mod queue;
mod sensor;
mod text;

use crate::board::host::{self, decimal, log};
use crate::network::Network;
use crate::settings::Settings;
use crate::{exit, with_network};
use alert::End;
use queue::{Alert, Queue};
use sansmtp::Error;
use sansmtp_smoltcp::Reason;

/// The most recipients of an alert.
const RECIPIENTS: usize = 4;

/// Watches the sensor, then sends what is in the queue.
pub(crate) fn run(settings: Settings<'_>) -> u32 {
    let mut queue = Queue::open();
    watch(settings, &mut queue);
    let code = with_network(settings, |network| send_all(network, settings, &mut queue));
    if queue.len() > 0 {
        let mut digits = [0; 10];
        log(&["alerts: ", decimal(queue.len(), &mut digits), " kept"]);
        // A product waits here, or a watchdog ends it.
        if queue.boots() <= settings.number("resets").unwrap_or(0) {
            log(&["watchdog: warm reset"]);
            cortex_m::peripheral::SCB::sys_reset();
        }
    }
    code
}

/// Waits until the sensor says that it is too hot, and keeps an alert: before the network is looked at, so that a
/// dead one loses none. What was kept before a warm reset is enough.
fn watch(settings: Settings<'_>, queue: &mut Queue) {
    let mut digits = [0; 10];
    log(&["boot: ", decimal(queue.boots(), &mut digits)]);
    if queue.boots() > 1 {
        log(&["alerts: ", decimal(queue.len(), &mut digits), " found"]);
        return;
    }
    let alarm = sensor::readings_until_alarm();
    for number in 0..settings.number("alerts").unwrap_or(1) {
        let mut entropy = [0; 16];
        if !host::entropy(&mut entropy) {
            log(&["no random numbers"]);
            return;
        }
        let alert = Alert {
            number,
            time: settings.number("time").unwrap_or_else(host::unix_time),
            // It did not get better within a minute.
            readings: alarm + 60 * number,
            entropy,
        };
        log(&["sensor: above the limit"]);
        if !queue.push(&alert) {
            log(&["alert: no room, not kept"]);
        }
    }
}

/// Sends what is in the queue, the oldest first, until one can not be sent now. Returns what became of the last.
fn send_all(network: &mut Network<'_>, settings: Settings<'_>, queue: &mut Queue) -> u32 {
    let mut code = exit::DELIVERED;
    while let Some((alert, ending)) = queue.oldest() {
        let mut digits = [0; 10];
        log(&["alert ", decimal(alert.number, &mut digits), ": sending"]);
        if ending {
            log(&["alert: unknown whether it arrived before the reset"]);
            queue.remove(&alert);
            code = exit::UNKNOWN;
            continue;
        }
        match alert::send(network, settings, queue, &alert) {
            End::Delivered => {
                log(&["alert: delivered"]);
                queue.remove(&alert);
                code = exit::DELIVERED;
            }
            End::Misconfigured(why) => {
                log(&["alert: settings: ", why]);
                return exit::MISCONFIGURED;
            }
            End::Failed(report, failure) => {
                let attempts = decimal(u32::from(report.attempts), &mut digits);
                log(&["alert: attempts: ", attempts]);
                tell(failure.reason);
                if failure.outcome_unknown {
                    log(&["alert: unknown whether it arrived"]);
                    queue.remove(&alert);
                    code = exit::UNKNOWN;
                } else if failure.may_retry() {
                    log(&["alert: not delivered"]);
                    queue.mark(&alert, false);
                    return exit::FAILED;
                } else {
                    log(&["alert: not delivered, and will not be"]);
                    queue.remove(&alert);
                    code = exit::FAILED;
                }
            }
        }
    }
    code
}

/// Says in the log what went wrong.
fn tell(reason: Reason) {
    let mut digits = [0; 10];
    match reason {
        Reason::NameNotResolved => log(&["reason: name not resolved"]),
        Reason::NotConnected => log(&["reason: not connected"]),
        Reason::NoTls => log(&["reason: this firmware was built without TLS"]),
        #[cfg(feature = "secure")]
        Reason::Tls(failure) => log(&["reason: TLS: ", failure.as_str()]),
        Reason::Content(_) => log(&["reason: the message can not be produced"]),
        Reason::Smtp(error) => {
            let stage = error.stage().map_or("", |stage| stage.name());
            match error {
                Error::Refused { code, .. } => {
                    let code = decimal(u32::from(code.get()), &mut digits);
                    log(&["reason: refused ", stage, " with ", code]);
                }
                Error::Timeout { .. } => log(&["reason: time out at ", stage]),
                Error::Closed { .. } => log(&["reason: connection lost at ", stage]),
                Error::Peer { .. } => log(&["reason: protocol broken at ", stage]),
                Error::Unmet(_) => log(&["reason: the server lacks what is required"]),
                _ => log(&["reason: defect of the program"]),
            }
        }
        _ => log(&["reason: unknown"]),
    }
}
