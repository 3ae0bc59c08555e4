//! Replies: see [`sansmtp_fuzz::reply`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::reply::check(data));
