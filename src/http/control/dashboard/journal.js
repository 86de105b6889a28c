// The journal: the last ten thousand entries, one line each, latest first.

import { element, find, said } from "./dom.js";
import { short } from "./time.js";
import { VirtualList } from "./virtual.js";

const KEPT = 10_000;

// The number of entries that are checked for answers at a time.
const BATCH = 200;

const isSame = (one, other) => one !== undefined && other !== undefined && ["sequence", "at", "kind"].every((key) => one[key] === other[key]);

// The scenario's answer to a request.
const by = ({ route, number }) => (route === undefined ? "" : ` (${route}${number ? `, answer ${number}` : ""})`);

const summary = (entry) => {
  const { kind, method, path, query, status, socket, count, category, stream, by: side, code, did, fault, rule, why, text } = entry;
  const frame = text ?? "a binary frame";
  switch (kind) {
    case "request": return `${method} ${path}${query ? `?${query}` : ""} → ${status ?? "…"}${by(entry)}${fault ? ` (${fault})` : ""} ${text ?? ""}`;
    case "sent": return `to ${socket === undefined ? `${count ?? 0} sockets` : `socket ${socket}`}: ${frame}`;
    case "received": return `from socket ${socket}: ${frame}`;
    case "opened": return stream === undefined ? `socket ${socket} for ${category}` : `stream ${socket} of ${stream}`;
    case "closed": return `socket ${socket} by the ${side}${code ? ` with ${code}` : ""}`;
    case "faulted": return `socket ${socket}: ${did} (${fault})`;
    case "failed": return `${rule}${socket === undefined ? "" : ` (socket ${socket})`}: ${why}`;
    default: return `socket ${socket}`;
  }
};

export class Journal {
  #filter = find("#filter");
  #list;
  #entries = [];
  // The number of times that the journal was cleared.
  #generation = 0;
  // The numbers of requests without an answer, and the one at which the next check starts. Requests that are never
  // answered must not hide the answers to others.
  #open = new Set();
  #next = 0;

  // Calls `open(entry)` when an entry is chosen, and `answered(entries)` with requests that have been answered.
  constructor({ open, answered }) {
    this.answered = answered;
    const fill = (row, { at, kind, line, fault }) => {
      row.className = fault || kind === "failed" ? "faulted" : "";
      row.append(...[short(at), kind, line].map((textContent) => element("span", { textContent })));
    };
    const key = ({ sequence, status }) => `${this.#generation} ${sequence} ${status ?? ""}`;
    this.#list = new VirtualList(find("#journal"), { key, fill, open });
    this.#filter.addEventListener("input", () => this.#show());
    this.#filter.addEventListener("submit", (event) => event.preventDefault());
  }

  // Fetches new entries, and answers to requests that had none.
  async follow(call) {
    // Includes the last known entry. If it is missing, the journal was cleared and counts from 1 again.
    const last = this.#entries.at(-1);
    const { entries } = await call("GET", `journal?brief=true&after=${Math.max(0, (last?.sequence ?? 0) - 1)}`);
    const isThere = isSame(entries[0], last);
    if (last && !isThere && !(entries[0]?.sequence > last.sequence)) {
      this.clear();
      return this.follow(call);
    }
    const added = this.#add(isThere ? entries.slice(1) : entries);
    this.#entries = this.#entries.concat(added).slice(-KEPT);
    await this.#fetchAnswers(call);
    // Also after the first answer, so that an empty journal shows its count.
    if (added.length > 0 || !last) this.#show();
  }

  #add(entries) {
    for (const entry of entries) {
      entry.line = summary(entry);
      if (entry.kind === "request" && entry.status === null) this.#open.add(entry.sequence);
    }
    this.answered(entries.filter(({ kind, status }) => kind === "request" && status !== null));
    return entries;
  }

  async #fetchAnswers(call) {
    const oldest = this.#entries[0]?.sequence ?? 0;
    for (const sequence of this.#open) if (sequence < oldest) this.#open.delete(sequence);
    if (this.#open.size === 0) return;
    const open = [...this.#open];
    const first = open.find((sequence) => sequence >= this.#next) ?? open[0];
    const { entries } = await call("GET", `journal?brief=true&kind=request&after=${first - 1}&limit=${BATCH}`);
    this.#next = entries.length < BATCH ? 0 : entries.at(-1).sequence + 1;
    const now = entries.filter(({ sequence, status }) => this.#open.has(sequence) && status !== null);
    const answered = new Map(this.#add(now).map((entry) => [entry.sequence, entry]));
    if (answered.size === 0) return;
    for (const sequence of answered.keys()) this.#open.delete(sequence);
    this.#entries = this.#entries.map((entry) => answered.get(entry.sequence) ?? entry);
    this.#show();
  }

  // The requests among the entries, in order.
  get requests() {
    return this.#entries.filter(({ kind }) => kind === "request");
  }

  // Forgets all entries, because the journal was cleared or replaced.
  clear() {
    this.#generation += 1;
    this.#entries = [];
    this.#open.clear();
    this.#show();
  }

  #show() {
    const { kind, text } = said(this.#filter);
    const wanted = text.toLowerCase();
    const fits = (entry) => (!kind || entry.kind === kind) && (!wanted || entry.line.toLowerCase().includes(wanted));
    const shown = this.#entries.filter(fits).reverse();
    find("#entries").textContent = `${shown.length} of ${this.#entries.length}`;
    this.#list.show(shown);
  }
}
