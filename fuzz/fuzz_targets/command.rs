//! Command lines: see [`sansmtp_fuzz::command`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::command::check(data));
