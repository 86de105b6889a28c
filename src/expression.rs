//! The expressions of scenarios: values computed from other values, such as a message or a row.
//!
//! When a scenario is loaded, a [`Language`] checks their syntax and names, and compiles them into a [`Template`] (JSON
//! in which any text may be an expression) or a [`Condition`]. Both run later, with the values of the names that they
//! use, and with [`Runtime`]: a random stream, counters, the time and topics. Drawing and counting are their only
//! side effects.
//!
//! | written | value |
//! |---|---|
//! | `$msg.items.0`, as the whole text | that value, with its type |
//! | `{{ msg.price * 2 }}`, as the whole text | the result, with its type |
//! | `{{ … }}` inside longer text | text: strings unchanged, everything else as JSON |
//! | `$$` | `$` |
//! | a `$` without a letter after it, as in `$9.99` | `$` |
//!
//! `$name` is looked up only if it is the whole text. Inside longer text it is literal, or an error if `name` exists,
//! because `{{ name }}` was probably meant. In the steps of such a path, `-` is part of a word (`$headers.x-api-key`);
//! `{{ headers['x-api-key'] }}` is the long form. Keys of JSON objects are text; keys of a mapping
//! inside an expression are expressions.
//!
//! The syntax inside the braces is [minijinja's](https://docs.rs/minijinja/3/minijinja/syntax/index.html#expressions).
//! These are the additions and differences:
//!
//! | | |
//! |---|---|
//! | `random(1, 6)` | an integer, both bounds included; if either is a fraction, a number below the second |
//! | `normal(mean, deviation)` | a normally distributed number |
//! | `pick(list)` | a random item of a list; undefined if the list is empty |
//! | `chance(0.1)` | true with this probability |
//! | `uuid()` | a random UUID, version 4 |
//! | `next('ticket')` | a named counter: 1, 2, 3 … |
//! | `fake('name')` | made-up data, one of [`KINDS`] |
//! | `joined('room')` | the number of members of a topic |
//! | `members('room')` | the ids of the sockets that have joined a topic |
//! | `now.iso` `now.ms` `now.s` | the time: RFC 3339 in UTC, milliseconds and seconds since 1970 |
//! | `rows \| where(done=true)` | the rows with these fields; text equals the number or boolean that it represents |
//! | `rows \| find(7)` | the row with that `id`, compared as text; undefined if there is none |
//! | `x \| fixed(2)` | a number as text with this many decimals |
//! | `x \| tojson`, `x \| tojson(indent=2)` | JSON text, without escapes for HTML |
//! | `text \| fromjson` | the value of JSON text; `default` replaces text that is not JSON |
//!
//! `~` and `join` write their operands as longer text does, not as Python would: `'done: ' ~ true` is `done: true`. An
//! undefined operand is an error, as it is for every filter except `default`, `find`, `where`, `tojson`, and `int`,
//! `float` and `fromjson` with a `default`.
//!
//! If the fields of a name's value are known ([`Fields`]), they are checked at load: a field that never exists is an
//! error.
//!
//! A missing field is undefined, and so are its fields. Undefined is false in a condition; `or` and `default` provide a
//! fallback. A condition is false if a filter or `~` in it has an undefined operand. In output, an undefined key is
//! left out and an undefined item is null, as with `JSON.stringify`. Inside text, and where a value is
//! [required](Template::render_required), undefined is an error.

mod catalogue;
mod chance;
mod check;
mod data;
mod error;
mod fake;
mod filters;
mod foreign;
mod foreign_syntax;
mod functions;
mod names;
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
pub use scope::Runtime;
pub use signatures::{is_function, is_reserved_name};
use template::Compiler;
pub use template::{Condition, Locate, Rendered, Template};
pub use text::has_expression;

/// The limits of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The steps of one expression: operations, items that filters visit, and every 64 bytes that are produced.
    pub fuel: u64,
    /// The approximate number of bytes of JSON that one template may produce.
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
    /// Creates the language, with limits for the expressions that it compiles.
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
    /// All errors in its expressions, in order.
    pub fn template(&self, value: &Value, names: &Names) -> Result<Template, Vec<CompileError>> {
        Compiler::new(&self.environment, names).template(value, self.limits.bytes)
    }

    /// Returns syntax of other languages that is literal text here, each as a [warning](CompileErrorKind::is_warning).
    #[must_use]
    pub fn foreign_syntax(&self, value: &Value, names: &Names) -> Vec<CompileError> {
        foreign_syntax::find(value, names)
    }

    /// Compiles an expression without braces that is true or false.
    ///
    /// # Errors
    ///
    /// All errors in the expression.
    pub fn condition(&self, text: &str, names: &Names) -> Result<Condition, Vec<CompileError>> {
        Compiler::new(&self.environment, names).condition(text)
    }
}
