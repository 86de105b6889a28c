//! The store is unreachable, returns, or has lost data.

use serde_json::{Value, json};

use super::{agreed, server, servers};
use crate::support::{Redis, SHOP, ScenarioFile, needs, poll};

#[tokio::test]
async fn without_the_store_reads_work_and_changes_are_refused() {
    needs!(Redis);
    let (file, mut redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(2, &file, &redis, &[]).await;
    let mut socket = servers[1].live("electronics").await;
    socket.texts(2).await;
    servers[0].order("A1", 2).await;
    assert_eq!(socket.order().await, ("A1".into(), 5));
    redis.kill().await;
    for server in &servers {
        let health = server.until("/__mockd/health", |health| health["status"] == "degraded").await;
        assert!(health["trouble"].as_str().unwrap().contains("cannot be reached"), "{health}");
        for (path, body) in [
            ("/orders/A1", json!({ "amount": 1 })),
            ("/electronics", json!({ "name": "Kite" })),
            ("/__mockd/reset", Value::Null),
        ] {
            let answer = server.send("POST", path, Some(&body).filter(|body| !body.is_null())).await;
            assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{path}: {}", answer.text);
        }
        assert_eq!(server.get("/electronics").await.json().as_array().unwrap().len(), 2);
        assert_eq!(server.get("/__mockd/state").await.json()["totals"]["A1"], 5);
    }
    socket.update_category("confectionery").await;
    assert_eq!(socket.order().await, ("B1".into(), 101));
    redis.run().await;
    for server in &servers {
        server.until("/__mockd/health", |health| health["status"] == "ok").await;
    }
    servers[0].order("A1", 10).await;
    assert_eq!(socket.order().await, ("A1".into(), 15));
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"]["A1"], 15);
}

#[tokio::test]
async fn servers_refill_an_emptied_store_without_loss() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let mut servers = servers(2, &file, &redis, &[]).await;
    let mut socket = servers[1].live("electronics").await;
    socket.texts(2).await;
    servers[0].order("A1", 2).await;
    servers[0].post("/electronics", r#"{"name":"Kite"}"#).await;
    assert_eq!(socket.order().await, ("A1".into(), 5));
    agreed(&servers, "/__mockd/state").await;
    redis.command("FLUSHALL").await;
    redis.command("CLIENT KILL TYPE normal").await;
    // A refused change may have been applied. Setting a total twice makes no difference.
    let total = json!({ "totals": { "A3": 7 } });
    let set = async || (servers[0].send("PATCH", "/__mockd/state", Some(&total)).await.status == 200).then_some(());
    poll("a total", set).await;
    assert_eq!(socket.order().await, ("A3".into(), 7));
    let state = agreed(&servers, "/__mockd/state").await;
    assert_eq!(state["totals"], json!({ "A1": 5, "A2": 7, "B1": 101, "A3": 7 }));
    let texts = redis.command("KEYS *:text:*").await.unwrap();
    assert!(texts.starts_with("*1"), "not only the scenario: {texts}");
    servers.push(server(&file, &redis, vec![]).await);
    assert_eq!(agreed(&servers, "/__mockd/state").await["totals"], state["totals"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_suspended_server_catches_up_with_the_log() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(SHOP), Redis::start().await);
    let servers = servers(2, &file, &redis, &[]).await;
    let mut socket = servers[1].live("electronics").await;
    socket.texts(2).await;
    // The suspended server receives nothing.
    servers[1].signal("STOP");
    for _ in 0..6_100 {
        servers[0].order("B1", 1).await;
    }
    servers[0].order("A1", 5).await;
    let first = async || redis.command("XRANGE mockd:{default}:log 1-1 1-1").await.unwrap();
    poll("the end of the old log entries", async || first().await.starts_with("*0").then_some(())).await;
    servers[1].signal("CONT");
    let state = agreed(&servers, "/__mockd/state").await;
    let total = format!(r#"{{"id":"B1","total":{}}}"#, state["totals"]["B1"]);
    socket.until(&total).await;
    servers[1].order("A2", 1).await;
    socket.until(r#"{"id":"A2","total":8}"#).await;
}
