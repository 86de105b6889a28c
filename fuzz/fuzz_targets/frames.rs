//! See `tests/suite/inputs/frames.rs`.

#![no_main]

#[path = "../../tests/suite/inputs/frames.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::check(bytes));
