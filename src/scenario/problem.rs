//! The problems of a scenario: their kinds, places, messages and advice.

mod advice;
mod data;
mod foreign_keys;
mod kind;
mod reference;
mod reserved_names;
mod route;
mod socket;
mod syntax;
mod timing;

pub use data::DataMistake;
pub use kind::ProblemKind;
pub use reference::ReferenceMistake;
pub(super) use reserved_names::is_taken;
pub use route::RouteMistake;
pub use socket::SocketMistake;
pub use syntax::SyntaxMistake;
pub use timing::TimingMistake;

use super::source::{Sources, Span};

/// A problem in a scenario file.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The kind, with the data for its message.
    pub kind: ProblemKind,
    /// The place to show.
    pub span: Span,
    /// A second place to show, such as the first of two equal ids.
    pub related: Option<Span>,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, span: Span) -> Self {
        Self { kind, span, related: None }
    }

    pub(crate) fn related_to(mut self, span: Span) -> Self {
        self.related = Some(span);
        self
    }
}

/// The suffix of the description of a quoted value whose tag gives it another type than text.
pub(super) const BY_TAG: &str = ", by its tag";

/// All problems of a scenario, with its files. `Display` writes the report without colour.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Problems {
    /// The files of the scenario.
    pub sources: Sources,
    /// At least one problem, in the order of the files.
    pub list: Vec<Problem>,
}
