//! The contract's HTTP table, row by row.

use crate::support::{Answer, Mockd, SHOP, ScenarioFile, http};

fn assert_error(answer: &Answer, status: u16, error: &str, message: &str) {
    let body = format!(r#"{{"statusCode":{status},"error":"{error}","message":"{message}"}}"#);
    assert_eq!((answer.status, answer.text.as_str()), (status, body.as_str()));
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn a_category_lists_its_products_in_order_and_without_totals() {
    let answer = Mockd::shop().await.get("/electronics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(
        answer.text,
        r#"[{"id":"A1","name":"Vacuum Cleaner","rrp":"99.99","info":"The worst vacuum in the world."},{"id":"A2","name":"Leaf Blower","rrp":"303.33","info":"This product will blow your socks off."}]"#
    );
}

#[tokio::test]
async fn a_new_product_is_listed_last_with_the_next_id_and_total_0() {
    let mockd = Mockd::shop().await;
    let answer = mockd.post("/electronics", r#"{"name":"Drone","rrp":"12.50","info":"Flies."}"#).await;
    assert_eq!(answer.status, 200);
    let products = answer.json();
    assert_eq!(products.as_array().unwrap().len(), 3);
    assert_eq!(products[2].to_string(), r#"{"id":"A3","name":"Drone","rrp":"12.50","info":"Flies."}"#);
    assert_eq!(mockd.get("/electronics").await.text, answer.text);
    assert_eq!(mockd.live("electronics").await.texts(3).await[2], r#"{"id":"A3","total":0}"#);
    mockd.order("A3", 4).await;
    assert_eq!(mockd.live("electronics").await.texts(3).await[2], r#"{"id":"A3","total":4}"#);
}

#[tokio::test]
async fn concurrent_posts_get_unique_ids_and_are_listed_last() {
    let mockd = Mockd::shop().await;
    let name = |number: i32| format!("{{\"name\":\"toffee {number}\"}}");
    let posts = (0..40).map(async |number| mockd.post("/confectionery", &name(number)).await);
    for (answer, number) in futures_util::future::join_all(posts).await.iter().zip(0..) {
        let products = answer.json();
        let last = products.as_array().unwrap().last().unwrap();
        assert_eq!(last["name"], format!("toffee {number}"), "the new product is not last");
    }
    let products = mockd.get("/confectionery").await.json();
    let ids: Vec<String> = products.as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<String> = (1..=41).map(|number| format!("B{number}")).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_new_product_with_an_id_or_that_is_not_an_object_gets_400() {
    let mockd = Mockd::shop().await;
    let message = "The id is made by the server, leave it out";
    assert_error(&mockd.post("/electronics", r#"{"id":"A1","name":"x"}"#).await, 400, "Bad Request", message);
    let message = "The total of a new product starts at 0, leave it out; POST /orders/{id} then adds to it";
    assert_error(&mockd.post("/electronics", r#"{"name":"x","total":null}"#).await, 400, "Bad Request", message);
    for (body, kind) in [("[]", "an array"), ("null", "null"), ("3", "a number"), (r#""x""#, "a string")] {
        let message = format!("Body must be a JSON object, not {kind}");
        assert_error(&mockd.post("/electronics", body).await, 400, "Bad Request", &message);
    }
    assert_eq!(mockd.get("/electronics").await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_new_product_must_have_the_declared_fields() {
    let fields = "    fields: { name: string, rrp: [string, number], info: { type: string, optional: true } }\n";
    let mockd =
        Mockd::run(&ScenarioFile::new(&SHOP.replace("  confectionery:", &format!("{fields}  confectionery:")))).await;
    let refused = mockd.post("/electronics", r#"{"rrp":1}"#).await;
    assert_error(&refused, 400, "Bad Request", "Field name must be string");
    let refused = mockd.post("/electronics", r#"{"name":"x","rrp":true}"#).await;
    assert_error(&refused, 400, "Bad Request", "Field rrp must be string or number");
    assert_eq!(mockd.post("/electronics", r#"{"name":"x","rrp":1}"#).await.status, 200);
    assert_eq!(mockd.post("/confectionery", r#"{"anything":[1]}"#).await.status, 200);
}

#[tokio::test]
async fn an_order_accepts_every_notation_of_an_integer() {
    let mockd = Mockd::shop().await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    for (amount, total) in [("10", 13), ("3.0", 16), ("1e2", 116), ("-20", 96), ("0", 96)] {
        let answer = mockd.post("/orders/A1", &format!("{{\"amount\":{amount}}}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"ok":true}"#), "{amount}");
        assert_eq!(live.order().await, ("A1".into(), total), "{amount}");
    }
}

#[tokio::test]
async fn an_order_for_an_unknown_id_gets_404() {
    let mockd = Mockd::shop().await;
    for body in [r#"{"amount":10}"#, "{}", "null"] {
        assert_error(&mockd.post("/orders/Z9", body).await, 404, "Not Found", "Order Z9 not found");
    }
}

#[tokio::test]
async fn a_non_integer_amount_gets_400() {
    let mockd = Mockd::shop().await;
    let bodies = ["{}", "null", "[]", "3", r#""3""#, r#"{"amount":1.5}"#, r#"{"amount":"3"}"#, r#"{"amount":null}"#];
    for body in bodies {
        let answer = mockd.post("/orders/A1", body).await;
        assert_error(&answer, 400, "Bad Request", "Supplied amount must be an integer");
    }
    assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 3));
}

#[tokio::test]
async fn a_total_outside_the_safe_integers_gets_400() {
    let mockd = Mockd::shop().await;
    for amount in
        ["9007199254740989", "9007199254740992", "-9007199254740995", "1e300", "-1e300", "9223372036854775807"]
    {
        let answer = mockd.post("/orders/A1", &format!("{{\"amount\":{amount}}}")).await;
        let message = "The total of A1 would leave the range of ±9007199254740991, it stays 3";
        assert_error(&answer, 400, "Bad Request", message);
    }
    mockd.order("A1", 9_007_199_254_740_988).await;
    assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 9_007_199_254_740_991));
}

#[tokio::test]
async fn an_empty_or_malformed_body_gets_400_with_the_position() {
    let mockd = Mockd::shop().await;
    for path in ["/electronics", "/orders/A1"] {
        let empty = "Body cannot be empty, send a JSON object";
        assert_error(&mockd.post(path, "").await, 400, "Bad Request", empty);
        let bare = http("POST", &format!("{}{path}", mockd.url()), &[], None).await;
        assert_error(&bare, 400, "Bad Request", empty);
        let broken = mockd.post(path, "{\n  \"amount\": ten\n}").await;
        assert_error(&broken, 400, "Bad Request", "Body is not valid JSON: expected ident at line 2 column 14");
        let deep = mockd.post(path, &"[".repeat(100_000)).await;
        assert_error(
            &deep,
            400,
            "Bad Request",
            "Body is not valid JSON: recursion limit exceeded at line 1 column 128",
        );
    }
}

#[tokio::test]
async fn a_post_with_another_content_type_gets_415() {
    let mockd = Mockd::shop().await;
    for path in ["/electronics", "/orders/A1"] {
        let url = format!("{}{path}", mockd.url());
        for headers in
            [&[("content-type", "text/plain")][..], &[("content-type", "application/x-www-form-urlencoded")], &[]]
        {
            let answer = http("POST", &url, headers, Some(r#"{"amount":1}"#)).await;
            let message = "Unsupported Media Type, send content-type: application/json";
            assert_error(&answer, 415, "Unsupported Media Type", message);
        }
    }
    let charset = [("content-type", "Application/JSON; charset=utf-8")];
    let answer = http("POST", &format!("{}/orders/A1", mockd.url()), &charset, Some(r#"{"amount":1}"#)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn only_a_body_over_1_mib_gets_413() {
    let mockd = Mockd::shop().await;
    let body = |bytes: usize| format!("{{\"amount\":1{}}}", " ".repeat(bytes - 12));
    assert_eq!(mockd.post("/orders/A1", &body(1 << 20)).await.status, 200);
    let answer = mockd.post("/orders/A1", &body((1 << 20) + 1)).await;
    assert_error(&answer, 413, "Payload Too Large", "Body is larger than 1048576 bytes");
}

#[tokio::test]
async fn an_unknown_path_or_method_gets_404_naming_the_route() {
    let mockd = Mockd::shop().await;
    for (method, path) in [
        ("GET", "/foo"),
        ("GET", "/foo/bar?x=1"),
        ("GET", "/orders"),
        ("POST", "/foo"),
        ("POST", "/"),
        ("DELETE", "/electronics"),
        ("PUT", "/orders/A1"),
        ("GET", "/__mockd/nothing"),
    ] {
        let json = [("content-type", "application/json")];
        let answer = http(method, &format!("{}{path}", mockd.url()), &json, (method != "GET").then_some("{}")).await;
        let body = format!(r#"{{"message":"Route {method}:{path} not found","error":"Not Found","statusCode":404}}"#);
        assert_eq!((answer.status, answer.text.clone()), (404, body));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[tokio::test]
async fn a_live_path_without_an_upgrade_gets_426() {
    let answer = Mockd::shop().await.get("/orders/electronics").await;
    assert_error(&answer, 426, "Upgrade Required", "This path speaks WebSocket, connect with ws://");
    assert_eq!(answer.header("upgrade"), "websocket");
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let mockd = Mockd::shop().await;
    for path in ["/electronics", "/", "/foo", "/orders/electronics"] {
        let get = mockd.get(path).await;
        let head = http("HEAD", &format!("{}{path}", mockd.url()), &[], None).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        for header in ["content-type", "content-length", "access-control-allow-origin"] {
            let expected = if path == "/foo" && header == "content-length" { "76" } else { get.header(header) };
            assert_eq!(head.header(header), expected, "{path} {header}");
        }
    }
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let mockd = Mockd::shop().await;
    assert_eq!(mockd.get("/electronics/").await.text, mockd.get("/electronics").await.text);
    assert_eq!(mockd.post("/orders/A1/", r#"{"amount":1}"#).await.status, 200);
    assert_eq!(mockd.post("/electronics/", "{}").await.status, 200);
    assert_eq!(mockd.live("electronics/").await.order().await, ("A1".into(), 4));
}

#[tokio::test]
async fn a_preflight_gets_204_with_the_methods_and_requested_headers() {
    let mockd = Mockd::shop().await;
    let headers = [
        ("origin", "http://localhost:5050"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-test"),
    ];
    for path in ["/electronics", "/orders/A1", "/foo"] {
        let answer = http("OPTIONS", &format!("{}{path}", mockd.url()), &headers, None).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        // An explicit origin allows credentials; `*` would not.
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:5050");
        assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD,POST");
        assert_eq!(answer.header("access-control-allow-headers"), "content-type,x-test");
    }
}

#[tokio::test]
async fn cors_can_be_switched_off_or_limited_to_origins() {
    let off = Mockd::run(&ScenarioFile::new(&format!("server: {{ cors: false }}{SHOP}"))).await;
    assert_eq!(off.get("/electronics").await.header("access-control-allow-origin"), "");
    let scenario = format!("server: {{ cors: [\"http://localhost:5050\"] }}{SHOP}");
    let limited = Mockd::run(&ScenarioFile::new(&scenario)).await;
    for (origin, allowed) in [("http://localhost:5050", "http://localhost:5050"), ("http://evil.test", "")] {
        let answer = http("GET", &format!("{}/electronics", limited.url()), &[("origin", origin)], None).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert_eq!(answer.header("vary"), "Origin");
    }
}

#[tokio::test]
async fn ids_and_categories_may_contain_any_character_except_a_slash() {
    let scenario =
        "categories:\n  \"süß & sauer?\":\n    prefix: Ä\n    products:\n      - { id: \"Ä \\\"1\\\"\", total: 1 }\n";
    let mockd = Mockd::run(&ScenarioFile::new(scenario)).await;
    let category = "s%C3%BC%C3%9F%20%26%20sauer%3F";
    assert_eq!(mockd.get(&format!("/{category}")).await.text, r#"[{"id":"Ä \"1\""}]"#);
    mockd.order("%C3%84%20%221%22", 5).await;
    assert_eq!(mockd.live(category).await.text().await, r#"{"id":"Ä \"1\"","total":6}"#);
}

#[tokio::test]
async fn static_files_never_shadow_the_api() {
    let mockd = Mockd::shop().await;
    let page = mockd.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(mockd.get("/app.js").await.header("content-type").contains("javascript"));
    let file = ScenarioFile::new(SHOP);
    let site = file.directory().join("site");
    std::fs::create_dir_all(site.join("electronics")).unwrap();
    std::fs::write(site.join("index.html"), "mine").unwrap();
    std::fs::write(site.join("electronics/index.html"), "hidden").unwrap();
    std::fs::write(file.directory().join("secret.txt"), "secret").unwrap();
    let custom = Mockd::run_with(file.path(), &["--static", site.to_str().unwrap()]).await;
    assert_eq!(custom.get("/").await.text, "mine");
    assert!(custom.get("/electronics").await.text.starts_with("[{"));
    for path in ["/..%2fsecret.txt", "/%2e%2e/secret.txt", "/x/..%2f..%2fsecret.txt"] {
        assert_eq!(custom.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_state_includes_scenario_seed_and_categories() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--seed", "7"]).await;
    let state = mockd.get("/__mockd/state").await.json();
    let categories =
        r#"[{"name":"electronics","prefix":"A","products":2},{"name":"confectionery","prefix":"B","products":1}]"#;
    assert_eq!(state["categories"].to_string(), categories);
    assert_eq!((&state["scenario"], &state["seed"]), (&"shop".into(), &7.into()));
    let expected = format!(r#"{{"scenario":"shop","categories":{categories}}}"#);
    assert_eq!(mockd.get("/__mockd/categories").await.text, expected);
}

#[tokio::test]
async fn ids_with_huge_numbers_do_not_affect_the_next_id() {
    let scenario = SHOP.replace("id: A2", "id: A18446744073709551615");
    let mockd = Mockd::run(&ScenarioFile::new(&scenario)).await;
    assert_eq!(mockd.post("/electronics", "{}").await.json()[2]["id"], "A2");
    mockd.order("A18446744073709551615", 1).await;
}

#[tokio::test]
async fn a_path_that_is_not_utf_8_gets_400() {
    let mockd = Mockd::shop().await;
    for path in ["/%ff", "/orders/%ff"] {
        let message = "Path is not valid: its percent-encoding is not UTF-8 text";
        assert_error(&mockd.get(path).await, 400, "Bad Request", message);
    }
}
