//! What ends a server: signals, time, or the end of whoever started it.

use std::time::Duration;

use clap::Args;
use tokio::signal;

use crate::scenario::parse_duration;

/// How often to look whether the parent process is still there.
#[cfg(unix)]
const PARENT_CHECK: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(super) struct StopArgs {
    /// Stop after that time, such as 30s or 10m
    #[arg(long, value_parser = parse_duration, value_name = "DURATION")]
    exit_after: Option<Duration>,
    /// Stop when the process that started mockd has ended
    #[cfg(unix)]
    #[arg(long)]
    exit_with_parent: bool,
}

/// What else ends a server.
pub(super) struct StopCondition {
    exit_after: Option<Duration>,
    /// The process that started this one, if its end matters.
    #[cfg(unix)]
    parent: Option<u32>,
}

impl StopArgs {
    /// To be called first of all, so that the parent cannot end unnoticed.
    pub(super) fn begin(&self) -> StopCondition {
        StopCondition {
            exit_after: self.exit_after,
            #[cfg(unix)]
            parent: self.exit_with_parent.then(std::os::unix::process::parent_id),
        }
    }
}

impl StopCondition {
    /// Waits until one of the flags asks for the end.
    pub(super) async fn reached(&self) {
        tokio::select! {
            () = passed(self.exit_after) => {}
            () = self.orphaned() => {}
        }
    }

    /// A process whose parent has ended gets another.
    #[cfg(unix)]
    async fn orphaned(&self) {
        let Some(parent) = self.parent else { return std::future::pending().await };
        while std::os::unix::process::parent_id() == parent {
            tokio::time::sleep(PARENT_CHECK).await;
        }
    }

    #[cfg(not(unix))]
    async fn orphaned(&self) {
        std::future::pending().await
    }
}

async fn passed(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C or, as service managers send it, SIGTERM. Signals are taken from [`StopSignal::listen`] on.
pub(super) struct StopSignal {
    #[cfg(unix)]
    kinds: Vec<signal::unix::Signal>,
}

impl StopSignal {
    /// Starts to take signals. Where the system gives none, only the end of the process stops the server.
    pub(super) fn listen() -> Self {
        #[cfg(unix)]
        {
            use signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
            Self { kinds: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits for the next one.
    pub(super) async fn received(&mut self) {
        #[cfg(unix)]
        std::future::poll_fn(|context| {
            let received = self.kinds.iter_mut().any(|kind| kind.poll_recv(context).is_ready());
            if received { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        #[cfg(not(unix))]
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
