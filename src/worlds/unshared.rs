//! A stand-in for `shared` without the feature `redis`: there is no store to share worlds through.
//!
//! As [`Peers`] has no values, none of this is ever called.

use std::future::Ready;
use std::sync::Arc;

use super::{Worlds, WorldsError};
use crate::engine::Reload;
use crate::scenario::{FoundFile, Scenario};
use crate::world::{Setup, World, WorldError, WorldStart};

/// The other servers that run the worlds: there are none.
#[derive(Debug)]
pub(super) enum Peers {}

impl Peers {
    pub(super) fn find(&self, _: &Worlds, _name: &str, _may_make: bool) -> Ready<Result<World, WorldsError>> {
        match *self {}
    }

    pub(super) fn create(&self, _: &Worlds, _name: &str, _: &Setup) -> Ready<Result<World, WorldsError>> {
        match *self {}
    }

    pub(super) fn end(&self, _: &Worlds, _name: &str) -> Ready<Result<(), WorldsError>> {
        match *self {}
    }

    pub(super) fn set_source_files(&self, _: &[FoundFile]) {
        match *self {}
    }

    pub(super) fn unreachable_reason(&self) -> Option<String> {
        match *self {}
    }

    pub(super) fn join_default(&self, _: &Worlds, _start: WorldStart) -> Ready<Result<World, WorldsError>> {
        match *self {}
    }

    pub(super) fn join_all(&self, _: &Worlds) -> Ready<Result<(), WorldsError>> {
        match *self {}
    }

    pub(super) fn publish(&self, _: &Worlds, _: &Arc<Scenario>, _seed: u64) -> Ready<Result<Reload, WorldError>> {
        match *self {}
    }
}
