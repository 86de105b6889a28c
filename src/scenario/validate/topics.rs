//! Warns about topics that something waits for, but no step sends to.
//!
//! Programs may also send to topics from outside. So a topic is only reported if its name is similar to a topic in the
//! scenario.

use super::Validator;
use super::known::KnownNames;
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::source::Span;
use crate::scenario::yaml::{JsonNode, NodeId, NodeView};
use crate::words::nearest;

/// The topics of a scenario's steps and triggers.
#[derive(Debug, Default)]
pub(super) struct Topics {
    /// The topics that something waits for.
    awaited: Vec<(String, Span)>,
    /// The constant topics that steps send to.
    sent: Vec<String>,
    /// The constant prefixes of the computed topics that steps send to.
    prefixes: Vec<String>,
}

impl Topics {
    /// Returns whether a step may send to a topic, or to one that a pattern with a trailing `*` matches.
    fn may_reach(&self, topic: &str) -> bool {
        if let Some(prefix) = topic.strip_suffix('*') {
            let is_alike = |start: &String| start.starts_with(prefix) || prefix.starts_with(&**start);
            return self.sent.iter().any(|sent| sent.starts_with(prefix)) || self.prefixes.iter().any(is_alike);
        }
        self.sent.iter().any(|sent| sent == topic) || self.prefixes.iter().any(|start| topic.starts_with(&**start))
    }

    /// Returns the topic that was most likely meant: one that a step sends to, or else a topic of data.
    fn nearest(&self, topic: &str, known: &KnownNames) -> Option<String> {
        let (first, rest) = topic.split_once('/').map_or((topic, None), |(first, rest)| (first, Some(rest)));
        let of_data = || {
            let name = nearest(first, known.names())?;
            Some(rest.map_or_else(|| name.to_owned(), |rest| format!("{name}/{rest}")))
        };
        let candidates = self.sent.iter().map(String::as_str).filter(|sent| may_be_misspelling(sent, topic));
        nearest(topic, candidates).map(str::to_owned).or_else(of_data)
    }
}

/// Returns whether one topic may be a misspelling of another: they have the same number of segments and differ in more
/// than digits. `rooms/2` is not a misspelt `rooms/1`.
fn may_be_misspelling(one: &str, other: &str) -> bool {
    let letters = |topic: &str| topic.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    one.matches('/').count() == other.matches('/').count() && letters(one) != letters(other)
}

/// Returns whether changes of data are sent to a topic: `NAME` or `NAME/ID`.
fn is_data_topic(topic: &str, known: &KnownNames) -> bool {
    match topic.split_once('/').map_or(topic, |(first, _)| first).strip_suffix('*') {
        Some(prefix) => known.names().any(|name| name.starts_with(prefix)),
        None => known.names().any(|name| topic.split('/').next() == Some(name)),
    }
}

impl Validator<'_> {
    /// Records that a trigger waits for a topic.
    pub(super) fn note_awaited_topic(&mut self, topic: &str, span: Span) {
        self.topics.awaited.push((topic.to_owned(), span));
    }

    /// Records that members wait for these topics.
    pub(super) fn note_awaited(&mut self, topics: JsonNode) {
        let constant = self.topics_of(topics).into_iter().filter(|(topic, _)| computed_prefix(topic).is_none());
        self.topics.awaited.extend(constant);
    }

    /// Records that a step sends to these topics.
    pub(super) fn note_sent(&mut self, topics: JsonNode) {
        for (topic, _) in self.topics_of(topics) {
            match computed_prefix(&topic) {
                Some(start) => self.topics.prefixes.push(start.to_owned()),
                None => self.topics.sent.push(topic),
            }
        }
    }

    /// Returns a topic, or each topic of a list, with its span.
    fn topics_of(&self, JsonNode(node): JsonNode) -> Vec<(String, Span)> {
        let tree = self.document.tree();
        let one = [node];
        let nodes = match tree.view(node) {
            NodeView::List(items) => items,
            _ => &one,
        };
        let topic = |node: &NodeId| match tree.view(*node) {
            NodeView::Scalar { text, .. } => Some((text.to_owned(), tree.span(*node))),
            _ => None,
        };
        nodes.iter().filter_map(topic).collect()
    }

    /// Warns about topics to which nothing is ever sent.
    pub(super) fn warn_unsent_topics(&mut self, known: &KnownNames) {
        // An invalid step may be the one that sends to the topic.
        let is_wrong = |problem: &Problem| !problem.kind.is_warning();
        if !self.complete || !known.completeness().names || self.document.problems().iter().any(is_wrong) {
            return;
        }
        let topics = std::mem::take(&mut self.topics);
        for (topic, span) in &topics.awaited {
            if is_data_topic(topic, known) || topics.may_reach(topic) {
                continue;
            }
            if let Some(nearest) = topics.nearest(topic, known) {
                self.report(ProblemKind::NothingSent { topic: topic.clone(), nearest }, *span);
            }
        }
    }
}

/// Returns the constant prefix of a computed topic. `None` if the topic is constant.
fn computed_prefix(topic: &str) -> Option<&str> {
    let is_path = topic.starts_with('$') && !topic.starts_with("$$");
    if is_path { Some("") } else { topic.split_once("{{").map(|(start, _)| start) }
}
