//! The signals that end a server.

use tokio::signal;

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
