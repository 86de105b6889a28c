//! Insertion of paths into a router.

use matchit::{InsertError, Params, Router};

use super::{Parameter, PathPattern, Segment, shape_of};

/// Adds a value to a router under a path.
///
/// # Errors
/// The path is ambiguous with another path of the router.
pub(in crate::scenario) fn insert_path<T: Clone>(
    router: &mut Router<T>,
    path: &PathPattern,
    value: T,
) -> Result<(), InsertError> {
    if let Some((Segment::Parameter(_), before)) = path.segments.split_last() {
        // The last segment may be empty, which matchit does not match as a parameter.
        router.insert(format!("{}/", shape_of(before)), value.clone())?;
    }
    router.insert(path.shape(), value)
}

impl Parameter {
    /// Returns its value among the parameters of a path.
    pub(in crate::scenario) fn of<'p>(&self, parameters: &Params<'_, 'p>) -> &'p str {
        // An empty parameter is not among them.
        parameters.iter().nth(self.index).map_or("", |(_, text)| text)
    }
}
