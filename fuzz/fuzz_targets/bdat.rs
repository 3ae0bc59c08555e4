//! Chunks: see [`sansmtp_fuzz::bdat`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::bdat::check(data));
