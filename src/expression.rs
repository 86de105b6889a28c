//! The expressions of scenarios: values that are computed from what is known, such as a message or a row.
//!
//! A [`Language`] compiles them at load, where syntax and names are checked, into a [`Template`] (JSON in which any text may
//! be an expression) or a [`Condition`]. Both run later with the values of the names that they use and with
//! [`Surroundings`]: a random stream, counters, the time and topics. An expression has no other effect.
//!
//! | written | is |
//! |---|---|
//! | `$msg.items.0`, as the whole text | that value, with its type |
//! | `{{ msg.price * 2 }}`, as the whole text | what it computes, with its type |
//! | `{{ … }}` inside longer text | text: strings as they are, all else as JSON |
//! | `$$` | `$` |
//! | a `$` that no letter follows, as in `$9.99` | itself |
//!
//! `$name` is only looked up as a whole text; inside longer text it is itself, or an error if `name` can be looked up, since
//! `{{ name }}` was meant. In its steps `-` is part of a word (`$headers.x-api-key`); `{{ headers['x-api-key'] }}` is the
//! long form. Keys of mappings are never expressions.
//!
//! Inside the braces it is [minijinja's syntax](https://docs.rs/minijinja/3/minijinja/syntax/index.html#expressions). What is
//! added, and what differs:
//!
//! | | |
//! |---|---|
//! | `random(1, 6)` | an integer, both ends included; with a fraction in either, a number below the second |
//! | `normal(mean, deviation)` | a number of the normal distribution |
//! | `pick(list)` | one of a list; undefined for an empty one |
//! | `chance(0.1)` | true so often |
//! | `uuid()` | a random UUID, version 4 |
//! | `next('ticket')` | 1, 2, 3 …: a counter by name |
//! | `fake('name')` | made-up data, one of [`KINDS`] |
//! | `joined('room')` | how many have joined a topic |
//! | `members('room')` | the ids of the sockets that have joined it |
//! | `now.iso` `now.ms` `now.s` | the time: RFC 3339 in UTC, milliseconds and seconds since 1970 |
//! | `rows \| where(done=true)` | the rows with these fields; text is the same as the number or boolean that it says |
//! | `rows \| find(7)` | the row with that `id`, compared as text; undefined if there is none |
//! | `x \| fixed(2)` | a number as text with so many decimals |
//! | `x \| tojson`, `x \| tojson(indent=2)` | JSON text, without escapes for HTML |
//! | `text \| fromjson` | the value that JSON text says; `default` is for text that is not JSON |
//!
//! `~` and `join` write their operands as text does, not as Python would: `'done: ' ~ true` is `done: true`. What is undefined
//! is an error there, and for every filter but `default`, `find`, `where`, `tojson`, and `int` and `float` with a `default`.
//!
//! What is known of the fields of a name's value ([`Fields`]) is checked at load: one that is never there is an error.
//!
//! A field that is not there is undefined, and so is a field of it: false in a condition; `or` and `default` give another
//! value. A condition in which a filter or `~` has no value to work on is false. In output a key is left out and an item is null, as `JSON.stringify` has it. Inside text, and where a value is
//! [required](Template::render_required), it is an error.

mod catalogue;
mod chance;
mod check;
mod data;
mod error;
mod fake;
mod filters;
mod functions;
mod habits;
mod names;
mod oddities;
mod operands;
mod output;
mod program;
mod scope;
mod signatures;
mod template;
mod text;
mod tokens;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

pub use catalogue::{Entry, EntryKind, entries};
pub use data::{Data, Rows};
pub use error::{CompileError, CompileErrorKind, PathStep, Place, RunError, RunErrorKind, Word};
pub use fake::KINDS;
pub use names::{Fields, Names};
pub use output::plain_text;
pub use scope::Surroundings;
pub use signatures::is_reserved_name;
use template::Compiler;
pub use template::{Condition, Locate, Rendered, Template};

/// How much one run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps of one expression: operations, items that filters look at, and each 64 bytes that are made.
    pub fuel: u64,
    /// Bytes of JSON that one template gives, about.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel: 1_000_000, bytes: 64 << 20 }
    }
}

/// Compiles expressions.
#[derive(Debug)]
pub struct Language {
    environment: Environment<'static>,
    limits: Limits,
}

impl Default for Language {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Language {
    /// The language, with limits for what it compiles.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let mut environment = Environment::new();
        for name in signatures::REMOVED_FILTERS {
            environment.remove_filter(name);
        }
        for name in signatures::REMOVED_GLOBALS {
            environment.remove_global(name);
        }
        functions::add(&mut environment);
        filters::add(&mut environment, limits.bytes);
        environment.set_debug(false);
        environment.set_fuel(Some(limits.fuel));
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        Self { environment, limits }
    }

    /// Compiles JSON in which any text may be an expression that uses these names.
    ///
    /// # Errors
    ///
    /// All that is wrong with its expressions, in their order.
    pub fn template(&self, value: &Value, names: &Names) -> Result<Template, Vec<CompileError>> {
        Compiler::new(&self.environment, names).template(value, self.limits.bytes)
    }

    /// What is written in the way of other languages, and so is text here: each is a [warning](CompileErrorKind::is_warning).
    #[must_use]
    pub fn oddities(&self, value: &Value, names: &Names) -> Vec<CompileError> {
        oddities::of(value, names)
    }

    /// Compiles an expression without braces that is true or false.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn condition(&self, text: &str, names: &Names) -> Result<Condition, Vec<CompileError>> {
        Compiler::new(&self.environment, names).condition(text)
    }
}
