//! The task that owns the engine: commands, the clock, and advances, one at a time.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::advance::Advance;
use super::alarm::Alarm;
use super::feed::BACKLOG;
use super::play::Play;
use super::sockets::Stalls;

/// Commands that are handled before the clock is looked at again.
const COMMANDS_AT_ONCE: usize = 64;

/// Actions that happen before commands are looked at again. A scenario that asks for more than the machine can do
/// falls behind its clock, but goes on answering.
const ACTIONS_AT_ONCE: usize = 256;

/// Frames that a socket may be behind while time is advanced: with those of the next actions, of which each makes two
/// events at the most, it stays within its backlog.
const LEEWAY: usize = BACKLOG - 2 * ACTIONS_AT_ONCE;

/// What handles ask of the task.
pub(super) enum Command {
    /// Something that is done at once.
    Do(Box<dyn FnOnce(&mut Play) + Send>),
    /// Something that takes as long as the sockets take.
    Advance(Box<Advance>),
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
        let (mut stalls, mut alarm) = (Stalls::default(), Alarm::default());
        loop {
            let shared = self.play.shared.clone();
            if end.run_until_cancelled(shared.feed.room()).await.is_none() {
                return;
            }
            let (is_advancing, is_at_its_end) =
                advances.front().map_or((false, false), |advance| (true, advance.is_at_its_end()));
            tokio::select! {
                () = end.cancelled() => return,
                () = wait_for_sockets(&shared, is_at_its_end, &mut stalls), if is_advancing => {
                    let is_done = advances.front_mut().is_none_or(|advance| advance.go_on(&mut self.play, ACTIONS_AT_ONCE));
                    if is_done && let Some(advance) = advances.pop_front() {
                        advance.finish(&mut self.play);
                    }
                }
                () = shared.clock.wait_until(self.play.engine.next_due(), &mut alarm), if !is_advancing => {
                    self.play.catch_up_with_time(ACTIONS_AT_ONCE);
                }
                count = self.inbox.recv_many(&mut commands, COMMANDS_AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    if !is_advancing {
                        self.play.catch_up_with_time(ACTIONS_AT_ONCE);
                    }
                    for command in commands.drain(..) {
                        match command {
                            Command::Do(job) => job(&mut self.play),
                            Command::Advance(advance) => advances.push_back(advance),
                        }
                    }
                }
            }
        }
    }
}

/// Waits until the sockets have room for what comes next; at the end, until they have written everything.
async fn wait_for_sockets(shared: &Shared, is_at_its_end: bool, stalls: &mut Stalls) {
    // Without sockets there is nothing to wait for, and others get their turn all the same.
    tokio::task::yield_now().await;
    let leeway = if is_at_its_end { 0 } else { LEEWAY as u64 };
    shared.sockets.written(shared.feed.end().saturating_sub(leeway), stalls).await;
}
