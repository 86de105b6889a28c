//! See `tests/suite/inputs/scenario.rs`.

#![no_main]

#[path = "../../tests/suite/inputs/scenario.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::check(bytes));
