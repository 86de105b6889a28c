//! Unknown keys that authors write by habit: the words of other tools, and keys that belong one level deeper.

/// The keys of this language, each with words that other tools use for it. If several keys that are allowed have the
/// word, the first is meant.
const SYNONYMS: [(&str, &[&str]); 27] = [
    ("topic", &["on", "channel"]),
    ("status", &["code", "statusCode", "status_code"]),
    ("body", &["json", "response", "payload", "content"]),
    ("text", &["html"]),
    ("stream", &["sse"]),
    ("when", &["if", "condition"]),
    ("match", &["on", "request", "matcher"]),
    ("after", &["delay", "wait", "sleep", "latency"]),
    ("every", &["interval", "period"]),
    ("times", &["repeat", "count"]),
    ("each", &["for", "foreach", "forEach", "loop"]),
    ("with", &["let", "vars", "variables"]),
    ("open", &["connect", "connected", "onOpen", "on_open"]),
    ("messages", &["onMessage", "on_message", "rules"]),
    ("closed", &["close", "disconnect", "disconnected", "onClose", "on_close"]),
    ("reply", &["respond", "answer"]),
    ("send", &["emit", "publish", "broadcast", "push"]),
    ("join", &["subscribe"]),
    ("leave", &["unsubscribe"]),
    ("merge", &["update", "patch"]),
    ("remove", &["delete"]),
    ("add", &["insert", "create", "append"]),
    ("replace", &["put"]),
    ("do", &["actions", "then", "steps"]),
    ("http", &["routes", "rest", "endpoints"]),
    ("websocket", &["websockets", "ws", "socket", "sockets"]),
    ("data", &["state", "db", "collections"]),
];

/// Keys, each with a key that is allowed beside it, and the advice for that place.
const ADVICE: [(&str, &str, &str); 21] = [
    ("collection", "crud", "write it inside `crud`: `crud: { collection: todos }`"),
    ("only", "crud", "write it inside `crud`: `crud: { collection: todos, only: [list, get] }`"),
    ("fields", "crud", "write it inside `crud`: `crud: { collection: todos, fields: { title: string } }`"),
    ("defaults", "crud", "write it inside `crud`: `crud: { collection: todos, defaults: { done: false } }`"),
    ("list", "crud", "write it inside `crud`: `crud: { collection: todos, list: { data: $items } }`"),
    ("query", "status", "write it inside `match`: `match: { query: { page: \"2\" } }`"),
    ("redirect", "status", "write `status: 302` and `headers: { location: /path }`"),
    ("cookies", "status", "write `headers: { set-cookie: \"name=value\" }`"),
    ("closed", "stream", "a stream has no `closed`; only the sockets of `websocket` do"),
    ("each", "do", "write it in a step: `do: [{ each: $items, … }]`"),
    ("after", "do", "write it in a step: `do: [{ after: 1s, … }]`"),
    ("at", "do", "write it in a step: `do: [{ at: 1s, … }]`"),
    ("every", "do", "write it in a step: `do: [{ every: 1s, times: 3, … }]`"),
    ("times", "do", "write it in a step: `do: [{ times: 3, … }]`"),
    ("as", "join", "write it inside `join`: `join: { to: room, as: name }`"),
    ("where", "join", "write it inside `join`: `join: { to: todos, where: { row: { done: false } } }`"),
    ("others", "send", "write it inside `send`: `send: { to: room, frame: $msg, others: true }`"),
    ("to", "send", "write it inside `send` or `join`: `send: { to: room, frame: $msg }`"),
    ("frame", "send", "write it inside `send` or `join`: `join: { to: room, frame: $event }`"),
    ("code", "close", "write it inside `close`: `close: { code: 4401, reason: no session }`"),
    ("reason", "close", "write it inside `close`: `close: { code: 4401, reason: no session }`"),
];

/// Returns the allowed key that other tools call `found`.
pub(super) fn synonym(found: &str, allowed: &[&'static str]) -> Option<&'static str> {
    let mut meant = SYNONYMS.iter().filter(|(_, words)| words.contains(&found)).map(|(key, _)| *key);
    meant.find(|key| allowed.contains(key))
}

/// Returns the advice for a key that means something elsewhere.
pub(super) fn advice(found: &str, allowed: &[&'static str]) -> Option<&'static str> {
    let about = ADVICE.iter().filter(|(key, beside, _)| *key == found && allowed.contains(beside));
    about.map(|(.., advice)| *advice).next().filter(|_| synonym(found, allowed).is_none())
}
