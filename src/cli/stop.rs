//! What ends a server, beside signals: time, or the end of the process that started it.

use std::future::pending;
use std::time::Duration;

use clap::Args;

use crate::scenario::parse_duration;
use crate::system::program::{Parent, ParentArgs};

#[derive(Debug, Args)]
pub(super) struct StopArgs {
    /// Stop after that time, such as 30s or 10m
    #[arg(long, value_parser = parse_duration, value_name = "DURATION")]
    exit_after: Option<Duration>,
    #[command(flatten)]
    parent: ParentArgs,
}

/// What else ends a server.
pub(super) struct StopCondition {
    exit_after: Option<Duration>,
    parent: Option<Parent>,
}

impl StopArgs {
    /// To be called first of all, so that the parent cannot end unnoticed.
    pub(super) fn begin(&self) -> StopCondition {
        StopCondition { exit_after: self.exit_after, parent: self.parent.parent() }
    }
}

impl StopCondition {
    /// Waits until one of the flags asks for the end.
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
