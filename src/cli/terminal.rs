//! Terminal output of a server: the log and, below it, a status line that is redrawn every second.
//!
//! The log goes to standard error, as text for people or as JSON lines for programs. A dedicated thread writes it.
//! Lines are dropped while the output is a full pipe that nobody reads, because blocking on it would block the server.
//!
//! The status line stays below all other output. Log lines often go to the same terminal, so the log writer hides the
//! status line while it writes ([`LiveLine::above`]). The line is not drawn while another program owns the terminal,
//! such as a shell that started mockd with `&`. It only reads what worlds publish and never sends them a request.
//!
//! A stopped terminal (Ctrl-S) blocks writers, so only threads that may block write to it, never a thread that serves
//! requests.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use console::{Term, is_dumb};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::reloads::Reloads;
use crate::system::program::is_in_foreground;
use crate::world::Pace;
use crate::worlds::Worlds;

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Format of the log and of the startup message
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    /// Log more: requests and sockets (-v), everything (-vv)
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Print less: only warnings, errors and a system-chosen port (-q), or nothing (-qq)
    #[arg(short, long, action = clap::ArgAction::Count)]
    quiet: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

/// The message printed once the server is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadyMessage {
    /// Lines for people.
    Text,
    /// The first and last lines of [`ReadyMessage::Text`]: the URL and the ready line.
    ShortText,
    /// One JSON object for programs.
    Json,
}

/// The maximum number of log lines waiting to be written.
const MAX_QUEUED_LINES: usize = 4096;

impl LogArgs {
    /// Starts the log. Dropping the guard writes the remaining lines. A second start, which only an embedder could
    /// cause, keeps the first log. On a terminal, log lines go above the status line, if there is one.
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
        let lines = NonBlockingBuilder::default().buffered_lines_limit(MAX_QUEUED_LINES).thread_name("log");
        let out: Box<dyn Write + Send> = match line {
            Some(line) if io::stderr().is_terminal() => Box::new(line.above(io::stderr())),
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

    /// Whether the output is for people.
    pub(super) fn is_human_readable(&self) -> bool {
        self.log_format == LogFormat::Text && self.quiet == 0
    }

    /// Returns the message to print once the server is ready, or `None` for `-qq`. With `-q` it is kept for programs
    /// that wait for the JSON line, and for a port that the system chose, which only this message shows.
    pub(super) fn greeting(&self, is_port_known: bool) -> Option<ReadyMessage> {
        match (self.log_format, self.quiet) {
            (_, 2..) => None,
            (LogFormat::Json, _) => Some(ReadyMessage::Json),
            (LogFormat::Text, 0) => Some(ReadyMessage::Text),
            (LogFormat::Text, _) => (!is_port_known).then_some(ReadyMessage::ShortText),
        }
    }
}

const PERIOD: Duration = Duration::from_secs(1);

/// The status line, hidden until [`LiveLine::show`]. Clones share one line.
#[derive(Debug, Clone)]
pub(super) struct LiveLine(ProgressBar);

impl LiveLine {
    /// Creates the line, or returns `None` if standard output is not a terminal on which the cursor can be moved.
    pub(super) fn on_terminal() -> Option<Self> {
        (io::stdout().is_terminal() && !is_dumb()).then(|| Self(ProgressBar::hidden()))
    }

    /// Returns a writer that writes above the line.
    pub(super) fn above<W: Write>(&self, log: W) -> AboveLine<W> {
        AboveLine { line: self.0.clone(), log }
    }

    /// Shows the line, redraws it until shutdown, and then erases it.
    pub(super) async fn show(self, mut figures: Figures, shutdown: CancellationToken) {
        let Self(line) = self;
        // Fails only for a malformed template.
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            line.set_style(style);
        }
        loop {
            let (text, drawn) = (figures.text(), line.clone());
            // Fails only while the runtime shuts down.
            let _ = spawn_blocking(move || draw(&drawn, text)).await;
            if shutdown.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none() {
                break;
            }
        }
        let _ = spawn_blocking(move || line.finish_and_clear()).await;
    }
}

fn draw(line: &ProgressBar, text: String) {
    match (is_in_foreground(), line.is_hidden()) {
        (true, true) => {
            let screen = Screen(Term::buffered_stdout());
            line.set_draw_target(ProgressDrawTarget::term_like(Box::new(screen)));
        }
        // Other programs may have overwritten the line, so it is not erased.
        (false, false) => line.set_draw_target(ProgressDrawTarget::hidden()),
        (true, false) | (false, true) => {}
    }
    line.set_message(text);
}

/// A writer that hides the status line while it writes.
#[derive(Debug)]
pub(super) struct AboveLine<W> {
    line: ProgressBar,
    log: W,
}

impl<W: Write> Write for AboveLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.suspend(|| self.log.write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.line.suspend(|| self.log.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}

/// The figures shown on the status line, and the last reading for the event rate.
#[derive(Debug)]
pub(super) struct Figures {
    worlds: Worlds,
    reloads: Reloads,
    /// The time of the last reading and the number of the default world's last event at that time.
    last: Option<(Instant, u64)>,
}

impl Figures {
    pub(super) fn new(worlds: Worlds, reloads: Reloads) -> Self {
        Self { worlds, reloads, last: None }
    }

    /// Returns a text such as `shop  1m02s  ×20  12 sockets  340 events/s  3 worlds  file broken`.
    fn text(&mut self) -> String {
        let worlds = self.worlds.all();
        let (default, others) = (self.worlds.default_world(), worlds.len() - 1);
        // Control characters could move the cursor.
        let mut parts = vec![default.view().scenario.name().replace(char::is_control, " "), time(default.now())];
        match default.pace() {
            Pace { paused: true, .. } => parts.push("paused".into()),
            Pace { speed, .. } if (speed - 1.0).abs() > f64::EPSILON => parts.push(format!("×{speed}")),
            Pace { .. } => {}
        }
        parts.push(counted(worlds.iter().map(|world| world.socket_count() as u64).sum(), "socket", ""));
        parts.push(counted(self.rate(default.last_event()), "event", "/s"));
        if others > 0 {
            parts.push(counted(others as u64, "world", ""));
        }
        if self.reloads.last().error.is_some() {
            parts.push("file broken".into());
        }
        parts.join("  ")
    }

    /// Returns the events per second since the last reading, or 0 after a reset, which restarts the count.
    fn rate(&mut self, events: u64) -> u64 {
        let now = Instant::now();
        let (since, before) = self.last.replace((now, events)).unwrap_or((now, events));
        let (count, micros) = (u128::from(events.saturating_sub(before)), (now - since).as_micros().max(1));
        u64::try_from((count * 1_000_000 + micros / 2) / micros).unwrap_or(u64::MAX)
    }
}

/// Formats a time in whole seconds. Units after the first have two digits: `59s`, `1m02s`, `1h00m02s`.
fn time(time: Duration) -> String {
    let (seconds, minutes, hours) = (time.as_secs() % 60, time.as_secs() / 60 % 60, time.as_secs() / 3600);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds:02}s"),
        _ => format!("{hours}h{minutes:02}m{seconds:02}s"),
    }
}

fn counted(count: u64, one: &str, unit: &str) -> String {
    format!("{count} {one}{}{unit}", if count == 1 { "" } else { "s" })
}

/// A terminal that reports itself slightly narrower than it is. The status line is padded to the reported width and the
/// cursor stays at its end, so the `^C` that a terminal shows for Ctrl-C lands on the line and is erased with it.
#[derive(Debug)]
struct Screen(Term);

impl Screen {
    const MARGIN: u16 = 3;
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(Self::MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.0.write_line(s)
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.0.write_str(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
