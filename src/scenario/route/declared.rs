//! Which routes have answers that the scenario declares.

use super::{PathMatch, Plan, Route, RouteTable};

impl RouteTable {
    /// Returns whether the scenario declares the answers of any of the routes.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }
}

impl PathMatch<'_, '_> {
    /// Returns whether the scenario declares the answers of any of the routes.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        self.routes().any(Route::has_answers)
    }
}

impl Route {
    /// Returns whether the scenario declares its answers.
    fn has_answers(&self) -> bool {
        matches!(self.plan, Plan::Answer { .. })
    }
}
