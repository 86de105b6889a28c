//! Mistakes in list requests: the answers, and the notes in the log and the journal.

use serde_json::{Value, json};

use super::paused;
use crate::support::Mockd;

const TODOS: &str = "
data: { todos: [{ title: Sleep, done: false }, { title: Eat, done: true }], plans: [] }
http:
  /todos: { crud: todos }
  /plans: { crud: { collection: plans, fields: { title: string }, query: { page: page } } }
";

/// Returns the journal's notes on each request so far.
async fn notes(mockd: &Mockd) -> Value {
    let journal = mockd.get("/__mockd/journal?kind=request").await.json();
    journal["entries"].as_array().unwrap().iter().map(|entry| entry["answer"]["notes"].clone()).collect()
}

#[tokio::test]
async fn an_unknown_field_is_named_in_log_and_journal() {
    let mut mockd = paused(TODOS).await;
    for (path, count) in [
        ("/todos?titel=Sleep", 0),
        ("/todos?titel=Eat&titel:contains=x", 0),
        ("/todos?title=Drink", 0),
        ("/todos?page=2", 0),
        ("/todos?_sort=titel", 2),
        ("/plans?_page=2", 0),
        ("/plans?title=Drink&page=1", 0),
    ] {
        let answer = mockd.get(path).await;
        assert_eq!((answer.status, answer.json().as_array().unwrap().len()), (200, count), "{path}");
    }
    let titel = "no row of `todos` has a field `titel`; did you mean `title`?";
    let page = "no row of `todos` has a field `page`; did you mean `_page`?";
    let renamed = "no row of `plans` has a field `_page`; did you mean `page`?";
    assert_eq!(notes(&mockd).await, json!([[titel], [titel], null, [page], [titel], [renamed], null]));
    let logged = mockd.log_until("`plans`").await;
    let logged: Vec<&String> = logged.iter().filter(|line| line.contains("no row of")).collect();
    assert_eq!(logged, [&format!("`/todos`: {titel}"), &format!("`/todos`: {page}"), &format!("`/plans`: {renamed}")]);
}

#[tokio::test]
async fn an_invalid_page_number_gets_400_naming_the_parameter() {
    let mockd = paused(TODOS).await;
    for (path, message) in [
        ("/todos?_page=abc", "_page must be a whole number from 1, not `abc`"),
        ("/todos?_page=0", "_page must be a whole number from 1, not `0`"),
        ("/todos?_per_page=-1", "_per_page must be a whole number from 1, not `-1`"),
        ("/todos?_limit=", "_limit must be a whole number from 1, not ``"),
        ("/plans?page=1.5", "page must be a whole number from 1, not `1.5`"),
    ] {
        let refused = mockd.get(path).await;
        assert_eq!((refused.status, &refused.json()["message"]), (400, &json!(message)), "{path}");
    }
}

#[tokio::test]
async fn unknown_operators_and_parameters_are_named() {
    let mut mockd = paused(TODOS).await;
    for path in ["/todos?title:lke=e", "/todos?_expand=user"] {
        assert_eq!(mockd.get(path).await.status, 200, "{path}");
    }
    let lke = "`lke` in `title:lke` is not a filter operator; did you mean `like`?";
    let expand = "`_expand` is not supported and has no effect";
    assert_eq!(notes(&mockd).await, json!([[lke], [expand]]));
    let logged = mockd.log_until("_expand").await;
    let logged: Vec<&String> = logged.iter().filter(|line| line.starts_with("`/todos`")).collect();
    assert_eq!(logged, [&format!("`/todos`: {lke}"), &format!("`/todos`: {expand}")]);
}
