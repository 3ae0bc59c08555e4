//! Dot-stuffing: see [`sansmtp_fuzz::data`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::data::check(data));
