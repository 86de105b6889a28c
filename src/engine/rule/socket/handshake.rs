//! The handshake of a socket: the parts that its endpoint uses, and the rest as text. The text takes little memory and
//! is parsed only when a reload uses other names.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::members::SocketMember;
use crate::engine::rule::context::Context;

/// Splits a handshake into the parts with these names and the rest as JSON. The rest is `None` if it is empty.
pub(super) fn split(whole: &Context, names: &BTreeSet<String>) -> (Context, Option<Arc<str>>) {
    let rest = whole.without(names);
    let text = if rest == Context::default() { None } else { serde_json::to_string(&rest).ok() };
    (whole.only(names.iter()), text.map(Into::into))
}

impl SocketMember {
    /// Makes the parts that the endpoint currently uses available to expressions.
    pub(super) fn follow_names(&mut self, names: &BTreeSet<String>) {
        let Some(rest) = &self.rest else { return };
        if names.iter().all(|name| self.handshake.get(name).is_some()) {
            return;
        }
        let rest: Context = serde_json::from_str(rest).unwrap_or_default();
        (self.handshake, self.rest) = split(&self.handshake.and(&rest), names);
    }
}
