//! The extension module `sansmtp._core`: the SMTP core as objects of Python.
//!
//! Nothing here does I/O. Python hands octets in, gets events and octets out, and keeps its own sockets, TLS
//! and event loops. The package `sansmtp` around this module is what people use.

mod client;
mod client_event;
mod clock;
mod compose;
mod config;
mod content;
mod delivery;
mod entropy;
mod envelope;
mod error;
mod octets;
mod provider;
mod reply;
mod reply_reader;
mod repr;
mod server;
mod server_config;
mod server_event;

use pyo3::prelude::*;

/// The SMTP core of sansmtp. Import it through the package `sansmtp`.
#[pymodule(name = "_core", gil_used = true)]
mod core {
    #[pymodule_export]
    use crate::client::ClientConnection;
    #[pymodule_export]
    use crate::client_event::{
        Answer, ChunkRefused, Closed, ContentWanted, Delivered, NotDelivered, Ready,
        RecipientReply, Refused, ReplyReceived, SenderReply, StartTls, Verdict,
    };
    #[pymodule_export]
    use crate::compose::compose;
    #[pymodule_export]
    use crate::config::Config;
    #[pymodule_export]
    use crate::content::{content_end, encode_content};
    #[pymodule_export]
    use crate::delivery::{RecipientResult, SendResult};
    #[pymodule_export]
    use crate::envelope::Envelope;
    #[pymodule_export]
    use crate::provider::{
        Endpoint, Explanation, Provider, did_you_mean, explain, find_provider, providers,
    };
    #[pymodule_export]
    use crate::reply::{Capabilities, Reply};
    #[pymodule_export]
    use crate::reply_reader::ReplyReader;
    #[pymodule_export]
    use crate::server::ServerConnection;
    #[pymodule_export]
    use crate::server_config::ServerConfig;
    #[pymodule_export]
    use crate::server_event::{
        AuthenticateRequest, AuthorizeRequest, BearerRequest, ConnectRequest, Content, DataRequest,
        ExpandRequest, Hello, HelpRequest, MailRequest, MessageRequest, PasswordRequest,
        RecipientRequest, Reset, VerifyRequest,
    };
}
