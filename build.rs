//! The version that `mockd --version` prints: that of the package, with the commit and the date where they are known.
//!
//! The date is that of the build, or `SOURCE_DATE_EPOCH` (reproducible-builds.org).

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let version = env!("CARGO_PKG_VERSION");
    let version = commit().map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit} {})", date()));
    println!("cargo:rustc-env=MOCKD_VERSION={version}");
}

/// The commit's short hash; `None` without git, or outside of a repository of mockd's own.
fn commit() -> Option<String> {
    let is_checkout = Path::new(".git").exists();
    let commit = is_checkout.then(|| git(&["rev-parse", "--short=9", "HEAD"])).flatten()?;
    let reference = git(&["symbolic-ref", "--quiet", "HEAD"]);
    let files = [Some("HEAD"), reference.as_deref()]
        .into_iter()
        .flatten()
        .filter_map(|name| git(&["rev-parse", "--git-path", name]));
    // Cargo would run this at every build because of a file that does not exist, such as a packed reference.
    for file in files.filter(|file| Path::new(file).exists()) {
        println!("cargo:rerun-if-changed={file}");
    }
    Some(commit)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Today in UTC, such as `2026-01-31`.
fn date() -> String {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse::<u32>().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let days = given.map_or(now, |seconds| Duration::from_secs(seconds.into())).as_secs() / 86_400;
    let (mut year, mut day) = (1970, days);
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
    }
    let february = days_of(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}

fn days_of(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if is_leap { 366 } else { 365 }
}
