//! Which web pages may read answers, with and without credentials (Fetch standard, "CORS protocol").

use crate::support::{Answer, Mockd, SHOP, ScenarioFile, command, http, raw};

const LISTED: &str = "\nserver: { cors: [\"HTTPS://App.Example:443\", \"null\"] }\n";
const OFF: &str = "\nserver: { cors: false }\n";

async fn send(mockd: &Mockd, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let body = (method == "POST").then_some("{}");
    http(method, &format!("{}{path}", mockd.url()), headers, body).await
}

/// Returns the allowed origin, the `allow-credentials` value, and whether the answer varies by origin.
fn cors_headers(answer: &Answer) -> (&str, &str, bool) {
    let mut vary = answer.headers.get_all("vary").iter().flat_map(|value| value.to_str().unwrap().split(", "));
    let header = |name| answer.header(name);
    (header("access-control-allow-origin"), header("access-control-allow-credentials"), vary.any(|one| one == "Origin"))
}

#[tokio::test]
async fn local_and_listed_origins_may_send_credentials() {
    for (cors, origin, expected) in [
        ("", None, ("*", "", true)),
        ("", Some("http://localhost:5173"), ("http://localhost:5173", "true", true)),
        ("", Some("https://127.0.0.1:1"), ("https://127.0.0.1:1", "true", true)),
        ("", Some("http://[::1]:8080"), ("http://[::1]:8080", "true", true)),
        ("", Some("http://app.localhost"), ("http://app.localhost", "true", true)),
        ("", Some("https://app.example"), ("*", "", true)),
        ("", Some("http://localhost.evil.example"), ("*", "", true)),
        ("", Some("null"), ("*", "", true)),
        (LISTED, None, ("", "", true)),
        (LISTED, Some("https://app.example"), ("https://app.example", "true", true)),
        (LISTED, Some("null"), ("null", "true", true)),
        (LISTED, Some("https://app.example:8443"), ("", "", true)),
        (LISTED, Some("http://app.example"), ("", "", true)),
        (LISTED, Some("http://localhost:5173"), ("", "", true)),
        (OFF, None, ("", "", false)),
        (OFF, Some("http://localhost:5173"), ("", "", false)),
    ] {
        let mockd = Mockd::shop_with(cors, &[]).await;
        let headers: Vec<(&str, &str)> = origin.map(|origin| ("origin", origin)).into_iter().collect();
        for (method, path, status) in [
            ("GET", "/electronics", 200),
            ("HEAD", "/electronics", 200),
            ("OPTIONS", "/electronics", 204),
            ("GET", "/foo/bar", 404),
            ("POST", "/orders/A1", 415),
            ("GET", "/orders/electronics", 426),
            ("GET", "/app.js", 200),
            ("GET", "/@a", 308),
            ("GET", "/%ff", 400),
        ] {
            if status == 308 {
                // The HTTP client would follow this redirect.
                let origin = origin.map(|origin| format!("origin: {origin}\r\n")).unwrap_or_default();
                let request =
                    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{origin}\r\n");
                let answer = raw(&mockd, request.as_bytes()).await;
                let allowed = format!("access-control-allow-origin: {}\r\n", expected.0);
                assert_eq!(answer.contains(&allowed), !expected.0.is_empty(), "{answer}");
                continue;
            }
            let answer = send(&mockd, method, path, &headers).await;
            assert_eq!((answer.status, cors_headers(&answer)), (status, expected), "{cors} {origin:?} {method} {path}");
        }
    }
}

#[tokio::test]
async fn pages_can_read_fault_answers() {
    let faults = "\nfaults: [{ on: http, status: 503, retryAfter: 1s }]\n";
    let mockd = Mockd::shop_with(faults, &[]).await;
    let answer = send(&mockd, "GET", "/electronics", &[("origin", "http://localhost:1")]).await;
    assert_eq!((answer.status, cors_headers(&answer)), (503, ("http://localhost:1", "true", true)));
    assert_eq!(answer.header("access-control-expose-headers"), "retry-after");
}

#[tokio::test]
async fn each_answer_exposes_its_headers_by_name() {
    let mockd = Mockd::shop().await;
    for origin in ["http://localhost:1", "https://app.example"] {
        for (path, exposed) in [
            ("/electronics", ""),
            ("/app.js", "etag"),
            ("/__mockd/transcript", "x-mockd-dropped"),
            ("/__mockd/state", ""),
        ] {
            if path.starts_with("/__mockd") && origin == "https://app.example" {
                continue;
            }
            let answer = send(&mockd, "GET", path, &[("origin", origin)]).await;
            assert_eq!(answer.header("access-control-expose-headers"), exposed, "{origin} {path}");
        }
    }
}

#[tokio::test]
async fn control_answers_allow_only_permitted_origins() {
    let file = ScenarioFile::new(&format!("{SHOP}{OFF}"));
    let mockd = Mockd::run_with(file.path(), &["--control-origin", "HTTPS://App.Example:443"]).await;
    for (origin, expected) in [
        ("http://localhost:5173", ("http://localhost:5173", "true", true)),
        ("https://app.example", ("https://app.example", "true", true)),
        ("https://evil.example", ("", "", false)),
    ] {
        for (method, path) in [
            ("GET", "/__mockd/state"),
            ("OPTIONS", "/__mockd/clock"),
            ("GET", "/__mockd/nothing"),
            ("GET", "/__mockd/faults/9"),
        ] {
            let answer = send(&mockd, method, path, &[("origin", origin)]).await;
            assert_eq!(cors_headers(&answer), expected, "{origin} {method} {path}");
        }
    }
}

#[tokio::test]
async fn a_token_lets_every_origin_read_without_cookies() {
    let file = ScenarioFile::new(&format!("{SHOP}{OFF}"));
    let mockd = Mockd::run_with(file.path(), &["--control-token", "s3cret-s3cret"]).await;
    let token = ("authorization", "Bearer s3cret-s3cret");
    for (origin, expected) in
        [("https://app.example", ("*", "", true)), ("http://localhost:5173", ("http://localhost:5173", "true", true))]
    {
        let answer = send(&mockd, "GET", "/__mockd/state", &[("origin", origin), token]).await;
        assert_eq!((answer.status, cors_headers(&answer)), (200, expected));
    }
}

#[tokio::test]
async fn a_preflight_allows_the_requested_method() {
    let mockd = Mockd::shop().await;
    let known = "GET,HEAD,POST";
    for (requested, allowed) in [
        ("DELETE", "GET,HEAD,POST,DELETE"),
        ("PUT", "GET,HEAD,POST,PUT"),
        ("patch", "GET,HEAD,POST,patch"),
        ("PROPFIND", "GET,HEAD,POST,PROPFIND"),
        ("GET", known),
        ("POST", known),
        ("", known),
        ("DELETE,PUT", known),
        ("no method", known),
    ] {
        let headers = [("origin", "https://app.example"), ("access-control-request-method", requested)];
        for path in ["/electronics", "/foo", "/orders/Z9"] {
            let answer = send(&mockd, "OPTIONS", path, &headers).await;
            assert_eq!((answer.status, answer.header("access-control-allow-methods")), (204, allowed), "{requested}");
            assert_eq!(answer.header("allow"), known, "{requested}");
        }
        let control = send(&mockd, "OPTIONS", "/__mockd/state", &headers).await;
        let is_known = ["DELETE", "PUT"].contains(&requested) || allowed == known;
        let rest = if is_known { String::new() } else { format!(",{requested}") };
        assert_eq!(control.header("access-control-allow-methods"), format!("GET,HEAD,POST,PUT,PATCH,DELETE{rest}"));
    }
    // The page must be able to read the 404.
    let answer = send(&mockd, "DELETE", "/electronics", &[("origin", "http://localhost:5173")]).await;
    assert_eq!((answer.status, cors_headers(&answer).0), (404, "http://localhost:5173"));
}

#[tokio::test]
async fn allowed_origins_may_reach_a_private_network() {
    let private_network = ("access-control-request-private-network", "true");
    for (cors, origin, allowed) in [
        ("", "https://app.example", "true"),
        ("", "http://localhost:5173", "true"),
        (LISTED, "https://app.example", "true"),
        (LISTED, "https://evil.example", ""),
        (OFF, "https://app.example", ""),
    ] {
        let mockd = Mockd::shop_with(cors, &[]).await;
        let answer = send(&mockd, "OPTIONS", "/electronics", &[("origin", origin), private_network]).await;
        assert_eq!(answer.header("access-control-allow-private-network"), allowed, "{cors} {origin}");
        let answer = send(&mockd, "OPTIONS", "/electronics", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-private-network"), "", "not requested");
        let control = send(&mockd, "OPTIONS", "/__mockd/state", &[("origin", origin), private_network]).await;
        let is_local = origin.contains("localhost");
        assert_eq!(control.header("access-control-allow-private-network") == "true", is_local, "{origin}");
    }
}

#[tokio::test]
async fn an_origin_with_a_path_is_refused_with_a_suggestion() {
    let file = ScenarioFile::new(&format!("server: {{ cors: [\"https://App.Example/shop\"] }}{SHOP}"));
    let output = command(&["check"]).arg(file.path()).output().await.unwrap();
    let report = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(report.contains("`https://App.Example/shop` is not the origin of a web page"), "{report}");
    assert!(report.contains("did you mean `https://app.example`?"), "{report}");
    let flag = ["run", "x.yaml", "--control-origin", "https://App.Example/shop"];
    let output = command(&flag).output().await.unwrap();
    let report = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && report.contains("did you mean `https://app.example`?"), "{report}");
}
