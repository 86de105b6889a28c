//! Scenarios: what the user wrote, valid by construction.
//!
//! [`load()`] reads a file, and [`parse`] reads text. Both return a [`Scenario`] in which every id is unique, every
//! reference resolves and every number is in range, or all [`Problems`] at once. The stages are:
//!
//! 1. Text is parsed into a tree with spans (`yaml`). Included files are merged into the tree (`include`), and the
//!    files that `data` refers to are read (`data_files`).
//! 2. The tree is decoded into serde types in which every key is optional (`raw`). The JSON Schema is generated from
//!    the same types.
//! 3. The decoded values are validated and completed with defaults (`validate`). `categories`, `orders` and `feed`
//!    become a shop in its author's terms (`shop`).
//! 4. The shop is lowered to the general model (`shop::lower`): collections of rows with counters, timelines, routes,
//!    and endpoints. The engine and the edges depend on this model alone.
//!
//! `Shop::of` is the reverse of lowering, for `print`, which writes a scenario in its author's terms. Nothing here
//! depends on sockets or clocks.

mod answer;
mod collection;
mod data_files;
mod endpoint;
mod fault;
mod fnv;
mod frames;
mod host;
mod include;
pub mod language;
mod load;
mod orders;
mod origin;
mod print;
mod problem;
mod raw;
mod report;
mod route;
mod rule;
mod schema;
mod shop;
mod source;
mod units;
mod validate;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

pub use answer::{Answer, Answers, Content, Crud, CrudOperation, CrudQuery, RequestMatch};
pub(crate) use collection::row_number;
pub use collection::{Collection, FieldRule, IdScheme, JsonType, Row};
pub(crate) use endpoint::{CLOSE_CODES, is_close_code};
pub use endpoint::{Endpoint, EndpointError, EndpointMatch, EndpointTable, MessageRule, Protocol};
pub use fault::{Damage, Effect, Fault, FaultResponse, Latency, Matches, Share};
pub(crate) use fnv::Fnv;
pub(crate) use frames::{CONN, is_common_name};
pub use frames::{FrameEncoding, MemberFrame};
pub use host::Host;
pub use load::{FoundFile, LoadError, Loading, load, load_regular, load_stream, parse, parse_fault, parse_steps};
pub use orders::{Action, Amount, Arrivals, Draw, Fires, Generator, NewRow, Repeat, Script, Step};
pub use origin::OriginError;
#[cfg(feature = "cli")]
pub(crate) use origin::parse_origin;
pub use problem::{
    DataMistake, Problem, ProblemKind, Problems, ReferenceMistake, RouteMistake, SocketMistake, SyntaxMistake,
    TimingMistake,
};
pub(crate) use raw::{RawFault as FaultShape, RawPostedSteps as PostedStepsShape};
pub use report::{Style, annotate, annotations, describe, describe_problems, render};
pub use route::{
    Feed, NOT_IN_SEGMENT, Parameter, PathMatch, PathPattern, Plan, Route, RouteError, RouteMethod, RouteTable,
    SocketEndpoint, encode_segment,
};
pub use rule::{
    DataPath, GeneratedRule, Join, Pick, RowVerb, RuleScript, RuleStep, SetTarget, StepList, StepStart, Trigger, Verb,
};
pub use schema::schema;
pub(crate) use shop::NOUNS;
pub use source::{MAX_FILE_BYTES, ReadError, Source, Sources, Span};
pub use units::{MAX_TOTAL, UnitError, format_duration, parse_duration, parse_rate};
pub(crate) use units::{integer, times};

pub(crate) use crate::websocket::MAX_REASON;

/// A checked scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    name: String,
    seed: Option<u64>,
    server: ServerOptions,
    collections: Vec<Collection>,
    generators: Vec<Generator>,
    scripts: Vec<Script>,
    faults: Vec<Arc<Fault>>,
    routes: Arc<RouteTable>,
    endpoints: Arc<EndpointTable>,
    /// The world's time 0 in milliseconds since the Unix epoch, if declared.
    starts: Option<i64>,
    values: IndexMap<Arc<str>, Arc<Value>>,
    triggers: Vec<Arc<Trigger>>,
    rule_scripts: Vec<Arc<RuleScript>>,
}

/// What a scenario declares in general terms, whichever part of the language it comes from.
#[derive(Debug, Default)]
struct Declaration {
    collections: Vec<Collection>,
    generators: Vec<Generator>,
    scripts: Vec<Script>,
    routes: Vec<Route>,
    endpoints: EndpointTable,
    values: IndexMap<Arc<str>, Arc<Value>>,
    triggers: Vec<Arc<Trigger>>,
    rule_scripts: Vec<Arc<RuleScript>>,
}

impl Scenario {
    /// Returns the declared name, or the file's stem.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the declared random seed.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Returns which counters a socket receives, according to the last endpoint; a shop has only one.
    #[must_use]
    pub fn feed(&self) -> Feed {
        self.routes.endpoints().next_back().map(|endpoint| endpoint.feed).unwrap_or_default()
    }

    /// Returns the `server` section.
    #[must_use]
    pub fn server(&self) -> &ServerOptions {
        &self.server
    }

    /// Returns the collections in declared order.
    #[must_use]
    pub fn collections(&self) -> &[Collection] {
        &self.collections
    }

    /// Returns the random generators in declared order.
    #[must_use]
    pub fn generators(&self) -> &[Generator] {
        &self.generators
    }

    /// Returns the scripts in declared order.
    #[must_use]
    pub fn scripts(&self) -> &[Script] {
        &self.scripts
    }

    /// Returns the faults in declared order.
    #[must_use]
    pub fn faults(&self) -> &[Arc<Fault>] {
        &self.faults
    }

    /// Returns the route table.
    #[must_use]
    pub fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// Returns the endpoints of `websocket`. The live socket of a shop is a route instead.
    #[must_use]
    pub fn endpoints(&self) -> &Arc<EndpointTable> {
        &self.endpoints
    }

    /// Returns the world's time 0 in milliseconds since the Unix epoch, if declared.
    #[must_use]
    pub fn starts(&self) -> Option<i64> {
        self.starts
    }

    /// Returns the values of `data` that are not collections, in declared order.
    #[must_use]
    pub fn values(&self) -> &IndexMap<Arc<str>, Arc<Value>> {
        &self.values
    }

    /// Returns the triggers in declared order.
    #[must_use]
    pub fn triggers(&self) -> &[Arc<Trigger>] {
        &self.triggers
    }

    /// Returns the scripts of general steps in declared order.
    #[must_use]
    pub fn rule_scripts(&self) -> &[Arc<RuleScript>] {
        &self.rule_scripts
    }

    /// Returns the scenario with another `server` section, which each server that runs the scenario has for itself.
    #[must_use]
    #[cfg(feature = "redis")]
    pub(crate) fn with_server(self, server: ServerOptions) -> Self {
        Self { server, ..self }
    }

    /// Returns the scenario with other routes.
    #[must_use]
    #[cfg(test)]
    pub(crate) fn with_routes(self, routes: RouteTable) -> Self {
        Self { routes: Arc::new(routes), ..self }
    }

    /// Returns the collection with this name.
    #[must_use]
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| &*collection.name == name)
    }

    /// Returns every declared row with its collection, in declared order.
    pub fn rows(&self) -> impl Iterator<Item = (&Collection, &Arc<Row>)> {
        self.collections.iter().flat_map(|collection| collection.rows.iter().map(move |row| (collection, row)))
    }
}

/// Returns the name of a scenario that does not declare one.
fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy().into_owned())
}

/// Which web origins may read the API (Fetch standard, CORS protocol).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cors {
    /// Every origin; origins of this machine also with credentials.
    #[default]
    Any,
    /// No origin: there are no CORS headers.
    Off,
    /// These origins, also with credentials. They are written as browsers send them, such as `http://localhost:5050`.
    Origins(Vec<String>),
}

/// The `server` section; a field is `None` if its key is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerOptions {
    host: Option<Host>,
    port: Option<u16>,
    site: Option<PathBuf>,
    /// The site, relative to the directory of the main file.
    printed_site: Option<PathBuf>,
    cors: Cors,
}

impl ServerOptions {
    /// Returns the host to listen on.
    #[must_use]
    pub fn host(&self) -> Option<Host> {
        self.host
    }

    /// Returns the port to listen on; 0 means any free port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns the directory to serve at `/`, already joined to the scenario file's directory.
    #[must_use]
    pub fn site(&self) -> Option<&PathBuf> {
        self.site.as_ref()
    }

    /// Returns which web origins may read the API.
    #[must_use]
    pub fn cors(&self) -> &Cors {
        &self.cors
    }

    /// Returns the keys that differ from `other`. Applying any of them requires a restart.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        [
            ("host", self.host != other.host),
            ("port", self.port != other.port),
            ("static", self.site != other.site),
            ("cors", self.cors != other.cors),
        ]
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
    }
}
