//! Streams of a world that several servers play. What they share goes through a log; a stream is of the one server that its
//! client is connected to. So its steps only reply, join, leave and close, it draws on random numbers of its own, and its
//! waiting steps are neither in the log nor in what other servers take up. The engine's time is shared, too: it stays where it
//! is while such steps are carried out.

use std::time::Duration;

use super::context::Context;
use super::draws::Drawn;
use super::runs::{RuleOrigin, RuleRun, RuleRuns, RunOwner};
use super::{Answered, AnsweredContent, RuleRequest};
use crate::engine::Engine;
use crate::engine::command::{Command, Effects};
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::topics::Topics;
use crate::scenario::Content;

/// What rules of members do on one server of several. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct LocalRules {
    /// Lists of steps that wait for their time.
    pub(super) runs: RuleRuns,
    pub(super) drawn: Drawn,
}

impl Engine {
    /// For a world that several servers play.
    #[must_use]
    pub fn played_by_several(self) -> Self {
        Self { local: Some(LocalRules::default()), ..self }
    }

    /// Whether other servers play the world, too.
    #[must_use]
    pub fn is_played_by_several(&self) -> bool {
        self.local.is_some()
    }

    /// When the next step of a stream or a socket is due, in a world that several servers play.
    #[must_use]
    pub fn next_local_due(&self) -> Option<Duration> {
        self.local.as_ref()?.runs.next_due().into_iter().chain(self.members.next_due()).min()
    }

    /// Carries out what streams have due by then, at most that many lists of steps, in a world that several servers play.
    pub fn advance_local(&mut self, to: Duration, most: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..most {
            let Some(due) = self.next_local_due().filter(|due| *due <= to) else { break };
            let Some((number, run)) = self.local.as_mut().and_then(|local| local.runs.take_due(due)) else {
                self.at_local_time(due, |engine| engine.elapse_session(due, to, &mut events));
                continue;
            };
            self.at_local_time(due, |engine| {
                let run = engine.run_due(run, &mut events);
                engine.keep_run(number, run, &mut events);
            });
        }
        events
    }

    /// Begins the stream that a route has answered with on every server, for a member of this one, at that time.
    ///
    /// # Errors
    /// [`Refusal`] if the route has gone since, or if a step is refused that is due at once; no step was carried out then.
    pub fn begin_stream(
        &mut self,
        key: &str,
        answered: Answered,
        request: RuleRequest,
        member: u64,
        now: Duration,
    ) -> Result<Effects, Refusal> {
        let scenario = self.scenario.clone();
        let gone = || Refusal::UnknownRoute(key.into());
        let answers = scenario.routes().answers(key).ok_or_else(gone)?;
        let answer = answered.number.checked_sub(1).and_then(|index| answers.list.get(index)).ok_or_else(gone)?;
        let (Content::Stream(steps), AnsweredContent::Stream { known }) = (&answer.content, &answered.content) else {
            return Err(gone());
        };
        let mut context = Context::from(request);
        for (name, value) in known {
            context.set(name, value.clone());
        }
        let (origin, mut events) = (RuleOrigin::Answer(answers.key.clone()), Vec::new());
        self.at_local_time(now, |engine| {
            engine.fire_rule(origin, RunOwner::Member(member), &mut events, |firing| {
                firing.begin_stream(steps, &mut context)
            })
        })?;
        Ok(Effects { events, answer: Some(answered), ..Effects::default() })
    }

    /// Whether what an owner's rules do is of this server alone.
    pub(super) fn is_local(&self, owner: RunOwner) -> bool {
        self.local.is_some() && owner.member().is_some()
    }

    /// Keeps a list until its next step is due.
    pub(super) fn wait(&mut self, run: RuleRun) -> Result<(), Refusal> {
        if !self.has_owner(run.owner) {
            return Ok(());
        }
        match &mut self.local {
            Some(local) if run.owner.member().is_some() => local.runs.wait(run),
            _ => self.rule_runs.wait(run),
        }
    }

    /// Forgets what rules have ended: they can no longer be undone.
    pub(super) fn forget_ended_runs(&mut self) {
        self.rule_runs.forget_ended();
        if let Some(local) = &mut self.local {
            local.runs.forget_ended();
        }
    }

    /// What rules have drawn by now.
    pub(super) fn drawn(&self, is_local: bool) -> Drawn {
        self.local.as_ref().filter(|_| is_local).map_or(&self.drawn, |local| &local.drawn).clone()
    }

    /// Those who have joined topics, as rules see them. In a world that several servers play, they are each server's own, so
    /// that only a rule that `is_local` sees them.
    pub(super) fn visible_topics(&self, is_local: bool) -> Option<Topics> {
        (self.local.is_none() || is_local).then(|| self.topics.clone())
    }

    /// Keeps what rules have drawn by now.
    pub(super) fn keep_drawn(&mut self, drawn: Drawn, is_local: bool) {
        match &mut self.local {
            Some(local) if is_local => local.drawn = drawn,
            _ => self.drawn = drawn,
        }
    }

    /// Carries out a command about a socket of this server, at that time.
    ///
    /// # Errors
    /// As [`Engine::apply`].
    pub fn apply_locally(&mut self, command: Command, now: Duration) -> Result<Effects, Refusal> {
        self.at_local_time(now, |engine| engine.apply(command))
    }

    fn at_local_time<T>(&mut self, time: Duration, job: impl FnOnce(&mut Self) -> T) -> T {
        let shared = self.now;
        self.now = time.max(shared);
        let done = job(self);
        self.now = shared;
        done
    }
}

#[cfg(test)]
mod tests;
