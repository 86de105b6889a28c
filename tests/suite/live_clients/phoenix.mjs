// The Phoenix client: joined, refused and left channels, pushes, broadcasts, heartbeats, and a reconnection.

import { closeSockets, Inbox, load, post, print, ws } from "./lib.mjs";

const { Socket } = load("phoenix");
const transport = load("ws");
const seen = {};

function connect(params) {
  const socket = new Socket(`${ws}/socket`, {
    transport,
    params,
    heartbeatIntervalMs: 20,
    reconnectAfterMs: () => 10,
    rejoinAfterMs: () => 10,
  });
  socket.connect();
  return socket;
}

/** Resolves to the answer to a push or a join. */
const answer = (push) =>
  new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) push.receive(status, (response) => resolve({ status, response }));
  });

function openChannel(socket, topic, params = {}) {
  const channel = socket.channel(topic, params);
  const inbox = new Inbox();
  for (const event of ["new_msg", "user_joined"]) channel.on(event, (payload) => inbox.put([event, payload]));
  channel.onClose(() => inbox.put(["closed"]));
  return { channel, inbox };
}

const ada = connect({ user: "ada" });
const beats = new Inbox();
ada.onMessage(({ topic, event, payload }) => topic === "phoenix" && beats.put([event, payload.status]));
const lobby = openChannel(ada, "room:lobby");
seen.joined = await answer(lobby.channel.join());
const bob = connect({ user: "bob" });
const same = openChannel(bob, "room:lobby");
await answer(same.channel.join());
seen.other = await lobby.inbox.next();

seen.pushed = await answer(lobby.channel.push("new_msg", { body: "Hello" }));
seen.broadcast = [await lobby.inbox.next(), await same.inbox.next()];
await post("/rooms/lobby/messages", { body: "By REST" });
seen.rest = [await lobby.inbox.next(), await same.inbox.next()];
seen.unknown = await answer(lobby.channel.push("dance", {}));
seen.heartbeats = await beats.take(2);

const secret = (token) => answer(openChannel(ada, "room:secret", { token }).channel.join());
seen.refused = await secret("wrong");
seen.allowed = (await secret("secret")).status;

seen.left = await answer(same.channel.leave());
await post("/rooms/lobby/messages", { body: "Without Bob" });
await lobby.inbox.next();
const again = openChannel(bob, "room:lobby");
seen.rejoined = (await answer(again.channel.join())).response.messages.map(({ body }) => body);
await lobby.inbox.next();

const banned = connect({ user: "banned" });
seen.banned = await new Promise((resolve) => banned.onError(({ message }) => resolve(message)));
banned.disconnect();
bob.disconnect();

const closed = new Inbox();
ada.onClose(({ code, reason }) => closed.put([code, reason]));
const joinedAgain = new Promise((resolve) =>
  ada.onMessage(({ topic, event }) => topic === "room:lobby" && event === "phx_reply" && resolve()),
);
await closeSockets(1012);
seen.closed = await closed.next();
await joinedAgain;
await post("/rooms/lobby/messages", { body: "Still there?" });
seen.again = await lobby.inbox.next();
print(seen);
