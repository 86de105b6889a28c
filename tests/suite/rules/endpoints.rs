//! WebSocket endpoints.

use std::collections::BTreeSet;
use std::sync::Arc;

use mockd::scenario::{Endpoint, Protocol, SetTarget, Verb};
use serde_json::{Value, json};

use super::with;

/// Returns the only endpoint of a scenario.
fn endpoint(value: &str) -> Arc<Endpoint> {
    let scenario = with(&format!("websocket:\n  /rooms/{{room}}: {value}"));
    scenario.endpoints().get("/rooms/{room}").unwrap().clone()
}

fn names(names: &BTreeSet<String>) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

#[test]
fn an_endpoint_has_steps_message_rules_and_a_frame() {
    let endpoint = endpoint(
        "{
    frame: { topic: $topic, data: $event.row, me: $conn.id },
    open: [{ reply: '{{ todos | length }}' }, { join: { to: todos, as: $query.id, do: [{ every: 1s, times: 3, reply: $path.room }] } }],
    messages: [{ match: { type: [a, $conn.name] }, reply: $msg }, { text: 'hello *', close: 4401 }, { when: msg.x > 1, do: [{ leave: { as: x } }] }, { send: { frame: 1 } }],
    closed: [{ send: { to: news, frame: $conn.name, others: true } }, { after: 1s, set: { price: 2 } }],
  }",
    );
    assert_eq!((&*endpoint.key, endpoint.path.to_string()), ("/rooms/{room}", "/rooms/{room}".to_owned()));
    assert_eq!((endpoint.protocol, endpoint.subprotocols.len()), (Protocol::Plain, 0));
    assert_eq!(endpoint.open.as_ref().unwrap().steps().len(), 2);
    let rules: Vec<_> = endpoint
        .messages
        .iter()
        .map(|rule| (rule.matches.is_some(), rule.text.as_deref(), rule.when.is_some()))
        .collect();
    assert_eq!(
        rules,
        [(true, None, false), (false, Some("hello *"), false), (false, None, true), (false, None, false)]
    );
    assert!(matches!(endpoint.messages[3].steps.steps()[0].verb, Verb::Send { to: None, others: false, .. }));
    assert!(matches!(endpoint.messages[1].steps.steps()[0].verb, Verb::Close { code: Some(_), reason: None }));
    let closed = endpoint.closed.as_ref().unwrap();
    assert!(matches!(closed.steps()[0].verb, Verb::Send { to: Some(_), others: true, .. }));
    assert!(endpoint.frame.is_some() && endpoint.handshake.is_none());
    assert_eq!(names(&endpoint.names), ["path", "query"]);
}

#[test]
fn an_empty_endpoint_accepts_sockets_and_does_nothing() {
    let endpoint = endpoint("{}");
    assert!(endpoint.lists().next().is_none() && endpoint.handshake.is_none());
    assert!(endpoint.names.is_empty() && endpoint.source == json!({}));
}

#[test]
fn a_refusal_of_a_handshake_needs_no_status() {
    let endpoint = endpoint(
        "{
    handshake: [
      { when: query.token != 'x', status: 401, headers: { www-authenticate: Bearer }, body: { error: $path.room } },
      { match: { headers: { origin: 'http://evil*' } } },
    ],
    open: [{ reply: $cookies.sid }],
  }",
    );
    let answers = endpoint.handshake.as_ref().unwrap();
    assert_eq!((&*answers.key, names(&answers.names)), ("/rooms/{room}", vec!["headers", "path", "query"]));
    let written: Vec<&Value> = answers.source.as_array().unwrap().iter().collect();
    assert_eq!((written[0]["status"].clone(), written[1].get("status")), (json!(401), None));
    assert!(answers.only_reads && answers.list.iter().all(|answer| answer.status.is_some()));
    assert_eq!(names(&endpoint.names), ["cookies"]);
}

#[test]
fn subprotocols_are_declared_or_follow_from_the_protocol() {
    for (value, protocol, expected) in [
        ("{ subprotocol: chat.v1 }", Protocol::Plain, vec!["chat.v1"]),
        ("{ subprotocol: [b, a] }", Protocol::Plain, vec!["b", "a"]),
        ("{ protocol: socket.io }", Protocol::SocketIo, vec![]),
        ("{ protocol: graphql-transport-ws }", Protocol::GraphqlTransportWs, vec!["graphql-transport-ws"]),
        ("{ protocol: graphql-transport-ws, subprotocol: own }", Protocol::GraphqlTransportWs, vec!["own"]),
    ] {
        let endpoint = endpoint(value);
        let subprotocols: Vec<&str> = endpoint.subprotocols.iter().map(|one| &**one).collect();
        assert_eq!((endpoint.protocol, subprotocols), (protocol, expected), "{value}");
    }
}

#[test]
fn open_steps_of_a_protocol_can_read_the_connect_message() {
    for protocol in ["socket.io", "graphql-transport-ws"] {
        let endpoint = endpoint(&format!("{{ protocol: {protocol}, open: [{{ set: {{ conn.client: $msg }} }}] }}"));
        assert_eq!(endpoint.protocol.to_string(), protocol);
    }
}

#[test]
fn socket_steps_set_connection_data_and_values() {
    let endpoint = endpoint("{ messages: [{ set: { conn.user.name: $msg, price: 2, prices.BTC: 3 } }] }");
    let Verb::Set(values) = &endpoint.messages[0].steps.steps()[0].verb else { panic!() };
    let targets: Vec<String> = values
        .iter()
        .map(|(target, _)| match target {
            SetTarget::Value(path) => format!("{} {}", path.name, path.keys.join(".")),
            SetTarget::Conn(keys) => format!("conn: {}", keys.join(".")),
        })
        .collect();
    assert_eq!(targets, ["conn: user.name", "price ", "prices BTC"]);
}

#[test]
fn an_endpoint_finds_its_step_lists_by_their_source() {
    let endpoint = endpoint(
        "{
    open: [{ do: [{ join: { to: a, do: [{ every: 1s, times: 2, reply: 1 }] } }] }],
    messages: [{ reply: 2 }, { join: { to: b, do: [{ reply: 3 }] } }],
    closed: [{ set: { price: 4 } }],
  }",
    );
    for written in [
        json!([{ "every": "1s", "times": 2, "reply": 1 }]),
        json!([{ "join": { "to": "a", "do": [{ "every": "1s", "times": 2, "reply": 1 }] } }]),
        json!([{ "reply": 2 }]),
        json!([{ "reply": 3 }]),
        json!([{ "set": { "price": 4 } }]),
    ] {
        assert_eq!(endpoint.list_with_source(&written).map(|list| &**list.source()), Some(&written));
    }
    assert!(endpoint.list_with_source(&json!([{ "reply": 4 }])).is_none());
}

#[test]
fn an_endpoint_and_a_route_may_share_a_path() {
    let scenario = with("http: { GET /feed: { body: 1 } }\nwebsocket: { /feed: {}, /toys: {}, /orders/T1: {} }");
    let keys: Vec<&str> = scenario.endpoints().iter().map(|one| &*one.key).collect();
    assert_eq!(keys, ["/feed", "/toys", "/orders/T1"]);
    assert!(scenario.routes().find("/feed").is_some());
}
