//! Checks `data`: values and collections. A list of mappings is a collection of rows.

mod generated;
mod rows;
mod table;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use self::rows::{WrittenRow, collection};
use super::{Validator, given};
use crate::expression::{is_function, is_reserved_name};
use crate::scenario::Collection;
use crate::scenario::problem::{DataMistake, ProblemKind, is_taken};
use crate::scenario::raw::{RawDataFile, RawGeneratedRows, RawRow};
use crate::scenario::shop::Category;
use crate::scenario::source::Span;
use crate::scenario::yaml::{DataFile, Entries, JsonNode, NodeId, NodeView};

/// The checked values and collections of `data`.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) collections: Vec<Collection>,
    pub(super) values: IndexMap<Arc<str>, Arc<Value>>,
    /// Invalid names, and names whose values are invalid.
    pub(super) unread: Vec<Arc<str>>,
}

/// The inputs of generated rows, apart from their declaration.
#[derive(Debug, Clone, Copy)]
pub(super) struct GenerationInputs {
    /// The declared seed.
    pub(super) seed: Option<u64>,
    /// The declared start of the world's clock, in milliseconds since 1970.
    pub(super) starts: Option<i64>,
}

/// Checks all entries of `data`. The names of `categories` are already in use.
pub(super) fn data(
    entries: &Entries<JsonNode>,
    categories: &[Category],
    inputs: GenerationInputs,
    check: &mut Validator<'_>,
) -> Data {
    let mut data = Data::default();
    for (name, value) in &entries.0 {
        let (Some((name, span)), Some((JsonNode(value), value_span))) = (name.get(), value.get()) else { continue };
        if let Some(why) = name_error(name, categories) {
            check.report(DataMistake::DataName { name: name.clone(), why }.into(), span);
            data.unread.push(name.as_str().into());
            continue;
        }
        let name: Arc<str> = name.as_str().into();
        match datum(&name, *value, value_span, inputs, check) {
            Some(Datum::Rows(rows)) => data.collections.push(collection(&name, rows, check)),
            Some(Datum::Value(value)) => drop(data.values.insert(name, value.into())),
            None => data.unread.push(name),
        }
    }
    data
}

/// Returns the reason why a name is not allowed.
fn name_error(name: &str, categories: &[Category]) -> Option<&'static str> {
    let is_identifier = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !is_identifier {
        Some("a name consists of letters, digits and `_`, and does not start with a digit")
    } else if is_function(name) {
        Some("expressions have a function with this name")
    } else if is_taken(name) || is_reserved_name(name) {
        Some("this name is reserved in expressions")
    } else if name.starts_with("__") {
        Some("names that start with `__` are reserved")
    } else if categories.iter().any(|category| &*category.name == name) {
        Some("a category has this name")
    } else {
        None
    }
}

/// An entry of `data`.
enum Datum {
    Rows(Vec<WrittenRow>),
    Value(Value),
}

fn datum(
    name: &Arc<str>,
    node: NodeId,
    span: Span,
    inputs: GenerationInputs,
    check: &mut Validator<'_>,
) -> Option<Datum> {
    match only_keys(node, check)[..] {
        ["from"] => file(node, check),
        ["generate"] => {
            let raw = check.document.decode::<RawGeneratedRows>(node)?;
            let (raw, span) = check.required(raw.generate.as_ref(), "generated data", "generate", span, span)?;
            generated::rows(name, raw, span, inputs, check).map(Datum::Rows)
        }
        ["from", "generate"] | ["generate", "from"] => {
            check.report(ProblemKind::Exclusive("from", "generate"), span);
            None
        }
        _ => value(node, check),
    }
}

/// Returns the keys of a mapping with at most two entries, and no keys for any other node.
fn only_keys<'d>(node: NodeId, check: &Validator<'d>) -> Vec<&'d str> {
    let tree = check.document.tree();
    match tree.view(node) {
        NodeView::Mapping(entries) if entries.len() <= 4 => {
            entries.chunks_exact(2).map(|entry| tree.text(entry[0])).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the content of the data file that a value names.
fn file(node: NodeId, check: &mut Validator<'_>) -> Option<Datum> {
    let raw = check.document.decode::<RawDataFile>(node)?;
    let span = check.document.tree().span(node);
    let (path, path_span) = check.required(raw.from.as_ref(), "a data file", "from", span, span)?;
    if path.is_empty() {
        check.report(ProblemKind::EmptyName("the path of a file"), path_span);
    }
    match check.document.attached(node)? {
        DataFile::Table(span) => table::rows(span, check).map(Datum::Rows),
        DataFile::Value(root) => {
            // Printed as part of the scenario, this value would refer to a file.
            if matches!(only_keys(root, check)[..], ["from" | "generate"]) {
                check.report(DataMistake::NamesData.into(), check.document.tree().span(root));
                return None;
            }
            value(root, check)
        }
    }
}

/// Returns a collection for a list of mappings or an empty list, and a value for everything else.
fn value(node: NodeId, check: &mut Validator<'_>) -> Option<Datum> {
    let tree = check.document.tree();
    let is_mapping = |item: &NodeId| matches!(tree.view(*item), NodeView::Mapping(_));
    match tree.view(node) {
        NodeView::List(items) if items.iter().all(is_mapping) => {
            Some(Datum::Rows(items.iter().filter_map(|item| row(*item, check)).collect()))
        }
        _ => check.document.json(node).map(Datum::Value),
    }
}

fn row(node: NodeId, check: &mut Validator<'_>) -> Option<WrittenRow> {
    let RawRow { id, fields } = check.document.decode::<RawRow>(node)?;
    let id = given(id.as_ref()).map(|(id, span)| rows::id(id, span, check));
    Some(WrittenRow { id: id.flatten(), fields })
}
