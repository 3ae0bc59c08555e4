//! A message that goes out in several transactions, since the server takes fewer
//! recipients at once.

use super::content::Content;
use super::draft::Draft;
use super::error::Error;
use super::pool::{Lease, Pool};
use super::report::Report;
use sansmtp::envelope::{Envelope, Recipient};
use std::sync::Arc;

/// What became of the message so far.
pub(super) struct Parts<'p, 'e> {
    pool: &'p Arc<Pool>,
    envelope: &'e Envelope<'e>,
    whole: Report,
}

impl<'p, 'e> Parts<'p, 'e> {
    pub(super) fn new(pool: &'p Arc<Pool>, envelope: &'e Envelope<'e>) -> Self {
        let mut draft = Draft::default();
        draft.begin(envelope);
        Self {
            pool,
            envelope,
            whole: draft.finish(&pool.setup.host),
        }
    }

    /// A first transaction has been.
    pub(super) fn begin_with(&mut self, report: Report) {
        self.whole = report;
    }

    /// Sends to the recipients at these places of the envelope, with as many
    /// transactions and connections as it takes.
    pub(super) async fn send(
        mut self,
        mut lease: Lease<'p>,
        mut content: Content<'_>,
        mut pending: Vec<usize>,
    ) -> Result<Report, Error> {
        let pool = self.pool;
        while !pending.is_empty() {
            let places =
                lease
                    .connection
                    .admitted(&pool.setup, self.envelope, pending.iter().copied());
            if places.is_empty() {
                // A session that has just begun admits somebody.
                lease = match pool.renew(lease).await {
                    Ok(lease) => lease,
                    Err(error) => return self.end(Some(error)),
                };
                continue;
            }
            let recipients: Vec<Recipient<'_>> = places
                .iter()
                .filter_map(|place| self.envelope.recipients.get(*place).copied())
                .collect();
            let part = Envelope {
                recipients: &recipients,
                ..*self.envelope
            };
            content.rewind();
            let used = lease.was_used();
            let connection = &mut lease.connection;
            let result = connection.send(&pool.setup, &part, &mut content).await;
            let (report, error) = match result {
                Ok(report) => (Some(report), None),
                Err(undelivered) if undelivered.unheard && used => {
                    lease = match pool.replace(lease).await {
                        Ok(lease) => lease,
                        Err(error) => return self.end(Some(error)),
                    };
                    continue;
                }
                Err(undelivered) => {
                    let report = undelivered.error.report().cloned();
                    (report, Some(undelivered.error))
                }
            };
            pending.retain(|place| !places.contains(place));
            let mut over = Vec::new();
            if let Some(report) = report {
                // Without progress it would be tried for ever.
                if report.delivered().next().is_some() {
                    over = report.over_limit();
                }
                self.whole.take_part(report, &places);
            }
            pending.extend(over.iter().filter_map(|place| places.get(*place)));
            match error {
                None | Some(Error::NotDelivered(_)) if lease.connection.is_ready() => {}
                None | Some(Error::NotDelivered(_)) if !pending.is_empty() => {
                    // The session is spent, or was ended by the server.
                    lease = match pool.renew(lease).await {
                        Ok(lease) => lease,
                        Err(error) => return self.end(Some(error)),
                    };
                }
                None | Some(Error::NotDelivered(_)) => {}
                Some(error) => {
                    pool.give_back(lease);
                    return self.end(Some(error));
                }
            }
        }
        pool.give_back(lease);
        self.end(None)
    }

    /// The report, if anybody got the message; else what was wrong.
    fn end(self, error: Option<Error>) -> Result<Report, Error> {
        match error {
            _ if self.whole.delivered().next().is_some() => Ok(self.whole),
            Some(error) => Err(error),
            None => Err(Error::NotDelivered(Box::new(self.whole))),
        }
    }
}
