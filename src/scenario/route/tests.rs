//! The routes that a table finds.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use super::*;

fn list(name: &str) -> Route {
    let plan = Plan::List { collection: name.into() };
    Route::new(RouteMethod::Get, PathPattern::default().literal(name), plan)
}

fn count(parameter: &str) -> Route {
    let (path, row) = PathPattern::default().literal("orders").parameter(parameter);
    Route::new(RouteMethod::Post, path, Plan::Count { row })
}

#[test]
fn a_path_finds_its_routes_and_parameters() {
    let names = ["toys", "toy", "ordersx", "a{b}", "{id}", "{*rest}", "**", "50%", "ü b", "a%2Fb", "a/b", ":x"];
    let table = RouteTable::new(names.map(list).into_iter().chain([count("id")])).unwrap();
    for (path, expected) in [
        ("/toys", "GET /toys → list toys"),
        ("/toy", "GET /toy → list toy"),
        ("/ordersx", "GET /ordersx → list ordersx"),
        ("/a{b}", "GET /a{b} → list a{b}"),
        ("/{id}", "GET /{id} → list {id}"),
        ("/{*rest}", "GET /{*rest} → list {*rest}"),
        ("/**", "GET /** → list **"),
        ("/50%25", "GET /50% → list 50%"),
        ("/ü b", "GET /ü b → list ü b"),
        ("/a%252Fb", "GET /a%2Fb → list a%2Fb"),
        ("/a%2Fb", "GET /a/b → list a/b"),
        ("/:x", "GET /:x → list :x"),
        ("/orders/A1", "POST /orders/{id} → count {id} = A1"),
        ("/orders/A%2F1%25", "POST /orders/{id} → count {id} = A%2F1%25"),
        ("/orders/%FF", "POST /orders/{id} → count {id} = %FF"),
        ("/orders/{id}", "POST /orders/{id} → count {id} = {id}"),
        ("/orders/", "POST /orders/{id} → count {id} = "),
        ("/orders", "none"),
        ("/orders/A1/x", "none"),
        ("/orders//", "none"),
        ("/toys/", "none"),
        ("/toys/x", "none"),
        ("/toysx", "none"),
        ("/a", "none"),
        ("/a/b", "none"),
        ("/50%", "none"),
        ("//toys", "none"),
        ("toys", "none"),
        ("/", "none"),
        ("*", "none"),
        ("", "none"),
    ] {
        let shown = table.find(path).map_or("none".into(), |found| {
            let route = found.routes().next().unwrap();
            match route.plan() {
                Plan::Count { row } => format!("{route} = {}", found.parameter(row)),
                _ => route.to_string(),
            }
        });
        assert_eq!(shown, expected, "{path}");
    }
}

#[test]
fn a_path_has_one_route_for_each_method() {
    let (path, collection) = PathPattern::default().literal("orders").parameter("category");
    let endpoint = Route::new(
        RouteMethod::Get,
        path.clone(),
        Plan::Endpoint(SocketEndpoint { collection: collection.clone(), feed: Feed::All }),
    );
    let table = RouteTable::new([count("id"), endpoint]).unwrap();
    let found = table.find("/orders/x").unwrap();
    assert_eq!(found.route(RouteMethod::Get).unwrap().to_string(), "GET /orders/{category} → endpoint of {category}");
    assert_eq!(found.route(RouteMethod::Post).unwrap().to_string(), "POST /orders/{id} → count {id}");
    assert_eq!(found.endpoint().map(|endpoint| found.parameter(&endpoint.collection)), Some("x"));
}

#[test]
fn two_routes_for_the_same_requests_are_an_error() {
    for (routes, expected) in [
        ([list("toys"), list("toys")], "`GET /toys → list toys` and `GET /toys → list toys` match the same requests"),
        (
            [count("id"), count("row")],
            "`POST /orders/{id} → count {id}` and `POST /orders/{row} → count {row}` match the same requests",
        ),
    ] {
        assert_eq!(RouteTable::new(routes).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_table_takes_any_name() {
    let letters = ["", "{", "}", "*", ":", "%", "/", ".", "a", "ü"];
    let pairs: Vec<String> = letters.iter().flat_map(|a| letters.map(|b| format!("{a}{b}"))).collect();
    let mut names: Vec<String> = pairs.iter().flat_map(|a| pairs.iter().map(move |b| format!("{a}{b}"))).collect();
    names.sort();
    names.dedup();
    let table = RouteTable::new(names.iter().map(|name| list(name)).chain([count("id")])).unwrap();
    for name in names {
        let path = format!("/{}", encode_segment(&name));
        let found = table.find(&path);
        let plans: Vec<&Plan> = found.iter().flat_map(PathMatch::routes).map(Route::plan).collect();
        assert_eq!(plans, [&Plan::List { collection: name.as_str().into() }], "{name}");
    }
}

#[test]
fn a_literal_segment_wins_over_a_parameter() {
    let (path, row) = PathPattern::default().parameter("id");
    let any = Route::new(RouteMethod::Post, path, Plan::Count { row });
    let table = RouteTable::new([any, list("toys")]).unwrap();
    for (path, expected) in [("/toys", "GET /toys → list toys"), ("/toy", "POST /{id} → count {id}")] {
        assert_eq!(table.find(path).unwrap().routes().next().unwrap().to_string(), expected, "{path}");
    }
}

fn answer(method: RouteMethod, path: PathPattern) -> Route {
    let key: Arc<str> = format!("{method} {path}").into();
    let answers =
        Answers { key, list: Vec::new(), names: BTreeSet::new(), only_reads: true, source: serde_json::Value::Null };
    Route::new(method, path, Plan::Answer { answers: answers.into(), crud: None })
}

#[test]
fn a_path_has_the_methods_of_its_routes() {
    let path = |name: &str| PathPattern::default().literal(name);
    let table = RouteTable::new([
        answer(RouteMethod::Get, path("a")),
        answer(RouteMethod::Delete, path("a")),
        answer(RouteMethod::Post, path("b")),
        answer(RouteMethod::Any, path("c")),
        answer(RouteMethod::Get, PathPattern::default()),
        list("toys"),
        count("id"),
    ])
    .unwrap();
    for (path, methods, has_answers) in [
        ("/a", "GET HEAD DELETE", true),
        ("/b", "POST", true),
        ("/c", "GET HEAD POST PUT PATCH DELETE", true),
        ("", "GET HEAD", true),
        ("/toys", "GET HEAD", false),
        ("/orders/A1", "POST", false),
    ] {
        let found = table.find(path).unwrap();
        assert_eq!((&*table.methods(path).join(" "), found.has_answers()), (methods, has_answers), "{path}");
    }
    assert!(table.has_answers());
    assert!(!RouteTable::new([list("toys")]).unwrap().has_answers());
}

#[test]
fn a_request_goes_to_the_next_path_that_has_its_method() {
    let table = |methods: &[RouteMethod]| {
        let rest = |method: &RouteMethod| answer(*method, PathPattern::default().rest("rest").0);
        let api = || PathPattern::default().literal("api");
        let others = [
            answer(RouteMethod::Get, api().literal("x")),
            answer(RouteMethod::Post, api().parameter("id").0),
            list("toys"),
        ];
        RouteTable::new(methods.iter().map(rest).chain(others)).unwrap()
    };
    let (with_any, with_put) = (table(&[RouteMethod::Any]), table(&[RouteMethod::Put]));
    for (table, method, path, expected) in [
        (&with_any, RouteMethod::Get, "/api/x", "GET /api/x"),
        (&with_any, RouteMethod::Post, "/api/x", "POST /api/{id}"),
        (&with_any, RouteMethod::Put, "/api/x", "ANY /{*rest}"),
        (&with_any, RouteMethod::Any, "/api/x", "ANY /{*rest}"),
        (&with_any, RouteMethod::Get, "/api/y", "ANY /{*rest}"),
        (&with_any, RouteMethod::Put, "/toys", "ANY /{*rest}"),
        (&with_put, RouteMethod::Put, "/api/x", "PUT /{*rest}"),
        (&with_put, RouteMethod::Delete, "/api/x", "none"),
        (&with_put, RouteMethod::Any, "/api/x", "none"),
    ] {
        let found = table.find_for(path, method).unwrap();
        let shown = found.route(method).map_or("none".into(), |route| format!("{} {}", route.method(), route.path()));
        assert_eq!(shown, expected, "{method} {path}");
    }
    let found = with_any.find_for("/api/x", RouteMethod::Delete).unwrap();
    let rest = found.route(RouteMethod::Delete).unwrap().path().parameters().next().unwrap();
    assert_eq!(found.parameter(rest), "api/x");
    assert_eq!(with_put.methods("/api/x"), ["GET", "HEAD", "POST", "PUT"]);
    assert_eq!(with_any.methods("/api/x"), ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
}
