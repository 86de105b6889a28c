//! Checks the frames, messages and subprotocols of endpoints with a protocol, as far as the scenario alone determines
//! them.

use serde_json::{Map, Value};

use super::Validator;
use super::known::KnownNames;
use super::steps::{Owner, Rules, StepContext};
use crate::expression::Template;
use crate::scenario::Protocol;
use crate::scenario::problem::{ProblemKind, SocketMistake};
use crate::scenario::source::Span;
use crate::scenario::yaml::{JsonNode, NodeView};

/// The protocol of an endpoint, with the context of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ProtocolContext {
    pub(super) protocol: Protocol,
    /// Whether the steps answer the message with which a client connects.
    pub(super) on_connect: bool,
    /// Whether the endpoint declares the frame in which members receive events.
    pub(super) has_frame: bool,
}

impl ProtocolContext {
    /// Returns the fields of a client's message. `None` if the message may have any fields.
    pub(super) fn message_fields(self) -> Option<Vec<&'static str>> {
        Some(match (self.protocol, self.on_connect) {
            (Protocol::Plain, _) => return None,
            (Protocol::SocketIo, _) => vec!["namespace", "event", "args", "ack"],
            (Protocol::GraphqlTransportWs, true) => vec!["payload"],
            (Protocol::GraphqlTransportWs, false) => vec!["id", "operationName", "query", "variables", "extensions"],
        })
    }
}

/// The shape of a frame.
struct FrameShape {
    /// The description for messages.
    expected: &'static str,
    /// Keys: at least one of them is required.
    any_of: &'static [&'static str],
    /// The allowed keys. An empty list allows all keys.
    allowed: &'static [&'static str],
    /// The allowed keys of a frame without `event`.
    without_event: &'static [&'static str],
}

/// A Socket.IO event for members of a topic.
const EVENT: FrameShape = FrameShape {
    expected: "a Socket.IO event: { event, args }",
    any_of: &["event"],
    allowed: &["event", "args", "namespace"],
    without_event: &[],
};

/// A Socket.IO reply in `open`.
const EVENT_OR_REFUSAL: FrameShape = FrameShape {
    expected: "a Socket.IO frame: { event, args } or { error }",
    any_of: &["event", "error"],
    allowed: &["event", "args", "error", "namespace", "ack", "id"],
    without_event: &["error", "namespace"],
};

/// A Socket.IO reply to a message.
const EVENT_OR_ACK: FrameShape = FrameShape {
    expected: "a Socket.IO frame: { event, args } or { ack }",
    any_of: &["event", "ack"],
    allowed: &["event", "args", "ack", "namespace", "id"],
    without_event: &["ack", "namespace"],
};

/// A result of a GraphQL operation.
const RESULT: FrameShape = FrameShape {
    expected: "a GraphQL result: { data } or { errors }",
    any_of: &["data", "errors", "hasNext"],
    allowed: &[],
    without_event: &[],
};

/// The acknowledgement of a GraphQL connection.
const ACKNOWLEDGEMENT: FrameShape = FrameShape {
    expected: "the acknowledgement of a GraphQL connection: { ack: PAYLOAD }",
    any_of: &["ack"],
    allowed: &["ack"],
    without_event: &["ack"],
};

impl FrameShape {
    /// Returns the shape of a reply. `None` if a reply may be any value.
    fn for_reply(protocol_context: ProtocolContext) -> Option<Self> {
        Some(match (protocol_context.protocol, protocol_context.on_connect) {
            (Protocol::Plain, _) => return None,
            (Protocol::SocketIo, true) => EVENT_OR_REFUSAL,
            (Protocol::SocketIo, false) => EVENT_OR_ACK,
            (Protocol::GraphqlTransportWs, true) => ACKNOWLEDGEMENT,
            (Protocol::GraphqlTransportWs, false) => RESULT,
        })
    }

    /// Returns the shape of a frame for members of a topic. `None` if the frame may be any value.
    fn for_members(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Plain => None,
            Protocol::SocketIo => Some(EVENT),
            Protocol::GraphqlTransportWs => Some(RESULT),
        }
    }

    fn check(&self, node: JsonNode, template: &Template, check: &mut Validator<'_>) {
        let Some(value) = check.document.json(node.0) else { return };
        match &value {
            Value::Object(fields) if self.fits(fields) => {
                let expected = if fields.contains_key("event") { self.allowed } else { self.without_event };
                let is_set = |key: &str| fields.get(key).is_some_and(|value| !value.is_null());
                let is_unknown = |key: &str| !expected.is_empty() && !expected.contains(&key);
                let is_misplaced = |key: &str| {
                    key == "id" && self.is_of_socket_io() && (is_unknown(key) || is_set("ack") && is_set("id"))
                };
                if let Some(key) = fields.keys().find(|key| is_unknown(key) || is_misplaced(key)) {
                    let place = check.document.key_span_at(node.0, &[], key);
                    let kind = if is_misplaced(key) {
                        SocketMistake::MisplacedId.into()
                    } else {
                        ProblemKind::UnknownKey { key: key.clone(), expected }
                    };
                    check.report(kind, place);
                }
            }
            Value::String(_) if !template.is_constant() => {}
            _ => check.document.report_wrong_type(node.0, self.expected),
        }
    }

    fn is_of_socket_io(&self) -> bool {
        self.any_of.contains(&"event")
    }

    fn fits(&self, fields: &Map<String, Value>) -> bool {
        self.any_of.iter().any(|key| fields.contains_key(*key))
    }
}

impl Rules<'_, '_, '_> {
    /// Checks the frame of a reply to the client of a socket.
    pub(super) fn check_reply(&mut self, node: JsonNode, template: &Template, context: StepContext<'_, '_>) {
        if context.owner == Owner::Socket
            && let Some(shape) = FrameShape::for_reply(context.protocol_context)
        {
            shape.check(node, template, self.check);
        }
    }

    /// Checks the frame in which members receive events, declared by a `join` or by an endpoint.
    pub(super) fn check_member_frame(&mut self, node: JsonNode, template: &Template, protocol: Protocol) {
        if let Some(shape) = FrameShape::for_members(protocol) {
            shape.check(node, template, self.check);
        }
    }

    /// Checks a frame that is sent to all sockets of an endpoint.
    pub(super) fn check_broadcast(&mut self, node: JsonNode, template: &Template, span: Span, protocol: Protocol) {
        if protocol == Protocol::GraphqlTransportWs {
            self.check.report(SocketMistake::SendsToAll.into(), span);
        } else {
            self.check_member_frame(node, template, protocol);
        }
    }

    /// Warns about topics of `data` that members join without declaring a frame. The changes would be sent as they
    /// are, and are not frames of the protocol.
    pub(super) fn warn_raw_changes(&mut self, topics: JsonNode, protocol_context: ProtocolContext) {
        if protocol_context.protocol == Protocol::Plain || protocol_context.has_frame {
            return;
        }
        let tree = self.check.document.tree();
        let one = [topics.0];
        let nodes = match tree.view(topics.0) {
            NodeView::List(items) => items,
            _ => &one,
        };
        let raw = nodes.iter().filter_map(|node| match tree.view(*node) {
            NodeView::Scalar { text, .. } if is_data_topic(text, self.known) => {
                Some((text.to_owned(), tree.span(*node)))
            }
            _ => None,
        });
        for (topic, span) in raw.collect::<Vec<_>>() {
            self.check.report(SocketMistake::RawChanges { topic, protocol: protocol_context.protocol }.into(), span);
        }
    }

    /// Warns about a rule for text messages.
    pub(super) fn warn_text_rule(&mut self, span: Span, protocol: Protocol) {
        if protocol != Protocol::Plain {
            self.check.report(SocketMistake::NeverText(protocol).into(), span);
        }
    }

    /// Warns if a GraphQL endpoint does not accept the subprotocol that its clients offer.
    pub(super) fn check_subprotocols<T: AsRef<str>>(&mut self, subprotocols: &[T], span: Span, protocol: Protocol) {
        let own = <&str>::from(Protocol::GraphqlTransportWs);
        if protocol == Protocol::GraphqlTransportWs && !subprotocols.iter().any(|one| one.as_ref() == own) {
            self.check.report(SocketMistake::OtherSubprotocol.into(), span);
        }
    }
}

/// Returns whether a constant topic is a name of `data`, or belongs to one of its rows.
fn is_data_topic(topic: &str, known: &KnownNames) -> bool {
    let first = topic.split('/').next().unwrap_or_default();
    !first.is_empty() && known.names().any(|name| name == first)
}
