// The panels that show a world at one moment.

const find = (selector) => document.querySelector(selector);
const MINUTE = 60;
const HALF_A_SECOND = 500;

// Sockets in the table; more are counted.
const SHOWN = 100;

// Makes the children of a list those of the items. One that is there already stays, with the focus that it may have.
export const keep = (list, items, key, make, update = () => {}) => {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const name = String(key(item));
    const child = before.get(name) ?? make(item);
    child.dataset.key = name;
    before.delete(name);
    update(child, item);
    return child;
  });
  for (const gone of before.values()) gone.remove();
  children.forEach((child, at) => {
    if (list.children[at] !== child) list.insertBefore(child, list.children[at] ?? null);
  });
};

const cell = (content) => {
  const td = document.createElement("td");
  td.append(content);
  return td;
};

const button = (text, label, act) => {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  element.ariaLabel = label;
  element.addEventListener("click", act);
  return element;
};

// Totals with a line of the last minute each. Rows stay, so that what is typed into them stays as well.
export class Totals {
  #rows = new Map();
  // The number of events by then.
  #before = null;

  // `order(id, amount)` is called when somebody orders.
  constructor(order) {
    this.order = order;
  }

  show(totals, events) {
    for (const [id, total] of Object.entries(totals)) this.#row(id).update(total);
    for (const [id, row] of this.#rows) if (!(id in totals)) this.#drop(id, row);
    const now = performance.now();
    const { at, count } = this.#before ?? { at: now, count: events };
    // What is asked for right after something else says little about a second.
    if (this.#before !== null && now - at < HALF_A_SECOND) return;
    const rate = Math.max(0, events - count) / Math.max(1, (now - at) / 1000);
    this.#before = { at: now, count: events };
    find("#rate").textContent = `${Math.round(rate)} events a second`;
  }

  #drop(id, row) {
    row.element.remove();
    this.#rows.delete(id);
  }

  #row(id) {
    if (!this.#rows.has(id)) {
      const row = new Total(id, this.order);
      this.#rows.set(id, row);
      find("#totals").append(row.element);
    }
    return this.#rows.get(id);
  }
}

class Total {
  #history = [];
  #total = document.createElement("td");
  #line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  element = document.createElement("tr");

  constructor(id, order) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", `0 0 ${MINUTE} 20`);
    picture.setAttribute("preserveAspectRatio", "none");
    picture.setAttribute("aria-hidden", "true");
    picture.append(this.#line);
    const form = find("#order").content.cloneNode(true).firstElementChild;
    form.elements.amount.ariaLabel = `Amount for ${id}`;
    form.querySelector("button").ariaLabel = `Order ${id}`;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      order(id, Number(form.elements.amount.value));
    });
    this.element.dataset.id = id;
    this.element.append(cell(id), this.#total, cell(picture), cell(form));
  }

  update(total) {
    this.#total.textContent = total;
    const now = performance.now() / 1000;
    this.#history = this.#history.filter(({ at }) => at > now - MINUTE).concat({ at: now, total });
    const all = this.#history.map(({ total: value }) => value);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const point = ({ at, total: value }) => `${MINUTE + at - now},${19 - (18 * (value - low)) / (high - low || 1)}`;
    this.#line.setAttribute("points", this.#history.map(point).join(" "));
  }
}

export const showClock = ({ at, paused, speed, nextDue }) => {
  // Nobody reads microseconds.
  find("#now").textContent = at.replace(/\d+µs$/, "") || "0s";
  find("#pace").textContent =
    (paused ? "paused" : `${speed} × real time`) + (nextDue === null ? "" : `, next at ${nextDue}`);
  find("#pause").textContent = paused ? "Resume" : "Pause";
};

export const showReload = ({ ok, count, changes, error }) => {
  const changed = changes.map(({ text }) => text).join(", ") || "nothing that matters changed";
  const last = count === 0 ? "No save was applied yet." : `Save ${count}: ${changed}.`;
  find("#reload").textContent = ok ? last : "The file is broken; the last good scenario is served.";
  find("#problems").hidden = ok;
  find("#problems").textContent = error ?? "";
};

export const showSockets = (sockets, close) => {
  find("#count").textContent = `${sockets.length} open`;
  const make = ({ socket }) => {
    const tr = document.createElement("tr");
    tr.append(...Array.from({ length: 5 }, () => cell("")));
    tr.append(cell(button("Close", `Close socket ${socket}`, () => close(socket))));
    return tr;
  };
  const update = (tr, { socket, category, age, sent, backlog }) =>
    [socket, category, age, sent, backlog].forEach((value, at) => { tr.cells[at].textContent = value; });
  keep(find("#sockets"), sockets.slice(0, SHOWN), ({ socket }) => socket, make, update);
};

export const showFaults = (faults, remove) => {
  const make = ({ id, label, fault }) => {
    const item = document.createElement("li");
    const code = document.createElement("code");
    code.textContent = JSON.stringify(fault);
    item.append(document.createElement("span"), code, button("Lift", `Lift ${label}`, () => remove(id)));
    return item;
  };
  const update = (item, { label, phase, hit, matched }) => {
    item.dataset.phase = phase;
    item.firstChild.textContent = `${label}: ${phase}, hit ${hit} of ${matched}`;
  };
  keep(find("#faults"), faults, ({ id, fault }) => `${id} ${JSON.stringify(fault)}`, make, update);
};
