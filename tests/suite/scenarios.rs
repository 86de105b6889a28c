//! Several scenario files: the list, and switching between them.

use std::path::Path;
use std::time::Duration;

use futures_util::future::{join, join_all};
use mockd::embed::Mockd as Embedded;
use serde_json::{Value, json};

use crate::support::{Mockd, SHOP, ScenarioFile, Socket, command, http, soon};

const PATH: &str = "/__mockd/scenarios";

/// Returns the shop with another seed total of A1.
fn shop_with(total: i64) -> String {
    SHOP.replace("total: 3 }", &format!("total: {total} }}"))
}

/// Writes a file beside the first one, and returns its path.
fn beside(file: &ScenarioFile, name: &str, text: &str) -> String {
    let path = file.directory().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path_text(&path)
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Returns the listed files, and the one that is served.
async fn listed(mockd: &Mockd) -> (Vec<String>, Option<String>) {
    let answer = mockd.get(PATH).await.json();
    let scenarios = answer["scenarios"].as_array().unwrap();
    let files = scenarios.iter().map(|one| one["file"].as_str().unwrap().to_owned()).collect();
    let served = scenarios.iter().find(|one| one["serving"] == true);
    (files, served.map(|one| one["file"].as_str().unwrap().to_owned()))
}

/// Switches to a file, and asserts that it succeeds.
async fn switch(mockd: &Mockd, file: &str) -> Value {
    mockd.control("POST", PATH, json!({ "file": file })).await
}

/// Waits until the socket receives this total of A1.
async fn wait_for_total(live: &mut Socket, total: i64) {
    while live.order().await != ("A1".into(), total) {}
}

#[tokio::test]
async fn files_and_folders_are_listed_once_and_the_first_is_served() {
    let file = ScenarioFile::new(SHOP);
    let first = path_text(file.path());
    let (z, a) = (beside(&file, "more/z.yaml", SHOP), beside(&file, "more/a.yml", SHOP));
    for other in ["more/notes.txt", "more/.hidden.yaml", "more/deeper.yaml/b.yaml"] {
        beside(&file, other, SHOP);
    }
    let folder = path_text(&file.directory().join("more"));
    let mockd = Mockd::run_with(file.path(), &[&folder, &z, &first]).await;
    let all = vec![first.clone(), a, z];
    assert_eq!(listed(&mockd).await, (all.clone(), Some(first)));
    // The list belongs to the server, so the request creates no world.
    assert_eq!(mockd.get(&format!("/@nobody{PATH}")).await.json(), mockd.get(PATH).await.json());
    switch(&mockd, &all[2]).await;
    assert_eq!(listed(&mockd).await, (all.clone(), Some(all[2].clone())));
}

#[tokio::test]
async fn the_first_file_of_a_folder_by_name_is_served() {
    let file = ScenarioFile::new(SHOP);
    let first = beside(&file, "more/another.yaml", &format!("name: another\n{SHOP}"));
    let second = beside(&file, "more/my.mockd.yaml", SHOP);
    let mockd = Mockd::run_with(&file.directory().join("more"), &[]).await;
    assert_eq!(mockd.greeting()["scenario"], "another");
    assert_eq!(mockd.greeting()["watching"], first.as_str());
    assert_eq!(listed(&mockd).await, (vec![first.clone(), second], Some(first)));
}

#[tokio::test]
async fn mockd_yaml_or_shop_yaml_is_served_first() {
    let file = ScenarioFile::new(SHOP);
    let first = beside(&file, "another.yaml", &format!("name: another\n{SHOP}"));
    let mockd = Mockd::run_with(file.directory(), &[]).await;
    assert_eq!(listed(&mockd).await, (vec![first.clone(), path_text(file.path())], Some(path_text(file.path()))));
    let usual = beside(&file, "mockd.yaml", &format!("name: usual\n{SHOP}"));
    let mockd = Mockd::run_with(file.directory(), &[]).await;
    assert_eq!(mockd.greeting()["scenario"], "usual");
    assert_eq!(listed(&mockd).await, (vec![first, usual.clone(), path_text(file.path())], Some(usual)));
}

#[tokio::test]
async fn a_file_that_appears_in_a_folder_is_listed_and_can_be_served() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.directory(), &[]).await;
    let new = beside(&file, "a-new.yaml", &format!("name: new\n{SHOP}"));
    assert_eq!(listed(&mockd).await.0, [new.clone(), path_text(file.path())]);
    switch(&mockd, &new).await;
    assert_eq!(mockd.get("/__mockd/categories").await.json()["scenario"], "new");
    std::fs::remove_file(&new).unwrap();
    assert_eq!(listed(&mockd).await, (vec![path_text(file.path())], None));
}

#[tokio::test]
async fn a_switch_reloads_all_worlds_and_keeps_sockets_and_totals() {
    let file = ScenarioFile::new(SHOP);
    let other = beside(&file, "other.yaml", &format!("name: shop\n{}", shop_with(50)));
    let mockd = Mockd::run_with(file.path(), &[&other]).await;
    let mut live = mockd.live("electronics").await;
    let mut in_world = mockd.live_in("/@a", "electronics").await;
    live.texts(2).await;
    in_world.texts(2).await;
    mockd.order("A2", 5).await;
    assert_eq!(live.order().await, ("A2".into(), 12));
    let answer = mockd.control("POST", &format!("/@a{PATH}"), json!({ "file": other })).await;
    let change = json!({ "kind": "total-reset", "id": "A1", "from": 3, "to": 50, "text": "A1 total 3 → 50" });
    assert_eq!(answer, json!({ "ok": true, "count": 1, "changes": [change] }));
    assert_eq!(mockd.get("/__mockd/reload").await.json(), answer);
    assert_eq!(live.order().await, ("A1".into(), 50));
    assert_eq!(in_world.order().await, ("A1".into(), 50));
    mockd.order("A2", 1).await;
    assert_eq!(live.order().await, ("A2".into(), 13));
}

#[tokio::test]
async fn after_a_switch_only_the_new_file_and_includes_are_watched() {
    for flags in [&[][..], &["--poll"]] {
        let file = ScenarioFile::new(SHOP);
        beside(&file, "common/shop.yaml", &shop_with(60));
        let other = beside(&file, "other.yaml", "include: common/shop.yaml\n");
        let mockd = Mockd::run_with(file.path(), &[flags, &[&other]].concat()).await;
        let mut live = mockd.live("electronics").await;
        live.texts(2).await;
        switch(&mockd, &other).await;
        assert_eq!(live.order().await, ("A1".into(), 60));
        file.write_in_place(&shop_with(500));
        for total in [61, 62] {
            beside(&file, "common/shop.yaml", &shop_with(total));
            // The file that is no longer watched sends nothing in between.
            assert_eq!(live.order().await, ("A1".into(), total));
        }
        beside(&file, "other.yaml", &shop_with(70));
        assert_eq!(live.order().await, ("A1".into(), 70));
        // Switching back reads the current content of the previous file.
        switch(&mockd, &path_text(file.path())).await;
        assert_eq!(live.order().await, ("A1".into(), 500));
        file.write_in_place(&shop_with(501));
        assert_eq!(live.order().await, ("A1".into(), 501));
    }
}

#[tokio::test]
async fn a_broken_file_is_refused_and_the_previous_one_kept() {
    let file = ScenarioFile::new(SHOP);
    let broken = beside(&file, "broken.yaml", "categories: { toys: { prefx: T } }\n");
    let gone = beside(&file, "gone.yaml", SHOP);
    let mut mockd = Mockd::run_with(file.path(), &[&broken, &gone]).await;
    std::fs::remove_file(&gone).unwrap();
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    file.write_in_place(&shop_with(10));
    assert_eq!(live.order().await, ("A1".into(), 10));
    mockd.logged("reloaded").await;
    let before = switch(&mockd, &path_text(file.path())).await;
    let answer = mockd.send("POST", PATH, Some(&json!({ "file": broken }))).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let (answer, problem) = (answer.json(), answer.json()["problems"][0].clone());
    let position = (&problem["file"], &problem["line"], &problem["column"], &problem["kind"]);
    assert_eq!(position, (&json!(broken), &json!(1), &json!(23), &json!("unknown-key")));
    let message = answer["message"].as_str().unwrap();
    let start = format!("cannot serve {broken}; the previous scenario is still served\nerror: unknown key `prefx`\n");
    assert!(message.starts_with(&start), "{message}");
    mockd.logged(&format!("{broken} is broken, still serving the last good scenario (shop)")).await;
    let answer = mockd.send("POST", PATH, Some(&json!({ "file": gone }))).await;
    assert_eq!((answer.status, &answer.json()["problems"][0]["kind"]), (422, &json!("unreadable")), "{}", answer.text);
    assert_eq!(mockd.get("/__mockd/reload").await.json(), before);
    assert_eq!(listed(&mockd).await.1, Some(path_text(file.path())));
    beside(&file, "broken.yaml", &shop_with(90));
    file.write_in_place(&shop_with(11));
    assert_eq!(live.order().await, ("A1".into(), 11));
}

#[tokio::test]
async fn a_switch_recovers_from_a_broken_save() {
    let file = ScenarioFile::new(SHOP);
    let other = beside(&file, "other.yaml", &shop_with(50));
    let mut mockd = Mockd::run_with(file.path(), &[&other]).await;
    file.write_in_place("categories: 3\n");
    mockd.logged("is broken").await;
    let answer = switch(&mockd, &other).await;
    assert_eq!((&answer["ok"], &answer["count"]), (&json!(true), &json!(1)));
    let back = mockd.send("POST", PATH, Some(&json!({ "file": file.path() }))).await;
    assert_eq!((back.status, &mockd.get("/__mockd/reload").await.json()), (422, &answer));
}

#[tokio::test]
async fn an_unlisted_file_gets_404_and_an_invalid_request_400() {
    let file = ScenarioFile::new(SHOP);
    let other = beside(&file, "other.yaml", SHOP);
    let mockd = Mockd::run(&file).await;
    let answer = mockd.send("POST", PATH, Some(&json!({ "file": other }))).await;
    let message = format!(
        "{other} is not one of the scenario files that mockd was started with; use a name that GET /__mockd/scenarios \
         lists"
    );
    assert_eq!((answer.status, &answer.json()["message"]), (404, &json!(message)));
    for (invalid, field) in [(json!({}), "file"), (json!({ "file": 3 }), "file"), (json!({ "fil": "x" }), "fil")] {
        let answer = mockd.send("POST", PATH, Some(&invalid)).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{invalid}");
    }
    assert_eq!(mockd.get("/__mockd/reload").await.json()["count"], 0);
}

#[tokio::test]
async fn without_watching_only_a_switch_reads_the_file() {
    let file = ScenarioFile::new(SHOP);
    let other = beside(&file, "other.yaml", &shop_with(50));
    let mockd = Mockd::run_with(file.path(), &["--no-watch", &other]).await;
    let watching = Mockd::run_with(Path::new(&other), &[]).await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    let mut seen = watching.live("electronics").await;
    seen.texts(2).await;
    switch(&mockd, &other).await;
    assert_eq!(live.order().await, ("A1".into(), 50));
    // When the watching server has the second save, the other would have the first.
    for total in [51, 52] {
        beside(&file, "other.yaml", &shop_with(total));
        assert_eq!(seen.order().await, ("A1".into(), total));
    }
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 50);
    // A switch to the served file reads it again.
    switch(&mockd, &other).await;
    assert_eq!(live.order().await, ("A1".into(), 52));
}

#[tokio::test]
async fn concurrent_switches_run_in_turn_with_their_own_answers() {
    let file = ScenarioFile::new(SHOP);
    let others: Vec<String> =
        (1..=8).map(|number| beside(&file, &format!("{number}.yaml"), &shop_with(100 * number))).collect();
    let arguments: Vec<&str> = others.iter().map(String::as_str).collect();
    let mockd = Mockd::run_with(file.path(), &arguments).await;
    let answers = join_all(others.iter().map(|other| switch(&mockd, other))).await;
    let mut counts: Vec<u64> = answers.iter().map(|answer| answer["count"].as_u64().unwrap()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
    for (answer, number) in answers.iter().zip(1..) {
        let changes = answer["changes"].as_array().unwrap();
        assert_eq!(changes.last().unwrap()["to"], 100 * number, "{answer}");
    }
    let last = answers.iter().position(|answer| answer["count"] == 8).unwrap();
    assert_eq!(listed(&mockd).await.1.as_ref(), Some(&others[last]));
}

#[tokio::test]
async fn a_save_during_a_switch_is_not_lost() {
    let file = ScenarioFile::new(SHOP);
    let first = path_text(file.path());
    let other = beside(&file, "other.yaml", &shop_with(50));
    let mockd = Mockd::run_with(file.path(), &[&other]).await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    for round in 1..=20 {
        let (target, total) = if round % 2 == 0 { (&first, 1000 + round) } else { (&other, 2000 + round) };
        let save = async {
            // At a different moment of the switch each time, from its start until the file is watched.
            for _ in 0..round * round / 2 {
                mockd.get("/__mockd/health").await;
            }
            // Atomically: a partly written file would delay the switch.
            let whole = beside(&file, "whole", &shop_with(total));
            std::fs::rename(whole, target).unwrap();
        };
        join(switch(&mockd, target), save).await;
        wait_for_total(&mut live, total).await;
    }
}

#[tokio::test]
async fn a_switch_to_a_file_being_written_waits_for_all_of_it() {
    let file = ScenarioFile::new(SHOP);
    let first = beside(&file, "first.yaml", SHOP);
    let written = path_text(file.path());
    let mockd = Mockd::run_with(Path::new(&first), &[&written]).await;
    // Invalid without its last piece.
    let text = "{ categories: { electronics: { prefix: A, products: [{ id: A1, total: 50 }] } } }";
    // The file is emptied before the request to switch.
    let write = file.write_slowly(text, 4, Duration::from_millis(200));
    let ((), answer) = join(write, switch(&mockd, &written)).await;
    assert_eq!(answer["count"], 1, "{answer}");
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"], json!({ "A1": 50 }));
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_can_switch_from_a_pipe_but_not_back() {
    let file = ScenarioFile::new(SHOP);
    let pipe = file.directory().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = pipe.clone();
    let written = tokio::task::spawn_blocking(move || std::fs::write(writer, shop_with(40)).unwrap());
    let mockd = Mockd::run_with(&pipe, &[file.path().to_str().unwrap()]).await;
    soon("the end of the pipe", written).await.unwrap();
    assert_eq!(mockd.greeting()["watching"], Value::Null);
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    switch(&mockd, &path_text(file.path())).await;
    assert_eq!(live.order().await, ("A1".into(), 3));
    file.write_in_place(&shop_with(4));
    assert_eq!(live.order().await, ("A1".into(), 4));
    let back = mockd.send("POST", PATH, Some(&json!({ "file": pipe }))).await;
    assert_eq!(back.status, 422);
    assert!(back.json()["message"].as_str().unwrap().ends_with("it is not a regular file"), "{}", back.text);
}

#[tokio::test]
async fn an_empty_folder_or_a_missing_file_is_one_clear_error() {
    let file = ScenarioFile::new(SHOP);
    beside(&file, "empty/notes.txt", "");
    let (first, empty) = (path_text(file.path()), path_text(&file.directory().join("empty")));
    let in_empty = format!(
        "error: no scenario in {empty}: it has no file that ends in .yaml, .yml or .json; put one there, or name another \
         folder or a file\n"
    );
    let missing = "error: cannot read nope.yaml: there is no such file\n".to_owned();
    for (arguments, message) in [
        (&["run", &empty][..], &in_empty),
        (&["run", &first, &empty], &in_empty),
        (&["run", &first, "nope.yaml"], &missing),
    ] {
        let output = soon("the end", command(arguments).output()).await.unwrap();
        assert_eq!((output.status.code(), &*String::from_utf8_lossy(&output.stderr)), (Some(1), &**message));
    }
}

#[tokio::test]
async fn listing_and_switching_need_control_access() {
    let file = ScenarioFile::new(SHOP);
    let other = beside(&file, "other.yaml", &shop_with(50));
    let arguments = ["--control-token", "s3cret-s3cret", &other];
    let mockd = Mockd::run_with(file.path(), &arguments).await;
    let url = format!("{}{PATH}", mockd.url());
    let body = json!({ "file": other }).to_string();
    let (json, token) = (("content-type", "application/json"), ("authorization", "Bearer s3cret-s3cret"));
    assert_eq!(http("GET", &url, &[], None).await.status, 401);
    assert_eq!(http("POST", &url, &[json], Some(&body)).await.status, 401);
    assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 3));
    assert_eq!(http("GET", &url, &[token], None).await.status, 200);
    assert_eq!(http("POST", &url, &[json, token], Some(&body)).await.status, 200);
    assert_eq!(mockd.live("electronics").await.order().await, ("A1".into(), 50));
    let open = Mockd::run(&file).await;
    let foreign = [json, ("origin", "https://evil.example")];
    assert_eq!(http("POST", &format!("{}{PATH}", open.url()), &foreign, Some(&body)).await.status, 403);
}

#[tokio::test]
async fn an_embedded_mock_lists_its_file_and_refuses_to_switch() {
    let file = ScenarioFile::new(SHOP);
    let path = path_text(file.path());
    let from_file = Embedded::builder().file(file.path()).start().await.unwrap();
    let from_text = Embedded::builder().yaml(SHOP).start().await.unwrap();
    let files = json!([{ "file": path, "serving": true }]);
    for (mockd, files) in [(from_file, files), (from_text, json!([]))] {
        let url = format!("{}{PATH}", mockd.url());
        assert_eq!(http("GET", &url, &[], None).await.json(), json!({ "scenarios": files }));
        let body = json!({ "file": path }).to_string();
        let answer = http("POST", &url, &[("content-type", "application/json")], Some(&body)).await;
        let message = "this mock cannot switch scenarios; start the server with `mockd run`";
        assert_eq!((answer.status, &answer.json()["message"]), (409, &json!(message)));
    }
}

#[tokio::test]
async fn the_greeting_has_the_number_of_scenarios_and_the_url() {
    let file = ScenarioFile::new(SHOP);
    beside(&file, "other.yaml", SHOP);
    let mut child = command(&["run", file.directory().to_str().unwrap(), "--port", "0"]);
    let mut child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let stdout = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = tokio::io::AsyncBufReadExt::lines(stdout);
    let (mut url, mut is_greeted) = (String::new(), false);
    while let Some(line) = soon("a line", lines.next_line()).await.unwrap() {
        url = line.split_once(" at ").map_or(url, |(_, url)| url.to_owned());
        is_greeted |= line == format!("  2 scenarios: {url}/__mockd/ or POST /__mockd/scenarios switches between them");
        if line.starts_with("ready") {
            break;
        }
    }
    assert!(is_greeted);
}

#[tokio::test]
async fn a_file_without_a_seed_uses_the_initial_seed_again() {
    let unseeded = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }\n";
    let file = ScenarioFile::new(unseeded);
    let seeded = beside(&file, "seeded.yaml", &format!("seed: 13\n{unseeded}"));
    let mockd = Mockd::run_with(file.path(), &[&seeded]).await;
    let seed = async || mockd.get("/__mockd/state").await.json()["seed"].as_u64().unwrap();
    let first = seed().await;
    assert_ne!(first, 13);
    switch(&mockd, &seeded).await;
    assert_eq!(seed().await, 13);
    switch(&mockd, &path_text(file.path())).await;
    assert_eq!(seed().await, first);
}
