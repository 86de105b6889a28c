//! Changes of rows over HTTP.

use serde_json::{Value, json};

use super::paused;

const USERS: &str = "
data:
  users: [{ id: 1, name: Ada, n: 1, address: { city: Rome, zip: '1' } }]
http:
  /users: { crud: { collection: users, fields: { name: string, nick: { type: [string, 'null'], optional: true } } } }
  POST /merge: { merge: { users: $body }, body: $it }
";

#[tokio::test]
async fn a_merge_replaces_fields_as_a_whole_and_keeps_null() {
    for (method, path) in [("PATCH", "/users/1"), ("POST", "/merge")] {
        let mockd = paused(USERS).await;
        let change = json!({ "id": 1, "n": null, "nick": null, "address": { "city": null }, "tags": ["a"] });
        let expected =
            json!({ "id": 1, "name": "Ada", "n": null, "address": { "city": null }, "nick": null, "tags": ["a"] });
        let merged = mockd.send(method, path, Some(&change)).await;
        assert_eq!((merged.status, merged.text), (200, expected.to_string()), "{method}");
        assert_eq!(mockd.get("/users/1").await.json(), expected, "{method}");
    }
}

#[tokio::test]
async fn a_merge_checks_the_types_of_its_fields() {
    let mockd = paused(USERS).await;
    for (change, expected) in [
        (json!({ "name": null }), json!([400, "Field name must be string"])),
        (json!({ "nick": 1 }), json!([400, "Field nick must be string or null"])),
        (json!({ "n": 2 }), json!([200, null])),
    ] {
        let merged = mockd.send("PATCH", "/users/1", Some(&change)).await;
        assert_eq!(json!([merged.status, merged.json()["message"]]), expected, "{change}");
    }
}

#[tokio::test]
async fn an_undefined_id_is_an_error_with_its_place() {
    let steps = [
        "add: { todos: { id: $body.nope, a: 1 } }",
        "merge: { todos: { id: $body.nope, a: 1 } }",
        "replace: { todos: { id: $body.nope, a: 1 } }",
        "increment: { todos: { id: $body.nope, a: 1 } }",
        "remove: { todos: $body.nope }",
    ];
    let routes = (0..).zip(steps).map(|(number, step)| format!("  POST /{number}: {{ {step} }}\n"));
    let mockd = paused(&format!("data: {{ todos: [{{ a: 1 }}] }}\nhttp:\n{}", routes.collect::<String>())).await;
    for (number, step) in (0..).zip(steps) {
        let refused = mockd.send("POST", &format!("/{number}"), Some(&json!({ "a": 2 }))).await;
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert_eq!(refused.status, 500, "{step} {message}");
        let start = format!("`body.nope` is undefined (shop.yaml:{}:", number + 3);
        assert!(message.starts_with(&start), "{step} {message}");
        let journal = mockd.get(&format!("/__mockd/journal?path=/{number}")).await.json();
        assert_eq!(journal["entries"][0]["answer"]["body"]["message"], message, "{step}");
    }
    let todos = mockd.get("/__mockd/state").await.json()["data"]["todos"].clone();
    assert_eq!(todos, json!([{ "id": 1, "a": 1 }]));
}

#[tokio::test]
async fn a_whole_row_without_an_id_gets_the_next_one() {
    let mockd = paused("data: { todos: [{ a: 1 }] }\nhttp: { POST /all: { add: { todos: $body }, body: $it } }").await;
    let added = mockd.send("POST", "/all", Some(&json!({ "a": 2 }))).await;
    assert_eq!(added.json(), json!({ "id": 2, "a": 2 }));
    let merged = mockd.send("POST", "/all", Some(&Value::Null)).await;
    assert_eq!(merged.status, 400, "{}", merged.text);
}

#[tokio::test]
async fn collections_may_have_the_names_that_a_list_uses() {
    let mockd = paused(
        "
data: { items: [{ id: 1 }, { id: 2 }], pages: [{ id: a }], total: 7 }
http:
  /items: { crud: { collection: items, list: { rows: $items, total: $total } } }
  /pages: { crud: pages }
  GET /all: { body: { items: $items.0.id, pages: $pages.0.id, total: $total } }
",
    )
    .await;
    let page = json!({ "rows": [{ "id": 1 }], "total": 2 });
    assert_eq!(mockd.get("/items?_page=1&_per_page=1").await.json(), page);
    assert_eq!(mockd.get("/pages").await.json(), json!([{ "id": "a" }]));
    assert_eq!(mockd.get("/all").await.json(), json!({ "items": 1, "pages": "a", "total": 7 }));
}
