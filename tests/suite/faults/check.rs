//! Errors and warnings of `mockd check` about faults.

use mockd::scenario::{Source, parse};
use serde_json::Value;

use crate::support::{Mockd, SHOP, ScenarioFile, command, soon};

/// Returns the exit code, standard output and standard error of a check.
async fn check(faults: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let file = ScenarioFile::new(&format!("{SHOP}faults:\n{faults}\n"));
    let mut command = command(&["check"]);
    let output = soon("the end of a check", command.args(arguments).arg(file.path()).output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn errors_in_faults_are_explained() {
    for (fault, expected) in [
        ("- { on: http, staus: 500 }", "unknown key `staus`"),
        ("- { on: http, staus: 500 }", "help: did you mean `status`?"),
        ("- { status: 500 }", "a fault needs `on`"),
        ("- { on: htp, status: 500 }", "help: did you mean `http`?"),
        ("- { on: http }", "a fault needs exactly one of `latency`, `status`, `reset`"),
        ("- { on: http, status: 500, empty: true }", "a fault needs exactly one of"),
        ("- { on: websocket, bandwidth: 5 }", "`bandwidth` requires `on: http`"),
        ("- { on: websocket, method: GET, freeze: true }", "`method` requires `on: http`"),
        ("- { on: http, topic: news, status: 500 }", "`topic` requires `on: websocket` or `on: stream`"),
        (
            "- { on: websocket, topic: news, freeze: true }",
            "`topic` requires `drop` or another fault of frames such as `latency`",
        ),
        ("- { on: http, status: 600 }", "expected a status from 400 to 599, found the number 600"),
        ("- { on: http, latency: { min: 2s, max: 1s } }", "the range is empty"),
        ("- { on: http, latency: { min: 2s, jitter: 1s } }", "expected `min` and `max`, `mean` and `jitter`"),
        ("- { on: http, latency: { median: 2s, sigma: 9 } }", "expected a number from 0 to 5"),
        ("- { on: http, latency: soon }", "`soon` is not a duration"),
        ("- { on: http, status: 500, body: {}, reason: x }", "`reason` requires `close`"),
        ("- { on: http, empty: true, retryAfter: 1s }", "`retryAfter` requires `status`"),
        ("- { on: websocket, freeze: true, after: 3 }", "`after` requires `reset` or `close`"),
        ("- { on: websocket, freeze: true, chance: 3% }", "`chance` requires `drop`, `duplicate` or `corrupt`"),
        ("- { on: websocket, reorder: 1 }", "expected a number of frames from 2 to 1000"),
        ("- { on: websocket, close: 1006 }", "expected a close code"),
        ("- { on: http, contentLength: 0 }", "other than 0"),
        ("- { on: http, bandwidth: 0 }", "`bandwidth` must be at least 1"),
        ("- { on: http, skip: -1, status: 500 }", "`skip` must be at least 0"),
        ("- { on: http, times: 0, status: 500 }", "`times` must be at least 1"),
        ("- { on: http, share: 0.3, status: 500 }", "expected a percentage such as 20% or 0.5%"),
        ("- { on: http, share: 101%, status: 500 }", "`101%` is not a percentage from 0% to 100%"),
        ("- { on: http, from: 5s, until: 5s, status: 500 }", "`until` is not after `from`"),
        ("- { on: http, category: electronic, status: 500 }", "there is no category `electronic`"),
        ("- { on: http, path: orders, status: 500 }", "expected a path that starts with / or *"),
        ("- { name: a, on: http, empty: true }\n- { name: a, on: http, empty: true }", "fault `a` is declared twice"),
        ("- { name: '12', on: http, empty: true }", "expected a name that is not a number"),
        ("- { on: websocket, product: A1, freeze: true }", "`product` requires `on: http` or a fault of frames"),
        ("- { name: '', on: http, status: 500 }", "a fault's name cannot be empty"),
        ("- { on: stream }", "a fault needs exactly one of `latency`, `drop`, `duplicate` and `reset`"),
        ("- { on: stream, drop: true, reset: true }", "a fault needs exactly one of `latency`, `drop`, `duplicate`"),
        ("- { on: stream, drop: true, status: 503 }", "`status` requires `on: http` or `on: websocket`"),
        ("- { on: http, status: 500, freeze: true }", "`freeze` requires `on: websocket`"),
        ("- { on: stream, freeze: true }", "`freeze` requires `on: websocket`"),
        ("- { on: stream, storm: 5s }", "`storm` requires `on: websocket`"),
        ("- { on: stream, corrupt: json }", "`corrupt` requires `on: websocket`"),
        ("- { on: stream, stale: true }", "`stale` requires `on: websocket`"),
        ("- { on: stream, reorder: 2 }", "`reorder` requires `on: websocket`"),
        ("- { on: stream, close: 1011 }", "`close` requires `on: websocket`"),
        ("- { on: stream, ignore: true }", "`ignore` requires `on: websocket`"),
        ("- { on: stream, connect: 1s }", "`connect` requires `on: websocket`"),
        ("- { on: stream, status: 503 }", "`status` requires `on: http` or `on: websocket`"),
        ("- { on: stream, malformed: true }", "`malformed` requires `on: http`"),
        ("- { on: stream, method: GET, drop: true }", "`method` requires `on: http`"),
        ("- { on: stream, category: electronics, drop: true }", "`category` requires `on: http` or `on: websocket`"),
        ("- { on: stream, product: A1, reset: true }", "`product` requires `on: http` or `on: websocket`"),
        ("- { on: stream, path: events, drop: true }", "expected a path that starts with / or *"),
        ("- { on: stream, latency: 1s, chance: 3% }", "`chance` requires `drop`, `duplicate` or `corrupt`"),
    ] {
        let (code, _, stderr) = check(fault, &[]).await;
        assert!(code == Some(1) && stderr.contains(expected), "{fault}: {stderr}");
    }
}

#[tokio::test]
async fn a_fault_that_can_never_match_is_a_warning() {
    for (fault, expected) in [
        ("- { on: http, method: PATCH, status: 500 }", "the API answers only GET, HEAD, POST, OPTIONS"),
        ("- { on: http, share: 0%, status: 500 }", "a share of 0% hits nothing"),
        ("- { on: http, product: A1, method: GET, status: 500 }", "products are ordered with POST"),
        ("- { on: http, product: Z9, status: 500 }", "there is no product `Z9`"),
        (
            "- { on: websocket, category: confectionery, product: A1, stale: true }",
            "there is no product `A1` in confectionery",
        ),
        ("- { on: websocket, drop: true, chance: 0% }", "a share of 0% hits nothing"),
        ("- { on: stream, drop: true, share: 0% }", "a share of 0% hits nothing"),
    ] {
        let (code, output, stderr) = check(fault, &[]).await;
        assert_eq!(code, Some(0), "{fault}: {stderr}");
        assert!(
            stderr.starts_with("warning: this fault can never match\n") && stderr.contains(expected),
            "{fault}: {stderr}"
        );
        assert!(output.ends_with(": ok, 2 categories, 3 products, 0 generators, 0 scripts, 1 fault\n"), "{output}");
    }
    let (code, output, _) = check("- { on: http, share: 0%, status: 500 }", &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&output).unwrap();
    let warning = &report["files"][0]["warnings"][0];
    assert_eq!((code, &report["ok"], &warning["kind"]), (Some(0), &true.into(), &"never-matches".into()));
    let (code, output, _) = check("- { on: http, share: 0%, status: 500 }", &["--format", "github"]).await;
    assert!(code == Some(0) && output.starts_with("::warning file="), "{output}");
}

#[tokio::test]
async fn scenarios_with_routes_accept_faults_on_more_methods() {
    let with_route =
        |method: &str| format!("- {{ on: http, method: {method}, status: 500 }}\nhttp: {{ ANY /x: {{}} }}");
    for method in ["GET", "put", "PATCH", "DELETE"] {
        let (code, _, stderr) = check(&with_route(method), &[]).await;
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{method}");
    }
    let (code, _, stderr) = check(&with_route("TRACE"), &[]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("the API answers only GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"), "{stderr}");
}

#[tokio::test]
async fn faults_may_name_products_that_are_added_later() {
    let (code, _, stderr) = check("- { on: http, product: A17, status: 500 }", &[]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn warnings_are_logged_at_startup_and_on_reload() {
    let with = |share: &str| format!("{SHOP}faults: [{{ on: http, share: {share}, status: 500 }}]\n");
    let file = ScenarioFile::new(&with("0%"));
    let mut mockd = Mockd::run(&file).await;
    mockd.logged("this fault can never match").await;
    file.write_in_place(&with("10%"));
    mockd.logged("fault 1 changed").await;
    file.write_in_place(&with("0%"));
    mockd.logged("this fault can never match").await;
}

#[tokio::test]
async fn printed_faults_parse_back_unchanged() {
    let faults = "
- { name: a, on: http, method: POST, path: '/orders/*', category: electronics, product: A1, share: 12.5%, skip: 2, times: 3, from: 1s, until: 1m, status: 503, body: { a: [1] }, retryAfter: 2s }
- { on: http, latency: 300ms }
- { on: http, latency: { min: 1ms, max: 2ms } }
- { on: http, latency: { mean: 5ms, deviation: 2ms } }
- { on: http, latency: { median: 5ms, sigma: 0.25 } }
- { on: http, reset: true, after: 3 }
- { on: http, empty: true }
- { on: http, bandwidth: 7 }
- { on: http, malformed: true }
- { on: http, timeout: never }
- { on: http, timeout: 3s }
- { on: http, contentLength: -2 }
- { on: websocket, status: 503 }
- { on: websocket, connect: 1s }
- { on: websocket, close: 4000, reason: enough, after: 0 }
- { on: websocket, reset: true }
- { on: websocket, freeze: true }
- { on: websocket, latency: 1s }
- { on: websocket, drop: true, chance: 0.1% }
- { on: websocket, duplicate: true, chance: 3% }
- { on: websocket, reorder: 4 }
- { on: websocket, corrupt: utf8, chance: 50% }
- { on: websocket, product: A1, stale: true }
- { on: websocket, storm: 5s }
- { on: websocket, ignore: true }";
    let (code, printed, stderr) = check(faults, &["--print"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let file = ScenarioFile::new(&printed);
    let mut reprint = command(&["check", "--print"]);
    let output = soon("the end of a check", reprint.arg(file.path()).output()).await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), printed);
    let count = printed.lines().filter(|line| line.trim_start_matches(['-', ' ']).starts_with("on: ")).count();
    assert_eq!(count, 25, "{printed}");
}

#[tokio::test]
async fn an_expression_in_a_fault_is_an_error() {
    for (value, found) in [
        ("status: \"{{ 500 }}\"", "the text \"{{ 500 }}\""),
        ("status: 500, path: $path.id", "the text `$path.id`"),
        ("status: 500, category: \"$x\"", "the text \"$x\""),
        ("status: 500, body: { items: [1, \"so {{ price }}\"] }", "the text \"so {{ price }}\""),
        ("latency: { min: \"{{ 1 }}s\", max: 2s }", "the text \"{{ 1 }}s\""),
        ("name: \"{{ 'a' }}\", status: 500", "the text \"{{ 'a' }}\""),
    ] {
        let error = format!("error: expected a fixed value, because faults take no expressions, found {found}\n");
        let fault = format!("{{ on: http, {value} }}");
        let step = format!("scripts: [{{ steps: [{{ fault: {fault} }}] }}]");
        let order = format!("orders: {{ scripts: [{{ steps: [{{ fault: {fault} }}] }}] }}");
        for rest in [format!("faults: [{fault}]"), step, order] {
            let problems = report(&rest);
            assert_eq!(problems.matches("error: ").count(), 1, "{problems}");
            assert!(problems.starts_with(&error), "{rest}: {problems}");
        }
    }
    for literal in ["$9.99", "{{", "a $b c"] {
        let fault = format!("faults: [{{ on: http, status: 500, body: \"{literal}\" }}]");
        assert!(parse(&Source::new("shop.yaml", &format!("{SHOP}{fault}\n"))).is_ok(), "{literal}");
    }
    let both = report("faults: [{ on: http, staus: 1, path: \"$x\" }, { on: htp }]");
    assert_eq!(both.matches("error: ").count(), 3, "{both}");
}

/// Returns the problems of a scenario that ends with `rest`.
fn report(rest: &str) -> String {
    parse(&Source::new("shop.yaml", &format!("{SHOP}{rest}\n"))).expect_err("the scenario is valid").to_string()
}
