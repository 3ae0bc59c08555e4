//! A client that says anything: see [`sansmtp_fuzz::server`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::server::check(data));
