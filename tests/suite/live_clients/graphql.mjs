// The client of `graphql-ws`: a query, a mutation, subscriptions, errors, pings, a refusal, and a reconnection.

import { advance, ask, closeSockets, Inbox, load, post, print, topics, ws } from "./lib.mjs";

const { createClient } = load("graphql-ws");
const WebSocket = load("ws");
const events = new Inbox();
const seen = {};
const url = `${ws}/graphql`;

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { user: "ada" },
  lazy: false,
  retryWait: async () => {},
  on: { connected: (_, payload, wasRetry) => events.put({ payload, wasRetry }) },
});
seen.connected = await events.next();

/** Runs an operation. The inbox receives its results, its errors and its completion. */
function run(operation, by = client) {
  const inbox = new Inbox();
  const end = by.subscribe(operation, {
    next: inbox.put,
    error: (errors) => inbox.put({ errors }),
    complete: () => inbox.put("complete"),
  });
  return { inbox, end };
}

seen.query = await run({ query: "query Messages { messages { text } }" }).inbox.take(2);
const lobby = run({
  query: "subscription OnMessage($room: String!) { messageAdded(room: $room) { from text } }",
  variables: { room: "lobby" },
});
const say = (variables) => run({ query: "mutation Say($room: String!, $text: String!) { say }", variables });
await say({ room: "kitchen", text: "Not for the lobby" }).inbox.take(2);
seen.mutation = await say({ room: "lobby", text: "Hello" }).inbox.take(2);
await post("/graphql", { operationName: "Say", variables: { room: "lobby", text: "By REST" } });
seen.subscribed = await lobby.inbox.take(2);
seen.wrong = await say({ room: "lobby" }).inbox.next();
seen.unknown = await run({ query: "query Nothing { nothing }" }).inbox.next();
seen.rest = await ask("POST", "/graphql", { operationName: "Messages" });

const countdown = run({ query: "subscription Countdown { countdown }" });
seen.countdown = [await countdown.inbox.next()];
await advance("1s");
seen.countdown.push(await countdown.inbox.next());
await advance("1s");
seen.countdown.push(...(await countdown.inbox.take(2)));

const pongs = new Inbox();
const idle = createClient({
  url,
  webSocketImpl: WebSocket,
  lazy: false,
  keepAlive: 20,
  on: { pong: (received) => received && pongs.put("pong") },
});
seen.pongs = await pongs.take(2);
await idle.dispose();

const expired = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { token: "expired" },
  retryAttempts: 0,
});
const refused = await run({ query: "query Messages { messages { text } }" }, expired).inbox.next();
seen.refused = { code: refused.errors.code, reason: refused.errors.reason };

seen.joined = await topics();
await closeSockets(1012);
seen.reconnected = await events.next();
// The client renews its subscriptions. The answer to a later query on the same socket shows that this is done.
await run({ query: "query Messages { messages { text } }" }).inbox.take(2);
await post("/graphql", { operationName: "Say", variables: { room: "lobby", text: "Still there?" } });
seen.again = await lobby.inbox.next();
lobby.end();
seen.completed = await lobby.inbox.next();
await run({ query: "query Messages { messages { text } }" }).inbox.take(2);
seen.left = await topics();
print(seen);
