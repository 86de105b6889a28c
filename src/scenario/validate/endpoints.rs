//! Checks endpoints, and reports endpoints that match the same sockets.

use std::collections::HashMap;
use std::sync::Arc;

use matchit::{InsertError, Router};
use serde_json::{Value, json};

use super::answers::{is_token, transpose};
use super::expressions::{HANDSHAKE, MESSAGE, Scope};
use super::http::DeclaredRoute;
use super::paths::read_path;
use super::protocols::ProtocolContext;
use super::steps::{Owner, Rules, StepContext};
use super::{Validator, given};
use crate::scenario::endpoint::EndpointError;
use crate::scenario::problem::{Problem, ProblemKind, RouteMistake};
use crate::scenario::raw::{
    RawAnswers, RawEndpoint, RawMessageRule, RawProtocol, RawRefusals, RawRuleStep, RawSubprotocols, RawVerb,
    RawVerbValue,
};
use crate::scenario::route::insert_path;
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};
use crate::scenario::{Answers, Endpoint, EndpointTable, MessageRule, PathPattern, Plan, Protocol, StepList};

/// An endpoint with the span of its key.
pub(super) struct DeclaredEndpoint {
    endpoint: Arc<Endpoint>,
    span: Span,
}

impl Rules<'_, '_, '_> {
    pub(super) fn endpoints(&mut self, entries: &Entries<JsonNode>) -> Vec<DeclaredEndpoint> {
        let mut endpoints = Vec::new();
        for (key, node) in &entries.0 {
            let (Some((key, span)), Some((node, _))) = (key.get(), node.get()) else { continue };
            let (path, mistakes) = read_path(key);
            for (kind, range) in mistakes {
                let place = self.check.document.part_span(span, key, range);
                self.check.report(kind, place);
            }
            // The endpoint is checked even if its key is invalid.
            let endpoint = self.endpoint(key, path.as_ref(), *node);
            // An invalid endpoint still takes part in the search for ambiguous endpoints.
            if let Some(path) = path {
                let endpoint = endpoint.unwrap_or_else(|| Endpoint::without_steps(key, path));
                endpoints.push(DeclaredEndpoint { endpoint: Arc::new(endpoint), span });
            }
        }
        endpoints
    }

    fn endpoint(&mut self, key: &str, path: Option<&PathPattern>, node: JsonNode) -> Option<Endpoint> {
        let document = self.check.document;
        let raw = document.decode::<Spanned<RawEndpoint>>(node.0)?.value?;
        let written = document.json(node.0);
        let part = |key: &str| written.as_ref().and_then(|endpoint| endpoint.get(key));
        let known = Scope::of(self.known);
        let request = path.map_or_else(|| known.with_request(), |path| known.with_request_to(path.parameter_names()));
        let handshake = raw.handshake.map(|raw| self.handshake(key, raw, node, part("handshake"), &request));
        self.expressions.take_uses();
        let protocol = raw.protocol.as_ref().map(|protocol| protocol.value);
        let resolved_protocol = protocol.flatten().map(Protocol::from).unwrap_or_default();
        let subprotocols = given(raw.subprotocol.as_ref()).map(|(raw, span)| {
            let subprotocols = self.subprotocols(raw, span)?;
            self.check_subprotocols(&subprotocols, span, resolved_protocol);
            Some(subprotocols)
        });
        let socket = known.with_socket(path.map(PathPattern::parameter_names));
        let protocol_context = ProtocolContext {
            protocol: resolved_protocol,
            on_connect: false,
            has_frame: given(raw.frame.as_ref()).is_some(),
        };
        let opening = ProtocolContext { on_connect: true, ..protocol_context };
        let message = socket.with_message(protocol_context.message_fields());
        // With a protocol, a client connects by sending a message.
        let at_open = if protocol.is_some() { socket.with_message(opening.message_fields()) } else { socket.clone() };
        let open = StepContext::new(Owner::Socket, &at_open).with_protocol(opening);
        let closed = StepContext::new(Owner::ClosedSocket, &socket).with_protocol(protocol_context);
        let frame = self.member_frame(raw.frame.as_ref(), &socket);
        if let (Some((node, _)), Some(Some(frame))) = (given(raw.frame.as_ref()), &frame) {
            self.check_member_frame(*node, frame, resolved_protocol);
        }
        let open = self.socket_steps(raw.open.as_ref(), "`open`", part("open"), open);
        let on_message = StepContext::new(Owner::Socket, &message).with_protocol(protocol_context);
        let messages = given(raw.messages.as_ref()).map(|(list, _)| self.messages(list, part("messages"), on_message));
        let closed = self.socket_steps(raw.closed.as_ref(), "`closed`", part("closed"), closed);
        let mut names = self.expressions.take_uses().names;
        names.retain(|name| HANDSHAKE.contains(&name.as_str()));
        let protocol = transpose(protocol)?;
        let (open, messages, closed) = (open?, transpose(messages)?.unwrap_or_default(), closed?);
        let lists = open.iter().chain(messages.iter().map(|rule| &rule.steps)).chain(&closed);
        Some(Endpoint {
            sends_to_all: Endpoint::send_to_all(lists),
            key: key.into(),
            path: path.cloned().unwrap_or_default(),
            handshake: transpose(handshake)?,
            subprotocols: transpose(subprotocols)?.unwrap_or_else(|| implied_subprotocols(protocol)),
            protocol: protocol.map(Protocol::from).unwrap_or_default(),
            frame: frame?,
            open,
            messages,
            closed,
            names,
            source: written?,
        })
    }

    /// Checks the answers that refuse handshakes. Their default status is 403.
    fn handshake(
        &mut self,
        key: &str,
        Spanned { span, value }: Spanned<RawRefusals>,
        node: JsonNode,
        written: Option<&Value>,
        scope: &Scope<'_>,
    ) -> Option<Arc<Answers>> {
        let raw = RawAnswers::from(value?);
        let mut answers = self.checked_answers(key, &raw, span, written.cloned(), scope).answers?;
        for answer in answers.list.iter_mut().filter(|answer| answer.status.is_none()) {
            answer.status = self.expressions.template_of(&json!(403), node, &Scope::default(), self.check);
        }
        Some(Arc::new(answers))
    }

    fn subprotocols(&mut self, raw: &RawSubprotocols, span: Span) -> Option<Vec<Arc<str>>> {
        let list = match raw {
            RawSubprotocols::One(one) => return Some(vec![self.subprotocol(one, span)?]),
            RawSubprotocols::Several(list) => list,
        };
        if list.is_empty() {
            self.check.report(ProblemKind::EmptyList("`subprotocol`"), span);
        }
        let checked: Vec<_> =
            list.iter().map(|one| one.get().and_then(|(one, span)| self.subprotocol(one, span))).collect();
        checked.into_iter().collect()
    }

    fn subprotocol(&mut self, text: &str, span: Span) -> Option<Arc<str>> {
        if !is_token(text) {
            let expected = "the name of a subprotocol (a token of RFC 9110, 5.6.2)".into();
            self.check.report(ProblemKind::WrongType { expected, found: format!("`{text}`") }, span);
            return None;
        }
        Some(text.into())
    }

    #[expect(
        clippy::option_option,
        reason = "the outer option is `None` if the value is invalid, the inner one if the key is absent"
    )]
    fn socket_steps(
        &mut self,
        raw: Option<&Spanned<Items<RawRuleStep>>>,
        key: &'static str,
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<Option<StepList>> {
        transpose(given(raw).map(|(list, span)| self.steps(list, (key, span), written, context)))
    }

    fn messages(
        &mut self,
        list: &Items<RawMessageRule>,
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<Vec<MessageRule>> {
        let document = self.check.document;
        let mut catch_all: Option<Span> = None;
        let items = document.items(list).enumerate();
        let rules: Vec<Option<MessageRule>> = items
            .map(|(index, item)| {
                if let Some(first) = catch_all {
                    document.report(Problem::new(ProblemKind::UnreachableMessageRule, item.span).related_to(first));
                }
                let (raw, span) = item.get()?;
                let has_no_condition = raw.r#match.is_none() && raw.text.is_none() && raw.when.is_none();
                let matches_all = has_no_condition && !self.check.has_unknown_key(span);
                catch_all = catch_all.or(matches_all.then_some(span));
                self.message_rule(raw, span, written.and_then(|list| list.get(index)), context)
            })
            .collect();
        rules.into_iter().collect()
    }

    fn message_rule(
        &mut self,
        raw: &RawMessageRule,
        span: Span,
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<MessageRule> {
        let scope = context.scope;
        if let Some((node, span)) = given(raw.r#match.as_ref())
            && let Some(Value::String(text)) = self.check.document.json(node.0)
            && [" == ", " != "].iter().any(|sign| text.contains(sign))
        {
            self.check.report(ProblemKind::MatchesExpression(text), span);
        }
        if let Some((node, _)) = given(raw.r#match.as_ref()) {
            self.warn_star_patterns(MESSAGE, *node);
        }
        let matches = self.optional(raw.r#match.as_ref(), scope);
        let text = given(raw.text.as_ref()).map(|(text, span)| {
            self.warn_text_rule(span, context.protocol_context.protocol);
            self.pattern(text, span)
        });
        let mut scope = scope.clone();
        let with = self.with(raw.with.as_ref(), &mut scope);
        let when = given(raw.when.as_ref()).map(|(when, _)| self.expressions.condition(*when, &scope, self.check));
        let verbs = raw.verbs();
        let steps = match &verbs[..] {
            [RawVerb { value: Some(RawVerbValue::Do(list)), .. }] if list.len() == 0 => Some(StepList::default()),
            verbs => self.steps_of(verbs, "a message rule", span, written, context.with_scope(&scope)),
        };
        Some(MessageRule {
            matches: matches?,
            text: transpose(text)?,
            when: transpose(when)?,
            with: with?,
            steps: steps?,
        })
    }

    /// Checks a pattern, in which `*` matches any text.
    fn pattern(&mut self, text: &str, span: Span) -> Option<Arc<str>> {
        if text.contains("{{") {
            let expected = "a pattern without expressions (use `when` for those)".into();
            self.check.report(ProblemKind::WrongType { expected, found: format!("`{text}`") }, span);
            return None;
        }
        Some(text.into())
    }
}

/// Returns the default subprotocols of an endpoint.
fn implied_subprotocols(protocol: Option<RawProtocol>) -> Vec<Arc<str>> {
    match protocol {
        Some(RawProtocol::GraphqlTransportWs) => vec![<&str>::from(Protocol::GraphqlTransportWs).into()],
        Some(RawProtocol::SocketIo) | None => Vec::new(),
    }
}

/// Builds the table of the declared endpoints. Returns `None` and reports problems if some match the same sockets. The
/// endpoints of a shop are among its routes.
pub(super) fn table(
    declared: &[DeclaredEndpoint],
    of_shop: &[DeclaredRoute],
    check: &mut Validator<'_>,
) -> Option<EndpointTable> {
    let of_shop = of_shop.iter().filter(|declared| matches!(declared.route.plan(), Plan::Endpoint(_)));
    let of_shop = of_shop.map(|declared| (declared.route.path(), declared.span));
    let mut first: HashMap<String, (String, Span)> =
        of_shop.map(|(path, span)| (path.shape(), (path.to_string(), span))).collect();
    let mut different = Vec::new();
    for declared in declared {
        let DeclaredEndpoint { endpoint, span } = declared;
        let shape = endpoint.path.shape();
        if let Some((name, first)) = first.get(&shape) {
            report(RouteMistake::SameSockets(name.clone(), endpoint.key.to_string()), *first, *span, check);
        } else {
            first.insert(shape, (endpoint.key.to_string(), *span));
            different.push(declared);
        }
    }
    let Ok(table) = EndpointTable::new(different.iter().map(|declared| declared.endpoint.clone())) else {
        report_overlapping(&different, &first, check);
        return None;
    };
    (different.len() == declared.len()).then_some(table)
}

/// Reports each endpoint whose path overlaps with that of an earlier one. `first` has the name and the place of each
/// path.
fn report_overlapping(
    endpoints: &[&DeclaredEndpoint],
    first: &HashMap<String, (String, Span)>,
    check: &mut Validator<'_>,
) {
    let mut by_path = Router::new();
    for DeclaredEndpoint { endpoint, span } in endpoints {
        let Err(error) = insert_path(&mut by_path, &endpoint.path, ()) else { continue };
        if let InsertError::Conflict { with } = &error
            && let Some((name, first)) = first.get(with.trim_end_matches('/'))
        {
            report(RouteMistake::Overlapping(name.clone(), endpoint.key.to_string()), *first, *span, check);
        } else {
            check.report(EndpointError { endpoint: endpoint.clone(), error }.into(), *span);
        }
    }
}

fn report(mistake: RouteMistake, first: Span, second: Span, check: &mut Validator<'_>) {
    check.document.report(Problem::new(mistake.into(), second).related_to(first));
}
