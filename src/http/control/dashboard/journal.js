// The journal: entries as they come, the latest first. It keeps the last ten thousand, and puts only as many into the
// document as can be looked at.

import { keep } from "./panels.js";

const KEPT = 10_000;
const SHOWN = 200;

// How often an answer is asked for, once a second.
const TRIES = 60;

const isSame = (one, other) => one !== undefined && other !== undefined && ["sequence", "at", "kind"].every((key) => one[key] === other[key]);

const summary = (entry) => {
  switch (entry.kind) {
    case "request": return `${entry.method} ${entry.path}${entry.query ? `?${entry.query}` : ""} → ${entry.answer?.status ?? "…"}`;
    case "sent": return `to ${entry.sockets.length === 1 ? `socket ${entry.sockets[0]}` : `${entry.sockets.length} sockets`}: ${payload(entry)}`;
    case "received": return `from socket ${entry.socket}: ${payload(entry)}`;
    case "opened": return `socket ${entry.socket} for ${entry.category}`;
    case "closed": return `socket ${entry.socket} by the ${entry.by}${entry.code ? ` with ${entry.code}` : ""}`;
    case "faulted": return `socket ${entry.socket}: ${entry.did} (${entry.fault})`;
    default: return `socket ${entry.socket}`;
  }
};

const payload = ({ body, text, bytes }) => (body !== undefined ? JSON.stringify(body) : text ?? `${bytes} bytes`);

export class Journal {
  #list = document.querySelector("#journal");
  #filter = document.querySelector("#filter");
  #entries = [];
  // How often it was emptied.
  #era = 0;
  // Requests that had no answer, and how often they were asked for.
  #open = new Map();

  constructor() {
    this.#filter.addEventListener("input", () => this.#show());
    this.#filter.addEventListener("submit", (event) => event.preventDefault());
  }

  // Asks for what is new, and for answers to requests that had none.
  async follow(call) {
    // With the last one that is known: if it is not there, the journal was emptied and counts from 1 again.
    const last = this.#entries.at(-1);
    const { entries } = await call("GET", `journal?after=${Math.max(0, (last?.sequence ?? 0) - 1)}`);
    const isThere = isSame(entries[0], last);
    if (last && !isThere && !(entries[0]?.sequence > last.sequence)) {
      this.clear();
      return this.follow(call);
    }
    const news = isThere ? entries.slice(1) : entries;
    this.#entries = this.#entries.concat(news).slice(-KEPT);
    for (const { kind, sequence, answer } of news) if (kind === "request" && !answer) this.#open.set(sequence, 0);
    await this.#ask(call);
    if (news.length > 0) this.#show();
  }

  // Of requests that are never answered it is not asked for ever.
  async #ask(call) {
    if (this.#open.size === 0) return;
    const [oldest] = this.#open.keys();
    const { entries } = await call("GET", `journal?kind=request&after=${oldest - 1}&limit=${SHOWN}`);
    const answered = new Map(entries.filter(({ answer }) => answer).map((entry) => [entry.sequence, entry]));
    for (const [sequence, tries] of this.#open) {
      if (answered.has(sequence) || tries > TRIES) this.#open.delete(sequence);
      else this.#open.set(sequence, tries + 1);
    }
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
    const { kind, text } = Object.fromEntries(new FormData(this.#filter));
    const fits = (entry) => (!kind || entry.kind === kind) && (!text || JSON.stringify(entry).includes(text));
    const shown = this.#entries.filter(fits).slice(-SHOWN).reverse();
    keep(this.#list, shown, ({ sequence, answer }) => `${this.#era} ${sequence} ${answer?.status}`, (entry) => this.#row(entry));
  }

  #row(entry) {
    const row = document.createElement("details");
    row.className = entry.kind === "faulted" || entry.faults ? "faulted" : "";
    const line = document.createElement("summary");
    line.append(...[entry.at, entry.kind, summary(entry)].map((text) => {
      const part = document.createElement("span");
      part.textContent = text;
      return part;
    }));
    const whole = document.createElement("pre");
    row.addEventListener("toggle", () => { whole.textContent ||= JSON.stringify(entry, null, 2); });
    row.append(line, whole);
    return row;
  }
}
