//! Row ids across reloads.

use serde_json::{Value, json};

use crate::support::{Mockd, ScenarioFile};

fn notes(rows: &str) -> String {
    format!("data: {{ notes: [{rows}] }}\nhttp: {{ /notes: {{ crud: notes }} }}\n")
}

async fn ids_and_texts(mockd: &Mockd) -> Vec<(Value, String)> {
    let rows = mockd.get("/notes").await.json();
    let row = |row: &Value| (row["id"].clone(), row["text"].as_str().unwrap().to_owned());
    rows.as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn a_row_inserted_first_leaves_other_ids_unchanged() {
    let file = ScenarioFile::new(&notes("{ text: one }, { text: two }"));
    let mut mockd = Mockd::run(&file).await;
    assert_eq!(mockd.send("POST", "/notes", Some(&json!({ "text": "three" }))).await.json()["id"], 3);
    assert_eq!(mockd.send("PATCH", "/notes/1", Some(&json!({ "text": "uno" }))).await.status, 200);
    file.write_in_place(&notes("{ text: zero }, { text: one }, { text: two }"));
    let logged = mockd.logged("reloaded").await;
    assert!(logged.ends_with(": data notes 4 added"), "{logged}");
    let row = |id: i64, text: &str| (Value::from(id), text.to_owned());
    assert_eq!(ids_and_texts(&mockd).await, [row(4, "zero"), row(1, "uno"), row(2, "two"), row(3, "three")]);
    file.write_in_place(&notes("{ text: zero }, { text: one }, { text: two }, { id: 3, text: drei }"));
    let logged = mockd.logged("reloaded").await;
    assert!(logged.ends_with(": data notes 3 declared, replacing an added one"), "{logged}");
    assert_eq!(ids_and_texts(&mockd).await, [row(4, "zero"), row(1, "uno"), row(2, "two"), row(3, "drei")]);
}
