//! Many messages in a row, each envelope together with the content before.

use super::connection::{Connection, Undelivered};
use super::content::Content;
use super::error::Error;
use super::parts::Parts;
use super::pool::{Lease, Pool};
use super::report::Report;
use sansmtp::envelope::Envelope;
use std::sync::Arc;

/// Messages that go over one connection at a time, and who is told of them.
pub(super) struct Series<'p, F> {
    pool: &'p Arc<Pool>,
    lease: Option<Lease<'p>>,
    /// The number of the next message.
    next: usize,
    /// The number of the message whose verdict is due on the connection.
    due: Option<usize>,
    told: F,
}

impl<'p, F: FnMut(usize, Result<Report, Error>)> Series<'p, F> {
    pub(super) fn new(pool: &'p Arc<Pool>, told: F) -> Self {
        Self {
            pool,
            lease: None,
            next: 0,
            due: None,
            told,
        }
    }

    pub(super) async fn send(&mut self, mut envelope: Envelope<'_>, mut content: Content<'_>) {
        let number = self.next;
        self.next += 1;
        content.declare(&mut envelope);
        // Once more, if nothing was heard of it over a connection that was used
        // before.
        let mut again = true;
        loop {
            let mut lease = match self.lease().await {
                Ok(lease) => lease,
                Err(error) => return (self.told)(number, Err(error)),
            };
            let setup = &self.pool.setup;
            let used = lease.was_used();
            let admitted = lease.connection.admits_all(setup, &envelope);
            if !admitted && (used || content.is_repeatable()) {
                self.lease = Some(lease);
                self.settle().await;
                let Some(lease) = self.lease.take() else {
                    continue;
                };
                if !self.is_usable(&lease.connection) {
                    // The verdict was the last that it gave.
                    self.pool.give_back(lease);
                    continue;
                }
                if !content.is_repeatable() {
                    // A session that has just begun may take them all.
                    match self.pool.renew(lease).await {
                        Ok(lease) => self.lease = Some(lease),
                        Err(error) => return (self.told)(number, Err(error)),
                    }
                    continue;
                }
                let all = (0..envelope.recipients.len()).collect();
                let parts = Parts::new(self.pool, &envelope);
                let result = parts.send(lease, content, all).await;
                return (self.told)(number, result);
            }
            let follow = self.pool.may_go_on(&lease.connection);
            let progress = lease
                .connection
                .transact(&self.pool.setup, &envelope, &mut content, follow)
                .await;
            if let Some(earlier) = progress.earlier {
                self.tell_due(earlier);
            }
            match progress.this {
                None => {
                    self.due = Some(number);
                    self.lease = Some(lease);
                    return;
                }
                Some(Err(lost)) if lost.unheard && used && again && content.rewind() => {
                    again = false;
                    match self.pool.replace(lease).await {
                        Ok(lease) => self.lease = Some(lease),
                        Err(error) => return (self.told)(number, Err(error)),
                    }
                }
                Some(result) => {
                    self.lease = Some(lease);
                    // If it was never begun, the message before is not settled.
                    self.settle().await;
                    return (self.told)(number, result.map_err(|lost| lost.error));
                }
            }
        }
    }

    /// Waits for the last verdict and gives the connection back.
    pub(super) async fn finish(mut self) {
        self.settle().await;
        if let Some(lease) = self.lease.take() {
            self.pool.give_back(lease);
        }
    }

    /// The connection that is in use, if it can go on, else another one.
    async fn lease(&mut self) -> Result<Lease<'p>, Error> {
        if let Some(lease) = &self.lease
            && !self.pool.may_go_on(&lease.connection)
        {
            self.settle().await;
        }
        match self.lease.take() {
            Some(lease) if self.due.is_some() || self.is_usable(&lease.connection) => Ok(lease),
            used_up => {
                if let Some(lease) = used_up {
                    self.pool.give_back(lease);
                }
                self.pool.lease().await
            }
        }
    }

    fn is_usable(&self, connection: &Connection) -> bool {
        connection.is_ready() && self.pool.may_go_on(connection)
    }

    /// Waits for the verdict that is due.
    async fn settle(&mut self) {
        if self.due.is_some()
            && let Some(lease) = &mut self.lease
        {
            let result = lease.connection.settle(&self.pool.setup).await;
            self.tell_due(result);
        }
    }

    fn tell_due(&mut self, result: Result<Report, Undelivered>) {
        if let Some(number) = self.due.take() {
            (self.told)(number, result.map_err(|lost| lost.error));
        }
    }
}
