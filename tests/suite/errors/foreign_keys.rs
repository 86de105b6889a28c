//! Advice for keys that other tools have, and for keys that belong elsewhere.

use super::report;
use super::rules::{answer, assert_problems, route, step, with};

fn endpoint(keys: &str) -> String {
    with(&format!("websocket: {{ /w: {{ {keys} }} }}"))
}

#[test]
fn a_word_of_another_tool_suggests_the_key_that_is_meant() {
    let cases = [
        (answer("{ json: 1 }"), "json", "body"),
        (answer("{ body: 1, delay: 1s }"), "delay", "after"),
        (answer("{ body: 1, code: 201 }"), "code", "status"),
        (answer("{ body: 1, if: true }"), "if", "when"),
        (answer("{ sse: [] }"), "sse", "stream"),
        (step("{ after: 1s, update: { todos: { id: 1 } } }"), "update", "merge"),
        (step("{ delete: { todos: 1 } }"), "delete", "remove"),
        (step("{ repeat: 3, set: { price: 1 } }"), "repeat", "times"),
        (step("{ publish: { to: a, frame: 1 } }"), "publish", "send"),
        (endpoint("connect: [{ reply: hi }]"), "connect", "open"),
        (endpoint("messages: [{ on: hi, reply: hi }]"), "on", "match"),
        (endpoint("close: [{ send: { to: a, frame: 1 } }]"), "close", "closed"),
        (with("triggers: [{ on: todos, set: { price: 1 } }]"), "on", "topic"),
        ("routes: { GET /x: { body: 1 } }".to_owned(), "routes", "http"),
    ];
    for (text, word, meant) in cases {
        let help = format!("did you mean `{meant}`?");
        assert_problems(&[(text, &format!("unknown key `{word}`"), word, &help)]);
    }
}

#[test]
fn a_key_one_level_too_high_is_told_where_it_belongs() {
    let cases = [
        (route("/x", "{ crud: todos, only: [list] }"), "only", "`crud: { collection: todos, only: [list, get] }`"),
        (answer("{ body: 1, query: { a: b } }"), "query", "`match: { query: { page: \"2\" } }`"),
        (endpoint("open: [{ join: a, as: b }]"), "as", "`join: { to: room, as: name }`"),
        (endpoint("open: [{ close: 4401, reason: no }]"), "reason", "`close: { code: 4401, reason: no session }`"),
    ];
    for (text, key, example) in cases {
        let outer = example.trim_start_matches('`').split(':').next().unwrap();
        let help = format!("write it inside `{outer}`: {example}");
        assert_problems(&[(text, &format!("unknown key `{key}`"), key, &help)]);
    }
    let rule = endpoint("messages: [{ each: $msg.topics, join: $item }]");
    assert_problems(&[(rule, "unknown key `each`", "each", "write it in a step: `do: [{ each: $items, … }]`")]);
    let gone = answer("{ stream: [{ reply: 1 }], closed: [] }");
    let help = "a stream has no `closed`; only the sockets of `websocket` do";
    assert_problems(&[(gone, "unknown key `closed`", "closed", help)]);
    let memory = endpoint("open: [{ set: { user: $query.name } }]");
    let help = "write `conn.user` for a value of this socket; values of the world are declared under `data`";
    assert_problems(&[(memory, "there is no value `user`", "user", help)]);
    let redirect = answer("{ redirect: /a }");
    let help = "write `status: 302` and `headers: { location: /path }`";
    assert_problems(&[(redirect, "unknown key `redirect`", "redirect", help)]);
}

#[test]
fn an_unknown_key_causes_no_further_problems() {
    let headlines = |text: &str| -> Vec<String> {
        let report = report(text);
        let is_headline = |line: &&str| line.starts_with("error: ") || line.starts_with("warning: ");
        report.lines().filter(is_headline).map(str::to_owned).collect()
    };
    let rules = endpoint("messages: [{ matches: { a: 1 }, reply: a }, { match: { b: 1 }, reply: b }]");
    assert_eq!(headlines(&rules), ["error: unknown key `matches`"]);
    let answers = answer("[{ wehn: false, body: 1 }, { body: 2 }]");
    assert_eq!(headlines(&answers), ["error: unknown key `wehn`"]);
    let trigger = with("triggers: [{ on: todos, set: { price: 1 } }]");
    assert_eq!(headlines(&trigger), ["error: unknown key `on`"]);
}
