//! Writes a scenario as YAML: everything filled in, anchors and merge keys resolved.

mod fault;

use std::time::Duration;

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value, json};

pub(super) use self::fault::fault;
use super::units::format_duration;
use super::{
    Action, Amount, Arrivals, Category, Cors, Draw, Feed, FieldRule, Generator, Product, Repeat, Scenario, Script,
    ServerOptions, Step,
};

impl Scenario {
    /// The scenario as YAML text that reads back as the same scenario.
    ///
    /// Paths are written as they were resolved, so the text belongs into the directory that mockd was started in.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut root = json!({ "name": self.name, "seed": self.seed });
        insert(&mut root, "feed", (self.feed == Feed::Category).then(|| "category".into()));
        insert(&mut root, "server", server(&self.server));
        let categories = self.categories.iter().map(|category| (category.name().to_string(), self::category(category)));
        insert(&mut root, "categories", Some(Value::Object(categories.collect())));
        let mut orders = json!({});
        let list = |list: Vec<Value>| (!list.is_empty()).then_some(Value::Array(list));
        insert(&mut orders, "random", list(self.generators.iter().map(generator).collect()));
        insert(&mut orders, "scripts", list(self.scripts.iter().map(script).collect()));
        insert(&mut root, "orders", Some(orders));
        insert(&mut root, "faults", list(self.faults.iter().map(|fault| self::fault(fault)).collect()));
        // The tree holds nothing that YAML could not say.
        serde_yaml::to_string(&root).unwrap_or_default()
    }
}

/// As in the language.
impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        step(self).serialize(serializer)
    }
}

/// As in the language.
impl Serialize for Generator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        generator(self).serialize(serializer)
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
    insert(&mut mapping, "static", server.site.as_ref().map(|site| site.to_string_lossy().into()));
    let cors = match &server.cors {
        Cors::Any => None,
        Cors::Off => Some(false.into()),
        Cors::Origins(origins) => Some(json!(origins)),
    };
    insert(&mut mapping, "cors", cors);
    (*server != ServerOptions::default()).then_some(mapping)
}

fn category(category: &Category) -> Value {
    let products: Vec<Value> = category.products().iter().map(|product| self::product(product, true)).collect();
    let mut mapping = json!({ "prefix": category.prefix(), "products": products });
    let fields: Map<String, Value> = category.fields().iter().map(|(name, rule)| (name.clone(), field(rule))).collect();
    insert(&mut mapping, "fields", (!fields.is_empty()).then_some(fields.into()));
    mapping
}

fn field(rule: &FieldRule) -> Value {
    let types: Vec<&str> = rule.types.iter().map(|r#type| r#type.name()).collect();
    json!({ "type": types, "optional": rule.optional })
}

fn product(product: &Product, with_id: bool) -> Value {
    let mut mapping = json!({});
    insert(&mut mapping, "id", with_id.then(|| (**product.id()).into()));
    for (key, value) in product.own() {
        insert(&mut mapping, key, Some(value.clone()));
    }
    insert(&mut mapping, "total", Some(product.total().into()));
    insert(&mut mapping, "order", (!product.order().is_empty()).then(|| product.order().clone().into()));
    mapping
}

fn generator(generator: &Generator) -> Value {
    let mut mapping = match generator.arrivals {
        Arrivals::Every(gap) => json!({ "every": duration(gap) }),
        Arrivals::Poisson(gap) => json!({ "every": duration(gap), "arrivals": "poisson" }),
    };
    insert(&mut mapping, "jitter", (!generator.jitter.is_zero()).then(|| duration(generator.jitter)));
    insert(&mut mapping, "amount", Some(amount(&generator.amount)));
    insert(&mut mapping, "products", Some(draw(&generator.products)));
    insert(&mut mapping, "from", Some(duration(generator.from)));
    insert(&mut mapping, "until", generator.until.map(duration));
    mapping
}

fn amount(amount: &Amount) -> Value {
    json!({ "min": amount.start(), "max": amount.end() })
}

fn draw(draw: &Draw) -> Value {
    match draw {
        Draw::All => "all".into(),
        Draw::Ids(ids) => json!(ids),
        Draw::Category(name) => json!({ "category": name }),
        Draw::Weights(weights) => {
            let weights: Map<String, Value> =
                weights.iter().map(|(id, weight)| (id.to_string(), (*weight).into())).collect();
            json!({ "weights": weights })
        }
    }
}

fn script(script: &Script) -> Value {
    let mut mapping = json!({});
    insert(&mut mapping, "name", script.name().map(Into::into));
    insert(&mut mapping, "start", Some(duration(script.start)));
    let repeat = match script.repeat {
        Repeat::Times(times) => times.into(),
        Repeat::Forever => "forever".into(),
    };
    insert(&mut mapping, "repeat", Some(repeat));
    insert(&mut mapping, "steps", Some(script.steps.iter().map(step).collect()));
    mapping
}

fn step(step: &Step) -> Value {
    let mut mapping = json!({ "at": duration(step.at) });
    match &step.action {
        Action::Order { product, amount } => {
            insert(&mut mapping, "product", Some((**product).into()));
            insert(&mut mapping, "amount", Some((*amount).into()));
        }
        Action::Set { product, total } => {
            insert(&mut mapping, "set", Some(json!({ "product": product, "total": total })));
        }
        Action::Remove { product } => insert(&mut mapping, "remove", Some(json!({ "product": product }))),
        Action::Add(new) => {
            let product = self::product(&new.product, new.has_id);
            insert(&mut mapping, "add", Some(json!({ "category": new.category, "product": product })));
        }
        Action::Fault(fault) => insert(&mut mapping, "fault", Some(self::fault(fault))),
    }
    if step.times > 1 {
        insert(&mut mapping, "times", Some(step.times.into()));
        insert(&mut mapping, "every", (!step.every.is_zero()).then(|| duration(step.every)));
    }
    mapping
}
