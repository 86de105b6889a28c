//! The examples other than the shops do what their opening comments say.

use serde_json::{Value, json};

use super::{advance, example};
use crate::support::{EventStream, http};

fn ids(rows: &Value) -> Vec<i64> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn todos_are_read_added_changed_and_removed() {
    let mockd = example("todos.yaml").await;
    let added = mockd.post("/todos", r#"{"title":"Call mum"}"#).await;
    assert_eq!((added.status, added.header("location")), (201, "/todos/4"));
    assert_eq!(added.json(), json!({ "id": 4, "title": "Call mum", "done": false }));
    let open = mockd.get("/todos?done=false&_sort=-id&_page=1&_per_page=2").await;
    assert_eq!((ids(&open.json()), open.header("x-total-count")), (vec![4, 3], "3"));
    assert!(open.header("link").contains(r#"_page=2>; rel="next""#), "{}", open.header("link"));
    let merged = mockd.send("PATCH", "/todos/1", Some(&json!({ "done": true }))).await;
    assert_eq!(merged.json(), json!({ "id": 1, "title": "Buy milk", "done": true }));
    let replaced = mockd.send("PUT", "/todos/2", Some(&json!({ "title": "Sleep" }))).await;
    assert_eq!(replaced.json(), json!({ "id": 2, "title": "Sleep" }));
    assert_eq!(mockd.send("DELETE", "/todos/3", None).await.status, 200);
    assert_eq!(mockd.get("/todos/3").await.status, 404);
    assert_eq!(ids(&mockd.get("/todos").await.json()), [1, 2, 4]);
}

#[tokio::test]
async fn todos_without_a_title_are_refused() {
    let mockd = example("todos.yaml").await;
    let refused = mockd.post("/todos", r#"{"titel":"Call mum"}"#).await;
    assert_eq!((refused.status, &refused.json()["message"]), (400, &json!("Field title is missing")));
    assert_eq!(ids(&mockd.get("/todos").await.json()), [1, 2, 3]);
}

#[tokio::test]
async fn a_pizza_is_baked_sent_out_and_delivered() {
    let mockd = example("pizza.yaml").await;
    let order = mockd.post("/orders", r#"{"pizza":"margherita"}"#).await;
    let placed = json!({
        "id": 1, "pizza": "margherita", "status": "placed", "placedAt": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!((order.status, order.json()), (201, placed.clone()));
    let mut events = EventStream::open(&mockd, "/orders/1/events").await;
    assert_eq!(events.data().await, placed);
    // The stream does not receive the events of another order.
    assert_eq!(mockd.post("/orders", r#"{"pizza":"funghi"}"#).await.status, 201);
    for (time, status) in [("5s", "baking"), ("5s", "on its way"), ("10s", "delivered")] {
        advance(&mockd, "", time).await;
        assert_eq!(mockd.get("/orders/1").await.json()["status"], status);
        let event = events.event().await.unwrap();
        let (name, data) = event.split_once('\n').unwrap();
        let row: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!((name, &row["id"], &row["status"]), ("event: status", &json!(1), &json!(status)));
    }
    assert_eq!(mockd.get("/__mockd/clock").await.json()["nextDue"], Value::Null);
}

#[tokio::test]
async fn a_pizza_that_is_not_on_the_menu_is_refused() {
    let mockd = example("pizza.yaml").await;
    for (order, name) in [(r#"{"pizza":"hawaii"}"#, "hawaii"), ("{}", "nothing")] {
        let refused = mockd.post("/orders", order).await;
        let expected = json!({ "error": format!("There is no pizza called {name}.") });
        assert_eq!((refused.status, refused.json()), (422, expected));
    }
    let unknown = mockd.get("/orders/7/events").await;
    assert_eq!((unknown.status, unknown.json()), (404, json!({ "error": "There is no order 7." })));
    assert_eq!(mockd.get("/orders").await.json(), json!([]));
}

#[tokio::test]
async fn a_login_returns_a_token_that_grants_access_to_users() {
    let mockd = example("login.yaml").await;
    let refused = mockd.get("/users").await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(refused.json(), json!({ "error": "Log in first." }));
    let account = r#"{"email":"ada@example.com","password":"secret"}"#;
    let login = mockd.post("/login", account).await;
    let token = login.json()["token"].as_str().unwrap().to_owned();
    assert_eq!((login.status, &login.json()["name"]), (200, &json!("Ada")));
    assert_eq!(login.header("set-cookie"), format!("session={token}; HttpOnly; SameSite=Strict"));
    let bearer = format!("Bearer {token}");
    let fetch = async |method: &str, path: &str, value: &str| {
        http(method, &format!("{}{path}", mockd.url()), &[("authorization", value)], None).await
    };
    let page = fetch("GET", "/users?page=2&limit=10", &bearer).await.json();
    assert_eq!((&page["total"], &page["page"]), (&json!(95), &json!(2)));
    assert_eq!(ids(&page["data"]), (11..=20).collect::<Vec<_>>());
    let last = fetch("GET", "/users?page=10&limit=10", &bearer).await.json();
    assert_eq!(ids(&last["data"]), [91, 92, 93, 94, 95]);
    assert_eq!(fetch("GET", "/users", "Bearer nonsense").await.status, 401);
    assert_eq!(fetch("POST", "/logout", &bearer).await.status, 204);
    assert_eq!(fetch("GET", "/users", &bearer).await.status, 401);
    assert_eq!(fetch("POST", "/logout", &bearer).await.status, 401);
}

#[tokio::test]
async fn a_login_with_a_wrong_password_is_refused() {
    let mockd = example("login.yaml").await;
    for wrong in [r#"{"email":"ada@example.com","password":"x"}"#, r#"{"email":"eve@example.com"}"#, "{}"] {
        let refused = mockd.post("/login", wrong).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (401, ""), "{wrong}");
        assert_eq!(refused.json(), json!({ "error": "Wrong e-mail address or password." }));
    }
}

const SENTENCE: &str = "Mock servers make it easy to try what a slow and chatty model does to a page.";

#[tokio::test]
async fn an_assistant_streams_its_answer_word_by_word() {
    let mockd = example("assistant.yaml").await;
    let request = r#"{"model":"mock-1","stream":true,"messages":[{"role":"user","content":"Hello"}]}"#;
    let json_body = [("content-type", "application/json")];
    let mut answer = EventStream::request(&mockd, "POST", "/v1/chat/completions", &json_body, request).await;
    let first = answer.data().await;
    assert_eq!((&first["object"], &first["model"]), (&json!("chat.completion.chunk"), &json!("mock-1")));
    let mut sentence = first["choices"][0]["delta"]["content"].as_str().unwrap().to_owned();
    advance(&mockd, "", "10s").await;
    let mut rest = answer.rest().await;
    assert_eq!(rest.pop().unwrap(), "data: [DONE]");
    for event in &rest {
        let chunk: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        sentence.push_str(chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
    }
    assert_eq!(sentence.trim_end(), SENTENCE);
    assert!(rest.last().unwrap().contains(r#""finish_reason":"stop""#), "{rest:?}");
}

#[tokio::test]
async fn an_assistant_answers_at_once_without_a_stream() {
    let mockd = example("assistant.yaml").await;
    let request = r#"{"model":"mock-1","messages":[{"role":"user","content":"Hello"}]}"#;
    let whole = mockd.post("/v1/chat/completions", request).await.json();
    assert_eq!(whole["object"], "chat.completion");
    assert_eq!(whole["choices"][0]["message"], json!({ "role": "assistant", "content": SENTENCE }));
    let refused = mockd.post("/v1/chat/completions", r#"{"model":"mock-1"}"#).await;
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("messages")));
    assert_eq!(mockd.get("/v1/models").await.json()["data"][0]["id"], "mock-1");
}

#[tokio::test]
async fn notifications_stream_existing_rows_then_each_new_one() {
    let mockd = example("notifications.yaml").await;
    let mut stream = EventStream::open(&mockd, "/notifications/stream").await;
    let welcome = r#"{"id":1,"text":"Welcome.","read":false}"#;
    assert_eq!(stream.event().await.unwrap(), format!("event: notification\nid: 1\ndata: {welcome}"));
    assert_eq!(mockd.post("/notifications", r#"{"text":"Hello"}"#).await.status, 201);
    let hello = stream.event().await.unwrap();
    assert!(hello.starts_with("event: notification\nid: 2\n") && hello.contains(r#""text":"Hello""#), "{hello}");
    advance(&mockd, "", "12s").await;
    assert!(stream.event().await.unwrap().starts_with("event: notification\nid: 3\n"));
    // A changed notification is not streamed. The next event belongs to the next new one.
    assert_eq!(mockd.send("PATCH", "/notifications/1", Some(&json!({ "read": true }))).await.status, 200);
    assert_eq!(mockd.post("/notifications", r#"{"text":"Bye"}"#).await.status, 201);
    assert_eq!(stream.data().await["text"], "Bye");
}

#[tokio::test]
async fn notifications_resume_after_the_last_event_id() {
    let mockd = example("notifications.yaml").await;
    for text in [r#"{"text":"Hello"}"#, r#"{"text":"Bye"}"#] {
        assert_eq!(mockd.post("/notifications", text).await.status, 201);
    }
    let seen = [("last-event-id", "1")];
    let mut stream = EventStream::request(&mockd, "GET", "/notifications/stream", &seen, "").await;
    assert_eq!(stream.data().await["id"], 2);
    assert_eq!(stream.data().await["id"], 3);
    assert_eq!(mockd.post("/notifications", r#"{"text":"Again"}"#).await.status, 201);
    assert_eq!(stream.data().await["id"], 4);
}
