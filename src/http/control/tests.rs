#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::Arc;

use poem::endpoint::make_sync;
use poem::http::{Method, StatusCode, Uri};
use poem::{Endpoint, EndpointExt, Request, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::operations::{Access, AnswerContent, ControlOperation, Subject};
use super::{App, routes};
use crate::http::{ControlAccess, HighWater, Hosts, Limits, Misdirected};
use crate::reloads::Reloads;
use crate::scenario::{Cors, Source, parse};
use crate::selector::ScenarioSelector;
use crate::worlds::{WorldOptions, Worlds};

/// A server that nobody may control.
fn app() -> Arc<App> {
    let scenario = Arc::new(
        parse(&Source::new("scenario.yaml", "categories: { toys: { prefix: T, products: [{ id: T1 }] } }")).unwrap(),
    );
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    Arc::new(App {
        worlds: Worlds::start(&scenario, 0, WorldOptions::default(), &tasks, shutdown.clone()),
        reloads: Reloads::default(),
        selector: ScenarioSelector::fixed(None),
        access: ControlAccess::Off,
        hosts: Hosts::Any,
        cors: Cors::Any,
        limits: Limits::default(),
        tasks,
        shutdown,
        high_water: HighWater::default(),
        misdirected: Misdirected::default(),
    })
}

fn operation(method: Method, access: Access) -> ControlOperation {
    ControlOperation {
        method,
        path: "/__mockd/thing",
        endpoint: make_sync(|_| Response::default()).boxed(),
        access,
        subject: Subject::Server,
        summary: None,
        query: None,
        request: None,
        is_optional: false,
        status: "200",
        content: AnswerContent::Lines,
        errors: &[],
    }
}

#[tokio::test]
async fn operations_of_one_path_have_rules_of_their_own() {
    let app = app();
    for is_open_last in [false, true] {
        let mut table = [operation(Method::GET, Access::Open), operation(Method::DELETE, Access::Guarded)];
        if is_open_last {
            table.reverse();
        }
        let routes = routes(table, &app);
        for (method, status) in [
            (Method::GET, StatusCode::OK),
            (Method::DELETE, StatusCode::FORBIDDEN),
            (Method::PUT, StatusCode::METHOD_NOT_ALLOWED),
        ] {
            let request = Request::builder().method(method.clone()).uri(Uri::from_static("/__mockd/thing")).finish();
            let answered = routes.call(request).await;
            let found = answered.map_or_else(|error| error.status(), |response| response.status());
            assert_eq!(found, status, "{method}");
        }
    }
}
