//! The answer to EHLO: see [`sansmtp_fuzz::ehlo`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::ehlo::check(data));
