//! Checks faults.

mod latency;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tungstenite::protocol::frame::coding::CloseCode;

use self::latency::latency;
use super::references::References;
use super::{Validator, given};
use crate::expression::has_expression;
use crate::scenario::fault::{Damage, Effect, Fault, FaultResponse, Matches, Share};
use crate::scenario::problem::{Problem, ProblemKind, TimingMistake};
use crate::scenario::raw::{RawDamage, RawFault, RawOn, RawTimeout};
use crate::scenario::source::Span;
use crate::scenario::yaml::{Id, Items, JsonNode, NodeId, NodeView, Spanned};
use crate::websocket::{MAX_REASON, is_sendable_code};

/// The effects of faults on requests. Exactly one is required.
const ON_REQUESTS: &[&str] =
    &["latency", "status", "reset", "empty", "bandwidth", "malformed", "timeout", "contentLength"];

/// The effects of faults on sockets. Exactly one is required.
const ON_SOCKETS: &[&str] = &[
    "status",
    "connect",
    "close",
    "reset",
    "freeze",
    "latency",
    "drop",
    "duplicate",
    "reorder",
    "corrupt",
    "stale",
    "storm",
    "ignore",
];

/// The effects of faults on streams. Exactly one is required.
const ON_STREAMS: &[&str] = &["latency", "drop", "duplicate", "reset"];

/// The maximum deviation of a content length, in bytes.
const MAX_LENGTH_OFFSET: i64 = 1 << 20;

/// The maximum number of frames that are reordered together.
const MAX_REORDER_WINDOW: u64 = 1000;

pub(super) fn faults(list: &Items<RawFault>, references: &References<'_>, check: &mut Validator<'_>) -> Vec<Fault> {
    let decoded: Vec<DecodedFault> = list.ids().iter().map(|node| DecodedFault::of(*node, check)).collect();
    let mut names: HashMap<&str, Span> = HashMap::new();
    for (name, span) in decoded.iter().filter_map(|fault| fault.raw.as_ref()?.get()?.0.name.as_ref()?.get()) {
        if let Some(first) = names.insert(name, span) {
            let problem = Problem::new(ProblemKind::DuplicateFault(name.clone()), span);
            check.document.report(problem.related_to(first));
        }
    }
    decoded.iter().filter_map(|fault| fault.checked(references, check)).collect()
}

/// Decodes and checks a fault.
pub(super) fn fault_at(node: NodeId, references: &References<'_>, check: &mut Validator<'_>) -> Option<Fault> {
    DecodedFault::of(node, check).checked(references, check)
}

/// A fault before its values are checked.
struct DecodedFault {
    raw: Option<Spanned<RawFault>>,
    has_expressions: bool,
}

impl DecodedFault {
    fn of(node: NodeId, check: &mut Validator<'_>) -> Self {
        // Reported first, so that an expression in place of a number is not reported as text.
        let has_expressions = report_expressions(node, check);
        Self { raw: check.document.decode(node), has_expressions }
    }

    /// Checks the values, unless some are expressions.
    fn checked(&self, references: &References<'_>, check: &mut Validator<'_>) -> Option<Fault> {
        let (raw, span) = self.raw.as_ref().filter(|_| !self.has_expressions)?.get()?;
        fault(raw, span, references, check)
    }
}

/// Reports the expressions in a fault, which would not be evaluated. Returns whether there are any.
fn report_expressions(fault: NodeId, check: &mut Validator<'_>) -> bool {
    let tree = check.document.tree();
    let (mut has_expressions, mut nodes, mut seen) = (false, vec![fault], HashSet::new());
    while let Some(node) = nodes.pop() {
        // A value with several aliases is searched once.
        if !seen.insert(node) {
            continue;
        }
        match tree.view(node) {
            NodeView::Scalar { text, .. } if has_expression(text) => {
                check.report_wrong_type(JsonNode(node), "a fixed value, because faults take no expressions");
                has_expressions = true;
            }
            NodeView::Scalar { .. } => {}
            NodeView::List(items) => nodes.extend(items),
            NodeView::Mapping(entries) => nodes.extend(entries.chunks_exact(2).map(|entry| entry[1])),
        }
    }
    has_expressions
}

fn fault(raw: &RawFault, span: Span, references: &References<'_>, check: &mut Validator<'_>) -> Option<Fault> {
    let on = check.required(raw.on.as_ref(), "a fault", "on", span, span).map(|(on, _)| *on);
    let from = check.duration(raw.from.as_ref()).map(|(from, _)| from).unwrap_or_default();
    let until = check.duration(raw.until.as_ref());
    if let Some((_, span)) = until.filter(|(until, _)| *until <= from) {
        check.report(TimingMistake::UntilBeforeFrom.into(), span);
    }
    let name = check.name(raw.name.as_ref(), "a fault's name");
    if let (Some(name), Some(raw)) = (&name, &raw.name)
        && name.bytes().all(|byte| byte.is_ascii_digit())
    {
        let (expected, found) =
            ("a name that is not a number, because numbers identify other faults", format!("`{name}`"));
        check.report(ProblemKind::WrongType { expected: expected.into(), found }, raw.span);
    }
    let effect = effect(raw, on?, span, check);
    let matches = matches(raw, on?, span, references, check);
    check_dependent_keys(raw, on?, effect.as_ref(), check);
    Some(Fault { name, matches, from, until: until.map(|(until, _)| until), effect: effect? })
}

fn span<T>(value: Option<&Spanned<T>>) -> Option<Span> {
    value.map(|value| value.span)
}

/// Returns the keys of the selected effects, with their spans.
fn effect_keys(raw: &RawFault) -> Vec<(&'static str, Span)> {
    let is_enabled =
        |switch: Option<&Spanned<bool>>| switch.filter(|switch| switch.value != Some(false)).map(|switch| switch.span);
    let all = [
        ("latency", span(raw.latency.as_ref())),
        ("status", span(raw.status.as_ref())),
        ("reset", is_enabled(raw.reset.as_ref())),
        ("empty", is_enabled(raw.empty.as_ref())),
        ("bandwidth", span(raw.bandwidth.as_ref())),
        ("malformed", is_enabled(raw.malformed.as_ref())),
        ("timeout", span(raw.timeout.as_ref())),
        ("contentLength", span(raw.content_length.as_ref())),
        ("connect", span(raw.connect.as_ref())),
        ("close", span(raw.close.as_ref())),
        ("freeze", is_enabled(raw.freeze.as_ref())),
        ("drop", is_enabled(raw.drop.as_ref())),
        ("duplicate", is_enabled(raw.duplicate.as_ref())),
        ("reorder", span(raw.reorder.as_ref())),
        ("corrupt", span(raw.corrupt.as_ref())),
        ("stale", is_enabled(raw.stale.as_ref())),
        ("storm", span(raw.storm.as_ref())),
        ("ignore", is_enabled(raw.ignore.as_ref())),
    ];
    all.into_iter().filter_map(|(key, span)| Some((key, span?))).collect()
}

fn effect(raw: &RawFault, on: RawOn, span: Span, check: &mut Validator<'_>) -> Option<Effect> {
    let keys = match on {
        RawOn::Http => ON_REQUESTS,
        RawOn::WebSocket => ON_SOCKETS,
        RawOn::Stream => ON_STREAMS,
    };
    let (own, others): (Vec<_>, Vec<_>) = effect_keys(raw).into_iter().partition(|(key, _)| keys.contains(key));
    for (key, place) in others.iter().copied() {
        let needs = match (ON_REQUESTS.contains(&key), ON_SOCKETS.contains(&key)) {
            (true, true) => "on: http` or `on: websocket",
            (true, false) => "on: http",
            (false, _) => "on: websocket",
        };
        check.report(ProblemKind::Needs { key, needs }, place);
    }
    if own.len() > 1 || own.is_empty() && others.is_empty() {
        check.needs_exactly_one("a fault", keys, span);
    }
    let ([(key, _)], []) = (&own[..], &others[..]) else { return None };
    let after = given(raw.after.as_ref()).and_then(|(after, span)| check.non_negative("after", *after, span));
    let chance = check.share(raw.chance.as_ref());
    Some(match (*key, on) {
        ("latency", RawOn::Http) => Effect::DelayAnswer(latency(raw.latency.as_ref(), check)?),
        ("latency", _) => Effect::Delay(latency(raw.latency.as_ref(), check)?),
        ("connect", _) => Effect::DelayHandshake(latency(raw.connect.as_ref(), check)?),
        ("status", RawOn::Http) => Effect::Answer(response(raw, check)?),
        ("status", _) => Effect::Refuse(response(raw, check)?),
        ("reset", RawOn::Http) => Effect::ResetRequest { after },
        ("reset", _) => Effect::ResetSocket { after },
        ("empty", _) => Effect::Empty,
        ("bandwidth", _) => {
            let (bandwidth, span) = given(raw.bandwidth.as_ref())?;
            Effect::Bandwidth(check.count("bandwidth", *bandwidth, span)?)
        }
        ("malformed", _) => Effect::Malformed,
        ("timeout", _) => timeout(raw, check)?,
        ("contentLength", _) => Effect::ContentLength(content_length(raw, check)?),
        ("close", _) => close(raw, after, check)?,
        ("freeze", _) => Effect::Freeze,
        ("drop", _) => Effect::Drop(chance),
        ("duplicate", _) => Effect::Duplicate(chance),
        ("reorder", _) => Effect::Reorder(window(raw, check)?),
        ("corrupt", _) => Effect::Corrupt(damage(raw)?, chance),
        ("stale", _) => Effect::Stale,
        ("storm", _) => Effect::Storm(check.duration(raw.storm.as_ref())?.0),
        _ => Effect::Ignore,
    })
}

/// Reports keys that require other effects.
fn check_dependent_keys(raw: &RawFault, on: RawOn, effect: Option<&Effect>, check: &mut Validator<'_>) {
    let Some(effect) = effect else { return };
    let mut require = |key: &'static str, span: Option<Span>, fits: bool, needs: &'static str| {
        if let Some(span) = span.filter(|_| !fits) {
            check.report(ProblemKind::Needs { key, needs }, span);
        }
    };
    let has_status = matches!(effect, Effect::Answer(_) | Effect::Refuse(_));
    require("body", span(raw.body.as_ref()), has_status, "status");
    require("retryAfter", span(raw.retry_after.as_ref()), has_status, "status");
    let has_after = matches!(effect, Effect::ResetRequest { .. } | Effect::ResetSocket { .. } | Effect::Close { .. });
    require("after", span(raw.after.as_ref()), has_after, "reset` or `close");
    require("reason", span(raw.reason.as_ref()), matches!(effect, Effect::Close { .. }), "close");
    let has_chance = matches!(effect, Effect::Drop(_) | Effect::Duplicate(_) | Effect::Corrupt(..));
    // `matches` reports the keys that do not apply to streams.
    let has_product = on == RawOn::Stream || effect.affects_only_requests() || effect.affects_frames();
    require("product", span(raw.product.as_ref()), has_product, "on: http` or a fault of frames such as `drop");
    // `matches` reports the keys that do not apply to requests.
    let has_topic = on == RawOn::Http || effect.affects_frames();
    require("topic", span(raw.topic.as_ref()), has_topic, "drop` or another fault of frames such as `latency");
    require("chance", span(raw.chance.as_ref()), has_chance, "drop`, `duplicate` or `corrupt");
}

fn response(raw: &RawFault, check: &mut Validator<'_>) -> Option<FaultResponse> {
    let (status, span) = given(raw.status.as_ref())?;
    let status = u16::try_from(*status).ok().filter(|status| (400..=599).contains(status));
    if status.is_none() {
        check.report_wrong_number("a status from 400 to 599", raw.status.as_ref(), span);
    }
    let body = given(raw.body.as_ref()).map(|(body, _)| body.clone());
    let retry_after = check.duration(raw.retry_after.as_ref()).map(|(after, _)| after);
    Some(FaultResponse { status: status?, body, retry_after })
}

fn timeout(raw: &RawFault, check: &mut Validator<'_>) -> Option<Effect> {
    let (timeout, span) = given(raw.timeout.as_ref())?;
    Some(Effect::Timeout(match timeout {
        RawTimeout::Never => None,
        RawTimeout::After(duration) => Some(check.parsed(&duration.0, span)?),
    }))
}

fn content_length(raw: &RawFault, check: &mut Validator<'_>) -> Option<i64> {
    let (off, span) = given(raw.content_length.as_ref())?;
    if *off == 0 || !(-MAX_LENGTH_OFFSET..=MAX_LENGTH_OFFSET).contains(off) {
        check.report_wrong_number("a number from -1048576 to 1048576 other than 0", raw.content_length.as_ref(), span);
        return None;
    }
    Some(*off)
}

fn close(raw: &RawFault, after: Option<u64>, check: &mut Validator<'_>) -> Option<Effect> {
    let (code, span) = given(raw.close.as_ref())?;
    let code = u16::try_from(*code).ok().filter(|code| is_sendable_code(CloseCode::from(*code)));
    if code.is_none() {
        let expected = "a close code: 1000 to 1003, 1007 to 1014 or 3000 to 4999";
        check.report_wrong_number(expected, raw.close.as_ref(), span);
    }
    let reason = given(raw.reason.as_ref());
    if let Some((reason, span)) = reason.filter(|(reason, _)| reason.len() > MAX_REASON) {
        let found = format!("{} bytes", reason.len());
        check.report(ProblemKind::WrongType { expected: format!("at most {MAX_REASON} bytes"), found }, span);
    }
    Some(Effect::Close { code: code?, reason: reason.map(|(reason, _)| reason.clone()).unwrap_or_default(), after })
}

fn window(raw: &RawFault, check: &mut Validator<'_>) -> Option<u64> {
    let (window, span) = given(raw.reorder.as_ref())?;
    let frames = u64::try_from(*window).ok().filter(|window| (2..=MAX_REORDER_WINDOW).contains(window));
    if frames.is_none() {
        check.report_wrong_number("a number of frames from 2 to 1000", raw.reorder.as_ref(), span);
    }
    frames
}

fn damage(raw: &RawFault) -> Option<Damage> {
    Some(match given(raw.corrupt.as_ref())?.0 {
        RawDamage::Json => Damage::Json,
        RawDamage::Utf8 => Damage::Utf8,
        RawDamage::Oversized => Damage::Oversized,
        RawDamage::Type => Damage::Type,
    })
}

impl Validator<'_> {
    /// Checks a share. The default is all.
    fn share(&mut self, value: Option<&Spanned<crate::scenario::raw::RawShare>>) -> Share {
        let Some((share, span)) = given(value) else { return Share::ALL };
        match &share.0 {
            Ok(share) => {
                if share.millionths() == 0 {
                    self.report(ProblemKind::NeverMatches("a share of 0% hits nothing".into()), span);
                }
                *share
            }
            Err(error) => {
                self.report(error.clone().into(), span);
                Share::ALL
            }
        }
    }

    /// Checks an integer of at least 0.
    fn non_negative(&mut self, key: &'static str, value: i64, span: Span) -> Option<u64> {
        let number = u64::try_from(value).ok();
        if number.is_none() {
            self.report(ProblemKind::TooSmall { key, least: "0" }, span);
        }
        number
    }

    fn report_wrong_number(&mut self, expected: &str, value: Option<&Spanned<i64>>, span: Span) {
        let found = given(value).map(|(number, _)| format!("the number {number}")).unwrap_or_default();
        self.report(ProblemKind::WrongType { expected: expected.into(), found }, span);
    }

    fn parsed(&mut self, value: &Result<Duration, crate::scenario::UnitError>, span: Span) -> Option<Duration> {
        value.clone().map_err(|error| self.report(error.into(), span)).ok()
    }
}

/// The methods that the API of a shop supports.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "OPTIONS"];

/// The methods that declared routes support.
const ROUTE_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Checks the keys that select what a fault hits.
fn matches(raw: &RawFault, on: RawOn, span: Span, references: &References<'_>, check: &mut Validator<'_>) -> Matches {
    let spans = [
        ("method", self::span(raw.method.as_ref())),
        ("path", self::span(raw.path.as_ref())),
        ("category", self::span(raw.category.as_ref())),
        ("product", self::span(raw.product.as_ref())),
        ("topic", self::span(raw.topic.as_ref())),
    ];
    for (key, place) in spans.into_iter().filter_map(|(key, place)| Some((key, place?))) {
        let needs = match (on, key) {
            (RawOn::WebSocket | RawOn::Stream, "method") => "on: http",
            (RawOn::Stream, "category" | "product") => "on: http` or `on: websocket",
            (RawOn::Http, "topic") => "on: websocket` or `on: stream",
            _ => continue,
        };
        check.report(ProblemKind::Needs { key, needs }, place);
    }
    let method = given(raw.method.as_ref()).map(|(method, span)| {
        // HTTP methods are in upper case, but lower case is accepted.
        let method = method.to_ascii_uppercase();
        let methods = if references.has_routes { ROUTE_METHODS } else { METHODS };
        if raw.path.is_none() && !methods.contains(&method.as_str()) {
            let why = format!("the API answers only {}", methods.join(", "));
            check.report(ProblemKind::NeverMatches(why), span);
        }
        method
    });
    let path = given(raw.path.as_ref()).map(|(path, span)| {
        if !path.starts_with(['/', '*']) {
            let found = format!("the text `{path}`");
            check.report(ProblemKind::WrongType { expected: "a path that starts with / or *".into(), found }, span);
        }
        path.clone()
    });
    let category = given(raw.category.as_ref()).map(|(name, span)| references.category(name, span, check));
    let product: Option<Arc<str>> = given(raw.product.as_ref()).map(|(Id { text: id, .. }, span)| {
        if let Some(why) = references.absence_reason(id, category.as_deref()) {
            check.report(ProblemKind::NeverMatches(why), span);
        }
        id.as_str().into()
    });
    if let (Some("GET" | "HEAD"), Some(_), RawOn::Http) = (method.as_deref(), &product, on) {
        let why = "products are ordered with POST".into();
        check.report(ProblemKind::NeverMatches(why), raw.product.as_ref().map_or(span, |product| product.span));
    }
    let share = check.share(raw.share.as_ref());
    let skip =
        given(raw.skip.as_ref()).and_then(|(skip, span)| check.non_negative("skip", *skip, span)).unwrap_or_default();
    let times = given(raw.times.as_ref()).and_then(|(times, span)| check.count("times", *times, span));
    let topic = given(raw.topic.as_ref()).map(|(topic, _)| topic.as_str().into());
    let streams = on == RawOn::Stream;
    Matches { method, path, streams, collection: category, row: product, topic, share, skip, times }
}
