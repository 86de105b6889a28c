#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use poem::endpoint::make_sync;
use poem::http::{Method, StatusCode, Uri};
use poem::{Endpoint, EndpointExt, Request, Response};

use super::operation::{Access, AnswerContent, ControlOperation, Subject};
use super::routes;
use crate::http::test_app::{app, shop};

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
        is_body_optional: false,
        status: "200",
        content: AnswerContent::Lines,
        errors: &[],
    }
}

#[tokio::test]
async fn each_operation_of_a_path_has_its_own_access_check() {
    let app = app(shop());
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
            let answer = routes.call(request).await;
            let found = answer.map_or_else(|error| error.status(), |response| response.status());
            assert_eq!(found, status, "{method}");
        }
    }
}
