//! Lines of a stream: see [`sansmtp_fuzz::framing`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::framing::check(data));
