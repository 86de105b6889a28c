//! Checks the answers of a route.

use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::expressions::{ROW, Scope, Uses};
use super::steps::{Owner, Rules, StepContext, sets_row};
use super::{Validator, given};
use crate::expression::{Condition, Template};
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::raw::{RawAnswer, RawAnswers, RawMatch};
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, JsonNode, Spanned};
use crate::scenario::{Answer, Answers, Content, CrudOperation, RequestMatch};

/// The answers of a route, with their CRUD operations.
pub(super) struct CheckedAnswers {
    pub(super) answers: Option<Answers>,
    /// `None` if no answer has `crud`.
    pub(super) operations: Option<Vec<CrudOperation>>,
}

impl Rules<'_, '_, '_> {
    /// Decodes and checks the answers of a route. `None` if they cannot be decoded.
    pub(super) fn answers(&mut self, key: &str, node: JsonNode, scope: &Scope<'_>) -> Option<CheckedAnswers> {
        let document = self.check.document;
        let raw = document.decode::<Spanned<RawAnswers>>(node.0)?;
        let (raw, span) = raw.get()?;
        Some(self.checked_answers(key, raw, span, document.json(node.0), scope))
    }

    /// Checks the answers under a key.
    pub(super) fn checked_answers(
        &mut self,
        key: &str,
        raw: &RawAnswers,
        span: Span,
        written: Option<Value>,
        scope: &Scope<'_>,
    ) -> CheckedAnswers {
        self.expressions.take_uses();
        let list: Vec<Option<Answer>> = match raw {
            RawAnswers::One(answer) => vec![self.answer(answer, span, written.as_ref(), scope)],
            RawAnswers::Several(list) => {
                if list.is_empty() {
                    self.check.report(ProblemKind::EmptyList("the list of answers"), span);
                }
                warn_unreachable(list, self.check);
                let answers = list.iter().enumerate().map(|(index, answer)| {
                    let (raw, span) = answer.get()?;
                    self.answer(raw, span, written.as_ref().and_then(|list| list.get(index)), scope)
                });
                answers.collect()
            }
        };
        let operations = operations(raw, &list);
        let Uses { names, runtime } = self.expressions.take_uses();
        let answers = list.into_iter().collect::<Option<Vec<Answer>>>().zip(written).map(|(list, written)| {
            let changes = |answer: &Answer| answer.steps.is_some() || matches!(answer.content, Content::Stream(_));
            let only_reads = !runtime && !list.iter().any(changes);
            Answers { key: key.into(), list, names, only_reads, source: written }
        });
        CheckedAnswers { answers, operations }
    }

    fn answer(&mut self, raw: &RawAnswer, span: Span, written: Option<&Value>, scope: &Scope<'_>) -> Option<Answer> {
        let matches = given(raw.r#match.as_ref()).map(|(matches, _)| self.request_match(matches, scope));
        let mut scope = scope.clone();
        let with = self.with(raw.with.as_ref(), &mut scope);
        let scope = &scope;
        let when = self.when(raw, scope);
        let verbs = raw.verbs();
        let steps = (!verbs.is_empty()).then(|| {
            let context = StepContext::new(Owner::World, scope);
            self.steps_of(&verbs, "an answer", span, written, context)
        });
        // The content can refer to the row that the last step changed. Invalid steps may be meant to change one.
        let has_row = steps.as_ref().is_some_and(|steps| steps.is_none() || written.is_none_or(sets_row));
        let scope = if has_row { scope.and([ROW]) } else { scope.clone() };
        let after = raw.after.as_ref().map(|after| self.check.duration(Some(after)).map(|(after, _)| after));
        let status = given(raw.status.as_ref()).map(|(status, _)| self.status(*status, &scope));
        let headers = given(raw.headers.as_ref()).map(|(headers, _)| self.headers(headers, &scope));
        let content = self.content(raw, written, &scope);
        Some(Answer {
            when: when?,
            matches: transpose(matches)?,
            with: with?,
            steps: transpose(steps)?,
            after: transpose(after)?.unwrap_or(Duration::ZERO),
            status: transpose(status)?,
            headers: transpose(headers)?.unwrap_or_default(),
            content: content?,
        })
    }

    #[expect(
        clippy::option_option,
        reason = "the outer option is `None` if the value is invalid, the inner one if the key is absent"
    )]
    fn when(&mut self, raw: &RawAnswer, scope: &Scope<'_>) -> Option<Option<Condition>> {
        transpose(given(raw.when.as_ref()).map(|(when, _)| self.expressions.condition(*when, scope, self.check)))
    }

    fn request_match(&mut self, raw: &RawMatch, scope: &Scope<'_>) -> Option<RequestMatch> {
        let names = [("query", raw.query.is_some()), ("headers", raw.headers.is_some()), ("body", raw.body.is_some())];
        self.expressions.uses(names.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)));
        let query = transpose(given(raw.query.as_ref()).map(|(query, _)| self.mapping(*query, scope)));
        let headers = transpose(given(raw.headers.as_ref()).map(|(headers, _)| self.lower_case(*headers, scope)));
        if let Some((body, _)) = given(raw.body.as_ref()) {
            self.warn_star_patterns("body", *body);
        }
        let body = self.optional(raw.body.as_ref(), scope);
        Some(RequestMatch { query: query?, headers: headers?, body: body? })
    }

    /// Compiles a template for a mapping with any values.
    pub(super) fn mapping(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let template = self.template(node, scope)?;
        if template.is_constant() && !self.check.document.is_mapping(node.0) {
            self.check.report_wrong_type(node, "a mapping");
            return None;
        }
        Some(template)
    }

    /// Compiles a template for a mapping, with its keys in lower case.
    fn lower_case(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let Value::Object(fields) = self.check.document.json(node.0)? else { return self.mapping(node, scope) };
        let fields = fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        self.expressions.template_of(&Value::Object(fields), node, scope, self.check)
    }

    fn status(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let template = self.template(node, scope)?;
        let number = self.check.document.json(node.0)?;
        let is_status = number.as_i64().is_some_and(|status| (200..=599).contains(&status));
        if template.is_constant() && !is_status {
            self.check.report_wrong_type(node, "a status from 200 to 599");
            return None;
        }
        Some(template)
    }

    fn headers(&mut self, entries: &Entries<JsonNode>, scope: &Scope<'_>) -> Option<Vec<(String, Template)>> {
        let mut places: Vec<(String, Span)> = Vec::with_capacity(entries.0.len());
        let mut headers = Some(Vec::with_capacity(entries.0.len()));
        for (name, node) in &entries.0 {
            let header = name.get().map(|(name, span)| {
                let lower = name.to_ascii_lowercase();
                if !is_token(name) {
                    let expected = "the name of a header (RFC 9110, 5.6.2)".into();
                    self.check.report(ProblemKind::WrongType { expected, found: format!("`{name}`") }, span);
                } else if let Some((_, first)) = places.iter().find(|(place, _)| *place == lower) {
                    let problem = Problem::new(ProblemKind::DuplicateKey(name.clone()), span);
                    self.check.document.report(problem.related_to(*first));
                }
                places.push((lower.clone(), span));
                lower
            });
            let value = node.get().and_then(|(node, _)| self.header_value(*node, scope));
            headers = headers.zip(header.zip(value)).map(|(mut headers, header)| {
                headers.push(header);
                headers
            });
        }
        headers
    }

    fn header_value(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let template = self.template(node, scope)?;
        let is_one = |value: &Value| match value {
            Value::String(text) => !text.contains(['\r', '\n', '\0']),
            Value::Number(_) | Value::Bool(_) => true,
            _ => false,
        };
        let is_valid = match self.check.document.json(node.0)? {
            Value::Array(items) => items.iter().all(is_one),
            value => is_one(&value),
        };
        if !is_valid {
            self.check.report_wrong_type(node, "text on one line, or a list of such lines");
            return None;
        }
        Some(template)
    }

    fn content(&mut self, raw: &RawAnswer, written: Option<&Value>, scope: &Scope<'_>) -> Option<Content> {
        if let [(first, _), (second, span), ..] = content_keys(raw)[..] {
            self.check.report(ProblemKind::Exclusive(first, second), span);
        }
        if let Some(proxy) = &raw.proxy {
            self.check.report(ProblemKind::NotYet("proxy"), proxy.span);
        }
        let body = given(raw.body.as_ref()).map(|(body, _)| self.template(*body, scope).map(|body| json(body, scope)));
        let text = given(raw.text.as_ref()).map(|(text, _)| self.text(*text, scope).map(Content::Text));
        let file = given(raw.file.as_ref()).map(|(file, span)| self.file(*file, span, scope));
        let crud = raw.crud.as_ref().map(|crud| {
            let (crud, span) = crud.get()?;
            Some(Content::Crud(Arc::new(self.crud(crud, span, scope)?)))
        });
        let stream = raw.stream.as_ref().map(|stream| {
            let (list, span) = stream.get()?;
            let written = written.and_then(|answer| answer.get("stream"));
            let context = StepContext::new(Owner::Stream, scope);
            self.steps(list, ("`stream`", span), written, context).map(Content::Stream)
        });
        let mut given = [body, text, file, crud, stream].into_iter().flatten();
        given.next().unwrap_or(Some(Content::Empty))
    }

    fn text(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let template = self.template(node, scope)?;
        if self.check.document.json(node.0).is_some_and(|value| value.is_array() || value.is_object()) {
            self.check.report_wrong_type(node, "text (use `body` for JSON)");
            return None;
        }
        Some(template)
    }

    fn file(&mut self, node: JsonNode, span: Span, scope: &Scope<'_>) -> Option<Content> {
        let path = self.template(node, scope)?;
        let written = self.check.document.json(node.0)?;
        let Some(written) = written.as_str().filter(|path| !path.is_empty() && !path.ends_with('/')) else {
            self.check.report_wrong_type(node, "the path of a file");
            return None;
        };
        let (lead, sources) = (leading_directories(written), self.check.document.sources());
        let directory = sources.directory(span);
        if path.is_constant() {
            self.check.files.push((directory.join(written.replace("$$", "$")), span));
        }
        let directory = if lead.is_empty() { directory.into() } else { directory.join(&lead).into() };
        let declared_in = sources.directory_from_first(span).into();
        Some(Content::File { path, lead: lead.into(), directory, declared_in })
    }
}

/// Returns the leading directories of a path, before its first expression, if they lead out of the declaring directory.
/// Otherwise returns an empty string.
fn leading_directories(path: &str) -> String {
    let literal = path.find("{{").map_or(path, |at| &path[..at]);
    let directories = literal.rfind('/').map_or("", |at| &literal[..=at]);
    let is_below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if Path::new(directories).components().all(is_below) { String::new() } else { directories.replace("$$", "$") }
}

/// Swaps the options of a checked optional value: the outer one becomes `None` for an invalid value, the inner one
/// for an absent value.
#[expect(clippy::option_option, reason = "an absent value is valid, an invalid value is not")]
pub(super) fn transpose<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    value.map_or(Some(None), |value| value.map(Some))
}

/// Returns the content keys of an answer in file order, with the spans of their values.
fn content_keys(raw: &RawAnswer) -> Vec<(&'static str, Span)> {
    fn span<T>(value: Option<&Spanned<T>>) -> Option<Span> {
        value.map(|value| value.span)
    }
    let all = [
        ("body", span(raw.body.as_ref())),
        ("text", span(raw.text.as_ref())),
        ("file", span(raw.file.as_ref())),
        ("crud", span(raw.crud.as_ref())),
        ("stream", span(raw.stream.as_ref())),
        ("proxy", span(raw.proxy.as_ref())),
    ];
    let mut given: Vec<_> = all.into_iter().filter_map(|(key, span)| Some((key, span?))).collect();
    given.sort_by_key(|(_, span)| span.start);
    given
}

/// Returns the content for a JSON body.
fn json(body: Template, scope: &Scope<'_>) -> Content {
    match body.constant() {
        Some(value) => Content::Constant(value.to_string().into()),
        None if scope.depends_only_on_data(&body) => Content::DataJson(body),
        None => Content::Json(body),
    }
}

/// Warns about answers after an answer that matches all requests.
fn warn_unreachable(list: &[Spanned<RawAnswer>], check: &mut Validator<'_>) {
    let matches_all = |answer: &&Spanned<RawAnswer>| {
        let has_no_condition = |raw: &RawAnswer| raw.when.is_none() && raw.r#match.is_none();
        answer.value.as_ref().is_some_and(has_no_condition) && !check.has_unknown_key(answer.span)
    };
    let Some(first) = list.iter().position(|answer| matches_all(&answer)) else { return };
    for answer in &list[first + 1..] {
        let problem = Problem::new(ProblemKind::UnreachableAnswer, answer.span);
        check.document.report(problem.related_to(list[first].span));
    }
}

/// Returns the allowed CRUD operations, or all operations if an answer is invalid. `None` if no answer has `crud`.
fn operations(raw: &RawAnswers, list: &[Option<Answer>]) -> Option<Vec<CrudOperation>> {
    let is_crud = |answer: &RawAnswer| answer.crud.is_some();
    let has_crud = match raw {
        RawAnswers::One(answer) => is_crud(answer),
        RawAnswers::Several(list) => list.iter().filter_map(|answer| answer.value.as_ref()).any(is_crud),
    };
    if !has_crud {
        return None;
    }
    let is_allowed = |operation: &CrudOperation| {
        list.iter().any(|answer| match answer.as_ref().map(|answer| &answer.content) {
            Some(Content::Crud(crud)) => crud.only.contains(operation),
            Some(_) => false,
            None => true,
        })
    };
    Some(CrudOperation::ALL.into_iter().filter(is_allowed).collect())
}

/// Returns whether text is a token (RFC 9110, 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
