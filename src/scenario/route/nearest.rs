//! Finds the route that a request most likely meant.

use std::cmp::Reverse;
use std::ops::Add;

use super::{PathPattern, Route, RouteTable, Segment, encode_segment};
use crate::words::typo_count;

/// The cost of a missing or extra segment, in typos.
const MISSING: usize = 2;

impl RouteTable {
    /// Returns the route nearest to a path that has no route. The path is encoded as for [`RouteTable::find`]. Literal
    /// segments may be mistyped, and one segment may be missing or extra. Among equally near routes, one with the
    /// request's method wins, then the first.
    #[must_use]
    pub fn nearest(&self, method: &str, path: &str) -> Option<&Route> {
        let routes = self.iter().enumerate().filter_map(|(place, route)| {
            let distance = route.path.distance(path)?;
            Some(((distance, route.method.to_string() != method, place), route))
        });
        routes.min_by_key(|(rank, _)| *rank).map(|(_, route)| route)
    }
}

impl PathPattern {
    /// Returns the distance of a path from this one; `None` if they are too far apart.
    pub(in crate::scenario) fn distance(&self, path: &str) -> Option<impl Ord + Copy + use<>> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let distance = Distance::between(&self.segments, &parts, true)?;
        // A path that consists of parameters alone is near every path.
        (distance.literals > 0).then(|| distance.rank())
    }
}

/// The distance between a path and the path of a route.
#[derive(Debug, Clone, Copy, Default)]
struct Distance {
    mistakes: usize,
    /// The number of literal segments in the path, mistyped ones included.
    literals: usize,
}

impl Distance {
    /// Returns the distance; `None` if they are too far apart.
    fn between(segments: &[Segment], parts: &[&str], may_differ_in_length: bool) -> Option<Self> {
        let most = usize::from(may_differ_in_length);
        let (Some((segment, segments_left)), Some((part, parts_left))) = (segments.split_first(), parts.split_first())
        else {
            let differing = segments.len().max(parts.len());
            return (differing <= most).then_some(Self { mistakes: differing * MISSING, literals: 0 });
        };
        if matches!(segment, Segment::Rest(_)) {
            return Some(Self::default());
        }
        let here = Self::of_segment(segment, part)
            .and_then(|here| Some(here + Self::between(segments_left, parts_left, may_differ_in_length)?));
        let skipped = Self { mistakes: MISSING, literals: 0 };
        let shorter =
            may_differ_in_length.then(|| Some(skipped + Self::between(segments_left, parts, false)?)).flatten();
        let longer =
            may_differ_in_length.then(|| Some(skipped + Self::between(segments, parts_left, false)?)).flatten();
        [here, shorter, longer].into_iter().flatten().min_by_key(Self::rank)
    }

    /// Returns the sort key: fewer mistakes first, then more matching literal segments.
    fn rank(&self) -> (usize, Reverse<usize>) {
        (self.mistakes, Reverse(self.literals))
    }

    fn of_segment(segment: &Segment, part: &str) -> Option<Self> {
        let Segment::Literal(text) = segment else { return Some(Self::default()) };
        let text = encode_segment(text);
        // `typo_count` ignores case, but paths are case-sensitive.
        let mistakes = if text == part { 0 } else { typo_count(part, &text)?.max(1) };
        Some(Self { mistakes, literals: 1 })
    }
}

impl Add for Distance {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { mistakes: self.mistakes + other.mistakes, literals: self.literals + other.literals }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::super::{PathPattern, Plan, Route, RouteMethod, RouteTable};

    fn route(written: &str) -> Route {
        let (method, path) = written.split_once(' ').unwrap();
        let method = if method == "GET" { RouteMethod::Get } else { RouteMethod::Post };
        let mut pattern = PathPattern::default();
        for segment in path.split('/').skip(1).filter(|segment| !segment.is_empty()) {
            let name = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
            pattern = match (segment, name) {
                (_, Some(name)) if name.starts_with('*') => pattern.rest(&name[1..]).0,
                (_, Some(name)) => pattern.parameter(name).0,
                (text, None) => pattern.literal(text),
            };
        }
        Route::new(method, pattern, Plan::List { collection: "rows".into() })
    }

    #[test]
    fn the_nearest_route_is_the_one_that_was_meant() {
        let written = [
            "GET /todos",
            "POST /todos",
            "GET /todos/{id}",
            "GET /todos/{id}/comments",
            "POST /users/{id}/password",
            "GET /files/{*rest}",
            "GET /{page}",
            "GET /ü b",
        ];
        let table = RouteTable::new(written.map(route)).unwrap();
        for (method, path, expected) in [
            ("GET", "/todo/7", Some("GET /todos/{id}")),
            ("GET", "/Todos/7", Some("GET /todos/{id}")),
            ("GET", "/todo/7/coments", Some("GET /todos/{id}/comments")),
            ("POST", "/api/todos", Some("POST /todos")),
            ("GET", "/api/todos", Some("GET /todos")),
            ("PUT", "/api/todos", Some("GET /todos")),
            ("GET", "/todos/7/x", Some("GET /todos/{id}")),
            ("GET", "/todos/7/comments/9", Some("GET /todos/{id}/comments")),
            ("GET", "/v1/todos/7/comments", Some("GET /todos/{id}/comments")),
            ("GET", "/user/7/password", Some("POST /users/{id}/password")),
            ("GET", "/file/a/b/c", Some("GET /files/{*rest}")),
            ("GET", "/v1/files/a/b/c", Some("GET /files/{*rest}")),
            ("GET", "/x/ü b", Some("GET /ü b")),
            ("GET", "/orders/7", None),
            ("GET", "/a/b/todos", None),
            ("GET", "/a/b/c/d", None),
            ("GET", "", None),
        ] {
            let near = table.nearest(method, path);
            let shown = near.map(|route| format!("{} {}", route.method(), route.path()));
            assert_eq!(shown.as_deref(), expected, "{method} {path}");
        }
    }

    #[test]
    fn among_equally_near_routes_the_first_wins() {
        let mut written = ["GET /cats/{id}", "GET /cars/{id}", "POST /cabs/{id}", "GET /caps"];
        for _ in 0..written.len() {
            let table = RouteTable::new(written.map(route)).unwrap();
            let near = |method: &str| table.nearest(method, "/caws/7").map(|route| route.path().to_string());
            let first = |wanted: &str| {
                let of_method = written.iter().filter(|one| one.starts_with(wanted) && one.ends_with("/{id}"));
                of_method.map(|one| one.split_once(' ').unwrap().1.to_owned()).next()
            };
            assert_eq!((near("GET"), near("POST")), (first("GET"), first("POST")), "{written:?}");
            // If no route has the method, the first one wins.
            assert_eq!(near("PUT"), first(""), "{written:?}");
            written.rotate_left(1);
        }
    }
}
