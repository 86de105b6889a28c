//! Writes a scenario as YAML, with defaults filled in, and anchors and merge keys resolved.

mod general;

use std::sync::Arc;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use self::general::WrittenData;
use super::shop::{Category, OrderGenerator, OrderScript, OrderStep, OrderedProducts, Shop, ShopAction, ShopFeed};
use super::units::{format_duration, format_moment};
use super::{
    Amount, Arrivals, Cors, Damage, Effect, Fault, FaultResponse, FieldRule, Fires, Generator, Latency, Matches,
    Repeat, Row, Scenario, ServerOptions, Share, Step,
};

impl Scenario {
    /// Writes the scenario as YAML that reads back as the same scenario.
    ///
    /// Paths are relative to the requested file, so the YAML belongs in the directory of that file.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        self.written(true)
    }

    /// Does the same as [`Scenario::to_yaml`], but leaves out assigned ids: a reader assigns the same ids again.
    #[must_use]
    #[cfg(feature = "redis")]
    pub(crate) fn to_yaml_as_declared(&self) -> String {
        self.written(false)
    }

    fn written(&self, with_assigned_ids: bool) -> String {
        let mut before = json!({ "name": self.name, "seed": self.seed });
        insert(&mut before, "starts", self.starts.map(|ms| format_moment(ms).into()));
        self.insert_shop(&mut before, with_assigned_ids);
        let mut after = json!({});
        general::insert_rules(&mut after, self);
        insert(&mut after, "faults", list(self.faults.iter().map(|fault| self::fault(fault)).collect()));
        // Every value in it can be represented in YAML, so this cannot fail.
        serde_yaml::to_string(&Sections { before, data: WrittenData::of(self, with_assigned_ids), after })
            .unwrap_or_default()
    }

    /// Inserts the sections of a shop, and the `server` section among them.
    fn insert_shop(&self, root: &mut Value, with_assigned_ids: bool) {
        let shop = Shop::of(self);
        if shop.categories.is_empty() {
            insert(root, "server", server(&self.server));
            return;
        }
        insert(root, "feed", (shop.feed == ShopFeed::Category).then(|| "category".into()));
        insert(root, "server", server(&self.server));
        let category = |one: &Category| (one.name.to_string(), self::category(one, with_assigned_ids));
        let categories = shop.categories.iter().map(category);
        insert(root, "categories", Some(Value::Object(categories.collect())));
        let mut orders = json!({});
        insert(&mut orders, "random", list(shop.generators.iter().map(generator).collect()));
        insert(&mut orders, "scripts", list(shop.scripts.iter().map(script).collect()));
        insert(root, "orders", Some(orders));
    }
}

/// The sections of a scenario, in order.
struct Sections<'s> {
    /// A mapping.
    before: Value,
    data: WrittenData<'s>,
    /// A mapping.
    after: Value,
}

impl Serialize for Sections<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.before.as_object().into_iter().flatten() {
            map.serialize_entry(key, value)?;
        }
        if !self.data.is_empty() {
            map.serialize_entry("data", &self.data)?;
        }
        for (key, value) in self.after.as_object().into_iter().flatten() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Serializes in the notation of the language.
impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        step(&OrderStep::of(self)).serialize(serializer)
    }
}

/// Serializes in the notation of the language.
impl Serialize for Generator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.fires(), OrderGenerator::of(self)) {
            (Fires::Rule(rule), _) => rule.source.serialize(serializer),
            (_, shop) => shop.map(|shop| generator(&shop)).serialize(serializer),
        }
    }
}

/// Serializes in the notation of the language.
impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fault(self).serialize(serializer)
    }
}

/// Returns a list; `None` if it is empty.
fn list(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}

fn repeat(repeat: Repeat) -> Value {
    match repeat {
        Repeat::Times(times) => times.into(),
        Repeat::Forever => "forever".into(),
    }
}

fn insert(mapping: &mut Value, key: &str, value: Option<Value>) {
    if let (Value::Object(mapping), Some(value)) = (mapping, value) {
        mapping.insert(key.into(), value);
    }
}

fn duration(duration: Duration) -> Value {
    format_duration(duration).into()
}

fn server(server: &ServerOptions) -> Option<Value> {
    let mut mapping = json!({});
    insert(&mut mapping, "host", server.host.map(|host| host.to_string().into()));
    insert(&mut mapping, "port", server.port.map(Into::into));
    insert(&mut mapping, "static", server.printed_site.as_ref().map(|site| site.to_string_lossy().into()));
    let cors = match &server.cors {
        Cors::Any => None,
        Cors::Off => Some(false.into()),
        Cors::Origins(origins) => Some(json!(origins)),
    };
    insert(&mut mapping, "cors", cors);
    (*server != ServerOptions::default()).then_some(mapping)
}

fn category(category: &Category, with_assigned_ids: bool) -> Value {
    let product = |one: &Arc<Row>| self::product(one, with_assigned_ids || !one.has_assigned_id());
    let products: Vec<Value> = category.products.iter().map(product).collect();
    let mut mapping = json!({});
    insert(&mut mapping, "prefix", (!category.prefix.is_empty()).then(|| category.prefix.as_str().into()));
    insert(&mut mapping, "products", Some(products.into()));
    let fields: Map<String, Value> = category.fields.iter().map(|(name, rule)| (name.clone(), field(rule))).collect();
    insert(&mut mapping, "fields", (!fields.is_empty()).then_some(fields.into()));
    mapping
}

fn field(rule: &FieldRule) -> Value {
    let types: Vec<&str> = rule.types.iter().map(|r#type| r#type.name()).collect();
    json!({ "type": types, "optional": rule.optional })
}

fn product(product: &Row, with_id: bool) -> Value {
    let mut mapping = json!({});
    insert(&mut mapping, "id", with_id.then(|| product.id_json()));
    for (key, value) in product.fields() {
        insert(&mut mapping, key, Some(value.clone()));
    }
    insert(&mut mapping, "total", Some(product.value().into()));
    insert(&mut mapping, "order", (!product.order().is_empty()).then(|| product.order().clone().into()));
    mapping
}

fn generator(generator: &OrderGenerator) -> Value {
    let mut mapping = match generator.arrivals {
        Arrivals::Every(gap) => json!({ "every": duration(gap) }),
        Arrivals::Poisson(gap) => json!({ "every": duration(gap), "arrivals": "poisson" }),
    };
    insert(&mut mapping, "jitter", (!generator.jitter.is_zero()).then(|| duration(generator.jitter)));
    insert(&mut mapping, "amount", Some(amount(&generator.amount)));
    insert(&mut mapping, "products", Some(products(&generator.products)));
    insert(&mut mapping, "from", Some(duration(generator.from)));
    insert(&mut mapping, "until", generator.until.map(duration));
    mapping
}

fn amount(amount: &Amount) -> Value {
    json!({ "min": amount.start(), "max": amount.end() })
}

fn products(products: &OrderedProducts) -> Value {
    match products {
        OrderedProducts::All => "all".into(),
        OrderedProducts::Ids(ids) => json!(ids),
        OrderedProducts::Category(name) => json!({ "category": name }),
        OrderedProducts::Weights(weights) => {
            let weights: Map<String, Value> =
                weights.iter().map(|(id, weight)| (id.to_string(), (*weight).into())).collect();
            json!({ "weights": weights })
        }
    }
}

fn script(script: &OrderScript) -> Value {
    let mut mapping = json!({});
    insert(&mut mapping, "name", script.name.as_deref().map(Into::into));
    insert(&mut mapping, "start", Some(duration(script.start)));
    insert(&mut mapping, "repeat", Some(repeat(script.repeat)));
    insert(&mut mapping, "steps", Some(script.steps.iter().map(step).collect()));
    mapping
}

fn step(step: &OrderStep) -> Value {
    let mut mapping = json!({ "at": duration(step.at) });
    match &step.action {
        ShopAction::Order { product, amount } => {
            insert(&mut mapping, "product", Some((**product).into()));
            let fixed = (amount.start() == amount.end()).then(|| (*amount.start()).into());
            insert(&mut mapping, "amount", Some(fixed.unwrap_or_else(|| self::amount(amount))));
        }
        ShopAction::Set { product, total } => {
            insert(&mut mapping, "set", Some(json!({ "product": product, "total": total })));
        }
        ShopAction::Remove { product } => {
            insert(&mut mapping, "remove", Some(json!({ "product": product })));
        }
        ShopAction::Add(new) => {
            let product = self::product(&new.row, new.has_id);
            insert(&mut mapping, "add", Some(json!({ "category": new.collection, "product": product })));
        }
        ShopAction::Fault(fault) => insert(&mut mapping, "fault", Some(self::fault(fault))),
    }
    if step.times > 1 {
        insert(&mut mapping, "times", Some(step.times.into()));
        insert(&mut mapping, "every", (!step.every.is_zero()).then(|| duration(step.every)));
    }
    mapping
}

/// Writes a fault in the notation of the language.
fn fault(fault: &Fault) -> Value {
    let mut mapping = json!({});
    insert(&mut mapping, "name", fault.name().map(Into::into));
    let on = match (fault.effect.affects_only_requests(), fault.matches.streams) {
        (true, _) => "http",
        (false, true) => "stream",
        (false, false) => "websocket",
    };
    insert(&mut mapping, "on", Some(on.into()));
    matches(&fault.matches, &mut mapping);
    insert(&mut mapping, "from", (!fault.from.is_zero()).then(|| duration(fault.from)));
    insert(&mut mapping, "until", fault.until.map(duration));
    effect(&fault.effect, &mut mapping);
    mapping
}

fn matches(matches: &Matches, mapping: &mut Value) {
    let Matches { method, path, streams: _, collection: category, row: product, topic, share, skip, times } = matches;
    insert(mapping, "method", method.as_deref().map(Into::into));
    insert(mapping, "path", path.as_deref().map(Into::into));
    insert(mapping, "category", category.as_deref().map(Into::into));
    insert(mapping, "product", product.as_deref().map(Into::into));
    insert(mapping, "topic", topic.as_deref().map(Into::into));
    insert(mapping, "share", self::share(*share));
    insert(mapping, "skip", (*skip > 0).then(|| (*skip).into()));
    insert(mapping, "times", times.map(Into::into));
}

fn share(share: Share) -> Option<Value> {
    (share != Share::ALL).then(|| share.percent().into())
}

fn effect(effect: &Effect, mapping: &mut Value) {
    let (key, value) = match effect {
        Effect::DelayAnswer(latency) | Effect::Delay(latency) => ("latency", self::latency(latency)),
        Effect::DelayHandshake(latency) => ("connect", self::latency(latency)),
        Effect::Answer(refusal) | Effect::Refuse(refusal) => {
            let FaultResponse { status, body, retry_after } = refusal;
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
    /// Returns the word that the language uses.
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
