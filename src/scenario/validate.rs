//! Validation of the decoded scenario. All checks and all defaults are in this module.

mod answers;
mod categories;
mod crud;
mod data;
mod endpoints;
mod expressions;
mod faults;
mod generators;
mod http;
mod known;
mod paths;
mod patterns;
mod protocols;
mod references;
mod removals;
mod rules;
mod scripts;
mod sockets;
mod steps;
mod topics;
mod triggers;
mod verbs;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data::GenerationInputs;
use expressions::{Expressions, Scope};
use http::DeclaredRoute;
use known::{Completeness, KnownNames};
use references::References;
use steps::{Owner, Rules, StepContext};
use topics::Topics;

use super::origin::{OriginError, parse_origin};
use super::problem::{Problem, ProblemKind};
use super::raw::{
    RawAmount, RawCategory, RawCors, RawDuration, RawFeed, RawMoment, RawPostedSteps, RawScenario, RawServer,
};
use super::report::LineIndex;
use super::shop::{self, Category, Shop, ShopFeed};
use super::source::Span;
use super::units::{MAX_TOTAL, MIN_PERIOD};
use super::yaml::{Document, Entries, NodeId, Spanned};
use super::{Amount, Collection, Cors, Declaration, Fault, Host, Plan, Route, Scenario, ServerOptions, StepList, stem};
use crate::expression::PathStep;

/// Decodes and checks a whole scenario. `is_complete` is false if one of its files is missing. The returned scenario is
/// only valid if the document has no errors afterwards.
pub(super) fn validate(
    document: &Document,
    root: NodeId,
    path: &Path,
    exists: &dyn Fn(&Path) -> bool,
    is_complete: bool,
) -> Option<Scenario> {
    let mut check = Validator { complete: is_complete, ..Validator::new(document) };
    let raw = document.decode::<RawScenario>(root)?;
    let server = given(raw.server.as_ref()).map(|(server, _)| server_options(server, &mut check));
    let (declared, root_span) = (given(raw.categories.as_ref()), document.tree().span(root));
    check.check_declares_something(&raw, root_span);
    let is_shop = raw.categories.is_some() || check.is_misspelt(&["categories"], root_span);
    let (categories, ids_known) = match declared {
        Some((entries, span)) => categories::categories(entries, span, &mut check),
        None => (Vec::new(), !is_shop),
    };
    let ids_known = check.complete && ids_known;
    let mut references = References::new(&categories, ids_known).with_routes(raw.http.is_some() || !check.complete);
    let seed = given(raw.seed.as_ref()).map(|(seed, _)| *seed);
    let starts = given(raw.starts.as_ref()).and_then(|(moment, span)| check.moment(moment, span));
    let data = given(raw.data.as_ref())
        .map(|(entries, _)| data::data(entries, &categories, GenerationInputs { seed, starts }, &mut check))
        .unwrap_or_default();
    let is_named = |(entries, _): (&Entries<RawCategory>, Span)| entries.0.iter().all(|(name, _)| name.value.is_some());
    let has_data = raw.data.as_ref().map_or(!check.is_misspelt(&["data"], root_span), |data| data.value.is_some());
    let has_names = check.complete && declared.map_or(!is_shop, is_named) && has_data;
    let completeness = Completeness { names: has_names, rows: ids_known };
    let known = KnownNames::new(&categories, &data.collections, &data.values, completeness).with_unread(data.unread);
    let orders = given(raw.orders.as_ref()).map(|(orders, _)| orders);
    let scripts = given(orders.and_then(|orders| orders.scripts.as_ref()));
    let random = given(orders.and_then(|orders| orders.random.as_ref()));
    let scripts = scripts.map(|(list, _)| scripts::scripts(list, &mut references, &mut check)).unwrap_or_default();
    let generators =
        random.map(|(list, _)| generators::generators(list, &mut references, &mut check)).unwrap_or_default();
    let faults = given(raw.faults.as_ref()).map(|(list, _)| faults::faults(list, &references, &mut check));
    let expressions = Expressions::new(&known);
    let mut rules = Rules { check: &mut check, references: &mut references, known: &known, expressions };
    let routes = given(raw.http.as_ref()).map(|(entries, _)| rules.routes(entries)).unwrap_or_default();
    let endpoints = given(raw.websocket.as_ref()).map(|(entries, _)| rules.endpoints(entries)).unwrap_or_default();
    let triggers = given(raw.triggers.as_ref()).map(|(list, _)| rules.triggers(list)).unwrap_or_default();
    let rule_scripts = given(raw.scripts.as_ref()).map(|(list, _)| rules.scripts(list)).unwrap_or_default();
    let rule_generators = given(raw.random.as_ref()).map(|(list, _)| rules.generators(list)).unwrap_or_default();
    references.report(&mut check);
    check.warn_unsent_topics(&known);
    // A scenario that does not come from a file has no files next to it.
    if exists(path) {
        warn_missing_files(exists, &mut check);
    }
    if let Some((entries, _)) = declared {
        warn_hidden_files(entries, server.as_ref().and_then(ServerOptions::site), exists, &mut check);
    }
    let feed = match given(raw.feed.as_ref()) {
        Some((RawFeed::Category, _)) => ShopFeed::Category,
        Some((RawFeed::All, _)) | None => ShopFeed::All,
    };
    let mut declaration = match declared {
        Some(_) => shop::lower(Shop { categories, feed, generators, scripts }),
        None => Declaration::default(),
    };
    // Generators of the shop come first, because the position of a generator selects its random stream.
    declaration.generators.extend(rule_generators);
    declaration.collections.extend(data.collections);
    declaration.values = data.values;
    declaration.triggers = triggers;
    declaration.rule_scripts = rule_scripts;
    let of_shop = std::mem::take(&mut declaration.routes).into_iter().map(|route| {
        let span = shop_place(&route, declared.map(|(entries, _)| entries), document, root);
        DeclaredRoute::from_shop(route, span)
    });
    let of_shop: Vec<DeclaredRoute> = of_shop.collect();
    let endpoints = endpoints::table(&endpoints, &of_shop, &mut check);
    let routes = http::table(of_shop.into_iter().chain(routes).collect(), &mut check)?;
    declaration.endpoints = endpoints?;
    Some(Scenario {
        name: check.name(raw.name.as_ref(), "a scenario's name").unwrap_or_else(|| stem(path)),
        seed,
        server: server.unwrap_or_default(),
        collections: declaration.collections,
        generators: declaration.generators,
        scripts: declaration.scripts,
        faults: faults.unwrap_or_default().into_iter().map(Arc::new).collect(),
        routes: Arc::new(routes),
        endpoints: Arc::new(declaration.endpoints),
        starts,
        values: declaration.values,
        triggers: declaration.triggers,
        rule_scripts: declaration.rule_scripts,
    })
}

/// Returns the place that declares a route of a shop.
fn shop_place(route: &Route, entries: Option<&Entries<RawCategory>>, document: &Document, root: NodeId) -> Span {
    let (Plan::List { collection } | Plan::Add { collection }) = route.plan() else {
        return document.key_span(root, "categories").unwrap_or_default();
    };
    let names = entries.into_iter().flat_map(|entries| &entries.0).filter_map(|(name, _)| name.get());
    names.into_iter().find(|(name, _)| ***name == **collection).map(|(_, span)| span).unwrap_or_default()
}

/// The files of mockd's built-in page.
const PAGE: [&str; 6] = ["app.js", "index.html", "live.js", "overview.js", "products.js", "style.css"];

/// Warns about categories that hide files of the page at `/`.
fn warn_hidden_files(
    entries: &Entries<RawCategory>,
    site: Option<&PathBuf>,
    exists: &dyn Fn(&Path) -> bool,
    check: &mut Validator<'_>,
) {
    for (name, span) in entries.0.iter().filter_map(|(name, _)| name.get()) {
        let hidden = match site {
            None => PAGE.contains(&name.as_str()).then(|| format!("{name} of mockd's own page")),
            Some(_) if name.is_empty() || name.contains(['/', '\\']) || [".", ".."].contains(&name.as_str()) => None,
            Some(site) => Some(site.join(name)).filter(|path| exists(path)).map(|path| path.display().to_string()),
        };
        if let Some(file) = hidden {
            check.report(ProblemKind::HidesFile { category: name.clone(), file }, span);
        }
    }
}

/// Warns about missing files of answers. This is not an error, because a file that is added later is served.
fn warn_missing_files(exists: &dyn Fn(&Path) -> bool, check: &mut Validator<'_>) {
    for (path, span) in std::mem::take(&mut check.files) {
        if !exists(&path) {
            check.report(ProblemKind::MissingFile(path.display().to_string()), span);
        }
    }
}

/// Decodes and checks steps that are sent to a running scenario.
pub(super) fn validate_steps(document: &Document, root: NodeId, scenario: &Scenario) -> Option<StepList> {
    let mut check = Validator::new(document);
    let raw = document.decode::<RawPostedSteps>(root)?;
    let (counted, others): (Vec<_>, Vec<_>) = scenario.collections().iter().cloned().partition(Collection::is_counted);
    let categories: Vec<Category> = counted.iter().map(Category::of).collect();
    let known = KnownNames::new(&categories, &others, scenario.values(), Completeness { names: true, rows: false });
    let mut references = References::new(&categories, true).with_routes(scenario.routes().has_answers());
    let span = document.tree().span(root);
    let (list, span) = check.required(raw.steps.as_ref(), "the request", "do", span, span)?;
    let written = document.json(root);
    let expressions = Expressions::new(&known);
    let mut rules = Rules { check: &mut check, references: &mut references, known: &known, expressions };
    let scope = Scope::of(&known);
    let written = written.as_ref().and_then(|body| body.get("do"));
    rules.steps(list, ("`do`", span), written, StepContext::new(Owner::World, &scope))
}

/// Decodes and checks a fault that is added to a running scenario, in which any product may exist by now.
pub(super) fn validate_fault(document: &Document, root: NodeId, scenario: &Scenario) -> Option<Fault> {
    let mut check = Validator::new(document);
    let counted = scenario.collections().iter().filter(|collection| collection.is_counted());
    let categories: Vec<Category> = counted.map(Category::of).collect();
    let references = References::new(&categories, true).with_routes(scenario.routes().has_answers());
    faults::fault_at(root, &references, &mut check)
}

fn server_options(raw: &RawServer, check: &mut Validator<'_>) -> ServerOptions {
    let host = given(raw.host.as_ref()).and_then(|(host, span)| {
        let problem =
            || ProblemKind::WrongType { expected: "an IP address or `localhost`".into(), found: format!("`{host}`") };
        host.parse::<Host>().map_err(|_| check.report(problem(), span)).ok()
    });
    let port = given(raw.port.as_ref()).and_then(|(port, span)| {
        let problem = || ProblemKind::WrongType {
            expected: "a port from 0 to 65535".into(),
            found: format!("the number {port}"),
        };
        u16::try_from(*port).map_err(|_| check.report(problem(), span)).ok()
    });
    // Relative to the declaring file, which may be an included file.
    let (site, sources) = (given(raw.site.as_ref()), check.document.sources());
    let printed_site = site.map(|(site, span)| sources.directory_from_first(span).join(site));
    let site = site.map(|(site, span)| sources.directory(span).join(site));
    let cors = match given(raw.cors.as_ref()) {
        None | Some((RawCors::Switch(true), _)) => Cors::Any,
        Some((RawCors::Switch(false), _)) => Cors::Off,
        Some((RawCors::Origins(origins), _)) => {
            let parsed = origins.iter().filter_map(Spanned::get).map(|(origin, span)| (parse_origin(origin), span));
            let reported = |(origin, span): (Result<String, OriginError>, Span)| {
                origin.map_err(|error| check.report(ProblemKind::NotAnOrigin(error), span)).ok()
            };
            Cors::Origins(parsed.filter_map(reported).collect())
        }
    };
    ServerOptions { host, port, site, printed_site, cors }
}

/// Above this number of problems, misspelt keys no longer suppress follow-up problems.
const MAX_SEARCHED_PROBLEMS: usize = 1000;

/// The state that all parts of the validation share.
struct Validator<'d> {
    document: &'d Document,
    /// False if a file of the scenario is missing. Missing keys are not reported then, because the file may have them.
    complete: bool,
    lines: OnceCell<LineIndex<'d>>,
    topics: Topics,
    /// The files of answers with constant paths, and the places that name them.
    files: Vec<(PathBuf, Span)>,
}

impl<'d> Validator<'d> {
    fn new(document: &'d Document) -> Self {
        let complete = document.problems().is_empty();
        Self { document, complete, lines: OnceCell::new(), topics: Topics::default(), files: Vec::new() }
    }

    /// Describes the place of a byte in the text at `path`, for messages at run time.
    fn location(&self, node: NodeId, path: &[PathStep], byte: usize) -> Option<Arc<str>> {
        let lines = self.lines.get_or_init(|| LineIndex::new(self.document.sources()));
        lines.describe(self.document.part_span_at(node, path, byte..byte + 1))
    }

    fn report(&mut self, kind: ProblemKind, span: Span) {
        self.document.report(Problem::new(kind, span));
    }

    /// Returns the value of a required key. If the key is missing, the message names `owner` and points at `place`.
    /// `inside` is the mapping that requires the key.
    fn required<'r, T>(
        &mut self,
        value: Option<&'r Spanned<T>>,
        owner: &'static str,
        key: &'static str,
        place: Span,
        inside: Span,
    ) -> Option<(&'r T, Span)> {
        if value.is_none() && self.complete && !self.is_misspelt(&[key], inside) {
            self.report(ProblemKind::MissingKey { owner, key }, place);
        }
        value?.get()
    }

    /// Reports a scenario that declares nothing, or orders without categories.
    fn check_declares_something(&mut self, raw: &RawScenario, inside: Span) {
        const KEYS: [&str; 7] = ["categories", "data", "http", "websocket", "triggers", "scripts", "random"];
        let has_rules = raw.triggers.is_some() || raw.scripts.is_some() || raw.random.is_some();
        let has_more = has_rules || raw.data.is_some() || raw.http.is_some() || raw.websocket.is_some();
        if raw.categories.is_some() || !self.complete || self.is_misspelt(&KEYS, inside) {
            return;
        }
        if !has_more {
            self.report(ProblemKind::DeclaresNothing, Span::default());
        } else if let Some(orders) = &raw.orders {
            self.report(ProblemKind::MissingKey { owner: "`orders`", key: "categories" }, orders.span);
        }
    }

    /// Reports that a mapping needs exactly one of these keys.
    fn needs_exactly_one(&mut self, owner: &'static str, keys: &'static [&'static str], inside: Span) {
        if !self.is_misspelt(keys, inside) {
            self.report(ProblemKind::NotExactlyOne { owner, keys }, inside);
        }
    }

    /// Returns whether `inside` has an unknown key that is most likely a misspelling of one of these keys.
    fn is_misspelt(&self, keys: &[&str], inside: Span) -> bool {
        let problems = self.document.problems();
        let meant = |problem: &Problem| {
            matches!(problem.kind, ProblemKind::UnknownKey { .. })
                && inside.holds(problem.span)
                && problem.kind.suggestion().is_some_and(|meant| keys.contains(&&*meant))
        };
        problems.len() <= MAX_SEARCHED_PROBLEMS && problems.iter().any(meant)
    }

    /// Returns whether an unknown key was found inside, so that a part of what the author means is missing.
    fn has_unknown_key(&self, inside: Span) -> bool {
        let is_inside =
            |problem: &Problem| matches!(problem.kind, ProblemKind::UnknownKey { .. }) && inside.holds(problem.span);
        let problems = self.document.problems();
        problems.len() > MAX_SEARCHED_PROBLEMS || problems.iter().any(is_inside)
    }

    fn name(&mut self, value: Option<&Spanned<String>>, what: &'static str) -> Option<String> {
        let (name, span) = value?.get()?;
        if name.trim().is_empty() {
            self.report(ProblemKind::EmptyName(what), span);
        }
        Some(name.clone())
    }

    fn duration(&mut self, value: Option<&Spanned<RawDuration>>) -> Option<(Duration, Span)> {
        let (duration, span) = value?.get()?;
        match &duration.0 {
            Ok(duration) => Some((*duration, span)),
            Err(error) => {
                self.report(error.clone().into(), span);
                None
            }
        }
    }

    fn moment(&mut self, moment: &RawMoment, span: Span) -> Option<i64> {
        moment.0.clone().map_err(|error| self.report(error.into(), span)).ok()
    }

    /// Checks the time between two repetitions.
    fn period(&mut self, key: &'static str, value: Option<&Spanned<RawDuration>>) -> Option<(Duration, Span)> {
        let (duration, span) = self.duration(value)?;
        if duration < MIN_PERIOD {
            self.report(ProblemKind::TooSmall { key, least: "1us" }, span);
            return None;
        }
        Some((duration, span))
    }

    /// Checks the range of a total or an amount.
    fn total(&mut self, value: i64, span: Span) -> i64 {
        if !(-MAX_TOTAL..=MAX_TOTAL).contains(&value) {
            self.report(ProblemKind::TotalOutOfRange(value), span);
        }
        value
    }

    /// Checks the amount of an order.
    fn amount(&mut self, raw: &RawAmount, span: Span) -> Option<Amount> {
        let range = match raw {
            RawAmount::Fixed(amount) => {
                let amount = self.total(*amount, span);
                return Some(amount..=amount);
            }
            RawAmount::Range(range) => range,
        };
        let min = self.required(range.min.as_ref(), "an amount", "min", span, span);
        let max = self.required(range.max.as_ref(), "an amount", "max", span, span);
        let (min, max) = (min?, max?);
        let (min, max) = (self.total(*min.0, min.1), self.total(*max.0, max.1));
        if min > max {
            self.report(ProblemKind::EmptyRange { min, max }, span);
        }
        Some(min..=max)
    }

    /// Checks a count of at least 1.
    fn count(&mut self, key: &'static str, count: i64, span: Span) -> Option<u64> {
        match u64::try_from(count) {
            Ok(count) if count > 0 => Some(count),
            _ => {
                self.report(ProblemKind::TooSmall { key, least: "1" }, span);
                None
            }
        }
    }
}

/// Returns the value and span of an optional key, if the key is given and valid.
fn given<T>(value: Option<&Spanned<T>>) -> Option<(&T, Span)> {
    value.and_then(Spanned::get)
}
