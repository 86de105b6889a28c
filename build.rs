//! Sets the version that `mockd --version` prints: the package version, with commit and commit date if git is
//! available.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let version = env!("CARGO_PKG_VERSION");
    let version = commit().map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"));
    println!("cargo:rustc-env=MOCKD_VERSION={version}");
}

/// Returns the commit's short hash and date. `None` if git is unavailable or the package is not a checkout of mockd.
fn commit() -> Option<String> {
    let is_checkout = Path::new(".git").exists();
    let commit = is_checkout.then(|| git(&["show", "--no-patch", "--format=%h %cs", "--abbrev=9"])).flatten()?;
    let reference = git(&["symbolic-ref", "--quiet", "HEAD"]);
    let files = [Some("HEAD"), reference.as_deref()]
        .into_iter()
        .flatten()
        .filter_map(|name| git(&["rev-parse", "--git-path", name]));
    // A missing file, such as a packed ref, would make Cargo rerun this script on every build.
    for file in files.filter(|file| Path::new(file).exists()) {
        println!("cargo:rerun-if-changed={file}");
    }
    Some(commit)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
