//! From what is written to what is meant: everything is checked and filled in here, once.

mod categories;
mod generators;
mod scripts;

pub(crate) use categories::number as product_number;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::advice::nearest;
use super::problem::{Problem, ProblemKind};
use super::raw::{RawCors, RawDuration, RawFeed, RawScenario, RawServer};
use super::source::Span;
use super::units::{MAX_TOTAL, MIN_PERIOD, parse_duration};
use super::yaml::Spanned;
use super::{Category, Cors, Feed, Scenario, ServerOptions, stem};

/// Checks the whole of a scenario; `found` are the problems that decoding it has found already.
///
/// The scenario is only good if both lists of problems are empty.
pub(super) fn validate(raw: &RawScenario, path: &Path, found: &[Problem]) -> (Option<Scenario>, Vec<Problem>) {
    let mut check = Check::default();
    if let Some(include) = &raw.include {
        check.note(ProblemKind::Unsupported("include"), include.span);
    }
    let server = raw.server.as_ref().and_then(Spanned::get).map(|(server, _)| server_options(server, path, &mut check));
    let categories = match check.required(raw.categories.as_ref(), "a scenario", "categories", Span::default()) {
        Some((entries, span)) => {
            let categories = categories::categories(entries, span, &mut check);
            check.catalogue_known = !found.iter().any(|problem| span.range().contains(&problem.span.range().start));
            categories
        }
        None => Vec::new(),
    };
    let orders = raw.orders.as_ref().and_then(Spanned::get).map(|(orders, _)| orders);
    let scripts = orders.and_then(|orders| orders.scripts.as_ref()).and_then(Spanned::get);
    let random = orders.and_then(|orders| orders.random.as_ref()).and_then(Spanned::get);
    let mut known = Known::new(&categories);
    if let Some((scripts, _)) = scripts {
        scripts::collect_added(scripts, &mut known);
    }
    let scripts = scripts.map(|(list, _)| scripts::scripts(list, &known, &mut check)).unwrap_or_default();
    let generators = random.map(|(list, _)| generators::generators(list, &known, &mut check)).unwrap_or_default();
    let scenario = Scenario {
        name: check.name(raw.name.as_ref(), "a scenario's name").unwrap_or_else(|| stem(path)),
        seed: raw.seed.as_ref().and_then(Spanned::get).map(|(seed, _)| *seed),
        feed: match raw.feed.as_ref().and_then(Spanned::get) {
            Some((RawFeed::Category, _)) => Feed::Category,
            _ => Feed::All,
        },
        server: server.unwrap_or_default(),
        categories,
        generators,
        scripts,
    };
    (Some(scenario), check.problems)
}

fn server_options(raw: &RawServer, path: &Path, check: &mut Check) -> ServerOptions {
    let host = raw.host.as_ref().and_then(Spanned::get).and_then(|(host, span)| {
        let host = if host == "localhost" { "127.0.0.1" } else { host };
        let wrong = || ProblemKind::WrongType { expected: "an IP address".into(), found: format!("`{host}`") };
        host.parse().map_err(|_| check.note(wrong(), span)).ok()
    });
    let port = raw.port.as_ref().and_then(Spanned::get).and_then(|(port, span)| {
        let wrong = || ProblemKind::WrongType {
            expected: "a port from 0 to 65535".into(),
            found: format!("the number {port}"),
        };
        u16::try_from(*port).map_err(|_| check.note(wrong(), span)).ok()
    });
    let base = path.parent().unwrap_or(Path::new(""));
    let cors = match raw.cors.as_ref().and_then(Spanned::get) {
        None | Some((RawCors::Switch(true), _)) => Cors::Any,
        Some((RawCors::Switch(false), _)) => Cors::Off,
        Some((RawCors::Origins(origins), _)) => {
            Cors::Origins(origins.iter().filter_map(|origin| origin.value.clone()).collect())
        }
    };
    let site = raw.site.as_ref().and_then(Spanned::get).map(|(site, _)| base.join(site));
    ServerOptions { host, port, site, cors }
}

/// The ids and categories that orders may refer to.
struct Known<'c> {
    categories: &'c [Category],
    ids: HashSet<Arc<str>>,
    /// Prefixes of categories to which a script adds products whose ids are made at the time.
    growing: Vec<&'c str>,
}

impl<'c> Known<'c> {
    fn new(categories: &'c [Category]) -> Self {
        let ids = categories.iter().flat_map(|category| &category.products).map(|product| product.id.clone());
        Self { categories, ids: ids.collect(), growing: Vec::new() }
    }

    fn category(&self, name: &str) -> Option<&'c Category> {
        self.categories.iter().find(|category| &*category.name == name)
    }

    /// Whether the product is declared or could have been added by a script.
    fn product(&self, id: &str) -> bool {
        let numbered = |prefix: &&str| {
            id.strip_prefix(*prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        };
        self.ids.contains(id) || self.growing.iter().any(numbered)
    }
}

/// Collects problems, and holds what the parts of the check share.
struct Check {
    problems: Vec<Problem>,
    /// False when the catalogue could not be read in full: references to it are not judged then.
    catalogue_known: bool,
}

impl Default for Check {
    fn default() -> Self {
        Self { problems: Vec::new(), catalogue_known: true }
    }
}

impl Check {
    fn note(&mut self, kind: ProblemKind, span: Span) {
        self.problems.push(Problem::new(kind, span));
    }

    /// The value of a key that has to be there; `owner` and its place are for the message.
    fn required<'r, T>(
        &mut self,
        value: Option<&'r Spanned<T>>,
        owner: &'static str,
        key: &'static str,
        span: Span,
    ) -> Option<(&'r T, Span)> {
        if value.is_none() {
            self.note(ProblemKind::MissingKey { owner, key }, span);
        }
        value?.get()
    }

    fn name(&mut self, value: Option<&Spanned<String>>, what: &'static str) -> Option<String> {
        let (name, span) = value?.get()?;
        if name.trim().is_empty() {
            self.note(ProblemKind::EmptyName(what), span);
        }
        Some(name.clone())
    }

    fn duration(&mut self, value: Option<&Spanned<RawDuration>>) -> Option<(Duration, Span)> {
        let (text, span) = value?.get()?;
        match parse_duration(&text.0) {
            Ok(duration) => Some((duration, span)),
            Err(error) => {
                self.note(error.into(), span);
                None
            }
        }
    }

    /// The time between two of a kind.
    fn period(&mut self, key: &'static str, value: Option<&Spanned<RawDuration>>) -> Option<(Duration, Span)> {
        let (duration, span) = self.duration(value)?;
        if duration < MIN_PERIOD {
            self.note(ProblemKind::TooSmall { key, least: "1us" }, span);
            return None;
        }
        Some((duration, span))
    }

    /// A total or an amount.
    fn total(&mut self, value: i64, span: Span) -> i64 {
        if !(-MAX_TOTAL..=MAX_TOTAL).contains(&value) {
            self.note(ProblemKind::TotalOutOfRange(value), span);
        }
        value
    }

    /// A count that starts at 1.
    fn count(&mut self, key: &'static str, count: i64, span: Span) -> Option<u64> {
        match u64::try_from(count) {
            Ok(count) if count > 0 => Some(count),
            _ => {
                self.note(ProblemKind::TooSmall { key, least: "1" }, span);
                None
            }
        }
    }

    fn product(&mut self, id: &str, span: Span, known: &Known<'_>) -> Arc<str> {
        if self.catalogue_known && !known.product(id) {
            let nearest = nearest(id, known.ids.iter().map(|id| &**id)).map(str::to_owned);
            self.note(ProblemKind::UnknownProduct { id: id.to_owned(), nearest }, span);
        }
        known.ids.get(id).cloned().unwrap_or_else(|| id.into())
    }

    fn category(&mut self, name: &str, span: Span, known: &Known<'_>) -> Arc<str> {
        if self.catalogue_known && known.category(name).is_none() {
            let nearest = nearest(name, known.categories.iter().map(|c| &*c.name)).map(str::to_owned);
            self.note(ProblemKind::UnknownCategory { name: name.to_owned(), nearest }, span);
        }
        known.category(name).map_or_else(|| name.into(), |category| category.name.clone())
    }
}

/// The value and place of an optional key.
fn given<T>(value: Option<&Spanned<T>>) -> Option<(&T, Span)> {
    value.and_then(Spanned::get)
}
