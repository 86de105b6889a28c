//! The endpoints that a table finds.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use super::EndpointTable;
use crate::scenario::{Source, parse};

/// Creates a table of endpoints with these keys.
fn table(keys: &[&str]) -> Arc<EndpointTable> {
    let entries: Vec<String> = keys.iter().map(|key| format!("  \"{key}\": {{}}\n")).collect();
    let scenario = parse(&Source::new("scenario.yaml", &format!("websocket:\n{}", entries.concat()))).unwrap();
    scenario.endpoints().clone()
}

#[test]
fn a_path_finds_its_endpoint_and_parameters() {
    let table =
        table(&["/", "/rooms/{room}", "/rooms/lobby", "/rooms/{room}/users/{user}", "/files/{*rest}", "/ü%20b/"]);
    for (path, expected) in [
        ("", "/"),
        ("/rooms/blue", "/rooms/{room} room=blue"),
        ("/rooms/a%2Fb", "/rooms/{room} room=a%2Fb"),
        ("/rooms/", "/rooms/{room} room="),
        ("/rooms/lobby", "/rooms/lobby"),
        ("/rooms/lobby/users/ada", "/rooms/{room}/users/{user} room=lobby user=ada"),
        ("/files/a/b", "/files/{*rest} rest=a/b"),
        ("/ü b", "/ü%20b/"),
        ("/rooms", "none"),
        ("/rooms/blue/users", "none"),
        ("/files", "none"),
        ("/", "none"),
    ] {
        let shown = table.find(path).map_or("none".into(), |found| {
            let parameters = found.endpoint().path.parameters();
            let shown = parameters.map(|one| format!(" {}={}", one.name(), found.parameter(one)));
            format!("{}{}", found.endpoint().key, shown.collect::<String>())
        });
        assert_eq!(shown, expected, "{path}");
    }
    assert_eq!(table.get("/rooms/lobby").map(|endpoint| endpoint.path.to_string()), Some("/rooms/lobby".into()));
    assert!(table.get("/rooms/blue").is_none());
}

#[test]
fn the_nearest_endpoint_is_the_most_likely_one() {
    let table = table(&["/rooms/{room}", "/prices", "/{page}"]);
    for (path, expected) in [
        ("/room/blue", Some("/rooms/{room}")),
        ("/Rooms/blue", Some("/rooms/{room}")),
        ("/v1/rooms/blue", Some("/rooms/{room}")),
        ("/rooms", Some("/rooms/{room}")),
        ("/price/x", Some("/prices")),
        ("/orders/7", None),
    ] {
        assert_eq!(table.nearest(path).map(|endpoint| &*endpoint.key), expected, "{path}");
    }
}

#[test]
fn tables_are_equal_if_they_declare_the_same() {
    assert_eq!(table(&["/a", "/b"]), table(&["/a", "/b"]));
    assert_ne!(table(&["/a", "/b"]), table(&["/b", "/a"]));
    assert_ne!(table(&["/a"]), table(&["/a", "/b"]));
    assert_ne!(table(&["/a/{x}"]), table(&["/a/{y}"]));
    assert!(table(&["/a"]).iter().map(|endpoint| &*endpoint.key).eq(["/a"]) && EndpointTable::default().is_empty());
}
