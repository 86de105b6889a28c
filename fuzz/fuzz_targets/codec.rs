//! See `tests/suite/inputs/codec.rs`.

#![no_main]

#[path = "../../tests/suite/inputs/codec.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::check(bytes));
