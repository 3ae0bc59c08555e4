//! Hostile input, for both roles: what plays it and what it must not achieve.
//!
//! - [`server`] plays octets of a client against the server machine, without sockets, and tells all that the
//!   client and the driver saw.
//! - [`model`] is a second, naive server for a small vocabulary: what the machine must answer.
//! - [`client`] plays a written server against the client machine.
//! - [`server_cases`] and [`client_cases`] are the cases that have a name.
//! - [`socket_server`] and [`socket_client`] play the same over sockets, against our server and against the
//!   program `hostile-client`.
//! - [`class`] sorts the errors of the client into classes.

pub mod class;
pub mod client;
pub mod client_cases;
pub mod model;
pub mod server;
pub mod server_cases;
pub mod socket_client;
pub mod socket_server;
