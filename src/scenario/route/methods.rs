//! Which methods the paths of a table have.

use super::{PathMatch, Plan, Route, RouteMethod, RouteTable};

impl RouteTable {
    /// Whether one of the routes is answered as the scenario says.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }
}

impl PathMatch<'_, '_> {
    /// Whether one of the routes is answered as the scenario says.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        self.routes().any(Route::has_answers)
    }

    /// The methods that requests to the path may have, but for OPTIONS, which every path has (RFC 9110, 9.3).
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
    /// Whether it is answered as the scenario says.
    fn has_answers(&self) -> bool {
        matches!(self.plan, Plan::Answer { .. })
    }
}
