//! Both machines against each other: see [`sansmtp_fuzz::session`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::session::check(data));
