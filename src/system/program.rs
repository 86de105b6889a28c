//! What only the program needs from the operating system: limits, the terminal, signals, and the identity of files.

use std::fs::Metadata;

/// Raises the limit on open files as far as it can without privileges, and returns it (`setrlimit(2)`).
#[cfg(target_os = "linux")]
pub(crate) fn raise_open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let limit = if raised { maximum } else { current };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Does nothing: the limit is unknown on other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn raise_open_files() -> usize {
    usize::MAX
}

/// Returns whether the terminal of standard output belongs to this process group, or to none (`tcgetpgrp(3)`).
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    let owner = rustix::termios::tcgetpgrp(std::io::stdout());
    owner.map_or(true, |owner| owner == rustix::process::getpgrp())
}

/// Always true: other systems have no process groups that share a terminal.
#[cfg(not(unix))]
pub(crate) fn is_in_foreground() -> bool {
    true
}

/// Ctrl-C (SIGINT), and SIGTERM as service managers send it.
#[cfg(unix)]
pub(crate) struct StopSignals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl StopSignals {
    /// Starts to receive the signals. A signal that cannot be received still terminates the process at once.
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Waits for the next signal.
    pub(crate) async fn received(&mut self) {
        use std::task::Poll;
        std::future::poll_fn(|context| {
            let received = self.0.iter_mut().any(|kind| kind.poll_recv(context).is_ready());
            if received { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Ctrl-C, received only while `received` is awaited.
#[cfg(not(unix))]
pub(crate) struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    pub(crate) fn listen() -> Self {
        Self
    }

    /// Waits for the next signal.
    pub(crate) async fn received(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

// A plain comment, because clap would use a doc comment as the description of the command. This is the flag that makes
// mockd stop with its parent process, on systems that report when the parent ends.
#[derive(Debug, clap::Args)]
pub(crate) struct ParentArgs {
    /// Stop when the process that started mockd exits
    #[cfg(unix)]
    #[arg(long)]
    exit_with_parent: bool,
}

impl ParentArgs {
    /// Returns the parent process if its end should stop mockd.
    #[cfg(unix)]
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.exit_with_parent.then(|| Parent(std::os::unix::process::parent_id()))
    }

    /// Always `None`: other systems do not have the flag.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "the flag exists on Unix")]
    pub(crate) fn parent(&self) -> Option<Parent> {
        None
    }
}

/// The process id of the parent.
#[cfg(unix)]
pub(crate) struct Parent(u32);

#[cfg(unix)]
impl Parent {
    /// Waits until the parent has ended: a process whose parent has ended is given another.
    pub(crate) async fn ended(&self) {
        /// How often to check.
        const PERIOD: std::time::Duration = std::time::Duration::from_millis(100);
        while std::os::unix::process::parent_id() == self.0 {
            tokio::time::sleep(PERIOD).await;
        }
    }
}

/// Has no values: other systems do not report the end of a parent.
#[cfg(not(unix))]
pub(crate) enum Parent {}

#[cfg(not(unix))]
impl Parent {
    pub(crate) async fn ended(&self) {
        match *self {}
    }
}

/// The identity of a file, whatever its path, and when its contents or name last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

impl FileIdentity {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), changed }
    }

    /// Has the same value for all files: other systems do not report it, so a file's length and time have to suffice.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0, changed: (0, 0) }
    }
}

/// Whether the system reports when a program that has written to a file closes it (inotify(7), `IN_CLOSE_WRITE`).
pub(crate) const REPORTS_CLOSE_WRITE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Returns whether a file that was opened by its path has no name in any directory. This happens when a single file is
/// mounted and another file has replaced it outside the mount.
#[cfg(unix)]
pub(crate) fn is_unlinked(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.nlink() == 0
}

/// Always false: other systems cannot mount a single file.
#[cfg(not(unix))]
pub(crate) fn is_unlinked(_: &Metadata) -> bool {
    false
}
