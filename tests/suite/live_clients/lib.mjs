// Shared by the scripts. Each takes the folder of the packages and the URL of a mock, and prints what it received.

import { createRequire } from "node:module";

const [packages, url] = process.argv.slice(2);

export const load = createRequire(`${packages}/node_modules/`);
export const http = url;
export const ws = url.replace("http", "ws");

export async function ask(method, path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(http + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

export const post = (path, body) => ask("POST", path, body);
export const advance = (by) => post("/__mockd/clock", { advance: by });
export const closeSockets = (code) => post("/__mockd/sockets/close", { code, reason: "as told" });
/** Returns the topics of each socket that has joined any. */
export async function topics() {
  const { sockets } = await ask("GET", "/__mockd/sockets");
  return sockets.map((socket) => socket.topics).filter((topics) => topics.length > 0);
}

/** A queue of received items. */
export class Inbox {
  #items = [];
  #readers = [];

  put = (item) => (this.#readers.shift() ?? ((item) => this.#items.push(item)))(item);

  next() {
    return this.#items.length > 0
      ? Promise.resolve(this.#items.shift())
      : new Promise((resolve) => this.#readers.push(resolve));
  }

  async take(count) {
    const items = [];
    while (items.length < count) items.push(await this.next());
    return items;
  }
}

/** Resolves to the arguments of the next event. */
export const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

/** Prints the results, and exits, which closes every open connection. */
export function print(seen) {
  process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
}
