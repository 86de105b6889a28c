//! See `tests/suite/inputs/answer.rs`.

#![no_main]

#[path = "../../tests/suite/inputs/answer.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::check(bytes));
