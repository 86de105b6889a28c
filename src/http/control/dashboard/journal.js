// The journal: entries as they come, the latest first, in brief. It keeps the last ten thousand.

import { element, find, said } from "./dom.js";
import { short } from "./time.js";
import { VirtualList } from "./virtual.js";

const KEPT = 10_000;

// Requests that an answer is asked for at a time, and how often, once a second: some are never answered.
const ASKED = 200;
const TRIES = 60;

const isSame = (one, other) => one !== undefined && other !== undefined && ["sequence", "at", "kind"].every((key) => one[key] === other[key]);

const summary = (entry) => {
  const { kind, method, path, query, status, socket, count, category, by, code, did, fault, text } = entry;
  const frame = text ?? "a binary frame";
  switch (kind) {
    case "request": return `${method} ${path}${query ? `?${query}` : ""} → ${status ?? "…"}${fault ? ` (${fault})` : ""} ${text ?? ""}`;
    case "sent": return `to ${socket === undefined ? `${count ?? 0} sockets` : `socket ${socket}`}: ${frame}`;
    case "received": return `from socket ${socket}: ${frame}`;
    case "opened": return `socket ${socket} for ${category}`;
    case "closed": return `socket ${socket} by the ${by}${code ? ` with ${code}` : ""}`;
    case "faulted": return `socket ${socket}: ${did} (${fault})`;
    default: return `socket ${socket}`;
  }
};

export class Journal {
  #filter = find("#filter");
  #list;
  #entries = [];
  // How often it was emptied.
  #era = 0;
  // Requests that had no answer, and how often they were asked for.
  #open = new Map();

  // `open(entry)` is called for the one that somebody wants to see, `answered(entries)` with requests that have their answers.
  constructor({ open, answered }) {
    this.answered = answered;
    const fill = (row, { at, kind, line, fault }) => {
      row.className = fault ? "faulted" : "";
      row.append(...[short(at), kind, line].map((textContent) => element("span", { textContent })));
    };
    const key = ({ sequence, status }) => `${this.#era} ${sequence} ${status ?? ""}`;
    this.#list = new VirtualList(find("#journal"), { key, fill, open });
    this.#filter.addEventListener("input", () => this.#show());
    this.#filter.addEventListener("submit", (event) => event.preventDefault());
  }

  // Asks for what is new, and for answers to requests that had none.
  async follow(call) {
    // With the last one that is known: if it is not there, the journal was emptied and counts from 1 again.
    const last = this.#entries.at(-1);
    const { entries } = await call("GET", `journal?brief=true&after=${Math.max(0, (last?.sequence ?? 0) - 1)}`);
    const isThere = isSame(entries[0], last);
    if (last && !isThere && !(entries[0]?.sequence > last.sequence)) {
      this.clear();
      return this.follow(call);
    }
    const news = this.#take(isThere ? entries.slice(1) : entries);
    this.#entries = this.#entries.concat(news).slice(-KEPT);
    await this.#ask(call);
    if (news.length > 0) this.#show();
  }

  #take(entries) {
    for (const entry of entries) {
      entry.line = summary(entry);
      if (entry.kind === "request" && entry.status === null) this.#open.set(entry.sequence, 0);
    }
    this.answered(entries.filter(({ kind, status }) => kind === "request" && status !== null));
    return entries;
  }

  // Of requests that are never answered it is not asked for ever.
  async #ask(call) {
    if (this.#open.size === 0) return;
    const [oldest] = this.#open.keys();
    const { entries } = await call("GET", `journal?brief=true&kind=request&after=${oldest - 1}&limit=${ASKED}`);
    const now = entries.filter(({ sequence, status }) => this.#open.has(sequence) && status !== null);
    const answered = new Map(this.#take(now).map((entry) => [entry.sequence, entry]));
    for (const [sequence, tries] of this.#open) {
      if (answered.has(sequence) || tries > TRIES) this.#open.delete(sequence);
      else this.#open.set(sequence, tries + 1);
    }
    if (answered.size === 0) return;
    this.#entries = this.#entries.map((entry) => answered.get(entry.sequence) ?? entry);
    this.#show();
  }

  // It was emptied, or is another world's.
  clear() {
    this.#era += 1;
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
