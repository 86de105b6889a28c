//! Collections that sockets subscribe to although the scenario does not declare them.
//!
//! The client gets no error, just no counter values, so the log reports the mistake.

use tracing::warn;

use super::World;
use crate::logged_names::{LoggedNames, NameLine};
use crate::words::nearest;

/// The number of characters of a name that are kept and logged.
const MAX_CHARACTERS: usize = 64;

/// Returns whether mockd reserves the name, so that no collection can have it: reserved names start with `__`. The
/// built-in page opens its socket with `__none` until a collection is chosen. The journal leaves out sockets with such
/// a name.
pub(crate) fn is_reserved_collection(name: &str) -> bool {
    name.starts_with("__")
}

impl World {
    /// Logs that a socket subscribes to a collection that does not exist.
    pub(super) fn warn_of_unknown(&self, collection: &str) {
        let view = self.0.view.borrow();
        if view.collections.get(collection).is_some() || is_reserved_collection(collection) {
            return;
        }
        let printable = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
        let name: String = collection.chars().take(MAX_CHARACTERS).map(printable).collect();
        match self.shared().unknown_collections.note(&name) {
            NameLine::Name => {
                let near = nearest(collection, view.collections.iter().map(|(name, _)| &**name));
                let advice = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let line = format!("unknown category `{name}`, so the socket receives no current orders{advice}");
                warn!(world = %self.name(), "{line}");
            }
            NameLine::NoMore => warn!(
                world = %self.name(),
                "sockets asked for more than {} unknown categories; the log names no further ones",
                LoggedNames::MAX_NAMES
            ),
            NameLine::Nothing => {}
        }
    }
}
