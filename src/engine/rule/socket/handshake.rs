//! What rules know of the handshake of a socket: what its endpoint names, and the rest as a text, which takes little memory and is
//! read only when a reload brings other names.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::members::SocketMember;
use crate::engine::rule::context::Context;

/// What expressions know of a whole handshake by these names, and the rest as JSON.
pub(super) fn split(whole: &Context, names: &BTreeSet<String>) -> (Context, Option<Arc<str>>) {
    let rest = whole.without(names);
    let text = if rest == Context::default() { None } else { serde_json::to_string(&rest).ok() };
    (whole.only(names.iter()), text.map(Into::into))
}

impl SocketMember {
    /// Has expressions know of the handshake what its endpoint names by now.
    pub(super) fn follow_names(&mut self, names: &BTreeSet<String>) {
        let Some(rest) = &self.rest else { return };
        if names.iter().all(|name| self.handshake.get(name).is_some()) {
            return;
        }
        let rest: Context = serde_json::from_str(rest).unwrap_or_default();
        (self.handshake, self.rest) = split(&self.handshake.and(&rest), names);
    }
}
