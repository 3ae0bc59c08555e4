//! A server that says anything: see [`sansmtp_fuzz::client`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::client::check(data));
