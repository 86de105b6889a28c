// The journal: entries as they come, the latest first. It keeps the last ten thousand, and puts only as many into the
// document as can be looked at.

import { keep } from "./panels.js";

const KEPT = 10_000;
const SHOWN = 200;

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

  constructor() {
    this.#filter.addEventListener("input", () => this.#show());
    this.#filter.addEventListener("submit", (event) => event.preventDefault());
  }

  // The number after which there may be news: of a request that was not answered, the answer.
  get known() {
    const waiting = this.#entries.slice(-SHOWN).find(({ kind, answer }) => kind === "request" && !answer);
    return waiting ? waiting.sequence - 1 : this.#entries.at(-1)?.sequence ?? 0;
  }

  // Takes the entries after those that were known.
  add(entries) {
    if (entries.length === 0) return;
    const known = this.#entries.filter(({ sequence }) => sequence < entries[0].sequence);
    this.#entries = known.concat(entries).slice(-KEPT);
    this.#show();
  }

  // It was emptied, or is another world's.
  clear() {
    this.#entries = [];
    this.#show();
  }

  #show() {
    const { kind, text } = Object.fromEntries(new FormData(this.#filter));
    const fits = (entry) => (!kind || entry.kind === kind) && (!text || JSON.stringify(entry).includes(text));
    const shown = this.#entries.filter(fits).slice(-SHOWN).reverse();
    keep(this.#list, shown, ({ sequence, answer }) => `${sequence} ${answer?.status}`, (entry) => this.#row(entry));
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
