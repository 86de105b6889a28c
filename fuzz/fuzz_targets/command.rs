//! See `tests/suite/inputs/command.rs`.

#![no_main]

#[path = "../../tests/suite/inputs/command.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::check(bytes));
