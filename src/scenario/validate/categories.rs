//! Checks categories, and assigns ids to products that declare none.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Validator, given};
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::raw::{RawCategory, RawField, RawProduct, RawTypes};
use crate::scenario::shop::Category;
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, Items, Spanned};
use crate::scenario::{FieldRule, JsonType, Row, row_number};

/// A product as written.
type WrittenProduct = Spanned<RawProduct>;

/// Checks the categories. Also returns whether all ids of products are known.
pub(super) fn categories(
    entries: &Entries<RawCategory>,
    span: Span,
    check: &mut Validator<'_>,
) -> (Vec<Category>, bool) {
    if entries.0.is_empty() {
        check.report(ProblemKind::EmptyList("`categories`"), span);
    }
    let list = |raw: &Spanned<RawCategory>| -> Option<Vec<WrittenProduct>> {
        let (list, _) = given(raw.get()?.0.products.as_ref())?;
        Some(check.document.items(list).filter(|product| product.value.is_some()).collect())
    };
    let written: Vec<Vec<WrittenProduct>> = entries.0.iter().map(|(_, raw)| list(raw).unwrap_or_default()).collect();
    let ids_known = are_ids_known(entries, &written, check);
    let mut ids = ProductIds::declared(&written, check);
    let categories = entries.0.iter().zip(written);
    let category = |((name, raw), written): (&(_, _), _)| category(name, raw, written, &mut ids, check);
    (categories.filter_map(category).collect(), ids_known)
}

/// Returns whether everything that determines ids is valid, so that all ids are known.
fn are_ids_known(entries: &Entries<RawCategory>, written: &[Vec<WrittenProduct>], check: &Validator<'_>) -> bool {
    let has_id = |product: &WrittenProduct| product.value.as_ref().is_some_and(|raw| raw.id.is_some());
    let is_valid = |product: &WrittenProduct| {
        let id = product.value.as_ref().and_then(|raw| raw.id.as_ref());
        id.is_none_or(|id| id.value.is_some())
    };
    let category = |((name, raw), written): (&(Spanned<String>, Spanned<RawCategory>), &Vec<WrittenProduct>)| {
        let (Some(_), Some(raw)) = (&name.value, &raw.value) else { return false };
        let length = raw.products.as_ref().map_or(Some(0), |list| list.value.as_ref().map(Items::len));
        let has_prefix = raw.prefix.as_ref().is_some_and(|prefix| prefix.value.is_some());
        let has_ids = has_prefix || has_number_ids(written) || written.iter().all(has_id);
        length == Some(written.len()) && has_ids && written.iter().all(is_valid)
    };
    let is_misspelt = |problem: &Problem| match &problem.kind {
        ProblemKind::UnknownKey { expected, .. } => expected.contains(&"products") && expected.contains(&"prefix"),
        _ => false,
    };
    entries.0.iter().zip(written).all(category) && !check.document.problems().iter().any(is_misspelt)
}

fn category(
    name: &Spanned<String>,
    raw: &Spanned<RawCategory>,
    written: Vec<WrittenProduct>,
    ids: &mut ProductIds,
    check: &mut Validator<'_>,
) -> Option<Category> {
    let (name, name_span) = name.get()?;
    let reserved = matches!(name.as_str(), "orders" | "." | "..") || name.starts_with("__") || name.starts_with('@');
    if reserved || name.trim().is_empty() || name.contains('/') {
        check.report(ProblemKind::ReservedCategory(name.clone()), name_span);
    }
    let (raw, span) = raw.get()?;
    let prefix = match &raw.prefix {
        None if has_number_ids(&written) => None,
        prefix => check.required(prefix.as_ref(), "a category", "prefix", name_span, span),
    };
    if let Some((_, span)) = prefix.filter(|(prefix, _)| prefix.is_empty()) {
        check.report(ProblemKind::EmptyName("a category's prefix"), span);
    }
    let prefix = prefix.map(|(prefix, _)| prefix.clone()).unwrap_or_default();
    let products = products(written, &prefix, ids, check);
    let fields = given(raw.fields.as_ref()).map(|(fields, _)| rules(fields, check)).unwrap_or_default();
    Some(Category { name: name.as_str().into(), prefix, products: products.into(), fields })
}

/// Returns whether at least one id is declared and all declared ids are numbers. A prefix is optional then.
fn has_number_ids(written: &[WrittenProduct]) -> bool {
    let mut ids = written.iter().filter_map(|product| product.value.as_ref()?.id.as_ref()).peekable();
    ids.peek().is_some() && ids.all(|id| id.value.as_ref().is_some_and(|id| id.is_number))
}

/// The ids of products, each with the span of the declared id, or of the product if its id is assigned.
struct ProductIds(HashMap<Arc<str>, Span>);

impl ProductIds {
    /// Collects the declared ids first, so that an assigned id never equals an id that is declared further down.
    fn declared(written: &[Vec<WrittenProduct>], check: &mut Validator<'_>) -> Self {
        let mut ids = HashMap::new();
        for (id, span) in written.iter().flatten().filter_map(|product| given(product.value.as_ref()?.id.as_ref())) {
            if id.text.is_empty() {
                check.report(ProblemKind::EmptyName("a product's id"), span);
            } else if let Some(first) = ids.get(id.text.as_str()) {
                let problem = Problem::new(ProblemKind::DuplicateId(id.text.clone()), span);
                check.document.report(problem.related_to(*first));
            } else {
                ids.insert(id.text.as_str().into(), span);
            }
        }
        Self(ids)
    }

    /// Returns the shared copy of an id.
    fn shared(&self, id: &str) -> Arc<str> {
        self.0.get_key_value(id).map_or_else(|| id.into(), |(id, _)| id.clone())
    }

    /// Returns the prefix with the next free number.
    fn next_free(&mut self, prefix: &str, highest: u64, span: Span) -> Arc<str> {
        let mut candidates = (highest.saturating_add(1)..).map(|number| Arc::<str>::from(format!("{prefix}{number}")));
        let id = candidates.find(|id| !self.0.contains_key(id)).unwrap_or_else(|| prefix.into());
        self.0.insert(id.clone(), span);
        id
    }
}

fn products(
    written: Vec<WrittenProduct>,
    prefix: &str,
    ids: &mut ProductIds,
    check: &mut Validator<'_>,
) -> Vec<Arc<Row>> {
    let mut highest = 0;
    let mut product = |Spanned { span, value }: WrittenProduct| {
        let raw = value?;
        let (id, is_number) = match given(raw.id.as_ref()) {
            Some((id, _)) => (ids.shared(&id.text), id.is_number),
            None => (ids.next_free(prefix, highest, span), prefix.is_empty()),
        };
        highest = highest.max(row_number(prefix, &id).unwrap_or(0));
        let has_assigned_id = given(raw.id.as_ref()).is_none();
        let product = product(raw, id, check).with_number_id(is_number);
        Some(Arc::new(Row { has_assigned_id, ..product }))
    };
    written.into_iter().filter_map(&mut product).collect()
}

pub(super) fn product(raw: RawProduct, id: Arc<str>, check: &mut Validator<'_>) -> Row {
    let total = given(raw.total.as_ref()).map_or(0, |(total, span)| check.total(*total, span));
    let order = given(raw.order.as_ref()).map(|(order, span)| {
        for key in ["id", "total"].into_iter().filter(|key| order.contains_key(*key)) {
            let found = format!("`{key}`");
            check.report(
                ProblemKind::WrongType { expected: "extra properties other than id and total".into(), found },
                span,
            );
        }
        order.clone()
    });
    Row::from_parts(id, raw.fields, order.unwrap_or_default(), total)
}

pub(super) fn rules(fields: &Entries<RawField>, check: &mut Validator<'_>) -> Vec<(String, FieldRule)> {
    let entries = fields.0.iter().filter_map(|(name, field)| Some((name.value.clone()?, field.get()?)));
    entries.map(|(name, (field, span))| (name, rule(field, span, check))).collect()
}

fn rule(field: &RawField, span: Span, check: &mut Validator<'_>) -> FieldRule {
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

fn types(list: &[Spanned<JsonType>], span: Span, check: &mut Validator<'_>) -> Vec<JsonType> {
    if list.is_empty() {
        check.report(ProblemKind::EmptyList("the list of types"), span);
    }
    list.iter().filter_map(|one| one.value).collect()
}

const ALL_TYPES: [JsonType; 6] =
    [JsonType::String, JsonType::Number, JsonType::Boolean, JsonType::Object, JsonType::Array, JsonType::Null];
