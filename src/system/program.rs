//! What only the program needs of the operating system: its limits, its terminal, its end and the files that it follows.

use std::fs::Metadata;

/// Raises the limit on open files to the highest that needs no privilege, and gives it (`setrlimit(2)`).
#[cfg(target_os = "linux")]
pub(crate) fn raise_open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let limit = if raised { maximum } else { current };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Elsewhere the limit is not known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn raise_open_files() -> usize {
    usize::MAX
}

/// Whether the terminal of standard output belongs to this process's group, or to nobody in particular (`tcgetpgrp(3)`).
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    let owner = rustix::termios::tcgetpgrp(std::io::stdout());
    owner.map_or(true, |owner| owner == rustix::process::getpgrp())
}

/// Elsewhere there are no groups of processes that share a terminal.
#[cfg(not(unix))]
pub(crate) fn is_in_foreground() -> bool {
    true
}

/// Ctrl-C (SIGINT) or, as service managers send it, SIGTERM.
#[cfg(unix)]
pub(crate) struct StopSignals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl StopSignals {
    /// Takes signals from now on. A kind that cannot be taken ends the process at once.
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Waits for the next one.
    pub(crate) async fn received(&mut self) {
        use std::task::Poll;
        std::future::poll_fn(|context| {
            let received = self.0.iter_mut().any(|kind| kind.poll_recv(context).is_ready());
            if received { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Ctrl-C, as long as one is waited for.
#[cfg(not(unix))]
pub(crate) struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    pub(crate) fn listen() -> Self {
        Self
    }

    /// Waits for the next one.
    pub(crate) async fn received(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

// clap would take a doc comment for the description of the command.
// The flag that ends the program with its parent, where the system tells of that one's end.
#[derive(Debug, clap::Args)]
pub(crate) struct ParentArgs {
    /// Stop when the process that started mockd exits
    #[cfg(unix)]
    #[arg(long)]
    exit_with_parent: bool,
}

impl ParentArgs {
    /// The process that started this one, if its end matters.
    #[cfg(unix)]
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.exit_with_parent.then(|| Parent(std::os::unix::process::parent_id()))
    }

    /// Elsewhere there is no such flag.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "the flag is there on other systems")]
    pub(crate) fn parent(&self) -> Option<Parent> {
        None
    }
}

/// The process that started this one, by its number.
#[cfg(unix)]
pub(crate) struct Parent(u32);

#[cfg(unix)]
impl Parent {
    /// Waits until it has ended: a process whose parent has ended gets another.
    pub(crate) async fn ended(&self) {
        /// How often to look.
        const PERIOD: std::time::Duration = std::time::Duration::from_millis(100);
        while std::os::unix::process::parent_id() == self.0 {
            tokio::time::sleep(PERIOD).await;
        }
    }
}

/// Elsewhere the end of a parent cannot be seen.
#[cfg(not(unix))]
pub(crate) enum Parent {}

#[cfg(not(unix))]
impl Parent {
    pub(crate) async fn ended(&self) {
        match *self {}
    }
}

/// Which file it is, whatever its path, and when it last got other content or another name.
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

    /// Elsewhere the system does not tell, and a file's length and time have to do.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0, changed: (0, 0) }
    }
}

/// Whether the system tells when a program that has written to a file closes it (inotify(7), `IN_CLOSE_WRITE`).
pub(crate) const TELLS_OF_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Whether a file that could be opened by its path has no name in any directory: it is mounted on its own, and another
/// file has taken its place outside.
#[cfg(unix)]
pub(crate) fn is_unlinked(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.nlink() == 0
}

/// Elsewhere a single file cannot be mounted.
#[cfg(not(unix))]
pub(crate) fn is_unlinked(_: &Metadata) -> bool {
    false
}
