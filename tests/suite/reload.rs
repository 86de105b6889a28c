//! A saved scenario file is reloaded, however an editor saves it, without closing a socket.

use futures_util::future::join_all;

use crate::support::{Mockd, SHOP, ScenarioFile, Socket};

/// Opens a socket of the category electronics, and reads its current totals.
async fn open_electronics(mockd: &Mockd) -> Socket {
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    live
}

/// Returns the shop with another declared total of A1.
fn shop_with(total: i64) -> String {
    SHOP.replace("total: 3 }", &format!("total: {total} }}"))
}

/// A way to save a file.
type Save = fn(&ScenarioFile, &str);

/// Saves a change in each of these ways, and waits until a socket receives it.
async fn assert_reloads(file: ScenarioFile, saves: &[Save]) -> Mockd {
    let mockd = Mockd::run(&file).await;
    let mut live = open_electronics(&mockd).await;
    for (round, save) in saves.iter().enumerate() {
        let total = 100 + i64::try_from(round).unwrap();
        save(&file, &shop_with(total));
        assert_eq!(live.order().await, ("A1".into(), total));
    }
    mockd
}

/// Like [`assert_reloads`], but also asserts that a file event caused each reload, not the check for lost events.
async fn assert_watched(file: ScenarioFile, saves: &[Save]) {
    let mut mockd = assert_reloads(file, saves).await;
    for _ in saves {
        let log = mockd.log_until("reloaded").await;
        assert!(!log.iter().any(|message| message.contains("no file event")), "{log:?}");
    }
}

/// Waits until the report of the last reload is as expected, and returns it.
async fn reload_report(mockd: &Mockd, expected: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    mockd.until("/__mockd/reload", expected).await
}

#[tokio::test]
async fn a_file_written_in_place_is_reloaded() {
    assert_watched(ScenarioFile::new(SHOP), &[ScenarioFile::write_in_place as Save; 3]).await;
}

#[tokio::test]
async fn a_file_saved_through_a_backup_is_reloaded() {
    assert_watched(ScenarioFile::new(SHOP), &[ScenarioFile::save_like_vim as Save; 3]).await;
}

#[tokio::test]
async fn a_new_file_renamed_over_the_old_one_is_reloaded() {
    assert_watched(ScenarioFile::new(SHOP), &[ScenarioFile::save_like_jetbrains as Save; 3]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_swapped_symlink_is_reloaded() {
    assert_watched(ScenarioFile::mounted(SHOP), &[ScenarioFile::swap_mount as Save, ScenarioFile::write_in_place])
        .await;
}

#[tokio::test]
async fn a_polled_file_is_reloaded() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--poll"]).await;
    let mut live = open_electronics(&mockd).await;
    file.write_in_place(&shop_with(55));
    assert_eq!(live.order().await, ("A1".into(), 55));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_in_a_replaced_directory_is_reloaded() {
    let replace: Save = |file, text| {
        let (real, gone) = (file.path().parent().unwrap(), file.directory().join("gone"));
        let _ = std::fs::remove_dir_all(&gone);
        std::fs::rename(real, &gone).unwrap();
        std::fs::create_dir(real).unwrap();
        file.write_in_place(text);
    };
    let remove: Save = |file, text| {
        let real = file.path().parent().unwrap();
        std::fs::remove_dir_all(real).unwrap();
        std::fs::create_dir(real).unwrap();
        file.write_in_place(text);
    };
    let write: Save = ScenarioFile::write_in_place;
    // A change may happen while neither directory is watched. Then only the check for lost events finds it, so this
    // cannot assert that a file event caused the reload.
    assert_reloads(ScenarioFile::nested(SHOP), &[replace, write, write, remove, write, write, replace]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_swapped_directory_link_is_reloaded_despite_equal_times() {
    let swap: Save = |file, text| {
        let link = file.path().parent().unwrap();
        let number = std::fs::read_dir(file.directory()).unwrap().count();
        let (new, new_link) = (file.directory().join(format!("release{number}")), file.directory().join("new"));
        std::fs::create_dir(&new).unwrap();
        std::fs::write(new.join("shop.yaml"), text).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(1);
        std::fs::File::open(new.join("shop.yaml")).unwrap().set_modified(long_ago).unwrap();
        std::os::unix::fs::symlink(&new, &new_link).unwrap();
        if !link.is_symlink() {
            // A link cannot be renamed over a directory.
            std::fs::rename(link, file.directory().join("first")).unwrap();
        }
        std::fs::rename(new_link, link).unwrap();
    };
    assert_watched(ScenarioFile::nested(SHOP), &[swap, swap, swap, ScenarioFile::write_in_place]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_place_of_the_file_is_refused() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    file.delete();
    assert!(std::process::Command::new("mkfifo").arg(file.path()).status().unwrap().success());
    mockd.logged("shop.yaml: ").await;
    assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 3));
    mockd.signal("TERM");
    assert!(mockd.ended().await.success());
}

#[tokio::test]
async fn several_writes_in_a_row_end_with_the_last_state() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    let mut live = open_electronics(&mockd).await;
    for total in 1000..1100 {
        file.write_in_place(&shop_with(total));
    }
    while live.order().await != ("A1".into(), 1099) {}
}

#[tokio::test]
async fn a_deleted_file_changes_nothing_until_it_returns() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    let mut live = open_electronics(&mockd).await;
    file.delete();
    let message = mockd.logged("there is no such file").await;
    assert!(message.contains("still serving the last good scenario (shop)"), "{message}");
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 4));
    file.write_in_place(SHOP);
    mockd.logged("is back, unchanged").await;
    file.delete();
    mockd.logged("there is no such file").await;
    file.write_in_place(&shop_with(55));
    assert_eq!(live.order().await, ("A1".into(), 55));
}

#[tokio::test]
async fn a_broken_file_is_reported_and_the_last_valid_one_served() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    let mut live = open_electronics(&mockd).await;
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 4));
    file.write_in_place(&SHOP.replace("prefix: A", "prefx: A"));
    let message = mockd.logged("is broken").await;
    for part in
        [":4:5", "unknown key `prefx`", "^^^^^", "did you mean `prefix`?", "still serving the last good scenario"]
    {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 5));
    // The fixed file declares another total of A2. A1 keeps its orders, which were placed while the file was broken.
    file.write_in_place(&SHOP.replace("total: 7 }", "total: 8 }"));
    assert_eq!(live.order().await, ("A2".into(), 8));
    assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 5));
}

#[tokio::test]
async fn no_broken_file_affects_the_server() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    let half = &SHOP[..SHOP.len() / 2];
    for broken in ["", "\0\0\0", "[", "categories: {}", half, "- a\n- b", "just text", "{}"] {
        file.write_in_place(broken);
        mockd.logged("is broken").await;
        assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 3), "{broken:?}");
    }
}

#[tokio::test]
async fn a_reload_loses_none_of_100_sockets_and_no_order() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    let mut sockets = join_all((0..100).map(|_| open_electronics(&mockd))).await;
    for round in 1..=5 {
        mockd.order("A1", 1).await;
        file.save_like_jetbrains(&SHOP.replace("total: 7 }", &format!("total: {} }}", 100 * round)));
        for live in &mut sockets {
            assert_eq!(live.order().await, ("A1".into(), 3 + round));
            assert_eq!(live.order().await, ("A2".into(), 100 * round));
        }
    }
}

#[tokio::test]
async fn a_reload_updates_declared_products_and_keeps_posted_ones() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    mockd.post("/electronics", r#"{"name":"Drone"}"#).await;
    mockd.order("A3", 5).await;
    let mut live = mockd.live("confectionery").await;
    live.text().await;
    let a2 = SHOP.lines().find(|line| line.contains("id: A2")).unwrap();
    let a5 = "      - { id: A5, name: Kettle, total: 9 }";
    file.write_in_place(&SHOP.replace(a2, a5).replace("Vacuum Cleaner", "Hoover"));
    assert_eq!(live.order().await, ("A5".into(), 9));
    let products = mockd.get("/electronics").await.json();
    let names: Vec<&str> = products.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Hoover", "Kettle", "Drone"]);
    assert_eq!(mockd.post("/orders/A2", r#"{"amount":1}"#).await.status, 404);
    let mut orders = mockd.live("electronics").await;
    let totals = [r#"{"id":"A1","total":3}"#, r#"{"id":"A5","total":9}"#, r#"{"id":"A3","total":5}"#];
    assert_eq!(orders.texts(3).await, totals);
    // The numbers in ids are never reused.
    let products = mockd.post("/electronics", "{}").await.json();
    assert_eq!(products[3]["id"], "A6");
}

#[tokio::test]
async fn a_category_can_be_removed_and_return_with_open_sockets() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    let mut live = mockd.live("confectionery").await;
    live.text().await;
    let books = SHOP.replace("confectionery:", "books:").replace("B1", "C1").replace("prefix: B", "prefix: C");
    file.write_in_place(&books);
    assert_eq!(live.order().await, ("C1".into(), 101));
    assert_eq!(mockd.get("/confectionery").await.status, 404);
    assert_eq!(mockd.get("/books").await.status, 200);
    file.write_in_place(SHOP);
    assert_eq!(live.order().await, ("B1".into(), 101));
}

#[tokio::test]
async fn changes_are_logged_in_one_line() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    file.write_in_place(&format!("server: {{ port: 1 }}{}", shop_with(5)));
    let message = mockd.logged("reloaded").await;
    assert!(message.ends_with("server.port needs a restart, A1 total 3 → 5"), "{message}");
    file.write_in_place(&format!("# no port any more{}", shop_with(5)));
    let message = mockd.logged("reloaded").await;
    assert!(message.ends_with("nothing that matters changed"), "{message}");
}

#[tokio::test]
async fn an_unchanged_script_continues_after_a_reload() {
    let script = "orders: { scripts: [{ steps: [
        { at: 0s, product: A1, amount: 1 },
        { after: 100ms, product: A1, amount: 1, times: 1000000, every: 2ms } ] }] }";
    let file = ScenarioFile::new(&format!("{SHOP}{script}"));
    let mockd = Mockd::run(&file).await;
    let mut live = mockd.live("nothing").await;
    while live.order().await.1 < 10 {}
    file.write_in_place(&format!("{}{script}", SHOP.replace("total: 7 }", "total: 8 }")));
    // The reload changes A2 once. The script increases A1 by one at a time, before and after the reload.
    let (mut last, mut reloaded) = (10, false);
    while !reloaded || last < 200 {
        match live.order().await {
            (id, total) if id == "A1" => {
                assert_eq!(total, last + 1);
                last = total;
            }
            other => {
                assert_eq!(other, ("A2".into(), 8));
                reloaded = true;
            }
        }
    }
}

#[tokio::test]
async fn an_unwatched_file_is_not_reloaded() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--no-watch"]).await;
    assert_eq!(mockd.greeting()["watching"], serde_json::Value::Null);
    let watching = Mockd::run(&file).await;
    let mut live = open_electronics(&watching).await;
    file.write_in_place(&shop_with(55));
    // Once the watching server has the second save, the other would have had time to reload the first.
    assert_eq!(live.order().await, ("A1".into(), 55));
    file.write_in_place(&shop_with(56));
    assert_eq!(live.order().await, ("A1".into(), 56));
    assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 3));
}

#[tokio::test]
async fn a_category_feed_sends_a_moved_product_to_its_new_category() {
    let shop = format!("feed: category{SHOP}");
    let file = ScenarioFile::new(&shop);
    let mockd = Mockd::run(&file).await;
    let mut live = mockd.live("confectionery").await;
    live.text().await;
    mockd.order("A2", 1).await;
    let a2 = shop.lines().find(|line| line.contains("id: A2")).unwrap();
    file.write_in_place(&format!("{}{a2}\n", shop.replace(&format!("{a2}\n"), "")));
    assert_eq!(live.order().await, ("A2".into(), 8));
    assert_eq!(mockd.live("confectionery").await.texts(2).await[1], r#"{"id":"A2","total":8}"#);
}

#[tokio::test]
async fn the_control_api_reports_the_last_reload() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    let initial = serde_json::json!({ "ok": true, "count": 0, "changes": [] });
    assert_eq!(mockd.get("/__mockd/reload").await.json(), initial);
    let mut live = open_electronics(&mockd).await;
    file.write_in_place(&shop_with(300).replace("Leaf Blower", "Blower"));
    assert_eq!(live.order().await, ("A1".into(), 300));
    mockd.logged("reloaded").await;
    let changes = serde_json::json!([
        { "kind": "total-reset", "id": "A1", "from": 3, "to": 300, "text": "A1 total 3 → 300" },
        { "kind": "product-changed", "id": "A2", "keys": ["name"], "text": "A2 name changed" },
    ]);
    // The reload is logged just before the report changes.
    let reload = reload_report(&mockd, |reload| reload["count"] == 1).await;
    assert_eq!(reload, serde_json::json!({ "ok": true, "count": 1, "changes": changes }));
    let one = mockd.get("/__mockd/reload?limit=1").await.json();
    assert_eq!((&one["changes"], &one["more"]), (&serde_json::json!([changes[0]]), &serde_json::json!(1)));
    file.write_in_place("categories: { toys: { prefx: T } }\n");
    let broken = reload_report(&mockd, |reload| reload["ok"] == false).await;
    assert_eq!((&broken["count"], &broken["changes"]), (&serde_json::json!(1), &changes));
    assert!(broken["error"].as_str().unwrap().starts_with("error: unknown key `prefx`\n"), "{broken}");
    let problem = &broken["problems"][0];
    assert_eq!(
        (&problem["line"], &problem["column"], &problem["kind"]),
        (&1.into(), &23.into(), &"unknown-key".into())
    );
    file.delete();
    reload_report(&mockd, |reload| reload["problems"][0]["kind"] == "unreadable").await;
    file.write_in_place(SHOP);
    reload_report(&mockd, |reload| reload["ok"] == true && reload["count"] == 2).await;
}

#[tokio::test]
async fn a_broken_file_that_is_restored_is_still_broken() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    for _ in 0..2 {
        file.write_in_place(&format!("bogus: 1{SHOP}"));
        mockd.logged("unknown key `bogus`").await;
        file.delete();
        mockd.logged("there is no such file").await;
    }
    file.write_in_place(&format!("bogus: 1{SHOP}"));
    mockd.logged("unknown key `bogus`").await;
    let reload = reload_report(&mockd, |reload| reload["problems"][0]["kind"] == "unknown-key").await;
    assert_eq!(reload["ok"], false);
    file.write_in_place(SHOP);
    mockd.logged("is fixed, and matches the scenario that is served").await;
    reload_report(&mockd, |reload| reload["ok"] == true && reload["count"] == 0).await;
}

#[tokio::test]
async fn sockets_of_a_removed_category_get_its_orders_when_it_returns() {
    let category_feed = format!("feed: category\n{SHOP}");
    let (electronics_only, _) = category_feed.split_once("  confectionery:").unwrap();
    let file = ScenarioFile::new(&category_feed);
    let mut mockd = Mockd::run(&file).await;
    let mut live = mockd.live("confectionery").await;
    assert_eq!(live.order().await, ("B1".into(), 101));
    file.write_in_place(electronics_only);
    mockd.logged("category confectionery removed").await;
    assert_eq!(mockd.get("/confectionery").await.status, 404);
    mockd.order("A1", 1).await;
    file.write_in_place(&category_feed);
    assert_eq!(live.order().await, ("B1".into(), 101));
    mockd.order("B1", 1).await;
    assert_eq!(live.order().await, ("B1".into(), 102));
}
