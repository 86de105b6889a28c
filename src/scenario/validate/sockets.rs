//! Checks `set` and `close`.

use std::sync::Arc;

use super::answers::transpose;
use super::expressions::Scope;
use super::steps::{Owner, Rules, StepContext};
use crate::expression::Template;
use crate::scenario::problem::{ProblemKind, SocketMistake};
use crate::scenario::raw::RawClose;
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, JsonNode, Spanned};
use crate::scenario::{CLOSE_CODES, CONN, DataPath, MAX_REASON, Protocol, SetTarget, Verb, is_close_code};

/// The built-in keys of `conn`.
const BUILT_IN_KEYS: [&str; 2] = ["id", "topics"];

/// The additional built-in key of `conn` with Socket.IO.
const SID: &str = "sid";

/// Returns the entry that a key with an expression most likely means. `None` if the key has no expression.
fn intended_entry(path: &str, scope: &Scope<'_>) -> Option<String> {
    let is_path = |start: usize| {
        let name = path[start + 1..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
        name.is_some_and(|name| scope.contains(name))
    };
    let dollar = path.find('$').filter(|start| is_path(*start));
    let start = path.find("{{").into_iter().chain(dollar).min()?;
    let written = path[start..].split_once("}}").map_or(&path[start..], |(expression, _)| expression);
    let key = written.trim_matches(['{', '$', ' ']);
    let Some(whole) = path[..start].strip_suffix('.').filter(|whole| !whole.is_empty()) else {
        return Some("name: VALUE".to_owned());
    };
    Some(format!("{whole}: \"{{{{ {whole} | chain({{{key}: VALUE}}) }}}}\""))
}

impl Rules<'_, '_, '_> {
    pub(super) fn set(
        &mut self,
        entries: &Entries<JsonNode>,
        span: Span,
        context: StepContext<'_, '_>,
    ) -> Option<Verb> {
        if entries.0.is_empty() {
            self.check.report(ProblemKind::EmptyList("`set`"), span);
        }
        let values: Vec<Option<(SetTarget, Template)>> = entries
            .0
            .iter()
            .map(|(path, node)| {
                let target = self.target(path, context);
                let template = node.get().and_then(|(node, _)| self.template(*node, context.scope));
                target.zip(template)
            })
            .collect();
        Some(Verb::Set(values.into_iter().collect::<Option<_>>()?))
    }

    fn target(&mut self, path: &Spanned<String>, context: StepContext<'_, '_>) -> Option<SetTarget> {
        let StepContext { owner, protocol_context, scope, .. } = context;
        let (path, span) = path.get()?;
        if let Some(meant) = intended_entry(path, scope) {
            self.check.report(ProblemKind::SetsComputedKey { meant }, span);
            return None;
        }
        let mut keys = path.split('.');
        let name = keys.next().unwrap_or_default();
        let keys: Vec<Arc<str>> = keys.map(Arc::from).collect();
        if name.is_empty() || keys.iter().any(|key| key.is_empty()) {
            self.report_invalid_path(path, "a name of `data`, or the path of a part of it, such as `prices.BTC`", span);
            return None;
        }
        let place = self.check.document.part_span(span, path, 0..name.len());
        if name == CONN && (owner.belongs_to_endpoint() || !self.known.names().any(|known| known == name)) {
            return self.conn_path(path, keys, (owner, protocol_context.protocol), span).map(SetTarget::Conn);
        }
        let name = self.known.value(name, owner.belongs_to_endpoint(), place, self.check)?;
        Some(SetTarget::Value(DataPath { name, keys }))
    }

    /// Checks a path in `conn`, and returns its keys.
    fn conn_path(
        &mut self,
        path: &str,
        keys: Vec<Arc<str>>,
        (owner, protocol): (Owner, Protocol),
        span: Span,
    ) -> Option<Vec<Arc<str>>> {
        if owner != Owner::Socket {
            if owner.belongs_to_endpoint() || self.known.completeness().names {
                let place = self.check.document.part_span(span, path, 0..CONN.len());
                self.check.report(SocketMistake::SetsConn.into(), place);
            }
            return None;
        }
        let Some(first) = keys.first() else {
            self.report_invalid_path(path, "the name of a value of `conn`, such as `conn.name`", span);
            return None;
        };
        if BUILT_IN_KEYS.contains(&&**first) || protocol == Protocol::SocketIo && **first == *SID {
            self.check.report(SocketMistake::FixedConn(first.to_string()).into(), span);
            return None;
        }
        Some(keys)
    }

    fn report_invalid_path(&mut self, path: &str, expected: &str, span: Span) {
        let found = format!("`{path}`");
        self.check.report(ProblemKind::WrongType { expected: expected.into(), found }, span);
    }

    pub(super) fn close(&mut self, raw: &RawClose, context: StepContext<'_, '_>) -> Option<Verb> {
        let described = match raw {
            RawClose::Code(code) | RawClose::Computed(code) => {
                return Some(Verb::Close { code: Some(self.code(*code, context)?), reason: None });
            }
            RawClose::Described(described) => described,
        };
        let code = described.code.as_ref().map(|code| self.code(*code.get()?.0, context));
        let reason = described.reason.as_ref().map(|reason| self.reason(*reason.get()?.0, context));
        Some(Verb::Close { code: transpose(code)?, reason: transpose(reason)? })
    }

    fn code(&mut self, node: JsonNode, context: StepContext<'_, '_>) -> Option<Template> {
        let template = self.template(node, context.scope)?;
        if context.owner == Owner::Socket
            && template.is_constant()
            && !self.check.document.json(node.0)?.as_u64().is_some_and(is_close_code)
        {
            self.check.report_wrong_type(node, &format!("a close code: {CLOSE_CODES}"));
            return None;
        }
        Some(template)
    }

    fn reason(&mut self, node: JsonNode, context: StepContext<'_, '_>) -> Option<Template> {
        let template = self.template(node, context.scope)?;
        if context.owner == Owner::Socket && template.is_constant() {
            let reason = self.check.document.json(node.0)?;
            if reason.as_str().is_none_or(|reason| reason.len() > MAX_REASON) {
                self.check.report_wrong_type(node, "a reason of at most 123 bytes of text");
                return None;
            }
        }
        Some(template)
    }
}
