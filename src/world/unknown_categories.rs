//! Names of categories that sockets ask for although the scenario does not have them.
//!
//! The client gets no error: it gets no current orders, and that is all. So the log says what is wrong.

use std::collections::BTreeSet;
use std::sync::Mutex;

use tracing::warn;

use super::World;
use super::socket::lock;
use crate::scenario::nearest;

/// Names that the log tells of in each world.
const MOST_NAMES: usize = 32;

/// Characters of a name that are kept and logged.
const MOST_CHARACTERS: usize = 64;

/// Those that the log has told of.
#[derive(Debug, Default)]
pub(super) struct UnknownCategories(Mutex<BTreeSet<String>>);

impl UnknownCategories {
    /// Whether to tell of this name: once, and of [`MOST_NAMES`] at most.
    fn is_news(&self, name: &str) -> bool {
        let mut told = lock(&self.0);
        told.len() < MOST_NAMES && told.insert(name.to_owned())
    }
}

/// Whether no category can have the name, because mockd keeps those that begin with `__` to itself. The built-in page opens its
/// socket with `__none` until somebody chooses a category. The journal leaves out such a socket.
pub(crate) fn is_reserved_category(name: &str) -> bool {
    name.starts_with("__")
}

impl World {
    /// Logs that a socket asks for a category that does not exist.
    pub(super) fn warn_of_unknown(&self, category: &str) {
        let view = self.0.view.borrow();
        if view.catalogue.get(category).is_some() || is_reserved_category(category) {
            return;
        }
        let shown = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
        let name: String = category.chars().take(MOST_CHARACTERS).map(shown).collect();
        if !self.shared().unknown_categories.is_news(&name) {
            return;
        }
        let near = nearest(category, view.catalogue.iter().map(|(name, _)| &**name));
        let advice = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        warn!(world = %self.name(), "no category `{name}`, so the socket gets no current orders{advice}");
    }
}
