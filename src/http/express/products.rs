//! A category's products as they are answered.
//!
//! A large body costs what is done to its bytes: it is written down in the journal once, not for each request, and from the
//! second request on it is sent from memory that the kernel need not copy. So a category that changes with every request
//! pays for nothing that it does not use.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::splice::Pages;
use crate::engine::Listing;
use crate::world::Payload;

/// Bytes from which on a body goes out by itself. With fewer it is copied behind its head, for one write of both; from here
/// on the copy costs more than that saves.
pub(super) const LARGE: usize = 32 * 1024;

pub(super) enum Products {
    Small(Bytes),
    Large(Arc<Large>),
}

/// A body that is not copied.
pub(super) struct Large {
    json: Bytes,
    /// What journals keep of it.
    payload: Payload,
    was_sent: AtomicBool,
    /// Where it is sent from, if the system can do that.
    pages: OnceLock<Option<Pages>>,
}

impl Products {
    /// Those of a listing, made in the background if it takes long: on the short way others wait meanwhile.
    pub(super) async fn of(listing: &Arc<Listing>) -> Self {
        if listing.is_at_hand() {
            return Self::made_of(listing);
        }
        let shared = listing.clone();
        spawn_blocking(move || Self::made_of(&shared)).await.unwrap_or_else(|_| Self::made_of(listing))
    }

    fn made_of(listing: &Listing) -> Self {
        let json = listing.json();
        let is_large = json.len() >= LARGE;
        is_large.then(|| listing.derived(Large::new)).flatten().map_or(Self::Small(json), Self::Large)
    }

    /// What the journal keeps of them.
    pub(super) fn payload(&self) -> Payload {
        match self {
            Self::Small(json) => Payload::new(json.clone()),
            Self::Large(large) => large.payload.clone(),
        }
    }
}

impl Large {
    fn new(json: Bytes) -> Self {
        let payload = Payload::new(json.clone());
        Self { json, payload, was_sent: AtomicBool::new(false), pages: OnceLock::new() }
    }

    pub(super) fn json(&self) -> &Bytes {
        &self.json
    }

    /// Where to send it from, unless it is sent for the first time.
    pub(super) async fn pages(self: &Arc<Self>) -> Option<&Pages> {
        if !self.was_sent.swap(true, Ordering::Relaxed) {
            return None;
        }
        if self.pages.get().is_none() {
            let large = self.clone();
            // If that fails, it is written.
            let _ = spawn_blocking(move || large.pages.get_or_init(|| Pages::of(&large.json).ok()).is_some()).await;
        }
        self.pages.get()?.as_ref()
    }
}
