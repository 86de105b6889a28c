//! The functions of expressions.

use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::chance::Chance;
use super::data::{is_list, value_of};
use super::fake::{KINDS, fake};
use super::program::KEEP;
use super::scope::Scope;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_function(KEEP, keep);
    environment.add_function("random", random);
    environment.add_function("normal", normal);
    environment.add_function("pick", pick);
    environment.add_function("chance", chance);
    environment.add_function("uuid", uuid);
    environment.add_function("next", next);
    environment.add_function("fake", fake_of);
    environment.add_function("joined", joined);
    environment.add_function("members", members);
}

pub(super) fn refused(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// Stores the expression's value.
fn keep(state: &State, value: Value) -> Result<Value, Error> {
    Scope::of(state)?.put_result(value);
    Ok(Value::UNDEFINED)
}

/// Draws from a range. Ranges of integers include both bounds, other ranges exclude the upper one.
fn random(state: &State, least: Value, most: Value) -> Result<Value, Error> {
    let (from, to) = (float("random", &least)?, float("random", &most)?);
    if from > to {
        return Err(refused(format!("the range from {least} to {most} is empty")));
    }
    let scope = Scope::of(state)?;
    let mut runtime = scope.runtime();
    let mut chance = Chance(&mut *runtime);
    if least.is_integer() && most.is_integer() {
        let (least, most) = (i64::try_from(least)?, i64::try_from(most)?);
        return Ok(Value::from(chance.integer(least, most)));
    }
    let share = chance.unit();
    // `from + (to - from) * share` could overflow.
    Ok(Value::from(from * (1.0 - share) + to * share))
}

fn normal(state: &State, mean: &Value, deviation: &Value) -> Result<f64, Error> {
    let (mean, deviation) = (float("normal", mean)?, float("normal", deviation)?);
    if deviation < 0.0 {
        return Err(refused("the deviation must not be negative"));
    }
    let scope = Scope::of(state)?;
    let drawn = Chance(&mut *scope.runtime()).normal();
    Ok(mean + deviation * drawn)
}

/// Draws an item of a list; undefined if the list is empty.
fn pick(state: &State, list: Value) -> Result<Value, Error> {
    if !is_list(&list) {
        return Err(refused(format!("pick takes a list, found {}", list.kind())));
    }
    let items = if list.len().is_some() { list } else { list.try_iter()?.collect() };
    let Some(length) = items.len().filter(|length| *length > 0) else { return Ok(Value::UNDEFINED) };
    let scope = Scope::of(state)?;
    let index = Chance(&mut *scope.runtime()).index(length);
    items.get_item_by_index(index)
}

fn chance(state: &State, probability: &Value) -> Result<bool, Error> {
    let probability = float("chance", probability)?;
    if !(0.0..=1.0).contains(&probability) {
        return Err(refused(format!("chance takes a number from 0 to 1, found {probability}")));
    }
    let scope = Scope::of(state)?;
    let drawn = Chance(&mut *scope.runtime()).unit();
    Ok(drawn < probability)
}

fn uuid(state: &State) -> Result<String, Error> {
    let scope = Scope::of(state)?;
    let mut runtime = scope.runtime();
    Ok(Chance(&mut *runtime).uuid())
}

fn next(state: &State, counter: &str) -> Result<u64, Error> {
    Ok(Scope::of(state)?.runtime().count(counter))
}

fn fake_of(state: &State, kind: &str) -> Result<Value, Error> {
    let scope = Scope::of(state)?;
    let mut runtime = scope.runtime();
    let word = fake(kind, &mut Chance(&mut *runtime));
    word.ok_or_else(|| refused(format!("unknown kind `{kind}`; the kinds are {}", KINDS.join(", "))))
}

fn joined(state: &State, topic: &Value) -> Result<u64, Error> {
    Ok(Scope::of(state)?.runtime().joined(&topic_name("joined", topic)?))
}

fn members(state: &State, topic: &Value) -> Result<Value, Error> {
    let members = Scope::of(state)?.runtime().members(&topic_name("members", topic)?);
    Ok(value_of(members.into()))
}

/// Returns the name of a topic: text, or the digits of a numeric id.
fn topic_name(function: &str, topic: &Value) -> Result<String, Error> {
    if topic.as_str().is_some() || topic.is_number() {
        return Ok(topic.to_string());
    }
    Err(refused(format!("{function} takes a topic, found {}", topic.kind())))
}

fn float(function: &str, value: &Value) -> Result<f64, Error> {
    let float = if value.is_number() { f64::try_from(value.clone()).ok() } else { None };
    let float = float.filter(|float| float.is_finite());
    float.ok_or_else(|| refused(format!("{function} takes numbers, found {}", value.kind())))
}
