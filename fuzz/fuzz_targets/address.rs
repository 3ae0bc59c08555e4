//! Mail addresses: see [`sansmtp_fuzz::address`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::address::check(data));
