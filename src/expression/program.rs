//! One compiled expression.

use std::ops::Range;
use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind};

use super::check::{Found, Uses, check, check_field, check_name, hyphenated};
use super::error::{CompileErrorKind, RunErrorKind};
use super::foreign;
use super::names::Names;
use super::operands::Operands;
use super::output::failed;
use super::scope::Scope;
use super::signatures::is_keyword;
use super::tokens::{MAX_TOKENS, Token, TokenKind, Tokens};

/// The function that receives an expression's value. Expressions cannot call it because it is not one of the known
/// functions.
pub(super) const KEEP: &str = "keep_value";

const BEFORE: &str = "{% do keep_value(";
const AFTER: &str = ") %}";

/// An expression that has been checked.
#[derive(Debug, Clone)]
pub(super) struct Program {
    code: Code,
    fuel: u64,
    /// The length of the expression in bytes.
    length: usize,
}

#[derive(Debug, Clone)]
enum Code {
    /// A name followed by steps, which is only looked up.
    Path(Vec<String>),
    Run(Arc<Run>),
}

/// A template that passes the expression's value to [`KEEP`].
#[derive(Debug)]
struct Run {
    environment: Environment<'static>,
    operands: Operands,
}

/// An error, and the bytes of the expression that it concerns.
type RunFound = (RunErrorKind, Range<usize>);

impl Program {
    /// Compiles an expression, which must not be blank. Adds what the expression uses to `used`, or returns all errors
    /// in it.
    pub(super) fn compile(
        text: &str,
        environment: &Environment<'static>,
        names: &Names,
        used: &mut Uses,
    ) -> Result<Self, Vec<Found>> {
        let tokens: Vec<Token> = Tokens::new(text).take(MAX_TOKENS + 1).collect();
        if tokens.len() > MAX_TOKENS {
            return Err(vec![(CompileErrorKind::TooLong, 0..text.len())]);
        }
        environment.compile_expression(text).map(drop).map_err(|error| {
            if let Some(statement) = foreign::statement(&tokens) {
                return vec![statement];
            }
            let operators = foreign::operators(text, &tokens);
            if operators.is_empty() { vec![syntax(&error, text)] } else { operators }
        })?;
        used.add(check(&tokens, names)?);
        let code = if let Some(path) = path(&tokens) {
            Code::Path(path)
        } else {
            let run = Run::compile(text, &tokens, environment).map_err(|error| vec![syntax(&error, text)])?;
            Code::Run(Arc::new(run))
        };
        Ok(Self { code, fuel: environment.fuel().unwrap_or(u64::MAX), length: text.len() })
    }

    /// Compiles a path, such as `msg.id`.
    pub(super) fn path(text: &str, names: &Names, used: &mut Uses) -> Result<Self, Vec<Found>> {
        let path: Vec<String> = text.split('.').map(str::to_owned).collect();
        if let Some(kind) = check_name(&path[0], names) {
            return Err(vec![(kind, 0..path[0].len())]);
        }
        if let [name, field, ..] = &path[..] {
            let (fields, start) = (names.fields(name), name.len() + 1);
            if let Some(kind) = check_field(name, field, &fields) {
                return Err(vec![(kind, start..start + field.len())]);
            }
            if let Some(hyphenated) = hyphenated(field, &fields) {
                let meant = format!("{name}.{hyphenated}");
                let kind = CompileErrorKind::Underscore { field: field.clone(), meant };
                return Err(vec![(kind, 0..start + field.len())]);
            }
        }
        used.names.insert(path[0].clone());
        Ok(Self { code: Code::Path(path), fuel: 0, length: text.len() })
    }

    /// Returns the name and the steps of an expression that is only looked up.
    pub(super) fn as_path(&self) -> Option<(&str, &[String])> {
        let Code::Path(path) = &self.code else { return None };
        path.split_first().map(|(name, steps)| (&**name, steps))
    }

    /// Evaluates the expression.
    pub(super) fn run(&self, scope: &Arc<Scope>) -> Result<Value, RunFound> {
        match &self.code {
            Code::Path(path) => {
                let Some((name, steps)) = path.split_first() else { return Ok(Value::UNDEFINED) };
                Ok(walk(scope.root(name), steps))
            }
            Code::Run(run) => {
                let template = run.environment.get_template(NAME);
                let done = template.and_then(|template| template.render(Value::from_dyn_object(scope.clone())));
                match done {
                    Ok(_) => Ok(scope.take_result()),
                    Err(error) => Err(self.failed(&error, &run.operands)),
                }
            }
        }
    }

    fn failed(&self, error: &minijinja::Error, operands: &Operands) -> RunFound {
        let whole = 0..self.length;
        if error.kind() == ErrorKind::OutOfFuel {
            return (RunErrorKind::OutOfFuel(self.fuel), whole);
        }
        let range = error.range().map_or(whole.clone(), |range| {
            let inside = |at: usize| operands.original(at.saturating_sub(BEFORE.len())).min(self.length);
            inside(range.start)..inside(range.end)
        });
        if error.kind() == ErrorKind::UndefinedError
            && let Some(operand) = operands.required(range.start)
        {
            return (RunErrorKind::UndefinedOperand(operand.filter), operand.range.clone());
        }
        (failed(error), if range.is_empty() { whole } else { range })
    }
}

const NAME: &str = "expression";

impl Run {
    fn compile(text: &str, tokens: &[Token], environment: &Environment<'static>) -> Result<Self, minijinja::Error> {
        let mut environment = environment.clone();
        let operands = Operands::of(tokens);
        environment.add_template_owned(NAME, format!("{BEFORE}{}{AFTER}", operands.write(text)))?;
        Ok(Self { environment, operands })
    }
}

fn syntax(error: &minijinja::Error, text: &str) -> Found {
    let range = error.range().unwrap_or(0..text.len());
    // minijinja reports an unexpected character as one byte, whatever its length.
    let start = text.floor_char_boundary(range.start);
    let end = text.ceil_char_boundary(range.end).max(start);
    (CompileErrorKind::Syntax(error.detail().unwrap_or("").to_owned()), start..end)
}

/// Returns the steps of an expression that is a name followed by steps; `None` for any other expression.
fn path(tokens: &[Token]) -> Option<Vec<String>> {
    let (first, rest) = tokens.split_first()?;
    let is_step = |step: &[Token]| matches!(step, [dot, name] if dot.text == "." && matches!(name.kind, TokenKind::Word | TokenKind::Number));
    let is_path = first.kind == TokenKind::Word && rest.len() % 2 == 0 && rest.chunks(2).all(is_step);
    let is_name = !is_keyword(first.text);
    (is_path && is_name).then(|| tokens.iter().step_by(2).map(|token| token.text.to_owned()).collect())
}

/// Returns the value at these steps. A field of undefined is undefined.
pub(super) fn walk(value: Value, steps: &[String]) -> Value {
    steps.iter().fold(value, |value, step| {
        let key = step.parse::<usize>().map_or_else(|_| Value::from(&**step), Value::from);
        value.get_item(&key).unwrap_or_default()
    })
}
