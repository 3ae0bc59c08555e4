//! The message writer: see [`sansmtp_fuzz::message`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::message::check(data));
