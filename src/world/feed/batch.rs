//! A run of items in the feed, encoded once for all sockets that receive the same messages.

use std::ptr::fn_addr_eq;

use bytes::{BufMut, Bytes, BytesMut};
use rustc_hash::FxHashMap;

use super::{EventFeed, FeedItem};
use crate::world::audience::{Audience, Audiences, Coverage};
use crate::world::message::{Delivery, Encode, Message};
use crate::world::socket::Socket;

/// A socket's position in the feed.
#[derive(Debug)]
pub(in crate::world) struct Cursor {
    /// The position of the next item to read.
    pub(in crate::world) position: u64,
    /// The number of the last event handed out; for a member of rules, of the last event received.
    pub(in crate::world) seen: u64,
    /// The socket's transport.
    pub(in crate::world) encode: Encode,
}

/// Encoded messages for one socket, ready to be written.
#[derive(Debug, Clone, Default)]
pub struct EncodedBatch {
    /// The bytes of all messages.
    pub bytes: Bytes,
    /// The number of messages.
    pub messages: u64,
}

impl EncodedBatch {
    /// Encodes messages.
    pub(in crate::world) fn of<'m>(messages: impl IntoIterator<Item = &'m Message>, encode: Encode) -> Self {
        let mut messages = messages.into_iter();
        let Some(first) = messages.next() else { return Self::default() };
        let first = first.encoded(encode);
        let Some(second) = messages.next() else {
            // The most common case needs no copy.
            return Self { bytes: first, messages: 1 };
        };
        let (mut bytes, mut count) = (BytesMut::from(&first[..]), 1);
        for message in std::iter::once(second).chain(messages) {
            bytes.put_slice(&message.encoded(encode));
            count += 1;
        }
        Self { bytes: bytes.freeze(), messages: count }
    }
}

/// The encodings of a batch for one transport.
#[derive(Clone)]
struct Encoding {
    encode: Encode,
    /// The encoding for sockets in every audience, found without hashing.
    whole: Option<EncodedBatch>,
    /// By the audiences that a socket belongs to.
    parts: FxHashMap<Vec<usize>, EncodedBatch>,
}

/// A run of items in the feed.
#[derive(Clone)]
pub(in crate::world) struct Batch {
    pub(in crate::world) from: u64,
    pub(in crate::world) to: u64,
    items: Vec<FeedItem>,
    /// The number of the last event among the items.
    seen: Option<u64>,
    /// The distinct audiences of the items.
    audiences: Audiences,
    /// The encodings so far, by transport.
    encodings: Vec<Encoding>,
    /// The audiences that the last socket belongs to.
    matching: Vec<usize>,
    /// The encoding for the last socket, if no other socket shares it.
    own: EncodedBatch,
}

impl Batch {
    /// Reads the items from a position on, at most `limit` and none after `last`. `None` if the feed no longer has
    /// them.
    pub(in crate::world) fn read(feed: &EventFeed, from: u64, limit: usize, last: u64) -> Option<Self> {
        let (items, to) = feed.read(from, limit, last)?;
        let seen = items.iter().rev().find_map(FeedItem::sequence);
        let mut audiences = Audiences::default();
        for item in &items {
            if audiences.last() != Some(&item.to) {
                audiences.insert(item.to.clone());
            }
        }
        let (encodings, matching, own) = (Vec::new(), Vec::new(), EncodedBatch::default());
        Some(Self { from, to, items, seen, audiences, encodings, matching, own })
    }

    pub(in crate::world) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Returns the distinct audiences of the items.
    pub(in crate::world) fn audiences(&self) -> impl Iterator<Item = &Audience> {
        self.audiences.iter()
    }

    /// Returns the encoded messages for a socket. Its cursor is at the start of the batch, and moves to the end.
    pub(in crate::world) fn encoded_for(&mut self, cursor: &mut Cursor, socket: &Socket) -> &EncodedBatch {
        self.advance(cursor, socket);
        self.matching.clear();
        let is_partial = socket.find_audiences(&self.audiences, self.from, self.to, &mut self.matching);
        if is_partial {
            let messages = self.items_for(socket).flat_map(|(_, item)| item.messages());
            self.own = EncodedBatch::of(messages, cursor.encode);
            return &self.own;
        }
        let index =
            self.encodings.iter().position(|encoding| fn_addr_eq(encoding.encode, cursor.encode)).unwrap_or_else(
                || {
                    self.encodings.push(Encoding { encode: cursor.encode, whole: None, parts: FxHashMap::default() });
                    self.encodings.len() - 1
                },
            );
        let Self { items, audiences, matching, encodings, own, .. } = self;
        let Encoding { whole, parts, .. } = &mut encodings[index];
        if matching.len() == audiences.len() {
            let encode = || EncodedBatch::of(items.iter().flat_map(FeedItem::messages), cursor.encode);
            return whole.get_or_insert_with(encode);
        }
        if !parts.contains_key(matching) {
            let is_included =
                |item: &&FeedItem| audiences.get_index_of(&item.to).is_some_and(|index| matching.contains(&index));
            let encoded =
                EncodedBatch::of(items.iter().filter(is_included).flat_map(FeedItem::messages), cursor.encode);
            parts.insert(matching.clone(), encoded);
        }
        parts.get(matching).unwrap_or(own)
    }

    /// Returns the messages of [`Batch::encoded_for`] one by one, each with the event that it reports.
    pub(in crate::world) fn messages_for(&self, cursor: &mut Cursor, socket: &Socket) -> Vec<Delivery> {
        let deliveries = |(position, item): (u64, &FeedItem)| {
            let (event, at) = (item.event(), item.at);
            let messages = item.messages().to_vec();
            messages.into_iter().map(move |message| Delivery { message, event, at, position })
        };
        let messages = self.items_for(socket).flat_map(deliveries).collect();
        self.advance(cursor, socket);
        messages
    }

    /// Returns the items for a socket, with their positions.
    fn items_for(&self, socket: &Socket) -> impl Iterator<Item = (u64, &FeedItem)> {
        let positions = (self.from..).zip(&self.items);
        positions.filter(|(position, item)| socket.coverage(&item.to, *position, position + 1) == Coverage::Everything)
    }

    fn advance(&self, cursor: &mut Cursor, socket: &Socket) {
        cursor.position = self.to;
        let Some(seen) = self.seen else { return };
        if !socket.is_rule_driven() {
            cursor.seen = seen;
        } else if seen > cursor.seen {
            // Items of the last event may follow after the batch.
            cursor.seen = cursor.seen.max(if self.has_item_of(seen, socket) { seen } else { seen - 1 });
        }
    }

    /// Returns whether a socket receives anything of the last event in the batch.
    fn has_item_of(&self, last: u64, socket: &Socket) -> bool {
        let tail = self.items.iter().rev().take_while(|item| item.sequence().is_none_or(|sequence| sequence == last));
        (self.from..self.to).rev().zip(tail).any(|(position, item)| {
            item.sequence().is_some() && socket.coverage(&item.to, position, position + 1) == Coverage::Everything
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::engine::Topic;
    use crate::world::audience::Join;
    use crate::world::feed::Content;
    use crate::world::socket::SocketKind;
    use crate::world::sockets::Sockets;

    fn topic(name: &str) -> Topic {
        Topic::Named(name.into())
    }

    /// Returns a socket that joins topics at this position, each with its own name as its state.
    fn socket(sockets: &Sockets, topics: &[&str], position: u64) -> Arc<Socket> {
        let socket = sockets.open("toys".into(), Duration::ZERO, position);
        let join = |name: &&str| Join { topic: topic(name), state: Some((*name).into()) };
        sockets.change_topics(&socket, |_| false, topics.iter().map(join).collect(), position);
        socket
    }

    fn item(to: Audience, text: &str) -> FeedItem {
        FeedItem { to, at: Duration::ZERO, content: Content::Message(Message::text(text.to_owned())) }
    }

    fn encode(message: &Message) -> Bytes {
        message.payload().clone()
    }

    #[test]
    fn sockets_receive_their_topics_and_share_encodings() {
        let (sockets, feed) = (Sockets::default(), EventFeed::new(16));
        let (both, news) = (socket(&sockets, &["news", "chat"], 0), socket(&sockets, &["news"], 0));
        let (late, same) = (socket(&sockets, &["news"], 2), socket(&sockets, &["news"], 0));
        let switched = socket(&sockets, &["news"], 0);
        sockets.change_topics(&switched, |_| false, vec![Join { topic: topic("chat"), state: None }], 3);
        let id = |name| sockets.audience_of(&[topic(name)]).unwrap();
        feed.publish([
            item(id("news"), "0"),
            item(id("chat"), "1"),
            item(id("news"), "2"),
            item(Audience::State("news".into()), "3"),
            item(Audience::One(both.id), "4"),
            item(Audience::All, "5"),
            item(id("chat"), "6"),
            item(sockets.audience_of(&[topic("news"), topic("chat")]).unwrap(), "7"),
            item(id("news").without(Some(both.id)), "8"),
            item(sockets.audience_of(&[topic("news"), topic("chat")]).unwrap().without(Some(switched.id)), "9"),
        ]);
        let mut batch = Batch::read(&feed, 0, 100, u64::MAX).unwrap();
        let mut first = None;
        for (socket, expected) in
            [(&both, "012345679"), (&news, "0235789"), (&late, "235789"), (&same, "0235789"), (&switched, "02567")]
        {
            let cursor = || Cursor { position: 0, seen: 0, encode };
            let encoded = batch.encoded_for(&mut cursor(), socket).clone();
            assert_eq!(encoded.bytes, expected);
            assert_eq!(encoded.messages, expected.len() as u64);
            let messages = batch.messages_for(&mut cursor(), socket);
            let payloads: Vec<u8> = messages.iter().flat_map(|delivery| delivery.message.payload().to_vec()).collect();
            assert_eq!(payloads, expected.as_bytes());
            if expected == "0235789" {
                assert_eq!(*first.get_or_insert(encoded.bytes.as_ptr()), encoded.bytes.as_ptr());
            }
        }
    }

    #[test]
    fn a_member_cursor_tracks_the_last_event_received() {
        let (sockets, feed) = (Sockets::default(), EventFeed::new(16));
        let other = socket(&sockets, &["others"], 0);
        let member = sockets.open_of_kind(
            SocketKind::Endpoint { path: "/s".into(), endpoint: "/s".into() },
            None,
            Duration::ZERO,
            0,
        );
        sockets.change_topics(&member, |_| false, vec![Join { topic: topic("own"), state: None }], 0);
        let delivery = |(name, event): (&str, u64)| {
            let content = Content::Delivery(event, Message::text("x"));
            FeedItem { to: sockets.audience_of(&[topic(name)]).unwrap(), at: Duration::ZERO, content }
        };
        feed.publish([("own", 1), ("others", 2), ("own", 2), ("others", 2), ("others", 3)].map(delivery));
        let mut step_by_step = Cursor { position: 0, seen: 0, encode };
        for (to, seen, in_batch) in [(1, 1, 1), (2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 2, 3)] {
            let mut at_once = Cursor { position: 0, seen: 0, encode };
            for cursor in [&mut at_once, &mut step_by_step] {
                let mut batch = Batch::read(&feed, cursor.position, 100, to).unwrap();
                batch.encoded_for(cursor, &member);
                assert_eq!((cursor.position, cursor.seen), (to, seen));
            }
            // A socket of a collection never receives only part of an event.
            let mut cursor = Cursor { position: 0, seen: 0, encode };
            Batch::read(&feed, 0, 100, to).unwrap().messages_for(&mut cursor, &other);
            assert_eq!(cursor.seen, in_batch);
        }
    }
}
