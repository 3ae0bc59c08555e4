//! AUTH: which mechanism is used, and what the server's replies mean.

use super::event::Told;
use super::session::{Dialogue, Place};
use crate::auth::Exchange;
use crate::capability::Extension;
use crate::error::{Fault, Requirement};
use crate::state::Step;
use crate::wire::reply::ReplyLine;

impl Dialogue<'_> {
    /// Chooses how to authenticate, and goes there.
    pub(super) fn begin_authentication(&mut self) -> Result<(), Requirement> {
        let session = &mut self.session;
        if !session.offers(Extension::Auth) {
            return Err(Requirement::Auth);
        }
        if let Some(credentials) = &self.config.credentials {
            let (offered, material) = (session.capabilities.mechanisms, &session.material);
            let exchange =
                Exchange::choose(credentials, offered, self.config, session.tls, material)?;
            session.exchange = Some(exchange);
            session.begin(Place::Auth);
        }
        Ok(())
    }

    /// Takes 235 or 334.
    pub(super) fn take_challenge(&mut self, reply: &ReplyLine<'_>) -> Told {
        let session = &mut self.session;
        let (Some(exchange), Some(credentials)) = (&mut session.exchange, &self.config.credentials)
        else {
            return Told::Reply;
        };
        let fault = if reply.code.get() == 235 {
            if exchange.succeed() {
                session.step(Step::Authenticate);
                session.begin(Place::Idle);
                return Told::Ready;
            }
            Fault::ServerNotProven
        } else {
            let answered = exchange.challenge(credentials, self.config, reply.text);
            session.step(Step::Challenge);
            if answered {
                session.begin(Place::Auth);
                return Told::Reply;
            }
            Fault::BadChallenge
        };
        self.misbehaved(fault);
        Told::Failed
    }
}
