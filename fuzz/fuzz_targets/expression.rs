//! See `tests/suite/inputs/expression.rs`.

#![no_main]

#[path = "../../tests/suite/inputs/expression.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::check(bytes));
