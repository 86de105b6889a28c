//! The methods that the paths of a table allow.

use super::{PathMatch, Plan, Route, RouteMethod, RouteTable};

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

    /// Returns the methods that the path allows, except OPTIONS, which every path allows (RFC 9110, 9.3).
    #[must_use]
    pub fn methods(&self) -> Vec<&'static str> {
        let has = |method: RouteMethod| self.route(method).is_some();
        [
            ("GET", RouteMethod::Get),
            ("HEAD", RouteMethod::Get),
            ("POST", RouteMethod::Post),
            ("PUT", RouteMethod::Put),
            ("PATCH", RouteMethod::Patch),
            ("DELETE", RouteMethod::Delete),
        ]
        .into_iter()
        .filter_map(|(name, method)| has(method).then_some(name))
        .collect()
    }
}

impl Route {
    /// Returns whether the scenario declares its answers.
    fn has_answers(&self) -> bool {
        matches!(self.plan, Plan::Answer { .. })
    }
}
