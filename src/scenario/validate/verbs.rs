//! Checks the verbs of steps.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::expressions::{EVENT, Scope};
use super::faults::fault_at;
use super::given;
use super::steps::{Owner, Rules, StepContext};
use crate::expression::Template;
use crate::scenario::problem::{ProblemKind, ReferenceMistake, SocketMistake};
use crate::scenario::raw::{
    RawAmount, RawJoin, RawLeave, RawMembership, RawOrder, RawSend, RawVerb, RawVerbValue, VERBS,
};
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, JsonNode, NodeView, Spanned};
use crate::scenario::{Join, RowVerb, Verb};

/// Adapts a frame to its receiver. The `data` of a stream's event must be defined, because a mapping without `data` is
/// not an event.
fn frame_for(frame: Template, owner: Owner) -> Template {
    if owner == Owner::Stream { frame.requiring("data") } else { frame }
}

/// The expected topics, for messages.
const TOPIC: &str = "a topic or a list of topics";

impl Rules<'_, '_, '_> {
    /// Checks that there is exactly one verb, and returns it.
    pub(super) fn verb(
        &mut self,
        verbs: &[RawVerb<'_>],
        owner: &'static str,
        span: Span,
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<Verb> {
        if verbs.is_empty() {
            self.check.needs_exactly_one(owner, VERBS, span);
        }
        if let [first, second, ..] = verbs {
            self.check.report(ProblemKind::TwoVerbs(first.key, second.key), second.span);
        }
        let checked: Vec<Option<Verb>> = verbs.iter().map(|verb| self.one_verb(verb, written, context)).collect();
        let [verb] = <[Option<Verb>; 1]>::try_from(checked).ok()?;
        verb
    }

    fn one_verb(&mut self, raw: &RawVerb<'_>, written: Option<&Value>, context: StepContext<'_, '_>) -> Option<Verb> {
        if matches!(raw.key, "reply" | "join" | "leave" | "close") {
            match context.owner {
                Owner::Stream | Owner::Socket => {}
                Owner::World => self.check.report(ProblemKind::OnlyInStream(raw.key), raw.span),
                Owner::ClosedSocket => self.check.report(SocketMistake::AfterClose(raw.key).into(), raw.span),
            }
        }
        let scope = context.scope;
        match raw.value? {
            RawVerbValue::Do(list) => {
                let written = written.and_then(|step| step.get("do"));
                self.steps(list, ("`do`", raw.span), written, context.inside(true)).map(Verb::Do)
            }
            RawVerbValue::Reply(node) => {
                let frame = self.template(node, scope)?;
                self.check_reply(node, &frame, context);
                Some(Verb::Reply(frame_for(frame, context.owner)))
            }
            RawVerbValue::Send(send) => self.send(send, raw.span, context),
            RawVerbValue::Join(RawJoin::Topic(to) | RawJoin::Topics(to)) => {
                self.check.note_awaited(*to);
                self.warn_raw_changes(*to, context.protocol_context);
                let to = self.topics(*to, scope)?;
                Some(Verb::Join(Arc::new(Join { to, condition: None, name: None, frame: None, steps: None })))
            }
            RawVerbValue::Join(RawJoin::Described(membership)) => {
                let written = written.and_then(|step| step.get("join"));
                self.membership(membership, raw.span, written, context)
            }
            RawVerbValue::Leave(leave) => self.leave(leave, raw.span, scope),
            RawVerbValue::Close(close) => self.close(close, context),
            RawVerbValue::Rows(entries) => {
                let verb = row_verb(raw.key)?;
                self.rows(verb, entries, raw.span, scope).map(|rows| Verb::Rows(verb, rows))
            }
            RawVerbValue::Set(entries) => self.set(entries, raw.span, context),
            RawVerbValue::Order(order) => self.order(order, raw.span, scope),
            RawVerbValue::Fault(JsonNode(node)) => {
                fault_at(node, self.references, self.check).map(|fault| Verb::Fault(Arc::new(fault)))
            }
        }
    }

    /// Compiles the template of an optional key.
    #[expect(
        clippy::option_option,
        reason = "the outer option is `None` if the value is invalid, the inner one if the key is absent"
    )]
    pub(super) fn optional(&mut self, node: Option<&Spanned<JsonNode>>, scope: &Scope<'_>) -> Option<Option<Template>> {
        match given(node) {
            Some((node, _)) => self.template(*node, scope).map(Some),
            None => Some(None),
        }
    }

    /// Like [`Rules::optional`], for a frame for members. The template keeps its source JSON, so that a membership can
    /// be serialised.
    #[expect(
        clippy::option_option,
        reason = "the outer option is `None` if the value is invalid, the inner one if the key is absent"
    )]
    pub(super) fn member_frame(
        &mut self,
        node: Option<&Spanned<JsonNode>>,
        scope: &Scope<'_>,
    ) -> Option<Option<Template>> {
        let frame = self.optional(node, &scope.and(EVENT))?;
        let written = given(node).and_then(|(node, _)| self.check.document.json(node.0));
        Some(frame.map(|frame| frame.with_source(written.unwrap_or_default())))
    }

    fn topics(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let template = self.template(node, scope)?;
        let is_topic = |value: &Value| value.as_str().is_some_and(|topic| !topic.is_empty());
        let is_valid = match self.check.document.json(node.0)? {
            Value::Array(items) => !items.is_empty() && items.iter().all(is_topic),
            value => is_topic(&value),
        };
        if !is_valid {
            self.check.report_wrong_type(node, TOPIC);
            return None;
        }
        Some(template)
    }

    fn send(&mut self, raw: &RawSend, span: Span, context: StepContext<'_, '_>) -> Option<Verb> {
        let StepContext { owner, scope, .. } = context;
        let to = match &raw.to {
            None if owner.belongs_to_endpoint() => Some(None),
            to => {
                let to = self.check.required(to.as_ref(), "`send`", "to", span, span);
                let to = to.and_then(|(to, _)| {
                    self.check.note_sent(*to);
                    self.topics(*to, scope)
                });
                to.map(Some)
            }
        };
        let frame = self.check.required(raw.frame.as_ref(), "`send`", "frame", span, span);
        let frame = frame.and_then(|(node, _)| {
            let frame = self.template(*node, scope)?;
            if raw.to.is_none() {
                self.check_broadcast(*node, &frame, span, context.protocol_context.protocol);
            }
            Some(frame)
        });
        let others = given(raw.others.as_ref()).filter(|(others, _)| **others);
        if let Some((_, span)) = others.filter(|_| owner == Owner::World) {
            self.check.report(SocketMistake::NoSender.into(), span);
        }
        Some(Verb::Send { to: to?, frame: frame?, others: others.is_some() })
    }

    fn membership(
        &mut self,
        raw: &RawMembership,
        span: Span,
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<Verb> {
        let scope = context.scope;
        let to = self.check.required(raw.to.as_ref(), "`join`", "to", span, span);
        let to = to.and_then(|(to, _)| {
            self.check.note_awaited(*to);
            self.topics(*to, scope)
        });
        let condition = self.condition(raw.r#where.as_ref(), scope);
        let name = self.optional(raw.r#as.as_ref(), scope);
        let frame = self.member_frame(raw.frame.as_ref(), scope);
        match (given(raw.frame.as_ref()), &frame) {
            (Some((node, _)), Some(Some(frame))) => {
                self.check_member_frame(*node, frame, context.protocol_context.protocol);
            }
            (None, _) => {
                if let Some((to, _)) = given(raw.to.as_ref()) {
                    self.warn_raw_changes(*to, context.protocol_context);
                }
            }
            _ => {}
        }
        let frame = frame.map(|frame| frame.map(|frame| frame_for(frame, context.owner)));
        let steps = match given(raw.r#do.as_ref()) {
            Some((list, span)) => {
                let written = written.and_then(|join| join.get("do"));
                self.steps(list, ("`do`", span), written, context.inside(false)).map(Some)
            }
            None => Some(None),
        };
        let join = Join { to: to?, condition: condition?, name: name?, frame: frame?, steps: steps? };
        Some(Verb::Join(Arc::new(join)))
    }

    /// Compiles the JSON that an event must contain. A scalar is rejected, because it is most likely meant as an
    /// expression.
    #[expect(
        clippy::option_option,
        reason = "the outer option is `None` if the value is invalid, the inner one if the key is absent"
    )]
    fn condition(&mut self, node: Option<&Spanned<JsonNode>>, scope: &Scope<'_>) -> Option<Option<Template>> {
        let condition = self.optional(node, scope)?;
        let is_scalar = condition.as_ref().is_some_and(Template::returns_scalar);
        if let Some((node, _)) = given(node).filter(|_| is_scalar) {
            self.check
                .report_wrong_type(*node, "the JSON that an event must contain, such as `{ row: { room: lobby } }`");
            return None;
        }
        Some(condition)
    }

    fn leave(&mut self, raw: &RawLeave, span: Span, scope: &Scope<'_>) -> Option<Verb> {
        let leaving = match raw {
            RawLeave::Topic(to) | RawLeave::Topics(to) => {
                return Some(Verb::Leave { to: Some(self.topics(*to, scope)?), name: None });
            }
            RawLeave::Named(leaving) => leaving,
        };
        if leaving.to.is_none() && leaving.r#as.is_none() {
            self.check.needs_exactly_one("`leave`", &["as", "to"], span);
        }
        let to = given(leaving.to.as_ref()).map(|(to, _)| self.topics(*to, scope));
        let name = self.optional(leaving.r#as.as_ref(), scope);
        Some(Verb::Leave { to: to.map_or(Some(None), |to| to.map(Some))?, name: name? })
    }

    fn rows(
        &mut self,
        verb: RowVerb,
        entries: &Entries<JsonNode>,
        span: Span,
        scope: &Scope<'_>,
    ) -> Option<Vec<(Arc<str>, Template)>> {
        if entries.0.is_empty() {
            self.check.report(ProblemKind::EmptyList(key(verb)), span);
        }
        let rows: Vec<_> = entries.0.iter().map(|(name, node)| self.row(verb, name, node, scope)).collect();
        rows.into_iter().collect()
    }

    fn row(
        &mut self,
        verb: RowVerb,
        name: &Spanned<String>,
        node: &Spanned<JsonNode>,
        scope: &Scope<'_>,
    ) -> Option<(Arc<str>, Template)> {
        let (name, span) = name.get()?;
        if verb == RowVerb::Increment && self.known.is_value(name) {
            let by = node.value.and_then(|node| self.check.document.json(node.0)).filter(Value::is_number);
            let by = by.map_or_else(|| "1".to_owned(), |by| by.to_string());
            self.check.report(ReferenceMistake::IncrementsValue { name: name.clone(), by }.into(), span);
            return None;
        }
        let collection = self.known.collection(name, span, self.check);
        if verb == RowVerb::Increment && collection.is_some_and(|collection| collection.is_counted) {
            self.check.report(ReferenceMistake::IncrementsCategory(name.clone()).into(), span);
        }
        if verb == RowVerb::Add && collection.is_none_or(|collection| collection.is_counted) {
            self.note_added_product(name, node.value);
        }
        let collection = collection.map(|collection| collection.name.clone());
        let template = self.template(*node.get()?.0, scope)?.requiring("id");
        self.row_value(verb, *node.get()?.0, &template, scope);
        Some((collection?, template))
    }

    /// Records that orders may refer to an added product.
    fn note_added_product(&mut self, category: &str, row: Option<JsonNode>) {
        let document = self.check.document;
        let Some(JsonNode(row)) = row.filter(|row| document.is_mapping(row.0)) else {
            return self.references.add_any();
        };
        let id = document.entry(row, "id").filter(|id| !document.is_null(*id)).map(|id| document.tree().text(id));
        if id.is_some_and(|id| id.contains("{{") || id.starts_with('$')) {
            return self.references.add_any();
        }
        self.references.add_by_rule(id.map(Arc::from).as_ref(), category);
    }

    /// Checks a row as far as it is known before its expressions run.
    fn row_value(&mut self, verb: RowVerb, node: JsonNode, template: &Template, scope: &Scope<'_>) {
        let document = self.check.document;
        let is_container = document.is_mapping(node.0) || document.is_list(node.0);
        match (verb, document.tree().view(node.0)) {
            (RowVerb::Remove, _) if is_container || document.is_null(node.0) => {
                self.check.report_wrong_type(node, "an id");
            }
            (RowVerb::Remove, _) | (RowVerb::Add, NodeView::Mapping(_)) => {}
            (_, NodeView::Mapping(entries)) => {
                if document.entry(node.0, "id").is_none() {
                    let owner = key(verb);
                    self.check.report(ProblemKind::MissingKey { owner, key: "id" }, document.tree().span(node.0));
                }
                let fields = entries.chunks_exact(2).filter(|_| verb == RowVerb::Increment);
                for field in fields.filter(|entry| document.tree().text(entry[0]) != "id") {
                    self.number(JsonNode(field[1]), scope);
                }
            }
            (_, NodeView::List(_)) => self.check.report_wrong_type(node, "a row, as a mapping"),
            (_, NodeView::Scalar { .. }) if template.is_constant() => {
                self.check.report_wrong_type(node, "a row, as a mapping");
            }
            _ => {}
        }
    }

    /// Checks for a number, or an expression that may return one.
    fn number(&mut self, node: JsonNode, scope: &Scope<'_>) {
        let is_constant = self.template(node, scope).is_some_and(|template| template.is_constant());
        let is_number = self.check.document.json(node.0).is_some_and(|value| value.is_number());
        if is_constant && !is_number {
            self.check.report_wrong_type(node, "a number");
        }
    }

    fn order(&mut self, raw: &RawOrder, span: Span, scope: &Scope<'_>) -> Option<Verb> {
        let product = self.check.required(raw.product.as_ref(), "`order`", "product", span, span);
        let product = product.and_then(|(node, span)| self.product(*node, span, scope));
        let amount = self.check.required(raw.amount.as_ref(), "`order`", "amount", span, span);
        let amount = amount.and_then(|(node, _)| self.amount(*node, scope));
        Some(Verb::Count { row: product?, amount: amount? })
    }

    fn product(&mut self, node: JsonNode, span: Span, scope: &Scope<'_>) -> Option<Template> {
        let template = self.template(node, scope)?;
        match self.check.document.json(node.0)? {
            Value::String(_) if !template.is_constant() => {}
            Value::String(_) | Value::Number(_) => {
                let id = self.check.document.tree().text(node.0);
                self.references.product(id, span, Duration::MAX, None);
            }
            _ => {
                self.check.report_wrong_type(node, "a product's id");
                return None;
            }
        }
        Some(template)
    }

    /// Compiles an amount: an integer, an expression that returns one, or a range to draw one from.
    fn amount(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let document = self.check.document;
        if !document.is_mapping(node.0) {
            let template = self.template(node, scope)?;
            if !template.is_constant() {
                return Some(template);
            }
        }
        let raw = document.decode::<Spanned<RawAmount>>(node.0)?;
        let (raw, span) = raw.get()?;
        let range = self.check.amount(raw, span)?;
        let value: Value = if range.start() == range.end() {
            (*range.start()).into()
        } else {
            format!("{{{{ random({}, {}) }}}}", range.start(), range.end()).into()
        };
        self.expressions.template_of(&value, node, scope, self.check)
    }
}

fn row_verb(key: &str) -> Option<RowVerb> {
    RowVerb::ALL.into_iter().find(|verb| verb.key() == key)
}

/// Returns the key of a verb, for messages.
fn key(verb: RowVerb) -> &'static str {
    match verb {
        RowVerb::Add => "`add`",
        RowVerb::Merge => "`merge`",
        RowVerb::Replace => "`replace`",
        RowVerb::Remove => "`remove`",
        RowVerb::Increment => "`increment`",
    }
}
