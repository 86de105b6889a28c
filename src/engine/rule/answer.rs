//! Answers of routes: the first answer that matches, after its steps.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::crud::{self, CrudOutcome};
use super::draws::Moment;
use super::firing::{Firing, resolve};
use super::guard::{Expected, applies};
use super::nearest::{Likeness, Mismatch, Nearest};
use super::origin::RuleOrigin;
use super::reading::Reading;
use super::runs::RunOwner;
use super::{Answered, AnsweredContent, RuleRequest};
use crate::engine::Engine;
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::wildcard::matches_wildcard;
use crate::expression::{Condition, Rendered, Template, plain_text};
use crate::matching::parse_query_values;
use crate::scenario::{Answer, Answers, Content, CrudOperation, RequestMatch};

/// An evaluator of expressions: a read-only view or a firing rule.
pub(super) trait Renders {
    fn render(&mut self, template: &Template, context: &Context) -> Result<Option<Value>, Refusal>;
    fn required(&mut self, template: &Template, context: &Context) -> Result<Value, Refusal>;
    fn render_collecting(&mut self, template: &Template, context: &Context) -> Result<Rendered, Refusal>;
    fn holds(&mut self, condition: &Condition, context: &Context) -> Result<bool, Refusal>;
    /// Renders the body of an answer that depends only on data.
    fn data_body(&mut self, route: &Arc<str>, number: usize, body: &Template) -> Result<AnsweredContent, Refusal>;
}

impl Renders for Firing<'_> {
    fn render(&mut self, template: &Template, context: &Context) -> Result<Option<Value>, Refusal> {
        Firing::render(self, template, context)
    }

    fn required(&mut self, template: &Template, context: &Context) -> Result<Value, Refusal> {
        Firing::required(self, template, context)
    }

    fn render_collecting(&mut self, template: &Template, context: &Context) -> Result<Rendered, Refusal> {
        Firing::render_collecting(self, template, context)
    }

    fn holds(&mut self, condition: &Condition, context: &Context) -> Result<bool, Refusal> {
        Firing::holds(self, condition, context)
    }

    fn data_body(&mut self, _: &Arc<str>, _: usize, body: &Template) -> Result<AnsweredContent, Refusal> {
        // Earlier steps may have changed the data, so a cached body may be stale.
        Ok(AnsweredContent::Json(self.required(body, &Context::default())?))
    }
}

/// An evaluator that only reads.
pub(super) struct Reader<'m> {
    pub(super) reading: Reading<'m>,
    moment: Moment,
}

impl Renders for Reader<'_> {
    fn render(&mut self, template: &Template, context: &Context) -> Result<Option<Value>, Refusal> {
        let reading = &self.reading;
        Ok(template.render(&|name| resolve(context, reading, name), &mut self.moment)?)
    }

    fn required(&mut self, template: &Template, context: &Context) -> Result<Value, Refusal> {
        let reading = &self.reading;
        Ok(template.render_required(&|name| resolve(context, reading, name), &mut self.moment)?)
    }

    fn render_collecting(&mut self, template: &Template, context: &Context) -> Result<Rendered, Refusal> {
        let reading = &self.reading;
        Ok(template.render_collecting(&|name| resolve(context, reading, name), &mut self.moment)?)
    }

    fn holds(&mut self, condition: &Condition, context: &Context) -> Result<bool, Refusal> {
        let reading = &self.reading;
        Ok(condition.holds(&|name| resolve(context, reading, name), &mut self.moment)?)
    }

    fn data_body(&mut self, route: &Arc<str>, number: usize, body: &Template) -> Result<AnsweredContent, Refusal> {
        let reading = self.reading;
        reading.body(route, number, || self.required(body, &Context::default())).map(AnsweredContent::Encoded)
    }
}

impl Reading<'_> {
    /// Answers a request to a route that [only reads](Answers::only_reads). `crud` is the operation on a collection, if
    /// any.
    ///
    /// # Errors
    /// [`Refusal`] if no answer matches, a row does not exist, or an expression fails.
    pub fn answer(
        self,
        answers: &Answers,
        crud: Option<CrudOperation>,
        request: RuleRequest,
    ) -> Result<Answered, Refusal> {
        let url = request.url.clone().unwrap_or_default();
        let context = Context::from(request);
        let mut reader = Reader { reading: self, moment: Moment(self.now) };
        let (chosen, context) = choose(answers, &mut reader, &context)?;
        if let (Content::Crud(crud_of), Some(operation)) = (&chosen.answer.content, crud) {
            let outcome = crud::read(crud_of, operation, &mut reader, &context, &url)?;
            return finish(chosen, &mut reader, &context, outcome);
        }
        plain(chosen, &mut reader, &context)
    }
}

impl Engine {
    /// Answers a request to the route with this key at the engine's time, after running the answer's steps. All changes
    /// apply, or none. A stream starts only if `member` is given. `crud` is the operation on a collection, if any.
    ///
    /// # Errors
    /// [`Refusal`] if no answer matches, a step is refused, or an expression fails.
    pub(in crate::engine) fn answer(
        &mut self,
        key: &str,
        crud: Option<CrudOperation>,
        request: RuleRequest,
        member: Option<u64>,
        events: &mut Vec<Event>,
    ) -> Result<Answered, Refusal> {
        let scenario = self.scenario.clone();
        let answers = scenario.routes().answers(key).ok_or_else(|| Refusal::UnknownRoute(key.into()))?;
        let url = request.url.clone().unwrap_or_default();
        let context = Context::from(request);
        let origin = RuleOrigin::Answer(answers.key.clone());
        self.fire_rule(origin, RunOwner::World, events, |firing| {
            let (chosen, mut context) = choose(answers, firing, &context)?;
            let answer = chosen.answer;
            if let Some(steps) = &answer.steps {
                firing.run_list(steps, &mut context)?;
            }
            match (&answer.content, crud) {
                (Content::Crud(crud), Some(operation)) => {
                    let outcome = firing.crud(crud, operation, &context, &url)?;
                    finish(chosen, firing, &context, outcome)
                }
                (Content::Stream(steps), _) => {
                    let answered = plain(chosen, firing, &context)?;
                    if let Some(member) = member {
                        firing.owner = RunOwner::Member(member);
                        firing.start_stream(steps, &mut context)?;
                    }
                    Ok(answered)
                }
                _ => plain(chosen, firing, &context),
            }
        })
    }
}

/// The answer that matches.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    /// The route's key.
    route: &'a Arc<str>,
    /// The position among the route's answers, from 1.
    number: usize,
    answer: &'a Answer,
}

/// Returns the first answer that matches, and the context of its expressions.
fn choose<'a>(
    answers: &'a Answers,
    renders: &mut impl Renders,
    context: &Context,
) -> Result<(Chosen<'a>, Context), Refusal> {
    let mut nearest = Nearest::of("answer");
    for (number, answer) in (1..).zip(&answers.list) {
        let differences = match &answer.matches {
            Some(matches) => matching_differences(matches, renders, context)?,
            None => Vec::new(),
        };
        if !differences.is_empty() {
            nearest.note(number, &Mismatch::Differs { differences, likeness: Likeness::default() });
            continue;
        }
        let mut context = context.clone();
        if applies(&answer.with, answer.when.as_ref(), renders, &mut context)? {
            return Ok((Chosen { route: &answers.key, number, answer }, context));
        }
        let source = answer.when.as_ref().map_or("", Condition::source);
        nearest.note(number, &Mismatch::of_when(source, answer.matches.is_some()));
    }
    Err(Refusal::NoAnswer { route: answers.key.clone(), nearest: nearest.text() })
}

fn matching_differences(
    matches: &RequestMatch,
    renders: &mut impl Renders,
    context: &Context,
) -> Result<Vec<String>, Refusal> {
    let mut differences = Vec::new();
    for (name, template) in [("query", &matches.query), ("body", &matches.body)] {
        let Some(template) = template else { continue };
        let expected = Expected::of(name, template, renders, context)?;
        let found = context.get(name).cloned().unwrap_or_default();
        let found = match &expected.value {
            Some(value) if name == "query" => parse_query_values(value, found),
            _ => found,
        };
        differences.extend(expected.differences(&found));
    }
    if let Some(template) = &matches.headers {
        let expected = Expected::of("headers", template, renders, context)?;
        differences.extend(expected.undefined());
        for (name, pattern) in expected.value.as_deref().and_then(Value::as_object).into_iter().flatten() {
            let found = context.get("headers").and_then(|headers| headers.get(name)).and_then(Value::as_str);
            if !found.is_some_and(|found| matches_wildcard(&plain_text(pattern), found)) {
                let found = found.map_or_else(|| "missing".to_owned(), |found| format!("\"{found}\""));
                differences.push(format!("headers.{name} is {found} instead of {pattern}"));
            }
        }
    }
    Ok(differences)
}

/// Renders an answer that does not operate on a collection.
fn plain(chosen: Chosen<'_>, renders: &mut impl Renders, context: &Context) -> Result<Answered, Refusal> {
    let rendered = match &chosen.answer.content {
        Content::Empty | Content::Crud(_) => AnsweredContent::Empty,
        Content::Constant(body) => AnsweredContent::Encoded(body.clone()),
        Content::Json(body) => AnsweredContent::Json(renders.required(body, context)?),
        Content::DataJson(body) => renders.data_body(chosen.route, chosen.number, body)?,
        Content::Text(text) => AnsweredContent::Text(plain_text(&renders.required(text, context)?)),
        Content::File { path, lead, directory, .. } => {
            AnsweredContent::File(file(directory, lead, &plain_text(&renders.required(path, context)?))?)
        }
        Content::Stream(_) => AnsweredContent::Stream,
    };
    finish(chosen, renders, context, CrudOutcome::of(rendered))
}

/// Adds the status and headers of an answer, which override those of its content.
fn finish(
    Chosen { number, answer, .. }: Chosen<'_>,
    renders: &mut impl Renders,
    context: &Context,
    mut outcome: CrudOutcome,
) -> Result<Answered, Refusal> {
    let declared = match &answer.status {
        Some(template) => Some(status(template, &renders.required(template, context)?)?),
        None => outcome.status,
    };
    let default = if outcome.content == AnsweredContent::Empty { 204 } else { 200 };
    let mut headers = std::mem::take(&mut outcome.headers);
    headers.retain(|(name, _)| !answer.headers.iter().any(|(own, _)| own == name));
    for (name, template) in &answer.headers {
        match renders.required(template, context)? {
            Value::Array(values) => headers.extend(values.iter().map(|value| (name.clone(), plain_text(value)))),
            value => headers.push((name.clone(), plain_text(&value))),
        }
    }
    if let Some((name, value)) = headers.iter().find(|(_, value)| value.contains(['\r', '\n', '\0'])) {
        let refusal =
            Refusal::wrong_value(&format!("the header {name}"), "text of one line", &Value::from(value.as_str()));
        let template = answer.headers.iter().find_map(|(own, template)| (own == name).then_some(template));
        return Err(bad_answer(template, refusal));
    }
    let status = declared.unwrap_or(default);
    let CrudOutcome { content, query_notes, .. } = outcome;
    Ok(Answered { number, status, headers, content, after: answer.after, query_notes })
}

fn status(template: &Template, value: &Value) -> Result<u16, Refusal> {
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    let status = number.and_then(|number| u16::try_from(number).ok()).filter(|status| (200..600).contains(status));
    let refusal = || Refusal::wrong_value("the status", "an integer from 200 to 599", value);
    status.ok_or_else(|| bad_answer(Some(template), refusal()))
}

/// Creates the refusal for a value that HTTP does not allow, with the source and location of its expressions.
fn bad_answer(template: Option<&Template>, refusal: Refusal) -> Refusal {
    let failed = template.and_then(|template| template.failed(&refusal.to_string()));
    failed.map_or_else(|| Refusal::BadAnswer(Box::new(refusal)), Refusal::from)
}

/// Resolves `path` to a file below `directory`. The prefix `lead` of the path leads to that directory.
fn file(directory: &Path, lead: &str, path: &str) -> Result<PathBuf, Refusal> {
    let relative = Path::new(path.strip_prefix(lead).unwrap_or(path));
    let is_below = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if relative.as_os_str().is_empty() || !is_below {
        return Err(Refusal::wrong_value("the file", "a path below the scenario's directory", &Value::from(path)));
    }
    Ok(directory.join(relative))
}
