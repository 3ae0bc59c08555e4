//! DELIVERBY, FUTURERELEASE and MT-PRIORITY: see [`sansmtp_fuzz::handling`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sansmtp_fuzz::handling::check(data));
