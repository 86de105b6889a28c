//! Rows without declared ids keep their ids.

use super::*;

fn todos(rows: &Value) -> Value {
    json!({ "todos": rows })
}

#[test]
fn rows_without_ids_are_matched_by_content_then_position() {
    let both = json!([{ "a": 1 }, { "a": 2 }]);
    let merge = || merged("1", &json!({ "b": 2 }));
    for (happened, new, expected, changes, events) in [
        // A row is added before the others, among them, after them.
        (
            vec![merge()],
            json!([{ "a": 0 }, { "a": 1 }, { "a": 2 }]),
            json!([{ "id": 3, "a": 0 }, { "id": 1, "a": 1, "b": 2 }, { "id": 2, "a": 2 }]),
            vec!["data todos 3 added"],
            vec!["2 added null → {id:3,a:0}"],
        ),
        (
            vec![merge()],
            json!([{ "a": 1 }, { "a": 1 }, { "a": 2 }]),
            json!([{ "id": 1, "a": 1, "b": 2 }, { "id": 3, "a": 1 }, { "id": 2, "a": 2 }]),
            vec!["data todos 3 added"],
            vec!["2 added null → {id:3,a:1}"],
        ),
        (
            vec![],
            json!([{ "a": 1 }, { "a": 2 }, { "a": 3 }]),
            json!([{ "id": 1, "a": 1 }, { "id": 2, "a": 2 }, { "id": 3, "a": 3 }]),
            vec!["data todos 3 added"],
            vec!["1 added null → {id:3,a:3}"],
        ),
        // The order changes, and a row is removed.
        (
            vec![merge()],
            json!([{ "a": 2 }, { "a": 1 }]),
            json!([{ "id": 2, "a": 2 }, { "id": 1, "a": 1, "b": 2 }]),
            vec!["data todos changed"],
            vec![],
        ),
        (
            vec![merge()],
            json!([{ "a": 2 }]),
            json!([{ "id": 2, "a": 2 }]),
            vec!["data todos 1 removed"],
            vec!["2 removed {id:1,a:1,b:2} → null"],
        ),
        // An edited row is identified by its position.
        (
            vec![merge()],
            json!([{ "a": 9 }, { "a": 2 }]),
            json!([{ "id": 1, "a": 9 }, { "id": 2, "a": 2 }]),
            vec!["data todos 1 redeclared; its run-time changes are lost"],
            vec!["2 replaced {id:1,a:1,b:2} → {id:1,a:9}"],
        ),
        // The id of a client's row is not reused.
        (
            vec![json!({ "add": { "x": 1 } })],
            json!([{ "a": 1 }, { "a": 2 }, { "a": 3 }]),
            json!([{ "id": 1, "a": 1 }, { "id": 2, "a": 2 }, { "id": 4, "a": 3 }, { "id": 3, "x": 1 }]),
            vec!["data todos 4 added"],
            vec!["2 added null → {id:4,a:3}"],
        ),
        (
            vec![removed("1"), json!({ "add": { "id": 1, "x": 1 } })],
            json!([{ "a": 9 }, { "a": 2 }]),
            json!([{ "id": 3, "a": 9 }, { "id": 2, "a": 2 }, { "id": 1, "x": 1 }]),
            vec!["data todos 3 added", "data todos 1 removed"],
            vec!["3 added null → {id:3,a:9}"],
        ),
        // A removed row stays removed, and its id is not reused.
        (
            vec![removed("1")],
            json!([{ "a": 0 }, { "a": 1 }, { "a": 2 }]),
            json!([{ "id": 3, "a": 0 }, { "id": 2, "a": 2 }]),
            vec!["data todos 3 added"],
            vec!["2 added null → {id:3,a:0}"],
        ),
        // A declared id belongs to the row that declares it.
        (
            vec![merge()],
            json!([{ "id": 1, "z": 1 }, { "a": 1 }, { "a": 2 }]),
            json!([{ "id": 1, "z": 1 }, { "id": 3, "a": 1, "b": 2 }, { "id": 2, "a": 2 }]),
            vec!["data todos 1 changed", "data todos 3 added"],
            vec!["2 replaced {id:1,a:1,b:2} → {id:1,z:1}", "3 added null → {id:3,a:1,b:2}"],
        ),
        (
            vec![merge()],
            json!([{ "id": 1, "a": 1 }, { "id": 2, "a": 2 }]),
            json!([{ "id": 1, "a": 1, "b": 2 }, { "id": 2, "a": 2 }]),
            vec![],
            vec![],
        ),
    ] {
        expect_reload(&todos(&both), &happened, &todos(&new), (todos(&expected), changes, events));
    }
}

#[test]
fn kept_ids_survive_reloads_restores_and_a_removal() {
    let rows = |fields: &[i64]| fields.iter().map(|a| json!({ "a": a })).collect::<Value>();
    let mut engine = engine(&todos(&rows(&[1, 2])));
    for (declared, ids) in [
        (&[0, 1, 2][..], json!([3, 1, 2])),
        (&[0, 1, 2, 4], json!([3, 1, 2, 4])),
        // No row has the id 3 any longer. At the start, it belongs to the third row.
        (&[1, 2, 4], json!([1, 2, 4])),
        (&[4, 1, 5, 2], json!([4, 1, 3, 2])),
    ] {
        let scenario = Arc::new(data(&todos(&rows(declared))));
        engine.replace(&scenario, 42);
        let expected: Value =
            declared.iter().zip(ids.as_array().unwrap()).map(|(a, id)| json!({ "id": id, "a": a })).collect();
        assert_eq!(shown(&engine), todos(&expected));
        let start = Engine::new(&scenario, 42);
        let state = serde_json::to_value(engine.save(&start)).unwrap();
        engine = Engine::restored(&start, serde_json::from_value(state.clone()).unwrap()).unwrap();
        assert_eq!((shown(&engine), serde_json::to_value(engine.save(&start)).unwrap()), (todos(&expected), state));
        let mut later = engine.clone();
        later.replace(&Arc::new(data(&json!({ "other": 1 }))), 42);
        later.replace(&scenario, 42);
        assert_eq!(shown(&later), todos(&expected), "{declared:?}");
    }
}

#[test]
fn a_state_whose_kept_ids_do_not_match_its_rows_is_rejected() {
    let start = engine(&json!({ "todos": [{ "a": 1 }, { "id": 7 }] }));
    let mut changed = start.clone();
    add(&mut changed, "todos", json!({}));
    let state = serde_json::to_value(changed.save(&start)).unwrap();
    for (ids, fits) in
        [(json!([9]), true), (json!(["x"]), true), (json!([9, 10]), false), (json!([7]), false), (json!([null]), false)]
    {
        let mut state = state.clone();
        state["data"]["collections"][0]["ids"] = ids.clone();
        state["data"]["collections"][0]["declared"] = json!(["7"]);
        let restored = Engine::restored(&start, serde_json::from_value(state).unwrap());
        assert_eq!(restored.is_ok(), fits, "{ids}");
    }
}

#[test]
fn a_generated_uuid_stays_with_its_row() {
    let old = json!({ "todos": [{ "id": "x" }, { "a": 1 }] });
    let before = shown(&engine(&old))["todos"].clone();
    let new = json!({ "todos": [{ "id": "x" }, { "a": 0 }, { "a": 1 }] });
    let (shown, _, _) = reloaded(&old, &vec![], &new);
    assert_eq!(shown["todos"][2], before[1]);
    let made = shown["todos"][1]["id"].as_str().unwrap();
    assert_eq!(made.len(), 36);
    assert_ne!(made, before[1]["id"]);
}
