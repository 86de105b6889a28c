//! What stops a server besides signals: a timeout, or the end of the process that started it.

use std::future::pending;
use std::time::Duration;

use clap::Args;

use super::duration;
use crate::system::program::{Parent, ParentArgs};

#[derive(Debug, Args)]
pub(super) struct StopArgs {
    /// Stop after this time, such as 30s or 10m
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    exit_after: Option<Duration>,
    #[command(flatten)]
    parent: ParentArgs,
}

/// What stops a server besides signals.
pub(super) struct StopCondition {
    exit_after: Option<Duration>,
    parent: Option<Parent>,
}

impl StopArgs {
    /// Call it first of all: a parent that ends before this goes unnoticed.
    pub(super) fn begin(&self) -> StopCondition {
        StopCondition { exit_after: self.exit_after, parent: self.parent.parent() }
    }
}

impl StopCondition {
    /// Waits until one of the flags stops the server.
    pub(super) async fn reached(&self) {
        tokio::select! {
            () = passed(self.exit_after) => {}
            () = ended(self.parent.as_ref()) => {}
        }
    }
}

async fn passed(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => pending().await,
    }
}

async fn ended(parent: Option<&Parent>) {
    match parent {
        Some(parent) => parent.ended().await,
        None => pending().await,
    }
}
