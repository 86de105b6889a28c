//! A scenario printed as YAML parses to the same scenario.

use mockd::scenario::{Scenario, Source, parse};

use crate::support::{accepted, command, http};

/// Every key of a shop scenario, with YAML anchors and merge keys.
const ALL_KEYS: &str = r#"
name: everything
seed: 18446744073709551615
feed: category
server: { host: 0.0.0.0, port: 8080, static: site, cors: ["http://localhost:5050"] }
categories:
  electronics:
    prefix: A
    products:
      - &first { id: A7, name: no, code: 010, big: 1_000, price: 1.50, tags: [~, true, { deep: "" }], total: 3, order: { returned: 1 } }
      - { <<: *first, id: A2, name: "yes", total: -7 }
      - { name: "line\nbreak and 甘い", "": odd }
    fields: { name: string, rrp: [string, number], info: { type: [string, "null"], optional: true } }
  empty: { prefix: E }
orders:
  random:
    - { every: 1.5s, jitter: 200ms, amount: { min: -1, max: 7 }, products: all, from: 1m, until: 1h30m }
    - { rate: 20/s, arrivals: poisson, amount: 2, products: [A7, A2] }
    - { rate: 0.5/m, products: { category: electronics } }
    - { every: 250us, products: { weights: { A7: 5, A2: 1, A8: 0 } } }
  scripts:
    - name: sale
      start: 10ms
      repeat: forever
      steps:
        - { at: 2s, product: A7, amount: 10 }
        - { after: 500ms, product: A2, amount: -1, times: 100, every: 10ms }
        - { at: 7s, set: { product: A7, total: 0 } }
        - { at: 8s, add: { category: electronics, product: { name: Drone, rrp: "12.50", total: 5 } } }
        - { at: 8s, add: { category: empty, product: { id: E9 } } }
        - { at: 9s, product: A9, amount: 1 }
        - { at: 9s, remove: { product: E9 } }
    - { repeat: 3, steps: [{ after: 1s, product: A7, amount: 1 }] }
    - { repeat: 3, steps: [{ product: A7, amount: { min: -1, max: 7 }, times: 2 }, { product: A2, amount: { min: 2, max: 2 } }] }
"#;

/// Every key of a general scenario.
const GENERAL: &str = r#"
starts: 2026-01-01T09:00:00.5+01:00
data: { todos: [{ title: "{{ x }}" }], price: 9.5 }
http:
  GET /price: { when: query.x == '1', headers: { set-cookie: [a, b] }, body: { price: $price, at: "{{ now.ms }}" } }
  "POST /todos/{id}/{*rest}":
    - { match: { body: { done: true } }, do: [{ merge: { todos: { id: $path.id, done: true } } }], after: 1s }
    - { status: 404, text: "no {{ path.rest }}" }
  /todos: { crud: { collection: todos, only: [list, get, add], fields: { title: string } } }
websocket:
  /rooms/{room}:
    handshake: [{ when: query.token != 'x', status: 401 }]
    subprotocol: [a, b]
    frame: { data: $event }
    open: [{ join: { to: todos, as: "1", where: { row: { id: 1 } }, frame: null, do: [{ times: 3, every: 1s, reply: $now.iso }] } }]
    messages: [{ match: { type: [a] }, reply: { binary: aGk= } }, { text: "a *", when: msg, do: [{ set: { conn.name: $msg } }] }, { close: { code: 4401, reason: bye } }]
    closed: [{ send: { frame: $conn.name } }]
  /chat: { protocol: socket.io }
triggers:
  - { topic: todos, when: event.change == 'added', set: { price: 1 } }
scripts:
  - { name: s, start: 1s, repeat: forever, steps: [{ at: 1s, add: { todos: { title: a } } }, { do: [{ set: { price: 2 } }], times: 3, every: 1s }] }
random:
  - { rate: 1/s, arrivals: poisson, pick: todos, remove: { todos: $it.id } }
"#;

fn assert_round_trips(scenario: &Scenario) {
    let printed = scenario.to_yaml();
    let again =
        parse(&Source::new("scenario.yaml", &printed)).unwrap_or_else(|problems| panic!("{problems}\n{printed}"));
    assert_eq!(again, *scenario, "{printed}");
    assert_eq!(again.to_yaml(), printed);
}

#[test]
fn every_key_survives_a_round_trip() {
    assert_round_trips(&accepted(ALL_KEYS));
    assert_round_trips(&accepted(GENERAL));
    let shop = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }\norders: { random: [{ every: 1s }] }";
    assert_round_trips(&accepted(&format!("{shop}\n{GENERAL}")));
}

#[test]
fn printed_faults_keep_their_targets() {
    let faults = "[
      { on: http, method: PATCH, path: '/x/*', share: 5%, reset: true, after: 9 },
      { on: websocket, latency: 1s, from: 1s, until: 2s },
      { name: lossy, on: stream, path: '*/events', share: 50%, skip: 1, times: 2, drop: true, chance: 5% },
      { on: stream, latency: { min: 1s, max: 2s } },
      { on: stream, duplicate: true },
      { on: stream, reset: true },
      { on: stream, reset: true, after: 3 },
    ]";
    let scenario = accepted(&format!("{GENERAL}faults: {faults}"));
    assert_round_trips(&scenario);
    let streams: Vec<bool> = scenario.faults().iter().map(|fault| fault.matches().streams).collect();
    assert_eq!(streams, [false, false, true, true, true, true, true]);
}

#[test]
fn absent_sections_are_not_printed() {
    let keys = |text: &str| -> Vec<String> {
        let printed: serde_json::Map<String, serde_json::Value> =
            serde_yaml::from_str(&accepted(text).to_yaml()).unwrap();
        printed.keys().cloned().collect()
    };
    assert_eq!(keys("data: { x: 1 }"), ["name", "seed", "data"]);
    assert_eq!(keys(GENERAL), ["name", "seed", "starts", "data", "http", "websocket", "triggers", "scripts", "random"]);
    assert_eq!(keys("categories: { toys: { prefix: T } }"), ["name", "seed", "categories", "orders"]);
}

#[tokio::test]
async fn printed_paths_of_files_stay_valid() {
    let directory = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    for name in ["mock/a.txt", "mock/parts/c.txt", "shared/e.txt", "up/f.txt"] {
        write(name, name);
    }
    write("mock/parts/more.yaml", "http: { GET /c: { file: c.txt }, GET /d: { file: $query.name } }\n");
    write("shared/common.yaml", "http: { GET /e: { file: e.txt } }\n");
    let main = write(
        "mock/main.yaml",
        "include: [parts/more.yaml, ../shared/common.yaml]
http:
  GET /a: { file: a.txt }
  GET /b: [{ when: query.wrong, status: 400 }, { file: $query.name }]
  GET /f: { file: '../up/{{ query.name }}.txt' }
",
    );
    let printed = mockd::scenario::load(&main).outcome.unwrap().to_yaml();
    for path in [
        "parts/c.txt",
        "parts/{{ query.name }}",
        "../shared/e.txt",
        "a.txt",
        "$query.name",
        "../up/{{ query.name }}.txt",
    ] {
        assert!(printed.contains(&format!("file: {path}\n")), "{path} is not in\n{printed}");
    }
    let again = write("mock/printed.yaml", &printed);
    assert_eq!(mockd::scenario::load(&again).outcome.unwrap().to_yaml(), printed);
    for file in [main, again] {
        let mockd = mockd::embed::Mockd::builder().file(&file).start().await.unwrap();
        for (request, status, text) in [
            ("/a", 200, "mock/a.txt"),
            ("/b?name=a.txt", 200, "mock/a.txt"),
            ("/c", 200, "mock/parts/c.txt"),
            ("/d?name=c.txt", 200, "mock/parts/c.txt"),
            ("/e", 200, "shared/e.txt"),
            ("/f?name=f", 200, "up/f.txt"),
            ("/f?name=none", 404, "File ../up/none.txt not found"),
            ("/f?name=..%2Fmock%2Fa", 400, "a path below the scenario's directory"),
        ] {
            let answer = http("GET", &format!("{}{request}", mockd.url()), &[], None).await;
            assert_eq!(answer.status, status, "{request}: {}", answer.text);
            assert!(answer.text.contains(text), "{request}: {}", answer.text);
        }
        mockd.stop().await;
    }
}

#[tokio::test]
async fn check_print_prints_the_same_scenario() {
    let output = command(&["check", "--print", "scenarios/webhook.yaml"]).output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with("name: webhook\n"), "{printed}");
    let source = std::fs::read_to_string("scenarios/webhook.yaml").unwrap();
    let declared = parse(&Source::new("webhook.yaml", &source)).unwrap();
    assert_eq!(parse(&Source::new("webhook.yaml", &printed)).unwrap(), declared);
}
