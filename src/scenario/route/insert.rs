//! Paths in a router.

use matchit::{InsertError, Params, Router};

use super::{Parameter, PathPattern, Segment, shape_of};

/// Has a router find a value by a path.
///
/// # Errors
/// The path cannot be told from another of the router.
pub(in crate::scenario) fn insert_path<T: Clone>(
    router: &mut Router<T>,
    path: &PathPattern,
    value: T,
) -> Result<(), InsertError> {
    if let Some((Segment::Parameter(_), before)) = path.segments.split_last() {
        // The last segment may be empty, for which matchit takes no parameter.
        router.insert(format!("{}/", shape_of(before)), value.clone())?;
    }
    router.insert(path.shape(), value)
}

impl Parameter {
    /// Its text among the parameters of a path.
    pub(in crate::scenario) fn of<'p>(&self, parameters: &Params<'_, 'p>) -> &'p str {
        // One that is empty is not among them.
        parameters.iter().nth(self.index).map_or("", |(_, text)| text)
    }
}
