//! Warnings about valid scenarios.

use mockd::scenario::load;
use tempfile::TempDir;

/// Returns the warnings about a file whose directory also contains `there.txt`.
fn warnings(text: &str) -> String {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mockd.yaml");
    std::fs::write(&file, text).unwrap();
    std::fs::write(directory.path().join("there.txt"), "hello").unwrap();
    let loading = load(&file);
    assert!(loading.outcome.is_ok(), "{:?}", loading.outcome);
    let warnings = loading.warnings.map(|warnings| warnings.to_string()).unwrap_or_default();
    warnings.replace(&directory.path().display().to_string(), "DIR")
}

#[test]
fn a_missing_answer_file_is_a_warning() {
    let text = "http:
  GET /a: { file: there.txt }
  GET /b: { file: images/cat.png }
  GET /c/{n}: { file: 'images/{{ path.n }}.png' }
";
    let expected = "\
warning: there is no file DIR/images/cat.png
 --> DIR/mockd.yaml:3:19
  |
3 |   GET /b: { file: images/cat.png }
  |                   ^^^^^^^^^^^^^^
  |
  = help: a path is relative to the file that names it";
    assert_eq!(warnings(text), expected);
}

#[test]
fn a_joined_topic_that_looks_misspelt_is_a_warning() {
    let text = "data: { orders: [] }
http:
  GET /a: { stream: [{ join: [oders, orders, orders/1, chats] }, { join: { to: odrers/7 } }] }
  POST /a: { send: { to: 'rooms/{{ body.room }}', frame: 1 } }
  POST /b: { send: { to: [chat, seats/1], frame: 1 } }
triggers:
  - { topic: chat, add: { orders: {} } }
  - { topic: rooms/1, add: { orders: {} } }
";
    let expected = "\
warning: nothing is ever sent to `oders`
 --> DIR/mockd.yaml:3:31
  |
3 |   GET /a: { stream: [{ join: [oders, orders, orders/1, chats] }, { join: { to: odrers/7 } }] }
  |                               ^^^^^ not a name of `data`, and no step sends to it
  |
  = help: did you mean `orders`?

warning: nothing is ever sent to `chats`
 --> DIR/mockd.yaml:3:56
  |
3 |   GET /a: { stream: [{ join: [oders, orders, orders/1, chats] }, { join: { to: odrers/7 } }] }
  |                                                        ^^^^^ not a name of `data`, and no step sends to it
  |
  = help: did you mean `chat`?

warning: nothing is ever sent to `odrers/7`
 --> DIR/mockd.yaml:3:80
  |
3 |   GET /a: { stream: [{ join: [oders, orders, orders/1, chats] }, { join: { to: odrers/7 } }] }
  |                                                                                ^^^^^^^^ not a name of `data`, and no step sends to it
  |
  = help: did you mean `orders/7`?";
    assert_eq!(warnings(text), expected);
    let valid = [
        "http: { GET /a: { stream: [{ join: oders }] }, POST /a: { send: { to: $body.topic, frame: 1 } } }\n",
        "http: { GET /a: { stream: [{ join: elsewhere }] }, POST /a: { send: { to: here, frame: 1 } } }\n",
        "http: { GET /a: { stream: [{ join: seats/2 }] }, POST /a: { send: { to: seats/1, frame: 1 } } }\n",
        "data: { n: 1 }\nhttp: { POST /a: { send: { to: seats/1, frame: 1 } } }\ntriggers: [{ topic: seats/*, set: { n: 2 } }]\n",
        "data: { seats: [], n: 1 }\ntriggers: [{ topic: seats/*, set: { n: 2 } }]\n",
    ];
    for text in valid {
        assert_eq!(warnings(text), "", "{text}");
    }
}

#[test]
fn syntax_of_other_languages_is_a_warning_with_a_remedy() {
    let text = "http:
  GET /a/{id}: { body: { text: 'so ${path.id}', '{{ path.id }}': 1, ...path: 2 } }
  GET /b: { headers: { X-A: '{% if url %}a{% endif %}' }, text: '${HOME}' }
websocket:
  /c:
    messages:
      - { match: msg.type == 'a', reply: 1 }
      - { match: { type: 'a == b' }, reply: 2 }
";
    let expected = "\
warning: keys are text: the expression in `{{ path.id }}` is not evaluated
 --> DIR/mockd.yaml:2:49
  |
2 |   GET /a/{id}: { body: { text: 'so ${path.id}', '{{ path.id }}': 1, ...path: 2 } }
  |                                                 ^^^^^^^^^^^^^^^
  |
  = help: write the whole mapping as one expression: `\"{{ {path.id: value} }}\"`
";
    let found = warnings(text);
    assert!(found.contains(expected), "{found}");
    let first_lines: Vec<&str> = found.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(
        first_lines,
        [
            "warning: `${path.id}` is text",
            "warning: keys are text: the expression in `{{ path.id }}` is not evaluated",
            "warning: the key `...path` is text and spreads nothing",
            "warning: `{%` is text",
            "warning: `match` compares with this text and does not evaluate it",
        ]
    );
    for help in [
        "= help: write `{{ path.id }}` for its value",
        "= help: write the whole mapping as one expression: `\"{{ dict(path, name=value) }}\"`",
        "= help: did you mean `when: msg.type == 'a'`?",
    ] {
        assert!(found.contains(help), "{help}: {found}");
    }
}

#[test]
fn an_asterisk_in_a_match_text_is_a_warning() {
    let text = "websocket:
  /c:
    messages:
      - { match: { event: 'client-*', tags: ['*a', '*b*', '*'] }, reply: 1 }
      - { match: { event: '*', args: ['a*b', '{{ path }}*'] }, text: 'a*', reply: 2 }
http:
  POST /d: { match: { body: { a-b: x* }, query: { q: x* }, headers: { x-key: x* } } }
";
    let found = warnings(text);
    let helps: Vec<&str> =
        found.lines().filter_map(|line| line.split_once("= help: did you mean ")?.1.into()).collect();
    assert_eq!(
        helps,
        [
            "`when: msg.event is startingwith('client-')`?",
            "`when: msg.tags[0] is endingwith('a')`?",
            "`when: 'b' in msg.tags[1]`?",
            "`when: body['a-b'] is startingwith('x')`?",
        ]
    );
    let first = "warning: `match` compares this text literally, including the `*`
 --> DIR/mockd.yaml:4:27
  |
4 |       - { match: { event: 'client-*', tags: ['*a', '*b*', '*'] }, reply: 1 }
  |                           ^^^^^^^^^^
";
    assert!(found.contains(first), "{found}");
}

#[test]
fn a_join_that_replaces_an_earlier_one_is_a_warning() {
    let text = |steps: &str| format!("websocket: {{ /c: {{ messages: [{{ do: {steps} }}] }} }}\n");
    for steps in [
        "[{ join: { to: a, as: m } }, { join: { to: b, as: m } }]",
        "[{ join: { to: a, as: $msg.id } }, { reply: 1 }, { join: { to: b, as: $msg.id } }]",
    ] {
        let found = warnings(&text(steps));
        assert!(found.starts_with("warning: this `join` replaces an earlier one with the same `as`\n"), "{found}");
        assert!(found.contains(" this one is replaced"), "{found}");
        assert_eq!(found.matches("warning: ").count(), 1, "{found}");
    }
    for steps in [
        "[{ join: { to: a, as: m } }, { join: { to: b, as: n } }, { join: { to: c } }, { join: { to: d } }]",
        "[{ join: { to: a, as: m } }, { leave: { as: m } }, { join: { to: b, as: m } }]",
        "[{ join: { to: a, as: m } }, { after: 1s, join: { to: b, as: m } }]",
        "[{ when: msg.a, join: { to: a, as: m } }, { when: not msg.a, join: { to: b, as: m } }]",
        "[{ each: $msg.a, join: { to: a, as: $item } }, { each: $msg.b, join: { to: b, as: $item } }]",
        "[{ join: { to: a, as: '{{ uuid() }}' } }, { join: { to: b, as: '{{ uuid() }}' } }]",
    ] {
        assert_eq!(warnings(&text(steps)), "", "{steps}");
    }
}
