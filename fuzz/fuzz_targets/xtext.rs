//! xtext: see [`sansmtp_fuzz::xtext`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::xtext::check(data));
