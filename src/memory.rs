//! Gives memory that is free back to the system.
//!
//! The GNU C library gives back only what lies at the end of its heap, and keeps all of it when something younger lies
//! behind.

/// Gives back what is free. It takes milliseconds, and longer with a large heap, so it is no call for the runtime's threads.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "no library offers it, and the alternative, another allocator, doubles the memory at rest"
)]
pub(crate) fn give_back() {
    // SAFETY: malloc_trim(3) may be called at any time and from any thread; it touches nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_in_use_stays_when_memory_is_given_back() {
        let mut blocks: Vec<Vec<u8>> = (0..1_000).map(|number: u32| number.to_le_bytes().repeat(1_000)).collect();
        let mut number = 0;
        blocks.retain(|_| {
            number += 1;
            number % 2 == 0
        });
        super::give_back();
        let expected = (0..1_000_u32).filter(|number| number % 2 == 1).map(|number| number.to_le_bytes().repeat(1_000));
        assert!(blocks.iter().eq(&expected.collect::<Vec<_>>()));
    }
}
