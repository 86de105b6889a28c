//! The filters that mockd adds to minijinja's or replaces.

use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::data::{is_list, row_with_id, value_of};
use super::functions::refused;
use super::operands::{GIVEN, JOINED};
use super::output::{Output, plain_text};
use super::signatures::TAKE_UNDEFINED;

/// The maximum number of decimals of `fixed`, and of spaces that `tojson` indents by.
const MAX_DIGITS: usize = 20;

pub(super) fn add(environment: &mut Environment<'static>, max_bytes: usize) {
    environment.add_filter(GIVEN, |value: &Value| given(value).cloned());
    environment.add_filter(JOINED, move |value: &Value| text(given(value)?, max_bytes));
    environment.add_filter("map", map);
    environment.add_filter("where", |state: &State, list: &Value, fields: Kwargs| matching(state, list, &fields));
    environment.add_filter("find", find);
    environment.add_filter("fixed", fixed);
    environment.add_filter("fromjson", |text: &Value, default: Option<Value>, named: Kwargs| {
        let named_default = named.has("default").then(|| named.get("default")).transpose()?;
        named.assert_all_used()?;
        from_json(text).or_else(|error| named_default.or(default).ok_or(error))
    });
    environment.add_filter("tojson", move |value: &Value, indent: Option<usize>, named: Kwargs| {
        let named_indent = named.get::<Option<usize>>("indent")?;
        named.assert_all_used()?;
        to_json(value, indent.or(named_indent), max_bytes)
    });
    environment.add_filter("string", move |value: &Value| text(value, max_bytes));
    environment.add_filter(
        "join",
        move |state: &State, list: &Value, between: Option<&str>, attribute: Option<&str>, named: Kwargs| {
            let named_attribute = named.get::<Option<String>>("attribute")?;
            named.assert_all_used()?;
            join(state, list, between.unwrap_or_default(), attribute.or(named_attribute.as_deref()), max_bytes)
        },
    );
}

/// Returns the value; an error if it is undefined.
fn given(value: &Value) -> Result<&Value, Error> {
    if value.is_undefined() { Err(Error::from(ErrorKind::UndefinedError)) } else { Ok(value) }
}

/// Returns an item of a list; an error if it is undefined.
fn given_item(item: &Value, index: usize) -> Result<&Value, Error> {
    let why = "is undefined; provide a fallback with `or`, or leave it out with `select('defined')`";
    given(item).map_err(|_| refused(format!("item {index} of the list {why}")))
}

/// Does the same as minijinja's `map`, except that an undefined item is an error unless the filter accepts it.
fn map(state: &mut State, list: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Vec<Value>, Error> {
    let filter = arguments.first().and_then(|argument| argument.as_str());
    if filter.is_none_or(|filter| TAKE_UNDEFINED.contains(&filter)) {
        return minijinja::filters::map(state, list.clone(), arguments);
    }
    let mut items = Vec::new();
    for (index, item) in list.try_iter()?.checked().enumerate() {
        let item = item?;
        state.consume_fuel(1)?;
        given_item(&item, index)?;
        items.push(item);
    }
    minijinja::filters::map(state, Value::from(items), arguments)
}

fn list_of(filter: &str, value: &Value) -> Result<impl Iterator<Item = Result<Value, Error>>, Error> {
    // Undefined and null count as an empty list.
    if !is_list(value) && !value.is_undefined() {
        return Err(refused(format!("{filter} takes a list, found {}", value.kind())));
    }
    Ok(value.try_iter()?.checked())
}

/// Returns the items of a list that have these fields.
fn matching(state: &State, list: &Value, fields: &Kwargs) -> Result<Value, Error> {
    let fields: Vec<(&str, Value)> =
        fields.args().map(|field| Ok((field, fields.get(field)?))).collect::<Result<_, Error>>()?;
    let mut found = Vec::new();
    for item in list_of("where", list)? {
        let item = item?;
        state.consume_fuel(1)?;
        if fields.iter().all(|(field, value)| is_same(&item.get_attr(field).unwrap_or_default(), value)) {
            found.push(item);
        }
    }
    Ok(Value::from(found))
}

/// Returns whether a field has this value. Text also equals the number or boolean that it represents, because values
/// from paths and queries are text.
fn is_same(field: &Value, value: &Value) -> bool {
    let represents = |text: &Value, other: &Value| {
        let is_scalar = matches!(other.kind(), ValueKind::Number | ValueKind::Bool);
        is_scalar && text.as_str().is_some_and(|text| scalar_text(other).as_deref() == Some(text))
    };
    field == value || represents(field, value) || represents(value, field)
}

fn scalar_text(value: &Value) -> Option<String> {
    Some(plain_text(&Output::new(usize::MAX).json(value).ok()??))
}

/// Returns the row with an id. Ids are compared as text.
fn find(state: &State, list: &Value, id: &Value) -> Result<Value, Error> {
    let is_id = matches!(id.kind(), ValueKind::String | ValueKind::Number | ValueKind::Bool);
    let Some(id) = scalar_text(id).filter(|_| is_id) else { return Ok(Value::UNDEFINED) };
    if let Some(row) = row_with_id(list, &id) {
        return Ok(row);
    }
    for item in list_of("find", list)? {
        let item = item?;
        state.consume_fuel(1)?;
        let own = item.get_attr("id").unwrap_or_default();
        let is_found = match own.as_str() {
            Some(text) => text == id,
            None => own.is_number() && scalar_text(&own).as_ref() == Some(&id),
        };
        if is_found {
            return Ok(item);
        }
    }
    Ok(Value::UNDEFINED)
}

/// Returns a number with this many decimals, as text.
fn fixed(value: &Value, decimals: usize) -> Result<String, Error> {
    if decimals > MAX_DIGITS {
        return Err(refused(format!("fixed writes at most {MAX_DIGITS} decimals")));
    }
    if !value.is_number() {
        return Err(refused(format!("fixed takes a number, found {}", value.kind())));
    }
    Ok(format!("{:.decimals$}", f64::try_from(value.clone())?))
}

fn from_json(text: &Value) -> Result<Value, Error> {
    let json = text.as_str().ok_or_else(|| refused(format!("fromjson takes text, found {}", text.kind())))?;
    let json: Json = serde_json::from_str(json).map_err(|error| refused(format!("not JSON: {error}")))?;
    Ok(value_of(json))
}

/// Converts a value as `JSON.stringify` does, with undefined for an undefined value.
fn to_json(value: &Value, indent: Option<usize>, max_bytes: usize) -> Result<Value, Error> {
    let Some(json) = json_of(value, max_bytes)? else { return Ok(Value::UNDEFINED) };
    let Some(indent) = indent else { return Ok(Value::from(json.to_string())) };
    let indent = vec![b' '; indent.min(MAX_DIGITS)];
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(&indent));
    json.serialize(&mut serializer).map_err(|error| refused(error.to_string()))?;
    Ok(Value::from(String::from_utf8_lossy(&bytes)))
}

fn json_of(value: &Value, max_bytes: usize) -> Result<Option<Json>, Error> {
    Output::new(max_bytes).json(value).map_err(|kind| refused(format!("the value {kind}")))
}

/// Returns a value as it appears inside text.
fn text(value: &Value, max_bytes: usize) -> Result<Value, Error> {
    if value.as_str().is_some() {
        return Ok(value.clone());
    }
    let json = json_of(value, max_bytes)?;
    Ok(json.map_or(Value::UNDEFINED, |json| Value::from(plain_text(&json))))
}

fn join(state: &State, list: &Value, between: &str, field: Option<&str>, max_bytes: usize) -> Result<String, Error> {
    let mut joined = String::new();
    for (index, item) in list_of("join", list)?.enumerate() {
        let item = item?;
        let item = field.map_or(Ok(item.clone()), |field| item.get_attr(field))?;
        let item = text(given_item(&item, index)?, max_bytes)?;
        let item = item.as_str().unwrap_or_default();
        let before = if index == 0 { "" } else { between };
        state.consume_fuel(1 + (before.len() + item.len()) as u64 / 64)?;
        joined.push_str(before);
        joined.push_str(item);
    }
    Ok(joined)
}
