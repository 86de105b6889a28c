//! What a request is about, and whether a fault is meant for that.

use crate::engine::catalogue::Catalogue;
use crate::engine::ledger::Ledger;
use crate::scenario::{Effect, Matches};

/// A request or a handshake, as far as faults look at it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// Its method.
    pub method: &'r str,
    /// Its path below the world's prefix, decoded.
    pub path: &'r str,
    /// Whether it is to open a socket (RFC 6455, 4.1).
    pub is_handshake: bool,
}

/// The same with what it is about.
pub(super) struct Target<'r> {
    asked: Asked<'r>,
    is_api: bool,
    category: Option<&'r str>,
    product: Option<&'r str>,
}

impl<'r> Asked<'r> {
    pub(super) fn target(self, catalogue: &Catalogue, ledger: &'r Ledger) -> Target<'r> {
        let path = self.path.trim_matches('/');
        let (category, product) = match path.strip_prefix("orders/") {
            Some(category) if self.is_handshake => (Some(category), None),
            Some(id) => (ledger.get(id).map(|account| &*account.holder.category), Some(id)),
            None => (Some(path).filter(|path| catalogue.get(path).is_some()), None),
        };
        Target { asked: self, is_api: category.is_some() || product.is_some(), category, product }
    }
}

impl Target<'_> {
    /// Whether a fault on requests or handshakes may hit it.
    pub(super) fn fits(&self, effect: &Effect, matches: &Matches) -> bool {
        let Matches { method, path, category, product, .. } = matches;
        // A browser asks with OPTIONS whether it may ask; that is not the request.
        let is_preflight = self.asked.method == "OPTIONS" && method.as_deref() != Some("OPTIONS");
        if effect.is_for_requests() == self.asked.is_handshake || is_preflight {
            return false;
        }
        // A slash at the end makes no difference.
        let bare = self.asked.path.trim_end_matches('/');
        let fits = |path: &str| is_like(self.asked.path, path) || is_like(bare, path);
        path.as_deref().map_or(self.is_api, fits)
            && method.as_deref().is_none_or(|method| method == self.asked.method)
            && category.as_deref().is_none_or(|category| Some(category) == self.category)
            && (self.asked.is_handshake || product.as_deref().is_none_or(|product| Some(product) == self.product))
    }
}

/// Whether a text is as a pattern has it, in which `*` stands for any characters.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn an_asterisk_stands_for_any_characters_and_all_others_for_themselves() {
        for (pattern, likes, dislikes) in [
            ("/orders/*", &["/orders/A1", "/orders/"][..], &["/orders", "/order/A1", "x/orders/A1"][..]),
            ("/electronics", &["/electronics"], &["/electronics/", "/electronic", "/"]),
            ("*", &["", "/", "/a/b"], &[]),
            ("/a*b*c", &["/abc", "/axbxc", "/abbcc"], &["/ac", "/acb", "/abcd"]),
            ("*.js", &["/app.js", ".js"], &["/app.jsx", "js"]),
            ("/a*a", &["/aa", "/axa"], &["/a"]),
        ] {
            assert!(likes.iter().all(|text| is_like(text, pattern)), "{pattern}");
            assert!(!dislikes.iter().any(|text| is_like(text, pattern)), "{pattern}");
        }
    }
}
