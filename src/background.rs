//! Work that may take its time: reading large files, comparing them, letting go of what is no longer needed.
//!
//! It has a thread of its own, because the runtime's are for requests, and that thread is as nice as can be about the
//! processor, because there may be fewer processors than threads: of 10,000 sockets' frames and a large reload on two of
//! them, a request would have to wait for both.

use tokio::sync::oneshot;

/// Starts it on a thread of its own, to be waited for or not. It gives what came of it; `None` if there was no thread to
/// be had, or it panicked.
pub(crate) fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = Option<T>> {
    let (reply, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("background".into());
    let work = move || {
        give_way();
        // Nobody may wait for it any more.
        drop(reply.send(work()));
    };
    // Without a thread the work is dropped, and the answer with it.
    let _ = thread.spawn(work);
    async { answer.await.ok() }
}

/// Lets other threads go first (`setpriority(2)`; on Linux it is about the calling thread alone).
#[cfg(target_os = "linux")]
fn give_way() {
    /// Gets a tenth of what a usual thread gets, if there is not enough for both.
    const NICE: i32 = 10;
    // One that is not allowed to goes on as any other.
    let _ = rustix::process::setpriority_process(None, NICE);
}

/// Elsewhere a thread has no priority of its own.
#[cfg(not(target_os = "linux"))]
fn give_way() {}
