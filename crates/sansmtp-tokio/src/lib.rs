//! sansmtp over tokio and rustls.

mod clock;
