// The `ws` package: streams by path, combined streams, subscriptions, pings, an unknown path, and a reconnection.

import { advance, ask, closeSockets, Inbox, load, once, print, ws } from "./lib.mjs";

const WebSocket = load("ws");
const seen = {};

async function connect(path) {
  const socket = new WebSocket(ws + path);
  const inbox = new Inbox();
  socket.on("message", (data) => inbox.put(JSON.parse(data)));
  await once(socket, "open");
  return { socket, inbox, request: (message) => socket.send(JSON.stringify(message)) };
}

const crash = (price) => ask("PATCH", "/symbols/BTCUSDT", { price });

let raw = await connect("/ws/btcusdt@trade");
const combined = await connect("/stream?streams=btcusdt@trade/ethusdt@miniTicker");
await crash(1.5);
const trade = await raw.inbox.next();
seen.trade = { fields: Object.keys(trade).join(" "), symbol: trade.s, price: trade.p, time: trade.T };
const enveloped = await combined.inbox.next();
seen.combined = { stream: enveloped.stream, isSame: JSON.stringify(enveloped.data) === JSON.stringify(trade) };

const own = await connect("/ws");
own.request({ method: "SUBSCRIBE", params: ["btcusdt@trade", "ethusdt@trade"], id: 1 });
own.request({ method: "LIST_SUBSCRIPTIONS", id: 2 });
own.request({ method: "UNSUBSCRIBE", params: ["ethusdt@trade"], id: 3 });
own.request({ method: "LIST_SUBSCRIPTIONS", id: "four" });
own.request({ method: "DANCE", id: 5 });
seen.answers = await own.inbox.take(5);
await crash(2);
seen.subscribed = (await own.inbox.next()).p;
await raw.inbox.next();
await combined.inbox.next();

// One second has five price changes, and a summary of each symbol at its end.
await advance("1s");
const next = async (streams) => {
  for (;;) {
    const { stream, data } = await combined.inbox.next();
    if (streams === stream) return data;
  }
};
const summary = await next("ethusdt@miniTicker");
seen.summary = { event: summary.e, symbol: summary.s, open: summary.o, isPrice: /^\d+\.\d\d$/.test(summary.c) };

own.socket.ping("hello");
seen.pong = (await once(own.socket, "pong"))[0].toString();

const wrong = new WebSocket(`${ws}/wss/btcusdt@trade`);
wrong.on("error", () => {});
seen.refused = (await once(wrong, "unexpected-response"))[1].statusCode;

const closed = once(raw.socket, "close");
await closeSockets(1012);
const [code, reason] = await closed;
seen.closed = [code, reason.toString()];
raw = await connect("/ws/btcusdt@trade");
await crash(3);
seen.again = (await raw.inbox.next()).p;
print(seen);
