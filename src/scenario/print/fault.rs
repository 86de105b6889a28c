//! Writes a fault.

use serde_json::{Value, json};

use super::{duration, insert};
use crate::scenario::fault::{Damage, Effect, Fault, Latency, Matches, Refusal, Share};

/// A fault as the language writes it.
pub(in crate::scenario) fn fault(fault: &Fault) -> Value {
    let mut mapping = json!({});
    insert(&mut mapping, "name", fault.name().map(Into::into));
    insert(&mut mapping, "on", Some(if fault.effect.is_for_requests() { "http" } else { "websocket" }.into()));
    matches(&fault.matches, &mut mapping);
    insert(&mut mapping, "from", (!fault.from.is_zero()).then(|| duration(fault.from)));
    insert(&mut mapping, "until", fault.until.map(duration));
    effect(&fault.effect, &mut mapping);
    mapping
}

fn matches(matches: &Matches, mapping: &mut Value) {
    let Matches { method, path, category, product, share, skip, times } = matches;
    insert(mapping, "method", method.as_deref().map(Into::into));
    insert(mapping, "path", path.as_deref().map(Into::into));
    insert(mapping, "category", category.as_deref().map(Into::into));
    insert(mapping, "product", product.as_deref().map(Into::into));
    insert(mapping, "share", self::share(*share));
    insert(mapping, "skip", (*skip > 0).then(|| (*skip).into()));
    insert(mapping, "times", times.map(Into::into));
}

fn share(share: Share) -> Option<Value> {
    (share != Share::ALL).then(|| share.percent().into())
}

fn effect(effect: &Effect, mapping: &mut Value) {
    let (key, value) = match effect {
        Effect::AnswerLate(latency) | Effect::Delay(latency) => ("latency", self::latency(latency)),
        Effect::ConnectLate(latency) => ("connect", self::latency(latency)),
        Effect::Answer(refusal) | Effect::Refuse(refusal) => {
            let Refusal { status, body, retry_after } = refusal;
            insert(mapping, "body", body.clone());
            insert(mapping, "retryAfter", retry_after.map(duration));
            ("status", (*status).into())
        }
        Effect::ResetRequest { after } | Effect::ResetSocket { after } => {
            insert(mapping, "after", after.map(Into::into));
            ("reset", true.into())
        }
        Effect::Empty => ("empty", true.into()),
        Effect::Bandwidth(rate) => ("bandwidth", (*rate).into()),
        Effect::Malformed => ("malformed", true.into()),
        Effect::Timeout(after) => ("timeout", after.map_or_else(|| "never".into(), duration)),
        Effect::ContentLength(off) => ("contentLength", (*off).into()),
        Effect::Close { code, reason, after } => {
            insert(mapping, "reason", (!reason.is_empty()).then(|| reason.as_str().into()));
            insert(mapping, "after", after.map(Into::into));
            ("close", (*code).into())
        }
        Effect::Freeze => ("freeze", true.into()),
        Effect::Drop(chance) => {
            insert(mapping, "chance", share(*chance));
            ("drop", true.into())
        }
        Effect::Duplicate(chance) => {
            insert(mapping, "chance", share(*chance));
            ("duplicate", true.into())
        }
        Effect::Reorder(window) => ("reorder", (*window).into()),
        Effect::Corrupt(damage, chance) => {
            insert(mapping, "chance", share(*chance));
            ("corrupt", damage.word().into())
        }
        Effect::Stale => ("stale", true.into()),
        Effect::Storm(closed) => ("storm", duration(*closed)),
        Effect::Ignore => ("ignore", true.into()),
    };
    insert(mapping, key, Some(value));
}

fn latency(latency: &Latency) -> Value {
    match latency {
        Latency::Fixed(time) => duration(*time),
        Latency::Uniform { min, max } => json!({ "min": duration(*min), "max": duration(*max) }),
        Latency::Normal { mean, deviation } => json!({ "mean": duration(*mean), "deviation": duration(*deviation) }),
        Latency::LogNormal { median, sigma } => {
            json!({ "median": duration(*median), "sigma": f64::from(*sigma) / 1000.0 })
        }
    }
}

impl Damage {
    /// As the language writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Utf8 => "utf8",
            Self::Oversized => "oversized",
            Self::Type => "type",
        }
    }
}
