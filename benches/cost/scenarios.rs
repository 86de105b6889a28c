//! Generates scenario files for measurements.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a category `electronics` with `count` products `A1`, `A2` and so on, all with total 0, and a category `few`
/// with one product.
pub(crate) fn products(directory: &Path, count: usize) -> PathBuf {
    let mut text = String::from("categories:\n  few: { prefix: B, products: [{ id: B1, name: Chewy Toffee }] }\n");
    text.push_str("  electronics:\n    prefix: A\n    products:\n");
    for number in 1..=count {
        let product = format!("name: Vacuum Cleaner {number}, rrp: \"99.99\", info: One of many., total: 0");
        writeln!(text, "      - {{ id: A{number}, {product} }}").expect("text");
    }
    write(directory, &format!("products-{count}.yaml"), &text)
}

/// Writes a script with one event per millisecond, forever.
pub(crate) fn thousand_a_second(directory: &Path) -> PathBuf {
    let text = "categories: { electronics: { prefix: A, products: [{ id: A1, name: Vacuum Cleaner }] } }\n\
                orders: { scripts: [{ repeat: forever, steps: [{ after: 1ms, product: A1, amount: 1 }] }] }\n";
    write(directory, "script.yaml", text)
}

/// Writes routes: `GET /electronics`, which answers with the JSON list `body`; `GET /products`, which answers with the
/// same list from `data`; one with a path parameter and an expression; and `count` more, which answer with `edition`.
pub(crate) fn routes(directory: &Path, body: &str, count: usize, edition: usize) -> PathBuf {
    let mut text = format!(
        "data: {{ products: {body} }}\nhttp:\n  GET /electronics: {{ body: {body} }}\n  \
         GET /products: {{ body: $products }}\n  GET /products/{{id}}/price:\n    \
         {{ body: {{ id: $path.id, price: \"{{{{ path.id | length * 10 }}}}\" }} }}\n"
    );
    for number in 1..=count {
        let answer = format!("body: {{ id: $path.id, edition: {edition}, name: Product {number} }}");
        writeln!(text, "  GET /shelves/{number}/{{id}}: {{ status: 200, {answer} }}").expect("text");
    }
    write(directory, &format!("routes-{count}.yaml"), &text)
}

/// Writes a script that sends a hundred events per second, forever, to the members of a topic: streams of `GET /ticks`
/// and sockets of `/ticks`. Each member first receives one extra event.
pub(crate) fn hundred_a_second(directory: &Path) -> PathBuf {
    let text = "categories: { electronics: { prefix: A, products: [{ id: A1, name: Vacuum Cleaner }] } }\n\
                scripts:\n  - name: ticks\n    repeat: forever\n    steps:\n      \
                - { after: 10ms, send: { to: ticks, frame: { id: A1, total: \"{{ next('total') }}\" } } }\n\
                http: { GET /ticks: { stream: [{ reply: ready }, { join: ticks }] } }\n\
                websocket: { /ticks: { open: [{ reply: ready }, { join: ticks }] } }\n";
    write(directory, "ticks.yaml", text)
}

/// Writes a shop and a collection `rows`. Sockets at `/rows` join the collection's topic; `POST /rows` changes a row.
pub(crate) fn joined(directory: &Path) -> PathBuf {
    let text = "categories: { electronics: { prefix: A, products: [{ id: A1, name: Vacuum Cleaner }] } }\n\
                data: { rows: [{ id: 1, n: 0 }] }\n\
                http: { POST /rows: { increment: { rows: { id: 1, n: 1 } }, body: { ok: true } } }\n\
                websocket:\n  /rows:\n    open: [{ reply: ready }, \
                { join: { to: rows, frame: { id: A1, total: $event.row.n } } }]\n";
    write(directory, "joined.yaml", text)
}

/// Writes rooms that send each message of a member to all members.
pub(crate) fn rooms(directory: &Path) -> PathBuf {
    let text = "categories: { electronics: { prefix: A, products: [{ id: A1, name: Vacuum Cleaner }] } }\n\
                websocket:\n  /rooms/{room}:\n    open: [{ reply: ready }, { join: \"room/{{ path.room }}\" }]\n    \
                messages: [{ match: { say: hello }, send: { to: \"room/{{ path.room }}\", frame: $msg } }]\n";
    write(directory, "rooms.yaml", text)
}

/// Writes an endpoint that answers messages with one of their values.
pub(crate) fn answers(directory: &Path) -> PathBuf {
    let text = "categories: { electronics: { prefix: A, products: [{ id: A1, name: Vacuum Cleaner }] } }\n\
                websocket:\n  /answers:\n    open: [{ reply: ready }]\n    \
                messages: [{ match: { type: get }, reply: { id: $msg.id, type: got } }]\n";
    write(directory, "answers.yaml", text)
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).expect("a scratch directory");
    path
}
