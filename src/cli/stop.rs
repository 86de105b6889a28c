//! Stop conditions other than signals: a timeout, or the end of the process that started the server.

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

/// The conditions other than signals that stop a server.
pub(super) struct StopCondition {
    exit_after: Option<Duration>,
    parent: Option<Parent>,
}

impl StopArgs {
    /// Starts monitoring the conditions. Must be called first, because the end of the parent is not noticed before this
    /// call.
    pub(super) fn start(&self) -> StopCondition {
        StopCondition { exit_after: self.exit_after, parent: self.parent.parent() }
    }
}

impl StopCondition {
    /// Waits until one of the conditions is met.
    pub(super) async fn reached(&self) {
        tokio::select! {
            () = elapsed(self.exit_after) => {}
            () = ended(self.parent.as_ref()) => {}
        }
    }
}

async fn elapsed(time: Option<Duration>) {
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
