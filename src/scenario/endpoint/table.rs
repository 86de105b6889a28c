//! The endpoints of a scenario, looked up by path.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use indexmap::IndexMap;
use matchit::{InsertError, Params, Router};
use thiserror::Error;

use super::Endpoint;
use crate::scenario::Parameter;
use crate::scenario::route::insert_path;

/// The endpoints of a scenario, looked up by path. Two tables are equal if they declare the same endpoints in the same
/// order.
#[derive(Debug, Clone, Default)]
pub struct EndpointTable {
    /// In declared order.
    by_key: IndexMap<Arc<str>, Arc<Endpoint>>,
    by_path: Router<Arc<Endpoint>>,
}

/// The error for an endpoint whose path conflicts with the path of another endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("endpoint `{}` conflicts with another endpoint: {error}", .endpoint.key)]
pub struct EndpointError {
    /// The later of the two.
    pub endpoint: Arc<Endpoint>,
    /// The reason.
    pub error: InsertError,
}

/// The endpoint of a path, with the values of its parameters.
#[derive(Debug)]
pub struct EndpointMatch<'t, 'p> {
    endpoint: &'t Arc<Endpoint>,
    parameters: Params<'t, 'p>,
}

impl EndpointTable {
    /// Creates a table of these endpoints, whose keys must differ.
    ///
    /// # Errors
    /// [`EndpointError`] if two paths conflict.
    pub fn new(endpoints: impl IntoIterator<Item = Arc<Endpoint>>) -> Result<Self, EndpointError> {
        let mut table = Self::default();
        for endpoint in endpoints {
            insert_path(&mut table.by_path, &endpoint.path, endpoint.clone())
                .map_err(|error| EndpointError { endpoint: endpoint.clone(), error })?;
            table.by_key.insert(endpoint.key.clone(), endpoint);
        }
        Ok(table)
    }

    /// Returns whether there are no endpoints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Returns all endpoints, in declared order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.by_key.values()
    }

    /// Returns the endpoint with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<Endpoint>> {
        self.by_key.get(key)
    }

    /// Returns the endpoint of a path, which is encoded as for [`RouteTable::find`](crate::scenario::RouteTable::find).
    #[must_use]
    pub fn find<'t, 'p>(&'t self, path: &'p str) -> Option<EndpointMatch<'t, 'p>> {
        let matched = self.by_path.at(path).ok()?;
        Some(EndpointMatch { endpoint: matched.value, parameters: matched.params })
    }

    /// Returns the endpoint nearest to a path that has no endpoint, by the same distance as
    /// [`RouteTable::nearest`](crate::scenario::RouteTable::nearest).
    #[must_use]
    pub fn nearest(&self, path: &str) -> Option<&Arc<Endpoint>> {
        let endpoints = self.iter().filter_map(|endpoint| Some((endpoint.path.distance(path)?, endpoint)));
        endpoints.min_by_key(|(distance, _)| *distance).map(|(_, endpoint)| endpoint)
    }
}

impl Eq for EndpointTable {}

impl PartialEq for EndpointTable {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'t, 'p> EndpointMatch<'t, 'p> {
    /// Returns the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &'t Arc<Endpoint> {
        self.endpoint
    }

    /// Returns the value of a parameter, encoded as in the path.
    #[must_use]
    pub fn parameter(&self, parameter: &Parameter) -> &'p str {
        parameter.of(&self.parameters)
    }
}
