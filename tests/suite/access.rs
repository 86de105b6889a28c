//! Access to the control API.

use serde_json::json;

use crate::support::{Answer, Mockd, SHOP, ScenarioFile, command, http, soon};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn pause(mockd: &Mockd, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[JSON], headers].concat();
    http("POST", &format!("{}/__mockd/clock", mockd.url()), &headers, Some(r#"{"pause":true}"#)).await
}

#[tokio::test]
async fn on_loopback_only_local_pages_may_use_control() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for origin in ["http://localhost:5173", "http://127.0.0.1:80", "http://app.localhost", "https://[::1]:8443"] {
        assert_eq!(pause(&mockd, &[("origin", origin)]).await.status, 200, "{origin}");
    }
    for headers in [
        [("origin", "https://evil.example")],
        [("origin", "http://localhost.evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let answer = pause(&mockd, &headers).await;
        let message =
            "The control API does not accept requests from pages of other sites; allow them with --control-origin";
        assert_eq!((answer.status, &answer.json()["message"]), (403, &json!(message)), "{headers:?}");
    }
    for site in ["same-origin", "same-site", "none"] {
        assert_eq!(pause(&mockd, &[("sec-fetch-site", site)]).await.status, 200, "{site}");
    }
}

#[tokio::test]
async fn on_loopback_control_requires_a_local_host_header() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for host in ["localhost", "LOCALHOST:3000", "127.0.0.1", "127.1.2.3:1", "[::1]:3000", "shop.localhost:3000"] {
        assert_eq!(pause(&mockd, &[("host", host)]).await.status, 200, "{host}");
    }
    for host in ["evil.example", "evil.example:3000", "192.168.1.1", "localhost.evil.example"] {
        let answer = pause(&mockd, &[("host", host)]).await;
        assert_eq!(answer.status, 403, "{host} {}", answer.text);
    }
    // These are not valid hosts (RFC 9112, section 3.2).
    for host in ["x y", "evil@localhost"] {
        let answer = pause(&mockd, &[("host", host)]).await;
        assert_eq!(answer.status, 400, "{host} {}", answer.text);
    }
    // The mock API itself is open to pages of other sites.
    let headers = [("origin", "https://evil.example")];
    assert_eq!(http("GET", &format!("{}/electronics", mockd.url()), &headers, None).await.status, 200);
}

#[tokio::test]
async fn refused_requests_create_no_world() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let url = format!("{}/@a/__mockd/reset", mockd.url());
    assert_eq!(http("POST", &url, &[("origin", "https://evil.example")], None).await.status, 403);
    assert_eq!(mockd.get("/__mockd/worlds").await.json()["worlds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_flag_allows_another_origin() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--control-origin", "https://app.example"]).await;
    assert_eq!(pause(&mockd, &[("origin", "https://app.example")]).await.status, 200);
    assert_eq!(pause(&mockd, &[("origin", "https://app.example:8443")]).await.status, 403);
    let output =
        soon("mockd's exit", command(&["run", "x.yaml", "--control-origin", "app.example/"]).output()).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("expected an origin as browsers send it, such as https://app.example")
    );
}

#[tokio::test]
async fn local_pages_read_control_answers_when_cors_is_off() {
    let mockd = Mockd::run(&ScenarioFile::new(&format!("server: {{ cors: false }}{SHOP}"))).await;
    let url = format!("{}/__mockd/state", mockd.url());
    for (method, status) in [("GET", 200), ("OPTIONS", 204)] {
        let answer = http(method, &url, &[("origin", "http://localhost:5173")], None).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, "http://localhost:5173"));
        let foreign = http(method, &url, &[("origin", "https://evil.example")], None).await;
        assert_eq!(foreign.header("access-control-allow-origin"), "");
    }
    let unknown = format!("{}/@nope/__mockd/state", mockd.url());
    for (method, status) in [("OPTIONS", 204), ("GET", 404)] {
        let answer = http(method, &unknown, &[("origin", "http://localhost:5173")], None).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, "http://localhost:5173"));
    }
    let preflight = http("OPTIONS", &url, &[("access-control-request-method", "PATCH")], None).await;
    assert_eq!(preflight.header("access-control-allow-methods"), "GET,HEAD,POST,PUT,PATCH,DELETE");
}

#[tokio::test]
async fn beyond_loopback_control_is_off_and_the_mock_stays_open() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run_with(file.path(), &["--host", "0.0.0.0"]).await;
    mockd.logged("the control API under /__mockd is off").await;
    let url = format!("http://127.0.0.1:{}", mockd.port());
    for path in ["state", "clock", "journal", "worlds", "sockets", "reload", "transcript", "data"] {
        let answer = http("GET", &format!("{url}/__mockd/{path}"), &[], None).await;
        let message =
            "The control API is off, because this mockd does not listen on loopback; start it with --control-token";
        assert_eq!((answer.status, &answer.json()["message"]), (403, &json!(message)), "{path}");
    }
    let control = ["__mockd/health", "__mockd/categories", "__mockd/routes", "__mockd/openapi.json"];
    for path in control.into_iter().chain(["electronics", "@a/electronics", ""]) {
        assert_eq!(http("GET", &format!("{url}/{path}"), &[], None).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_control_token_grants_access_from_anywhere() {
    let file = ScenarioFile::new(SHOP);
    let mut command = command(&["run", "--log-format", "json", "--port", "0", "--host", "0.0.0.0"]);
    command.arg(file.path()).env("MOCKD_CONTROL_TOKEN", "s3cret-s3cret");
    let mockd = Mockd::start(command).await;
    let url = format!("http://127.0.0.1:{}/__mockd/clock", mockd.port());
    let get = async |headers: &[(&str, &str)]| http("GET", &url, headers, None).await;
    for wrong in ["Bearer s3cret-s3creT", "Bearer s3cret", "Basic s3cret-s3cret", "Bearer ", "s3cret-s3cret", "Bearer"]
    {
        let answer = get(&[("authorization", wrong)]).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(get(&[]).await.status, 401);
    let bearer = ("authorization", "bearer s3cret-s3cret");
    assert_eq!(get(&[bearer]).await.status, 200);
    assert_eq!(get(&[bearer, ("origin", "https://app.example"), ("host", "mock.example")]).await.status, 200);
}

#[tokio::test]
async fn an_invalid_token_is_refused_at_startup_and_not_printed() {
    let file = ScenarioFile::new(SHOP);
    for token in ["short", "with-a-secret!"] {
        let mut command = command(&["run", "--port", "0"]);
        command.arg(file.path()).env("MOCKD_CONTROL_TOKEN", token);
        let output = soon("mockd's exit", command.output()).await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("MOCKD_CONTROL_TOKEN: a token needs at least 8 characters"), "{stderr}");
        assert!(!stderr.contains(token), "{stderr}");
    }
    let mut help = command(&["run", "--help"]);
    let output = soon("the help text", help.env("MOCKD_CONTROL_TOKEN", "s3cret-s3cret").output()).await.unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("s3cret"));
}
