//! The task that owns the engine: commands, the clock, and advances, one at a time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::Shared;
use super::advance::Advance;
use super::alarm::Alarm;
use super::play::Play;
use super::replica::Arrived;
use super::stalls::Stalls;

/// Commands that are handled before the clock is looked at again.
const COMMANDS_AT_ONCE: usize = 64;

/// Actions that happen before commands are looked at again, with a backlog of so many frames. A scenario that asks for more
/// than the machine can do falls behind its clock, but goes on answering.
fn actions_at_once(backlog: usize) -> usize {
    const MOST: usize = 256;
    MOST.min(backlog / 4)
}

/// Frames that a socket may be behind while time is advanced: with those of the next actions, of which each makes two
/// events at the most, it stays within its backlog.
fn leeway(backlog: usize) -> usize {
    backlog - 2 * actions_at_once(backlog)
}

/// What is to be done with what the task owns.
type Job = Box<dyn FnOnce(&mut Play) + Send>;

/// What handles ask of the task.
pub(super) enum Command {
    /// Something that is done at once.
    Do(Job),
    /// Something that takes as long as the sockets take.
    Advance(Box<Advance>),
    /// What comes next in the log of a shared world.
    Entry(Box<Arrived>),
}

pub(super) struct Task {
    pub(super) play: Play,
    pub(super) inbox: mpsc::Receiver<Command>,
}

impl Task {
    /// Runs until the end, or until the last handle is gone.
    pub(super) async fn run(mut self, end: CancellationToken) {
        // However the task ends, its sockets hear of it.
        let _ended = end.clone().drop_guard();
        let mut commands = Vec::new();
        let mut advances: VecDeque<Box<Advance>> = VecDeque::new();
        // They wait while an advance is at work, which is one of them.
        let mut entries: VecDeque<Box<Arrived>> = VecDeque::new();
        let at_once = actions_at_once(self.play.shared.feed.backlog());
        let (mut stalls, mut alarm) = (Stalls::default(), Alarm::default());
        loop {
            self.play.carry_out_entries(&mut entries, &mut advances);
            let shared = self.play.shared.clone();
            if end.run_until_cancelled(shared.feed.room()).await.is_none() {
                return;
            }
            let (is_advancing, waits_for_all) =
                advances.front().map_or((false, false), |advance| (true, advance.waits_for_all()));
            tokio::select! {
                () = end.cancelled() => return,
                () = wait_for_sockets(&shared, waits_for_all, &mut stalls), if is_advancing => {
                    let is_done = advances.front_mut().is_none_or(|advance| advance.go_on(&mut self.play, at_once));
                    if is_done && let Some(advance) = advances.pop_front() {
                        advance.finish(&mut self.play);
                    }
                }
                () = shared.clock.wait_until(self.play.engine.next_due(), &mut alarm), if !is_advancing && shared.replica.is_none() => {
                    self.play.catch_up_with_time(at_once);
                }
                count = self.inbox.recv_many(&mut commands, COMMANDS_AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    if !is_advancing {
                        self.play.catch_up_with_time(at_once);
                    }
                    for command in commands.drain(..) {
                        match command {
                            Command::Do(job) => self.do_job(job),
                            Command::Advance(advance) => advances.push_back(advance),
                            Command::Entry(entry) => entries.push_back(entry),
                        }
                    }
                }
            }
        }
    }
}

impl Task {
    /// A command that fails fails alone: whoever sent it hears nothing but that, and the world goes on as it is then.
    fn do_job(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| job(&mut self.play))).is_err() {
            error!(world = %self.play.shared.name, "a command has failed; it is a defect in mockd, please report it");
        }
    }
}

/// Waits until the sockets have room for what comes next, or until they have written everything.
async fn wait_for_sockets(shared: &Shared, waits_for_all: bool, stalls: &mut Stalls) {
    // Without sockets there is nothing to wait for, and others get their turn all the same.
    tokio::task::yield_now().await;
    let leeway = if waits_for_all { 0 } else { leeway(shared.feed.backlog()) as u64 };
    shared.sockets.written(shared.feed.end().saturating_sub(leeway), stalls).await;
}
