//! Gives back the memory of code that only the start has needed: arguments, YAML, routes. It is 1.5 MiB of 9.

/// Lets go of the program's code that is in memory. What is used again is read again, from the system's cache of the file.
#[cfg(target_os = "linux")]
pub(super) fn give_back() {
    let (Ok(maps), Ok(program)) = (std::fs::read_to_string("/proc/self/maps"), std::fs::read_link("/proc/self/exe"))
    else {
        return;
    };
    for line in maps.lines().filter(|line| program.to_str().is_some_and(|program| line.ends_with(program))) {
        if let Some((start, length)) = code(line) {
            give_back_range(start, length);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn give_back() {}

/// Start and length of a mapping (`proc_pid_maps(5)`) if it is code.
#[cfg(target_os = "linux")]
fn code(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split(' ');
    let (start, end) = fields.next()?.split_once('-')?;
    if fields.next() != Some("r-xp") {
        return None;
    }
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    Some((start, end.checked_sub(start)?))
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "there is no safe way to say which pages of a file may go")]
fn give_back_range(start: usize, length: usize) {
    let start = std::ptr::with_exposed_provenance_mut(start);
    // SAFETY: the range is code of this program, mapped from its file and never written to, so that every page of it can be
    // read again from there, which happens by itself when it is used (madvise(2), MADV_DONTNEED).
    unsafe {
        libc::madvise(start, length, libc::MADV_DONTNEED);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn only_code_is_given_back_and_goes_on_to_work() {
        assert_eq!(super::code("1000-3000 r-xp 00000000 fe:00 1 /mockd"), Some((0x1000, 0x2000)));
        assert_eq!(super::code("1000-3000 rw-p 00000000 fe:00 1 /mockd"), None);
        assert_eq!(super::code("1000-3000 r--p 00000000 fe:00 1 /mockd"), None);
        assert_eq!(super::code("nothing"), None);
        super::give_back();
        let program = std::fs::read("/proc/self/exe").unwrap_or_default();
        assert!(program.starts_with(b"\x7fELF"));
    }
}
