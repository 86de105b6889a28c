// The Socket.IO client with namespaces: left and rejoined, closed by the server, and refused by a failing `open`. Then
// it is disconnected by `open`, which it accepts, and by a `close` with a code, after which it reconnects.

import { advance, http, load, once, print } from "./lib.mjs";

const { Manager } = load("socket.io-client");
const manager = new Manager(http, { transports: ["websocket"], reconnection: false });
const seen = {};

const main = manager.socket("/");
await once(main, "connect");
const chat = manager.socket("/chat");
let ticks = 0;
chat.on("tick", () => (ticks += 1));
const ids = new Set();
for (let round = 0; round < 3; round += 1) {
  if (round > 0) {
    chat.disconnect();
    chat.connect();
  }
  await once(chat, "connect");
  ids.add(chat.id);
}
seen.ids = ids.size;
seen.known = [(await chat.emitWithAck("who")) === chat.id, (await main.emitWithAck("who")) === main.id];

ticks = 0;
await advance("1s");
await chat.emitWithAck("who");
seen.ticks = ticks;

const refused = manager.socket("/closed");
seen.refused = (await once(refused, "connect_error"))[0].message;

const kicked = once(chat, "disconnect");
chat.emit("kick");
seen.kicked = (await kicked)[0];
seen.stays = main.connected && (await main.emitWithAck("who")) === main.id;
const last = once(main, "disconnect");
main.emit("kick");
seen.last = (await last)[0];

const out = new Manager(http, { transports: ["websocket"], reconnectionDelay: 10 }).socket("/out");
const events = [];
out.on("connect", () => events.push("connect"));
out.on("disconnect", (reason) => events.push(reason));
await once(out, "disconnect");
seen.out = [...events, out.active];

for (const transport of ["websocket", "polling"]) {
  const socket = new Manager(http, { transports: [transport], reconnectionDelay: 10 }).socket("/");
  const received = [];
  socket.on("last", () => received.push("last"));
  socket.on("disconnect", (reason) => received.push(reason));
  await once(socket, "connect");
  socket.emit("crash");
  await once(socket, "connect");
  socket.disconnect();
  seen[transport] = received;
}
print(seen);
