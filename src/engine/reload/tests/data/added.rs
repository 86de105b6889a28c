//! Rows added at run time stay.

use super::*;

#[test]
fn added_rows_stay_unless_another_is_declared_under_their_id() {
    for (happened, new, expected, changes, events) in [
        // An added row stays, after the declared ones.
        (
            vec![json!({ "add": { "x": 1 } }), json!({ "add": { "id": "z" } }), removed("z")],
            json!({ "todos": [{ "id": 1, "a": 1 }, { "id": 2 }, { "id": 9 }] }),
            json!([{ "id": 1, "a": 1 }, { "id": 2 }, { "id": 9 }, { "id": 3, "x": 1 }]),
            vec!["data todos 9 added"],
            vec!["4 added null → {id:9}"],
        ),
        // Also under the id of a removed declared row.
        (
            vec![removed("1"), json!({ "add": { "id": 1, "x": 1 } })],
            json!({ "todos": [{ "id": 1, "a": 1 }] }),
            json!([{ "id": 1, "x": 1 }]),
            vec!["data todos 2 removed"],
            vec!["3 removed {id:2} → null"],
        ),
        (
            vec![removed("1"), json!({ "add": { "id": 1, "x": 1 } })],
            json!({ "todos": [{ "id": 2 }] }),
            json!([{ "id": 2 }, { "id": 1, "x": 1 }]),
            vec!["data todos 1 removed"],
            vec![],
        ),
        // Unless another row is declared with its id.
        (
            vec![json!({ "add": { "x": 1 } })],
            json!({ "todos": [{ "id": 1, "a": 1 }, { "id": 2 }, { "id": 3 }] }),
            json!([{ "id": 1, "a": 1 }, { "id": 2 }, { "id": 3 }]),
            vec!["data todos 3 declared, replacing an added one"],
            vec!["2 replaced {id:3,x:1} → {id:3}"],
        ),
        (
            vec![json!({ "add": { "x": 1 } }), json!({ "add": { "x": 2 } })],
            json!({ "todos": [{ "id": 1, "a": 1 }, { "id": 4 }, { "id": 3 }] }),
            json!([{ "id": 1, "a": 1 }, { "id": 4 }, { "id": 3 }]),
            vec!["data todos 2 removed", "data todos 4, 3 declared, replacing added ones"],
            vec!["3 replaced {id:4,x:2} → {id:4}", "4 replaced {id:3,x:1} → {id:3}", "5 removed {id:2} → null"],
        ),
        // Or the same row is declared.
        (
            vec![json!({ "add": { "x": 1 } })],
            json!({ "todos": [{ "id": 1, "a": 1 }, { "id": 2 }, { "id": 3, "x": 1 }] }),
            json!([{ "id": 1, "a": 1 }, { "id": 2 }, { "id": 3, "x": 1 }]),
            vec!["data todos 3 added"],
            vec![],
        ),
    ] {
        expect_reload(&two_rows(), &happened, &new, (json!({ "todos": expected }), changes, events));
    }
}
