//! Patterns for paths, queries and header values in which `*` matches any characters.

/// Returns whether `text` matches `pattern`. `*` matches any number of characters, including none; every other
/// character matches itself.
#[must_use]
pub(crate) fn matches_wildcard(pattern: &str, text: &str) -> bool {
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
    use super::matches_wildcard;

    #[test]
    fn stars_match_anything_and_other_characters_match_themselves() {
        for (pattern, matching, others) in [
            ("/orders/*", &["/orders/A1", "/orders/"][..], &["/orders", "/order/A1", "x/orders/A1"][..]),
            ("/electronics", &["/electronics"], &["/electronics/", "/electronic", "/"]),
            ("*", &["", "/", "/a/b"], &[]),
            ("/a*b*c", &["/abc", "/axbxc", "/abbcc"], &["/ac", "/acb", "/abcd"]),
            ("*A*1*", &["xAyy1", "A1"], &["1A", "A"]),
            ("*.js", &["/app.js", ".js"], &["/app.jsx", "js"]),
            ("/a*a", &["/aa", "/axa"], &["/a"]),
            ("", &[""], &["a"]),
            ("**", &["", "a"], &[]),
        ] {
            assert!(matching.iter().all(|text| matches_wildcard(pattern, text)), "{pattern}");
            assert!(!others.iter().any(|text| matches_wildcard(pattern, text)), "{pattern}");
        }
    }
}
