// The Socket.IO client: events, acknowledgements both ways, rooms, binary data, a refusing namespace, pings, and a
// reconnection.

import { http, post, advance, closeSockets, Inbox, load, once, print } from "./lib.mjs";

const { io } = load("socket.io-client");
const transports = process.env.TRANSPORTS.split(",");
const options = { transports, forceNew: true, reconnectionDelay: 10, randomizationFactor: 0 };
const seen = {};

function connect(namespace = "", more = {}) {
  const socket = io(http + namespace, { ...options, ...more });
  const inbox = new Inbox();
  const readable = (arg) => (Buffer.isBuffer(arg) ? `bytes ${arg.toString("hex")}` : arg);
  socket.onAny((event, ...args) => inbox.put([event, ...args.filter((arg) => typeof arg !== "function").map(readable)]));
  return { socket, inbox };
}

const ada = connect();
seen.welcome = await ada.inbox.next();
seen.connected = ada.socket.connected && ada.socket.id.length === 20;
const { engine } = ada.socket.io;
const expected = transports.at(-1);
if (engine.transport.name !== expected) await once(engine, "upgrade");
seen.transport = engine.transport.name === expected;
seen.joined = await ada.socket.emitWithAck("join", "lobby");

const bob = connect();
await bob.inbox.next();
await bob.socket.emitWithAck("join", "lobby");
const bobsId = bob.socket.id;
seen.other = await ada.inbox.next();
seen.said = await bob.socket.emitWithAck("say", "Hello");
seen.heard = [await ada.inbox.next(), await bob.inbox.next()];
await post("/rooms/lobby/messages", { text: "By REST" });
seen.pushed = [await ada.inbox.next(), await bob.inbox.next()];

ada.socket.once("question", (question, answer) => answer(42));
ada.socket.emit("quiz");
seen.quiz = await ada.inbox.take(2);

const photo = await bob.socket.emitWithAck("photo", Buffer.from([0, 1, 254, 255]));
seen.photo = { saved: photo.saved, bytes: photo.bytes.toString("hex"), other: await ada.inbox.next() };

// Without a callback the server sends no acknowledgement, but still runs the rule.
bob.socket.emit("leave", "lobby");
await bob.socket.emitWithAck("leave", "nowhere");
await post("/rooms/lobby/messages", { text: "Without Bob" });
await ada.inbox.next();

const stranger = connect("/admin");
const [refusal] = await once(stranger.socket, "connect_error");
seen.refused = { message: refusal.message, data: refusal.data, active: stranger.socket.active };
const admin = connect("/admin", { auth: { token: "secret" } });
await once(admin.socket, "connect");
seen.announced = await admin.socket.emitWithAck("announce", "Closing soon");
// The announcement is the first event that Bob received after he left the room.
seen.announcement = [await ada.inbox.next(), await bob.inbox.next()];

const ping = once(ada.socket.io, "ping");
await advance("25s");
await ping;
seen.afterPing = ada.socket.connected && (await ada.socket.emitWithAck("join", "lobby")).ok;

bob.socket.disconnect();
seen.left = await ada.inbox.next();
admin.socket.disconnect();
stranger.socket.disconnect();

const [gone, again] = [once(ada.socket, "disconnect"), once(ada.socket.io, "reconnect")];
await closeSockets(1012);
seen.closed = (await gone)[0];
await again;
seen.reconnected = (await ada.inbox.next())[0];
// The ids of sockets are random. Replacing Bob's shows that the scenario uses the same id as his client.
print(JSON.parse(JSON.stringify(seen).replaceAll(bobsId, "bob")));
