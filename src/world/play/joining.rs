//! What a socket gets that joins, switches to another category, or has fallen behind.

use std::sync::Arc;

use super::Play;
use crate::websocket::Encoded;
use crate::world::fanout;
use crate::world::feed::{self, Frame};
use crate::world::journal::{Recipients, Record};
use crate::world::socket::Socket;
use crate::world::subscription::Joined;

impl Play {
    pub(in crate::world) fn join(&mut self, category: &str) -> (Arc<Socket>, Joined) {
        // One name for all, so that none is left behind in the journal in the middle of memory that could be given back.
        let category = self.engine.catalogue().name(category).cloned().unwrap_or_else(|| category.into());
        if let Some(tasks) = self.fanout.take() {
            let (end, fanout) = (self.shared.end.clone(), fanout::run(self.shared.clone()));
            tasks.spawn(async move { end.run_until_cancelled(fanout).await });
        }
        let frames = self.current_orders(&category);
        let position = self.shared.feed.end();
        let at = self.shared.clock.now();
        let socket = self.shared.sockets.open(category.clone(), at, position);
        self.hit(&socket, position);
        self.shared.journal.record(at, Record::Opened { socket: socket.id, category });
        self.journal_frames(&Recipients::One(socket.id), &frames);
        (socket, Joined { sequence: self.engine.sequence(), position, at, frames })
    }

    pub(in crate::world) fn switch(&mut self, socket: &Socket, category: Arc<str>) -> Joined {
        let frames = self.current_orders(&category);
        self.shared.sockets.switch(socket, category);
        let position = self.shared.feed.end();
        self.hit(socket, position);
        Joined { sequence: self.engine.sequence(), position, at: self.now(), frames }
    }

    /// The totals that changed since the event of that number, for a socket whose place in the feed is gone. Without one, or
    /// after a reset or a restore, all that are not as declared, and the current orders of its category.
    pub(in crate::world) fn catch_up(&mut self, socket: &Socket, after: Option<u64>, position: u64) -> Joined {
        let scope = self.engine.scenario().feed();
        let category = socket.category();
        let after = after.filter(|_| !self.shared.feed.fresh_since(position));
        let mut frames = if after.is_none() { self.current_orders(&category).to_vec() } else { Vec::new() };
        for event in self.engine.changed_since(after.unwrap_or_default()) {
            if let Some(Frame::Order { only, text, .. }) = Frame::of(scope, &event)
                && only.is_none_or(|only| only == category)
            {
                frames.push(text);
            }
        }
        let (sequence, position) = (self.engine.sequence(), self.shared.feed.end());
        Joined { sequence, position, at: self.now(), frames: frames.into() }
    }

    /// The current orders of a category, made once for all who come before the next event.
    pub(super) fn current_orders(&mut self, category: &Arc<str>) -> Arc<[Encoded]> {
        let sequence = self.engine.sequence();
        if let Some((_, frames)) = self.current.get(category).filter(|(made, _)| *made == sequence) {
            return frames.clone();
        }
        // What is older is of no more use.
        self.current.retain(|_, (made, _)| *made == sequence);
        let frames: Arc<[Encoded]> = feed::current_orders(&self.engine, category).into();
        // Clients may name categories that do not exist, as many as they like.
        if !frames.is_empty() {
            self.current.insert(category.clone(), (sequence, frames.clone()));
        }
        frames
    }
}
