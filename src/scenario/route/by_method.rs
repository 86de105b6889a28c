//! The paths of each method, for requests whose most specific path lacks their method.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use matchit::Router;

use super::{PathMatch, Route, RouteMethod, RouteTable, insert_path};

const METHODS: [RouteMethod; 6] =
    [RouteMethod::Get, RouteMethod::Post, RouteMethod::Put, RouteMethod::Patch, RouteMethod::Delete, RouteMethod::Any];

/// For each method, a router of the paths that have a route for it. Created when it is first needed: the most specific
/// path of a request usually has its method.
#[derive(Debug, Clone, Default)]
pub(super) struct ByMethod(OnceLock<HashMap<RouteMethod, Router<Vec<Arc<Route>>>>>);

impl RouteTable {
    /// Returns the routes of a path for a request with a method: of the patterns that match the path, the most specific
    /// one that has the method or, if none has it, the most specific one. The path is encoded as for
    /// [`RouteTable::find`].
    #[must_use]
    pub fn find_for<'t, 'p>(&'t self, path: &'p str, method: RouteMethod) -> Option<PathMatch<'t, 'p>> {
        let most_specific = self.find(path)?;
        if most_specific.route(method).is_some() || !self.has_answers() {
            return Some(most_specific);
        }
        Some(self.by_method.find(&self.routes, path, method).unwrap_or(most_specific))
    }

    /// Returns the methods that a path allows, except OPTIONS, which every path allows (RFC 9110, 9.3).
    #[must_use]
    pub fn methods(&self, path: &str) -> Vec<&'static str> {
        let has = |method: RouteMethod| self.find_for(path, method).is_some_and(|found| found.route(method).is_some());
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

impl ByMethod {
    fn find<'t, 'p>(&'t self, routes: &[Arc<Route>], path: &'p str, method: RouteMethod) -> Option<PathMatch<'t, 'p>> {
        let matched = self.0.get_or_init(|| routers(routes)).get(&method)?.at(path).ok()?;
        Some(PathMatch { routes: matched.value, parameters: matched.params })
    }
}

fn routers(routes: &[Arc<Route>]) -> HashMap<RouteMethod, Router<Vec<Arc<Route>>>> {
    let mut paths: IndexMap<String, Vec<Arc<Route>>> = IndexMap::new();
    for route in routes {
        paths.entry(route.path.shape()).or_default().push(route.clone());
    }
    let mut by_method: HashMap<RouteMethod, Router<Vec<Arc<Route>>>> = HashMap::new();
    for routes in paths.values() {
        let has = |method: RouteMethod| routes.iter().any(|route| route.method == method);
        for method in METHODS.into_iter().filter(|method| has(*method) || has(RouteMethod::Any)) {
            // Cannot fail, because the router of the table has all of these paths.
            let _ = insert_path(by_method.entry(method).or_default(), &routes[0].path, routes.clone());
        }
    }
    by_method
}
