// The current `data`: values and the first rows of collections, all of which can be changed.

import { button, cell, element, find, keep, said } from "./dom.js";

// The number of rows of a collection that are shown at first, and that "Show more" adds.
const SHOWN = 20;
const MORE = 100;

// The number of properties of a row that are shown.
const COLUMNS = 12;

// The number of characters of a property and of a value that are shown.
const CUT = 80;
const VALUE_CUT = 4_000;

const beginning = (text, length) => (text.length > length ? `${text.slice(0, length)}…` : text);

// The content of a cell: text as it is, anything else as JSON.
const cellText = (value) => beginning(typeof value === "string" ? value : JSON.stringify(value) ?? "", CUT);

export class Data {
  #data = [];
  #panels = new Map();
  // The number of rows to show of a collection, if the user requested more.
  #wanted = new Map();
  // The scenario and the moment of the data.
  #scenario = "";
  #moment = "";

  // Calls `set(name, json)`, `add(name, json)` and `remove(name, id)` on the user's request, and `more()` when more
  // rows have to be fetched.
  constructor(acts) {
    this.acts = acts;
  }

  // Fetches what may have changed; `fetch` takes a query. If there is no data, only another scenario can change that.
  async refresh({ scenario, epoch, sequence }, { count }, fetch) {
    const [served, moment] = [`${scenario} ${count}`, `${epoch} ${sequence}`];
    if (served === this.#scenario && (this.#data.length === 0 || moment === this.#moment)) return;
    const first = await fetch(`rows=${SHOWN}`);
    const ask = ({ name, count: all }) =>
      (all > SHOWN && this.#wanted.has(name) ? fetch(`name=${encodeURIComponent(name)}&rows=${this.#wanted.get(name)}`) : []);
    const wanted = (await Promise.all(first.map(ask))).flat();
    const more = new Map(wanted.map((one) => [one.name, one]));
    this.#data = first.map((one) => more.get(one.name) ?? one);
    [this.#scenario, this.#moment] = [served, moment];
    this.#draw();
  }

  forget() {
    this.#scenario = "";
  }

  #draw() {
    find("#data-section").hidden = this.#data.length === 0;
    const key = ({ name, count }) => `${count === undefined ? "value" : "rows"} ${name}`;
    const keys = new Set(this.#data.map(key));
    for (const known of this.#panels.keys()) if (!keys.has(known)) this.#panels.delete(known);
    const make = (one) => {
      const panel = one.count === undefined ? new Value(one.name, this.acts) : new Collection(one.name, this.acts, this.#more(one.name));
      this.#panels.set(key(one), panel);
      return panel.element;
    };
    keep(find("#data"), this.#data, key, make, (_, one) => this.#panels.get(key(one)).update(one));
  }

  #more(name) {
    return () => {
      this.#wanted.set(name, (this.#wanted.get(name) ?? SHOWN) + MORE);
      this.#moment = "";
      this.acts.more();
    };
  }
}

class Value {
  element = find("#value").content.cloneNode(true).firstElementChild;
  #text = "";

  constructor(name, { set }) {
    const [details, form] = ["details", "form"].map((part) => this.element.querySelector(part));
    this.element.dataset.name = name;
    this.element.querySelector("h3").textContent = name;
    this.element.querySelector("pre").ariaLabel = `Value of ${name}`;
    this.element.querySelector("summary").ariaLabel = `Change ${name}`;
    // The input stays as typed even if the value changes.
    details.addEventListener("toggle", () => { if (details.open) form.elements.value.value = this.#text; });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      set(name, said(form).value);
    });
  }

  update({ value }) {
    const text = JSON.stringify(value, null, 2);
    if (text === this.#text) return;
    this.#text = text;
    this.element.querySelector("pre").textContent = beginning(text, VALUE_CUT);
  }
}

// The properties of rows, in the order of their first occurrence.
const columnsOf = (rows) => [...new Set(rows.flatMap(Object.keys))].filter((name) => name !== "id").slice(0, COLUMNS);

class Collection {
  element = find("#collection").content.cloneNode(true).firstElementChild;
  #parts = ["h3 span", ".scroll", "thead tr", "tbody", ".row", ".more", ".row button"].map((part) => this.element.querySelector(part));

  constructor(name, { add, remove }, more) {
    this.name = name;
    this.remove = remove;
    const form = this.element.querySelector("form");
    const [, table, , , , , next] = this.#parts;
    this.element.dataset.name = name;
    this.element.querySelector("h3").prepend(`${name} `);
    this.element.querySelector("summary").ariaLabel = `Add a row to ${name}`;
    table.ariaLabel = `Rows of ${name}`;
    next.ariaLabel = `Show more rows of ${name}`;
    next.addEventListener("click", more);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      add(name, said(form).row);
    });
  }

  update({ count, rows }) {
    const [title, table, head, body, rest, shown] = this.#parts;
    const columns = columnsOf(rows);
    title.textContent = count === 1 ? "1 row" : `${count} rows`;
    table.hidden = count === 0;
    rest.hidden = rows.length === count;
    shown.textContent = `${rows.length} of ${count} rows shown`;
    const heads = [...["id", ...columns].map((text) => ({ key: `its ${text}`, text })), { key: "remove", text: "Remove" }];
    keep(head, heads, ({ key }) => key, ({ text }) => element("th", { scope: "col", textContent: text }));
    keep(body, rows, ({ id }) => id, ({ id }) => this.#make(id), (tr, row) => fill(tr, row, columns));
  }

  #make(id) {
    const remove = button("Remove", `Remove ${id} from ${this.name}`, () => this.remove(this.name, id));
    return element("tr", {}, element("th", { scope: "row", textContent: cellText(id) }), cell(remove));
  }
}

// Fills the cells between the id and the button, which stays in place to keep its focus.
const fill = (tr, row, columns) => {
  while (tr.cells.length < columns.length + 2) tr.insertBefore(cell(), tr.lastChild);
  while (tr.cells.length > columns.length + 2) tr.cells[1].remove();
  columns.forEach((name, at) => { tr.cells[at + 1].textContent = cellText(row[name]); });
};
