//! Tests which requests match a route, and how the others are answered.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Endpoint, RequestParts, Response};
use serde_json::Value;

use super::*;
use crate::http::{service, test_app};
use crate::scenario::{Answers, PathPattern, Route, RouteTable};

fn route(method: RouteMethod, path: PathPattern) -> Route {
    let key = format!("{method} {path}").into();
    let answers = Answers { key, list: Vec::new(), names: BTreeSet::new(), only_reads: true, source: Value::Null };
    Route::new(method, path, Plan::Answer { answers: answers.into(), crud: None })
}

/// Returns a server of a shop, with `routes` in place of the shop's routes unless they are empty.
fn server(routes: Vec<Route>) -> impl Endpoint<Output = Response> {
    let shop = test_app::shop();
    let scenario = if routes.is_empty() { shop } else { shop.with_routes(RouteTable::new(routes).unwrap()) };
    service(test_app::app(scenario), &Site::BuiltIn)
}

fn with_routes() -> impl Endpoint<Output = Response> {
    let path = |name: &str| PathPattern::default().literal(name);
    server(vec![
        route(RouteMethod::Get, path("todos")),
        route(RouteMethod::Post, path("todos")),
        route(RouteMethod::Get, path("todos").parameter("id").0),
        route(RouteMethod::Any, path("any")),
        route(RouteMethod::Post, path("app.js")),
        route(RouteMethod::Post, PathPattern::default()),
    ])
}

async fn ask(server: &impl Endpoint<Output = Response>, request: &str, headers: &[(&str, &str)]) -> Response {
    let (method, uri) = request.split_once(' ').unwrap();
    let mut builder = poem::http::Request::builder().method(method).uri(uri).header("host", "localhost");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    let parts = RequestParts::from((parts, LocalAddr::default(), RemoteAddr::default(), Scheme::HTTP));
    server.call(Request::from_parts(parts, Body::empty())).await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

async fn message(response: &mut Response) -> String {
    let body = response.take_body().into_string().await.unwrap();
    let json = serde_json::from_str(&body).unwrap_or(Value::Null);
    json["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_unmatched_request_gets_an_error_that_names_close_routes() {
    let server = with_routes();
    for (request, status, allow, expected) in [
        ("GET /todos", 404, "", "No answer of GET /todos matches the request"),
        ("GET /todos/7", 404, "", "No answer of GET /todos/{id} matches the request"),
        ("PURGE /any", 404, "", "No answer of ANY /any matches the request"),
        ("POST /", 404, "", "No answer of POST / matches the request"),
        ("PUT /todos", 405, "GET,HEAD,POST", "PUT is not a method of /todos, which has GET, HEAD and POST"),
        ("PURGE /todos", 405, "GET,HEAD,POST", "PURGE is not a method of /todos, which has GET, HEAD and POST"),
        ("POST /@w/todos/7", 405, "GET,HEAD", "POST is not a method of /todos/7, which has GET and HEAD"),
        ("PUT /", 405, "POST", "PUT is not a method of /, which has POST"),
        ("GET /todo/7", 404, "", "Route GET:/todo/7 not found, did you mean GET /todos/{id}?"),
        ("POST /@w/Todos?a", 404, "", "Route POST:/@w/Todos?a not found, did you mean POST /todos?"),
        ("GET /orders/7", 404, "", "Route GET:/orders/7 not found"),
        ("GET /", 200, "", ""),
        ("GET /app.js", 200, "", ""),
        ("HEAD /app.js", 200, "", ""),
    ] {
        let mut response = ask(&server, request, &[]).await;
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (status, allow), "{request}");
        assert_eq!(message(&mut response).await, expected, "{request}");
    }
}

#[tokio::test]
async fn a_head_is_answered_as_a_get() {
    let server = with_routes();
    for (path, status) in [("/todos", 404), ("/any", 404), ("/@w/todos/7", 404), ("/todo", 404)] {
        let mut response = ask(&server, &format!("HEAD {path}"), &[]).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_ne!(header(&response, "content-length"), "0", "{path}");
        assert_eq!(response.take_body().into_string().await.unwrap(), "", "{path}");
    }
}

#[tokio::test]
async fn options_lists_the_methods_of_a_path() {
    let server = with_routes();
    let asks = |method| [("origin", "https://app.example"), ("access-control-request-method", method)];
    for (path, requested, allowed, allow) in [
        ("/todos", "POST", "GET,HEAD,POST", "GET,HEAD,POST"),
        ("/todos", "DELETE", "GET,HEAD,POST,DELETE", "GET,HEAD,POST"),
        ("/todos/7", "GET", "GET,HEAD", "GET,HEAD"),
        ("/any", "PATCH", "GET,HEAD,POST,PUT,PATCH,DELETE", "GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("/nothing", "GET", "GET,HEAD,POST", "GET,HEAD,POST"),
    ] {
        let preflight = ask(&server, &format!("OPTIONS {path}"), &asks(requested)).await;
        let methods = header(&preflight, "access-control-allow-methods");
        assert_eq!(
            (preflight.status().as_u16(), methods, header(&preflight, "allow")),
            (204, allowed, allow),
            "{path}"
        );
        let plain = ask(&server, &format!("OPTIONS {path}"), &[]).await;
        assert_eq!((plain.status().as_u16(), header(&plain, "allow")), (204, allow), "{path}");
    }
}

#[tokio::test]
async fn a_route_for_the_root_wins_over_the_page() {
    let server = server(vec![route(RouteMethod::Get, PathPattern::default())]);
    for path in ["/", "/@w/"] {
        let mut response = ask(&server, &format!("GET {path}"), &[]).await;
        assert_eq!(message(&mut response).await, "No answer of GET / matches the request", "{path}");
    }
}

#[tokio::test]
async fn a_shop_does_not_suggest_routes() {
    let server = server(Vec::new());
    for (request, expected) in [
        ("PUT /toys", "Route PUT:/toys not found"),
        ("GET /toy", "Route GET:/toy not found"),
        ("PURGE /toys", "Route PURGE:/toys not found"),
        ("PUT /", "Route PUT:/ not found"),
    ] {
        let mut response = ask(&server, request, &[]).await;
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (404, ""), "{request}");
        assert_eq!(message(&mut response).await, expected, "{request}");
    }
}
