//! Level-triggered epoll(7) that returns the tokens of readable sources.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

/// Maximum number of tokens per wait.
const BATCH: usize = 1024;

pub(crate) struct Epoll {
    fd: OwnedFd,
    events: Vec<Event>,
}

impl Epoll {
    pub(crate) fn new() -> Self {
        let fd = epoll::create(CreateFlags::CLOEXEC).expect("epoll");
        Self { fd, events: Vec::with_capacity(BATCH) }
    }

    /// Watches a source until it is closed or removed.
    pub(crate) fn add(&self, source: impl AsFd, token: usize) {
        let data = EventData::new_u64(token as u64);
        epoll::add(&self.fd, source, data, EventFlags::IN).expect("epoll accepts the descriptor");
    }

    pub(crate) fn remove(&self, source: impl AsFd) {
        epoll::delete(&self.fd, source).expect("the descriptor is registered");
    }

    /// Waits until a source is readable or `timeout` has passed; without a timeout, indefinitely.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> impl ExactSizeIterator<Item = usize> {
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).expect("seconds"));
        self.events.clear();
        match epoll::wait(&self.fd, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("epoll: {error}"),
        }
        self.events.iter().map(|event| usize::try_from(event.data.u64()).expect("a token"))
    }
}
