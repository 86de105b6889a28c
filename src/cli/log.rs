//! Where the log goes: standard error, as text for people or as JSON lines for machines.
//!
//! A thread of its own writes it. A pipe that is full because nobody reads it would hold up whoever writes to it, and with
//! that the server; so what is logged then is lost.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::live_line::LiveLine;

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// How the log, and what is printed at the start, are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    /// Log more: requests and sockets (-v), everything (-vv)
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Print and log less: warnings and errors only (-q), nothing (-qq)
    #[arg(short, long, action = clap::ArgAction::Count)]
    quiet: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Lines that may wait to be written.
const WAITING_LINES: usize = 4096;

impl LogArgs {
    /// Starts the log; what it was given is written when the guard is dropped, if anybody reads it. A second start, which only
    /// an embedder could cause, leaves the first in place. On a terminal it keeps clear of the live line, if there is one.
    pub(super) fn start(&self, line: Option<&LiveLine>) -> WorkerGuard {
        let own = match (self.verbose, self.quiet) {
            (0, 0) => LevelFilter::INFO,
            (0, 1) => LevelFilter::WARN,
            (0, _) => LevelFilter::OFF,
            (1, _) => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        let foreign = if self.verbose > 1 { LevelFilter::DEBUG } else { LevelFilter::ERROR.min(own) };
        let filter = Targets::new().with_target("mockd", own).with_default(foreign);
        let lines = NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).thread_name("log");
        let out: Box<dyn Write + Send> = match line {
            Some(line) if io::stderr().is_terminal() => Box::new(line.beside(io::stderr())),
            _ => Box::new(io::stderr()),
        };
        let (writer, guard) = lines.finish(out);
        let base = tracing_subscriber::fmt::layer().with_writer(writer).with_target(false);
        let layer = match self.log_format {
            LogFormat::Text => base.without_time().with_ansi(io::stderr().is_terminal()).boxed(),
            LogFormat::Json => base.json().flatten_event(true).boxed(),
        };
        let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
        guard
    }

    /// Whether people look at what is printed.
    pub(super) fn is_for_people(&self) -> bool {
        self.log_format == LogFormat::Text && self.quiet == 0
    }

    /// A program that reads JSON waits for that line, unless it asks for nothing at all.
    pub(super) fn is_silent_about_readiness(&self) -> bool {
        match self.log_format {
            LogFormat::Text => self.quiet > 0,
            LogFormat::Json => self.quiet > 1,
        }
    }
}
