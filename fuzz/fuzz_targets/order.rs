//! See `tests/suite/inputs/order.rs`.

#![no_main]

#[path = "../../tests/suite/inputs/order.rs"]
mod input;

use std::sync::LazyLock;

/// Made once for all inputs, for which the fuzzer has no other place.
static MOCKS: LazyLock<input::Mocks> = LazyLock::new(input::Mocks::start);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| MOCKS.check(bytes));
