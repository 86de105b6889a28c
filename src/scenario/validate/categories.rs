//! Checks categories, gives ids to products that declare none.

use std::collections::HashMap;
use std::sync::Arc;

use super::known::{Found, Known, New};
use super::{Check, given};
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::raw::{RawCategory, RawField, RawProduct, RawTypes};
use crate::scenario::source::Span;
use crate::scenario::units::MAX_TOTAL;
use crate::scenario::yaml::{Entries, Spanned};
use crate::scenario::{Category, FieldRule, JsonType, Product};

/// Where each id was declared.
type Ids = HashMap<Arc<str>, Span>;

/// The categories, and whether they could be read so that all their ids are known.
pub(super) fn categories(
    entries: &Entries<RawCategory>,
    span: Span,
    known: &mut Known,
    check: &mut Check<'_>,
) -> (Vec<Category>, bool) {
    if entries.0.is_empty() {
        check.note(ProblemKind::EmptyList("`categories`"), span);
    }
    let list = |raw: &Spanned<RawCategory>| {
        given(raw.get()?.0.products.as_ref()).map(|(list, _)| known.find(list, check.document))
    };
    let found: Vec<Vec<Found>> = entries.0.iter().map(|(_, raw)| list(raw).unwrap_or_default()).collect();
    let readable = check.is_readable(entries, span);
    let mut products = Products { ids: Ids::new(), known };
    products.note_duplicate_ids(&found, check);
    let categories = entries.0.iter().zip(found);
    let category = |((name, raw), found): (&(_, _), _)| category(name, raw, found, &mut products, check);
    (categories.filter_map(category).collect(), readable)
}

fn category(
    name: &Spanned<String>,
    raw: &Spanned<RawCategory>,
    found: Vec<Found>,
    products: &mut Products<'_>,
    check: &mut Check<'_>,
) -> Option<Category> {
    let (name, name_span) = name.get()?;
    let reserved = matches!(name.as_str(), "orders" | "." | "..") || name.starts_with("__") || name.starts_with('@');
    if reserved || name.trim().is_empty() || name.contains('/') {
        check.note(ProblemKind::ReservedCategory(name.clone()), name_span);
    }
    let (raw, span) = raw.get()?;
    let prefix = check.required(raw.prefix.as_ref(), "a category", "prefix", name_span, span);
    if let Some((_, span)) = prefix.filter(|(prefix, _)| prefix.is_empty()) {
        check.note(ProblemKind::EmptyName("a category's prefix"), span);
    }
    let prefix = prefix.map(|(prefix, _)| prefix.clone()).unwrap_or_default();
    let products = products.of(found, &prefix, check);
    let fields = given(raw.fields.as_ref()).map(|(fields, _)| rules(fields, check)).unwrap_or_default();
    Some(Category { name: name.as_str().into(), prefix, products, fields })
}

/// What the products of all categories share.
struct Products<'k> {
    ids: Ids,
    known: &'k mut Known,
}

impl Products<'_> {
    /// Declared ids first, so that a made id never takes one that stands further down.
    fn note_duplicate_ids(&mut self, found: &[Vec<Found>], check: &mut Check<'_>) {
        for product in found.iter().flatten() {
            let Some((id, span)) = product.id(check.document) else { continue };
            if id.is_empty() {
                check.note(ProblemKind::EmptyName("a product's id"), span);
                continue;
            }
            if let Some(first) = self.ids.get(id) {
                let problem = Problem::new(ProblemKind::DuplicateId(id.to_owned()), span);
                check.document.note(problem.related_to(*first));
                continue;
            }
            let id = match product {
                Found::Known(_, product) => product.id().clone(),
                Found::New(_) => id.into(),
            };
            self.ids.insert(id, span);
        }
    }

    fn of(&mut self, found: Vec<Found>, prefix: &str, check: &mut Check<'_>) -> Vec<Arc<Product>> {
        let mut highest = 0;
        let mut product = |found| {
            let product = match found {
                Found::Known(_, product) => product,
                Found::New(new) => self.product(*new, prefix, highest, check),
            };
            highest = highest.max(number(prefix, product.id()).unwrap_or(0));
            product
        };
        found.into_iter().map(&mut product).collect()
    }

    fn product(&mut self, new: New, prefix: &str, highest: u64, check: &mut Check<'_>) -> Arc<Product> {
        let declared = given(new.raw.id.as_ref()).map(|(id, _)| id.as_str());
        let is_declared = declared.is_some_and(|id| !id.is_empty());
        let id = match declared {
            Some(id) => self.ids.get_key_value(id).map_or_else(|| id.into(), |(id, _)| id.clone()),
            None => self.free_id(prefix, highest, new.span),
        };
        let problems = check.document.problems().len();
        let product = Arc::new(product(new.raw, id, check));
        if is_declared && new.is_right && check.document.problems().len() == problems {
            self.known.add(new.node, product.clone());
        }
        product
    }

    /// The prefix with the next number that no product has.
    fn free_id(&mut self, prefix: &str, highest: u64, span: Span) -> Arc<str> {
        let mut candidates = (highest.saturating_add(1)..).map(|number| Arc::<str>::from(format!("{prefix}{number}")));
        let id = candidates.find(|id| !self.ids.contains_key(id)).unwrap_or_else(|| prefix.into());
        self.ids.insert(id.clone(), span);
        id
    }
}

/// Ids with higher numbers than this are words like any other: nobody counts on from them.
const MAX_NUMBER: u64 = MAX_TOTAL.unsigned_abs();

/// The number of an id that is the prefix and a number.
pub(crate) fn number(prefix: &str, id: &str) -> Option<u64> {
    let digits = id.strip_prefix(prefix)?;
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
    number.filter(|number| *number <= MAX_NUMBER)
}

pub(super) fn product(raw: RawProduct, id: Arc<str>, check: &mut Check<'_>) -> Product {
    let total = given(raw.total.as_ref()).map_or(0, |(total, span)| check.total(*total, span));
    let order = given(raw.order.as_ref()).map(|(order, span)| {
        for key in ["id", "total"].into_iter().filter(|key| order.contains_key(*key)) {
            let found = format!("`{key}`");
            check.note(
                ProblemKind::WrongType { expected: "extra properties other than id and total".into(), found },
                span,
            );
        }
        order.clone()
    });
    Product { id, own: raw.own, order: order.unwrap_or_default(), total }
}

fn rules(fields: &Entries<RawField>, check: &mut Check<'_>) -> Vec<(String, FieldRule)> {
    let entries = fields.0.iter().filter_map(|(name, field)| Some((name.value.clone()?, field.get()?)));
    entries.map(|(name, (field, span))| (name, rule(field, span, check))).collect()
}

fn rule(field: &RawField, span: Span, check: &mut Check<'_>) -> FieldRule {
    match field {
        RawField::Type(one) => FieldRule { types: vec![*one], optional: false },
        RawField::AnyOf(list) => FieldRule { types: types(list, span, check), optional: false },
        RawField::Described(described) => FieldRule {
            types: match given(described.r#type.as_ref()) {
                Some((RawTypes::One(one), _)) => vec![*one],
                Some((RawTypes::AnyOf(list), span)) => types(list, span, check),
                None => ALL_TYPES.to_vec(),
            },
            optional: given(described.optional.as_ref()).is_some_and(|(optional, _)| *optional),
        },
    }
}

fn types(list: &[Spanned<JsonType>], span: Span, check: &mut Check<'_>) -> Vec<JsonType> {
    if list.is_empty() {
        check.note(ProblemKind::EmptyList("the list of types"), span);
    }
    list.iter().filter_map(|one| one.value).collect()
}

const ALL_TYPES: [JsonType; 6] =
    [JsonType::String, JsonType::Number, JsonType::Boolean, JsonType::Object, JsonType::Array, JsonType::Null];
