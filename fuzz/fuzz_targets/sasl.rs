//! SASL: see [`sansmtp_fuzz::sasl`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::sasl::check(data));
