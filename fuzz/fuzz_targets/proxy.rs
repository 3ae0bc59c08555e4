//! Headers of the PROXY protocol: see [`sansmtp_fuzz::proxy`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::proxy::check(data));
