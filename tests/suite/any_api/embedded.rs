//! The data of a world that is embedded in the test.

use mockd::embed::Mockd;
use mockd::world::Until;
use serde_json::{Map, Value, json};

use super::NOTES;

async fn embedded() -> Mockd {
    Mockd::builder().yaml(NOTES).paused().start().await.unwrap()
}

fn mapping(value: Value) -> Map<String, Value> {
    let Value::Object(mapping) = value else { panic!("{value} is not a mapping") };
    mapping
}

#[tokio::test]
async fn data_is_read_and_set_by_name() {
    let mockd = embedded().await;
    let world = mockd.world("a").unwrap();
    assert_eq!(world.data("price"), Some(json!(10)));
    assert_eq!(world.data("notes"), Some(json!([{ "id": 1, "text": "one" }, { "id": 2, "text": "two" }])));
    assert_eq!(world.data("nothing"), None);
    let notes = json!([{ "id": 2, "text": "two" }, { "id": 9, "text": "nine" }]);
    let events = world.set_data(mapping(json!({ "price": 12, "notes": notes }))).await.unwrap();
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!((world.data("price"), world.data("notes")), (Some(json!(12)), Some(notes)));
    // Other worlds are unchanged.
    assert_eq!(mockd.default_world().data("price"), Some(json!(10)));
    let refused = world.set_data(mapping(json!({ "price": 13, "nothing": 1 }))).await.unwrap_err();
    assert!(refused.to_string().contains("nothing"), "{refused}");
    assert_eq!(world.data("price"), Some(json!(12)));
}

#[tokio::test]
async fn steps_run_now_and_later() {
    let mockd = embedded().await;
    let world = mockd.default_world();
    let steps = json!([
        { "add": { "notes": { "text": "now" } } },
        { "after": "5s", "merge": { "notes": { "id": "$it.id", "text": "later" } } },
    ]);
    assert_eq!(world.steps(steps).await.unwrap().len(), 1);
    let third = |text: &str| Some(json!({ "id": 3, "text": text }));
    assert_eq!(world.data("notes").unwrap().get(2).cloned(), third("now"));
    world.advance(Until::By(std::time::Duration::from_secs(5))).await.unwrap();
    assert_eq!(world.data("notes").unwrap().get(2).cloned(), third("later"));
}

#[tokio::test]
async fn refused_or_invalid_steps_change_nothing() {
    let mockd = embedded().await;
    let world = mockd.default_world();
    for (steps, part) in [
        (json!([{ "set": { "price": 3 } }, { "remove": { "notes": 99 } }]), "99"),
        (json!([{ "set": { "price": 3 } }, { "remvoe": { "notes": 1 } }]), "remvoe"),
    ] {
        let refused = world.steps(steps).await.unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
        assert_eq!(world.data("price"), Some(json!(10)));
    }
}
