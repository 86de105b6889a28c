//! A request to one server takes effect on all servers.

use std::time::Duration;

use futures_util::future::join_all;
use mockd::embed::Mockd;
use mockd::store::Memory;
use mockd::world::Until;
use serde_json::{Value, json};

use super::{agreed, server, servers};
use crate::support::{self, Redis, SHOP, ScenarioFile, command, needs, poll};

#[tokio::test]
async fn an_order_on_one_server_reaches_all_sockets_in_the_same_order() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(3, &file, &redis, &[]).await;
    let mut sockets = Vec::new();
    for server in &servers {
        let mut socket = server.live("electronics").await;
        assert_eq!(socket.texts(2).await, [r#"{"id":"A1","total":3}"#, r#"{"id":"A2","total":7}"#]);
        sockets.push(socket);
    }
    join_all(servers.iter().map(async |server| {
        for _ in 0..50 {
            server.order("A1", 1).await;
            server.order("B1", -1).await;
        }
    }))
    .await;
    let mut seen = Vec::new();
    for socket in &mut sockets {
        seen.push(socket.texts(300).await);
    }
    assert!(seen.iter().all(|one| *one == seen[0]));
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"], json!({ "A1": 153, "A2": 7, "B1": -49 }));
}

#[tokio::test]
async fn a_client_reads_its_own_writes() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(2, &file, &redis, &[]).await;
    for number in 1..=20 {
        let answer = servers[number % 2].post("/electronics", r#"{"name":"Kite"}"#).await.json();
        let id = format!("A{}", number + 2);
        assert_eq!(answer.as_array().unwrap().last().unwrap()["id"], *id);
        servers[number % 2].order(&id, 5).await;
        assert_eq!(servers[number % 2].get("/__mockd/state").await.json()["totals"][&*id], 5);
    }
    agreed(&servers, "/__mockd/state").await;
    assert_eq!(servers[0].get("/electronics").await.text, servers[1].get("/electronics").await.text);
}

#[tokio::test]
async fn refusals_are_the_same_as_on_a_single_server() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let (alone, shared) = (support::Mockd::run(&file).await, servers(2, &file, &redis, &[]).await);
    let requests = [
        ("/orders/Z9", json!({ "amount": 1 })),
        ("/orders/A1", json!({ "amount": 9_007_199_254_740_991_i64 })),
        ("/orders/A1", json!({ "amount": "3" })),
        ("/__mockd/orders", json!({ "orders": [{ "id": "A1", "amount": 1 }, { "id": "Z9", "amount": 1 }] })),
        ("/__mockd/snapshots/none/restore", Value::Null),
        ("/__mockd/clock", json!({ "advanceTo": "0s" })),
    ];
    for (path, body) in requests {
        let body = Some(&body).filter(|body| !body.is_null());
        let (one, other) = (alone.send("POST", path, body).await, shared[1].send("POST", path, body).await);
        assert_eq!(other.status, one.status, "{path} {}", other.text);
        if !path.ends_with("clock") {
            assert_eq!(other.text, one.text, "{path}");
        }
    }
    assert_eq!(agreed(&shared, "/__mockd/state").await["totals"]["A1"], 3);
}

#[tokio::test]
async fn clock_reset_snapshots_and_faults_are_shared_by_all_servers() {
    needs!(Redis);
    let scenario = format!(
        "{SHOP}orders: {{ scripts: [{{ steps: [{{ at: 10s, product: A1, amount: 5, times: 3, every: 1s }}] }}] }}\n"
    );
    let (file, redis) = (ScenarioFile::new(&scenario), Redis::start().await);
    let servers = servers(3, &file, &redis, &["--paused"]).await;
    let mut socket = servers[2].live("electronics").await;
    socket.texts(2).await;
    assert_eq!(servers[0].advance("", "11s").await, ["10s A1 8", "11s A1 13"]);
    assert_eq!(socket.order().await, ("A1".into(), 8));
    assert_eq!(socket.order().await, ("A1".into(), 13));
    servers[1].control("POST", "/__mockd/snapshots", json!({ "name": "eleven" })).await;
    assert_eq!(servers[2].advance("", "1s").await, ["12s A1 18"]);
    servers[0].control("POST", "/__mockd/snapshots/eleven/restore", Value::Null).await;
    assert_eq!(servers[1].advance("", "1s").await, ["12s A1 18"]);
    // The others follow a moment later. The totals were the same before the restore, so only a later change shows that
    // all servers have applied it.
    servers[1].order("B1", 1).await;
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"]["B1"], 102);
    let transcripts = join_all(servers.iter().map(async |server| server.get("/__mockd/transcript").await.text)).await;
    assert!(transcripts.iter().all(|one| *one == transcripts[0]), "{transcripts:?}");
    let fault = json!({ "name": "closed", "on": "http", "path": "/electronics", "status": 503 });
    servers[2].control("POST", "/__mockd/faults", fault).await;
    for server in &servers {
        server.until("/__mockd/faults", |answer| answer["faults"][0]["label"] == "closed").await;
        assert_eq!(server.get("/electronics").await.status, 503);
    }
    servers[1].control("POST", "/__mockd/reset", Value::Null).await;
    for server in &servers {
        server.until("/__mockd/faults", |answer| answer["faults"] == json!([])).await;
    }
    let state = agreed(&servers, "/__mockd/state").await;
    assert_eq!((&state["at"], &state["totals"]["A1"], &state["sequence"]), (&json!("0s"), &json!(3), &json!(0)));
}

#[tokio::test]
async fn a_save_on_one_server_reloads_all_and_closes_no_socket() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(3, &file, &redis, &[]).await;
    servers[1].control("POST", "/__mockd/worlds", json!({ "name": "other" })).await;
    let (mut socket, mut other) =
        (servers[2].live("electronics").await, servers[1].live_in("/@other", "electronics").await);
    socket.texts(2).await;
    other.texts(2).await;
    servers[2].order("A2", 1).await;
    file.write_in_place(&SHOP.replace("total: 3", "total: 40"));
    assert_eq!(socket.texts(2).await, [r#"{"id":"A2","total":8}"#, r#"{"id":"A1","total":40}"#]);
    assert_eq!(other.text().await, r#"{"id":"A1","total":40}"#);
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"], json!({ "A1": 40, "A2": 8, "B1": 101 }));
}

#[tokio::test]
async fn a_save_without_changes_is_reported_and_the_next_is_applied() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(2, &file, &redis, &[]).await;
    file.write_in_place(&format!("{SHOP}# a remark\n"));
    servers[0].until("/__mockd/reload", |reload| reload["count"] == 1 && reload["changes"] == json!([])).await;
    file.write_in_place(&SHOP.replace("total: 3", "total: 40"));
    // The other server reports it too.
    for server in &servers {
        let reload = server.until("/__mockd/reload", |reload| reload["changes"] != json!([])).await;
        assert_eq!((&reload["changes"][0]["id"], &reload["changes"][0]["to"]), (&json!("A1"), &json!(40)));
    }
}

#[tokio::test]
async fn servers_that_watch_the_same_file_all_report_the_change() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = [server(&file, &redis, vec![]).await, server(&file, &redis, vec![]).await];
    file.write_in_place(&SHOP.replace("total: 3", "total: 40"));
    for server in &servers {
        let reload = server.until("/__mockd/reload", |reload| reload["count"].as_u64() > Some(0)).await;
        assert_eq!(reload["changes"][0]["to"], 40, "{reload}");
    }
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"]["A1"], 40);
}

#[tokio::test]
async fn a_world_is_created_and_removed_on_all_servers() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(2, &file, &redis, &[]).await;
    servers[0].control("POST", "/__mockd/worlds", json!({ "name": "test-1", "seed": 7, "paused": true })).await;
    let world = servers[1].control("GET", "/__mockd/worlds/test-1", Value::Null).await;
    assert_eq!((&world["seed"], &world["paused"]), (&json!(7), &json!(true)));
    let mut socket = servers[1].live_in("/@test-1", "confectionery").await;
    socket.texts(1).await;
    assert_eq!(servers[0].post("/@test-1/orders/B1", r#"{"amount":4}"#).await.status, 200);
    assert_eq!(socket.order().await, ("B1".into(), 105));
    let again = servers[1].send("POST", "/__mockd/worlds", Some(&json!({ "name": "test-1" }))).await;
    assert_eq!(again.status, 409);
    // A world that a request creates is in the other server's list.
    assert_eq!(servers[0].get("/@lazy/electronics").await.status, 200);
    let list = servers[1].get("/__mockd/worlds").await.json();
    let names: Vec<&str> =
        list["worlds"].as_array().unwrap().iter().map(|world| world["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["default", "lazy", "test-1"]);
    servers[0].control("DELETE", "/__mockd/worlds/test-1", Value::Null).await;
    assert_eq!(socket.close_code().await, 1001);
    assert_eq!(servers[1].get("/__mockd/worlds/test-1").await.status, 404);
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"]["B1"], 101);
}

#[tokio::test]
async fn a_server_that_joins_late_has_the_whole_state() {
    needs!(Redis);
    let scenario = format!("{SHOP}orders: {{ random: [{{ every: 1s, amount: {{ min: 1, max: 9 }} }}] }}\n");
    let (file, redis) = (ScenarioFile::new(&scenario), Redis::start().await);
    let mut servers = servers(1, &file, &redis, &["--paused"]).await;
    servers[0].post("/electronics", r#"{"name":"Kite"}"#).await;
    servers[0].advance("", "20s").await;
    servers[0].control("POST", "/__mockd/snapshots", json!({ "name": "twenty" })).await;
    servers[0].control("POST", "/__mockd/clock", json!({ "advance": "5s" })).await;
    servers.push(server(&file, &redis, vec!["--paused"]).await);
    let state = agreed(&servers, "/__mockd/state").await;
    assert_eq!((&state["at"], state["snapshots"].as_array().unwrap().len()), (&json!("25s"), 1));
    assert_eq!(servers[0].get("/electronics").await.text, servers[1].get("/electronics").await.text);
    // The generator continues with the same numbers on either server.
    servers[1].advance("", "10s").await;
    let state = agreed(&servers, "/__mockd/state").await;
    servers[0].control("POST", "/__mockd/snapshots/twenty/restore", Value::Null).await;
    servers[0].advance("", "15s").await;
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"], state["totals"]);
}

#[tokio::test]
async fn server_settings_and_file_locations_are_not_shared() {
    needs!(Redis);
    let redis = Redis::start().await;
    let with = |server: &str| ScenarioFile::new(&format!("server: {{ {server} }}{SHOP}"));
    let (one, other) = (with("static: ., cors: false"), with("static: ., cors: true"));
    let servers = [server(&one, &redis, vec![]).await, server(&other, &redis, vec![]).await];
    let cors = async |server: &support::Mockd| {
        server.get("/electronics").await.header("access-control-allow-origin").to_owned()
    };
    assert_eq!([cors(&servers[0]).await, cors(&servers[1]).await], ["", "*"]);
    one.write_in_place(&format!("server: {{ static: ., cors: false }}{}", SHOP.replace("total: 3", "total: 40")));
    let reload = servers[1].until("/__mockd/reload", |reload| reload["count"] == 1).await;
    let kinds: Vec<&Value> = reload["changes"].as_array().unwrap().iter().map(|change| &change["kind"]).collect();
    assert_eq!(kinds, ["total-reset"], "{reload}");
    assert_eq!(cors(&servers[1]).await, "*");
}

#[tokio::test]
async fn another_scenario_is_refused_unless_the_server_publishes_it() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(1, &file, &redis, &[]).await;
    let other = ScenarioFile::new(&SHOP.replace("total: 3", "total: 30"));
    let (url, path) = (redis.url(), other.path().display().to_string());
    let refused = command(&["run", &path, "--port", "0", "--store", &url]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8(refused.stderr).unwrap();
    let name = other.path().file_name().unwrap().to_str().unwrap();
    assert!(
        stderr.contains("play another scenario") && stderr.contains(name) && stderr.contains("--publish"),
        "{stderr}"
    );
    assert_eq!(servers[0].get("/__mockd/state").await.json()["totals"]["A1"], 3);
    let mut socket = servers[0].live("electronics").await;
    socket.texts(2).await;
    let publisher = server(&other, &redis, vec!["--publish"]).await;
    assert_eq!(socket.order().await, ("A1".into(), 30));
    assert_eq!(publisher.get("/__mockd/state").await.json()["totals"]["A1"], 30);
}

#[tokio::test]
async fn embedded_mocks_with_a_shared_store_are_one_mock() {
    let store = Memory::default();
    let scenario = format!("{SHOP}orders: {{ scripts: [{{ steps: [{{ at: 10s, product: A1, amount: 5 }}] }}] }}\n");
    let start = || Mockd::builder().yaml(&*scenario).paused().shared_by(&store).start();
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    let world = one.shared_world("checkout").await.unwrap();
    world.order("A1", 2).await.unwrap();
    let same = other.shared_world("checkout").await.unwrap();
    let advanced = same.advance(Until::At(Duration::from_secs(10))).await.unwrap();
    assert_eq!(advanced.count, 1);
    world.order("A1", 1).await.unwrap();
    for world in [&world, &same] {
        let state =
            poll("the last order", async || Some(world.state().await.unwrap()).filter(|state| state.sequence == 3));
        assert_eq!(state.await.values[0], ("A1".into(), 11));
    }
    assert_eq!(other.default_world().state().await.unwrap().values[0], ("A1".into(), 3));
}
